//! A task or thread with a call in it is carried in the current trace.
async fn spawned(client: Client) {
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    const __XRAY_PLACE: &::xray::__private::Place = &{
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "spawned",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        ::xray::__private::Place::new(function)
    };
    let __xray_run = __XRAY_PLACE.run();
    tokio::spawn(
        ::xray::__private::future_in_current_trace(async move {
            match client.get(url) {
                __xray_it => {
                    (&::xray::__private::send::probe(&__xray_it))
                        .__xray_kind()
                        .open(__xray_it, __XRAY_PLACE.at(::core::line!()))
                }
            }
                .send()
                .await
        }),
    );
    std::thread::spawn(
        ::xray::__private::in_current_trace(move || {
            (match {
                use ::xray::__private::send::{Peek as _, Take as _};
                request.__xray_ask()
            } {
                #[allow(unreachable_code)]
                ::xray::__private::Ask::Yes(__xray_known) => {
                    let __xray_twin = __xray_known
                        .alive()
                        .open(__XRAY_PLACE.at(::core::line!()));
                    __xray_twin.send()
                }
                #[allow(unreachable_code)]
                ::xray::__private::Ask::No(__xray_other) => {
                    __xray_other
                        .alive()
                        .pass(request.send(), __XRAY_PLACE.at(::core::line!()))
                }
            })
        }),
    );
    set.spawn_on(
        ::xray::__private::future_in_current_trace({
            let url = url.clone();
            async move {
                match client.get(url) {
                    __xray_it => {
                        (&::xray::__private::send::probe(&__xray_it))
                            .__xray_kind()
                            .open(__xray_it, __XRAY_PLACE.at(::core::line!()))
                    }
                }
                    .send()
                    .await
            }
                .instrument(span)
        }),
        handle,
    );
    tokio::spawn(async { nothing().await });
    pool.spawn_all(|| {
        (match {
            use ::xray::__private::send::{Peek as _, Take as _};
            request.__xray_ask()
        } {
            #[allow(unreachable_code)]
            ::xray::__private::Ask::Yes(__xray_known) => {
                let __xray_twin = __xray_known
                    .alive()
                    .open(__XRAY_PLACE.at(::core::line!()));
                __xray_twin.send()
            }
            #[allow(unreachable_code)]
            ::xray::__private::Ask::No(__xray_other) => {
                __xray_other
                    .alive()
                    .pass(request.send(), __XRAY_PLACE.at(::core::line!()))
            }
        })
    });
}
