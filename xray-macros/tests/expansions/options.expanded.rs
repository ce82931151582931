//! A name for all calls of a function, and for one; a call that is skipped; a renamed crate.
async fn options(client: &Client) {
    #[allow(unused_imports)]
    use my::tracing::__private::answers::*;
    static __XRAY_PLACE: my::tracing::__private::Place = my::tracing::__private::Place::new(
            "options",
            ::core::file!(),
            ::core::line!(),
        )
        .named("todos");
    match client.get(a) {
        __xray_it => {
            my::tracing::__private::send::receiver(&__xray_it)
                .__xray_open(__xray_it, (&__XRAY_PLACE).at(::core::line!()))
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
                        static __XRAY_PART: my::tracing::__private::Place = (&__XRAY_PLACE)
                            .part("first todo");
                        &__XRAY_PART
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
        d.__xray_ask(
            {
                static __XRAY_PART: my::tracing::__private::Place = (&__XRAY_PLACE)
                    .part("in place");
                &__XRAY_PART
            }
                .at(::core::line!()),
        )
    } {
        #[allow(unreachable_code)]
        my::tracing::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known.alive();
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        my::tracing::__private::Ask::No(__xray_other) => {
            __xray_other.alive().pass(d.send())
        }
    });
}
