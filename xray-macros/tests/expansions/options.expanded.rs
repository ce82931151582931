//! A name for all calls of a function, and for one; a call that is skipped; a renamed crate.
async fn options(client: &Client) {
    #[allow(unused_imports)]
    use my::tracing::__private::answers::*;
    const __XRAY_PLACE: &my::tracing::__private::Place = &{
        fn function() -> &'static my::tracing::__private::Function {
            static FUNCTION: my::tracing::__private::Function = my::tracing::__private::Function::new(
                "options",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        my::tracing::__private::Place::new(function).named("todos")
    };
    let __xray_run = __XRAY_PLACE.run();
    match client.get(a) {
        __xray_it => {
            (&my::tracing::__private::send::probe(&__xray_it))
                .__xray_kind()
                .open(__xray_it, __XRAY_PLACE.at(::core::line!()))
        }
    }
        .send()
        .await;
    let first = match client.get(b) {
        __xray_it => {
            (&my::tracing::__private::send::probe(&__xray_it))
                .__xray_kind()
                .open(
                    __xray_it,
                    const { &(*__XRAY_PLACE).named("first todo") }.at(::core::line!()),
                )
        }
    }
        .send()
        .await;
    client.get(c).send().await;
    #[allow(unused_must_use)] #[cfg(feature = "d")]
    (match {
        use my::tracing::__private::send::{Peek as _, Take as _};
        d.__xray_ask()
    } {
        #[allow(unreachable_code)]
        my::tracing::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known
                .alive()
                .open(const { &(*__XRAY_PLACE).named("in place") }.at(::core::line!()));
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        my::tracing::__private::Ask::No(__xray_other) => {
            __xray_other
                .alive()
                .pass(
                    d.send(),
                    const { &(*__XRAY_PLACE).named("in place") }.at(::core::line!()),
                )
        }
    });
}
