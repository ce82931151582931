//! A spawned task or thread runs in the current trace if its work contains a call.
async fn spawned(client: Client) {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
        "spawned",
        ::core::file!(),
        ::core::line!(),
    );
    tokio::spawn(
        ::xray::__private::future_in_current_trace(async move {
            ::xray::__private::send::receiver(
                    client.get(url),
                    (&__XRAY_CALL_SITES, ::core::line!()),
                )
                .__xray_traced()
                .send()
                .await
        }),
    );
    std::thread::spawn(
        ::xray::__private::in_current_trace(move || {
            (match {
                use ::xray::__private::send::{TraceablePlace as _, UnknownPlace as _};
                request.__xray_dispatch((&__XRAY_CALL_SITES, ::core::line!()))
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
                ::xray::__private::send::receiver(
                        client.get(url),
                        (&__XRAY_CALL_SITES, ::core::line!()),
                    )
                    .__xray_traced()
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
            use ::xray::__private::send::{TraceablePlace as _, UnknownPlace as _};
            request.__xray_dispatch((&__XRAY_CALL_SITES, ::core::line!()))
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
