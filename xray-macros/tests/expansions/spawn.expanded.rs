//! A task or thread whose work holds a call runs in the current trace.
async fn spawned(client: Client) {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
        "spawned",
        ::core::file!(),
        ::core::line!(),
    );
    tokio::spawn(
        ::xray::__private::future_in_current_trace(async move {
            match client.get(url) {
                __xray_it => {
                    ::xray::__private::send::receiver(&__xray_it)
                        .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
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
                request.__xray_dispatch((&__XRAY_SITE).at(::core::line!()))
            } {
                #[allow(unreachable_code)]
                ::xray::__private::Dispatch::Traced(__xray_twin) => {
                    let __xray_twin = __xray_twin.reached();
                    __xray_twin.send()
                }
                #[allow(unreachable_code)]
                ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
                    __xray_untraced.reached().pass(request.send())
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
                        ::xray::__private::send::receiver(&__xray_it)
                            .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
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
            request.__xray_dispatch((&__XRAY_SITE).at(::core::line!()))
        } {
            #[allow(unreachable_code)]
            ::xray::__private::Dispatch::Traced(__xray_twin) => {
                let __xray_twin = __xray_twin.reached();
                __xray_twin.send()
            }
            #[allow(unreachable_code)]
            ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
                __xray_untraced.reached().pass(request.send())
            }
        })
    });
}
