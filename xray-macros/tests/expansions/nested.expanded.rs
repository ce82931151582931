//! Closures, async blocks, control flow, and calls inside calls.
async fn nested(client: Client) {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
        "nested",
        ::core::file!(),
        ::core::line!(),
    );
    let retry = |url| async move {
        match client.get(url) {
            __xray_it => {
                ::xray::__private::send::receiver(&__xray_it)
                    .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
            }
        }
            .send()
            .await
    };
    if let Ok(response) = match client.get(a) {
        __xray_it => {
            ::xray::__private::send::receiver(&__xray_it)
                .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
        }
    }
        .send()
        .await && response.ok()
    {
        other
            .send(
                match client.get(b) {
                    __xray_it => {
                        ::xray::__private::send::receiver(&__xray_it)
                            .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
                    }
                }
                    .send()
                    .await,
            )
            .await;
    }
    'pages: loop {
        match match client
            .get(
                page(
                    match client.get(c) {
                        __xray_it => {
                            ::xray::__private::send::receiver(&__xray_it)
                                .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
                        }
                    }
                        .send()
                        .await?,
                ),
            )
        {
            __xray_it => {
                ::xray::__private::send::receiver(&__xray_it)
                    .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
            }
        }
            .send()
            .await
        {
            Ok(
                last,
            ) if (match {
                use ::xray::__private::send::{Peek as _, Take as _};
                last.__xray_dispatch((&__XRAY_SITE).at(::core::line!()))
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
