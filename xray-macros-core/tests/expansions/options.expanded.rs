//! Options: a name for all calls of a function, a name for one call, a skipped call, and a renamed crate.
async fn options(client: &Client) {
    #[allow(unused_imports)]
    use my::tracing::__private::traits::*;
    static __XRAY_CALL_SITES: my::tracing::__private::CallSites = my::tracing::__private::CallSites::new(
            "options",
            ::core::file!(),
            ::core::line!(),
        )
        .named("todos");
    my::tracing::__private::send::receiver(
            client.get(a),
            (&__XRAY_CALL_SITES, ::core::line!()),
        )
        .__xray_traced()
        .send()
        .await;
    let first = my::tracing::__private::send::receiver(
            client.get(b),
            (
                {
                    static __XRAY_NAMED_CALL_SITES: my::tracing::__private::CallSites = (&__XRAY_CALL_SITES)
                        .with_name("first todo");
                    &__XRAY_NAMED_CALL_SITES
                },
                ::core::line!(),
            ),
        )
        .__xray_traced()
        .send()
        .await;
    client.get(c).send().await;
    #[allow(unused_must_use)] #[cfg(feature = "d")]
    (match {
        use my::tracing::__private::send::{TraceablePlace as _, UnknownPlace as _};
        d.__xray_dispatch((
            {
                static __XRAY_NAMED_CALL_SITES: my::tracing::__private::CallSites = (&__XRAY_CALL_SITES)
                    .with_name("in place");
                &__XRAY_NAMED_CALL_SITES
            },
            ::core::line!(),
        ))
    } {
        #[allow(unreachable_code)]
        my::tracing::__private::Dispatch::Traced(__xray_twin) => {
            let __xray_twin = __xray_twin.reached();
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        my::tracing::__private::Dispatch::Untraced(__xray_untraced) => {
            __xray_untraced.reached().pass(d.send())
        }
    });
}
