//! A name for all calls of a function, and for one; a call that is skipped; a renamed crate.
async fn options(client: &Client) {
    const fn __xray_place(line: u32) -> my::tracing::__private::Place {
        fn function() -> &'static my::tracing::__private::Function {
            static FUNCTION: my::tracing::__private::Function = my::tracing::__private::Function::new(
                "options",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        my::tracing::__private::Place::new(::core::file!(), line, function)
            .named("todos")
    }
    let __xray_run = __xray_place(0).run();
    match client.get(a) {
        __xray_it => {
            use my::tracing::__private::send::{Known as _, Unknown as _};
            (&my::tracing::__private::Probe(&__xray_it))
                .__xray_kind()
                .open(__xray_it, &const { __xray_place(::core::line!()) })
        }
    }
        .send()
        .await;
    let first = match client.get(b) {
        __xray_it => {
            use my::tracing::__private::send::{Known as _, Unknown as _};
            (&my::tracing::__private::Probe(&__xray_it))
                .__xray_kind()
                .open(
                    __xray_it,
                    &const { __xray_place(::core::line!()).named("first todo") },
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
                .open(&const { __xray_place(::core::line!()).named("in place") });
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        my::tracing::__private::Ask::No(__xray_other) => {
            __xray_other
                .alive()
                .pass(
                    d.send(),
                    &const { __xray_place(::core::line!()).named("in place") },
                )
        }
    });
}
