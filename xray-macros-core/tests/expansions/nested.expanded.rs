//! Closures, async blocks, control flow, and calls inside calls.
async fn nested(client: Client) {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
        "nested",
        ::core::file!(),
        ::core::line!(),
    );
    let retry = |url| async move {
        ::xray::__private::send::receiver(
                client.get(url),
                (&__XRAY_CALL_SITES, ::core::line!()),
            )
            .__xray_traced()
            .send()
            .await
    };
    if let Ok(response) = ::xray::__private::send::receiver(
            client.get(a),
            (&__XRAY_CALL_SITES, ::core::line!()),
        )
        .__xray_traced()
        .send()
        .await && response.ok()
    {
        (match ::xray::__private::send::receiver(
                client.get(b),
                (&__XRAY_CALL_SITES, ::core::line!()),
            )
            .__xray_traced()
            .send()
            .await
        {
            __xray_argument => {
                match {
                    use ::xray::__private::send::{
                        TraceablePlace as _, UnknownPlace as _,
                    };
                    other.__xray_dispatch_with((&__XRAY_CALL_SITES, ::core::line!()))
                } {
                    #[allow(unreachable_code)]
                    ::xray::__private::Dispatch::Traced(__xray_twin) => {
                        let __xray_twin = __xray_twin.reached();
                        __xray_twin.send(__xray_argument)
                    }
                    #[allow(unreachable_code)]
                    ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
                        __xray_untraced.reached().pass(other.send(__xray_argument))
                    }
                }
            }
        })
            .await;
    }
    'pages: loop {
        match ::xray::__private::send::receiver(
                client
                    .get(
                        page(
                            ::xray::__private::send::receiver(
                                    client.get(c),
                                    (&__XRAY_CALL_SITES, ::core::line!()),
                                )
                                .__xray_traced()
                                .send()
                                .await?,
                        ),
                    ),
                (&__XRAY_CALL_SITES, ::core::line!()),
            )
            .__xray_traced()
            .send()
            .await
        {
            Ok(
                last,
            ) if (match {
                use ::xray::__private::send::{TraceablePlace as _, UnknownPlace as _};
                last.__xray_dispatch((&__XRAY_CALL_SITES, ::core::line!()))
            } {
                #[allow(unreachable_code)]
                ::xray::__private::Dispatch::Traced(__xray_twin) => {
                    let __xray_twin = __xray_twin.reached();
                    __xray_twin.send()
                }
                #[allow(unreachable_code)]
                ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
                    __xray_untraced.reached().pass(last.send())
                }
            }) => break 'pages last,
            _ => continue,
        }
    }
}
