//! A name for all calls of a function, and for one; a call that is skipped; a renamed crate.
async fn options(client: &Client) {
    #[allow(unused_imports)]
    use my::tracing::__private::traits::*;
    static __XRAY_SITE: my::tracing::__private::FunctionSite = my::tracing::__private::FunctionSite::new(
            "options",
            ::core::file!(),
            ::core::line!(),
        )
        .named("todos");
    match client.get(a) {
        __xray_it => {
            my::tracing::__private::send::receiver(&__xray_it)
                .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
        }
    }
        .send()
        .await;
    let first = match client.get(b) {
        __xray_it => {
            my::tracing::__private::send::receiver(&__xray_it)
                .__xray_open(
                    __xray_it,
                    {
                        static __XRAY_NAMED_SITE: my::tracing::__private::FunctionSite = (&__XRAY_SITE)
                            .with_name("first todo");
                        &__XRAY_NAMED_SITE
                    }
                        .at(::core::line!()),
                )
        }
    }
        .send()
        .await;
    client.get(c).send().await;
    #[allow(unused_must_use)] #[cfg(feature = "d")]
    (match {
        use my::tracing::__private::send::{Peek as _, Take as _};
        d.__xray_dispatch(
            {
                static __XRAY_NAMED_SITE: my::tracing::__private::FunctionSite = (&__XRAY_SITE)
                    .with_name("in place");
                &__XRAY_NAMED_SITE
            }
                .at(::core::line!()),
        )
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
