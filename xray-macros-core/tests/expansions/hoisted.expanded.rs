//! Arguments that are more than a name, and methods that are named by their path.
async fn hoisted(request: RequestBuilder, http_client: &Client, url: &str) {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
        "hoisted",
        ::core::file!(),
        ::core::line!(),
    );
    (match encode(url)? {
        __xray_argument => {
            match {
                use ::xray::__private::send::{TraceablePlace as _, UnknownPlace as _};
                request.__xray_dispatch_with((&__XRAY_CALL_SITES, ::core::line!()))
            } {
                #[allow(unreachable_code)]
                ::xray::__private::Dispatch::Traced(__xray_twin) => {
                    let __xray_twin = __xray_twin.reached();
                    __xray_twin.send(__xray_argument)
                }
                #[allow(unreachable_code)]
                ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
                    __xray_untraced.reached().pass(request.send(__xray_argument))
                }
            }
        }
    })?;
    (match url.parse()? {
        __xray_argument => {
            match ::xray::__private::client::Client(&*http_client)
                .__xray_dispatch((&__XRAY_CALL_SITES, ::core::line!()))
            {
                #[allow(unreachable_code)]
                ::xray::__private::Dispatch::Traced(__xray_twin) => {
                    let __xray_twin = __xray_twin.reached();
                    __xray_twin.get(__xray_argument)
                }
                #[allow(unreachable_code)]
                ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
                    __xray_untraced.reached().pass(http_client.get(__xray_argument))
                }
            }
        }
    })
        .await?;
    (match json!({ "url" : url }) {
        __xray_argument => {
            match {
                use ::xray::__private::send_json::{
                    TraceablePlace as _, UnknownPlace as _,
                };
                self.request.__xray_dispatch_with((&__XRAY_CALL_SITES, ::core::line!()))
            } {
                #[allow(unreachable_code)]
                ::xray::__private::Dispatch::Traced(__xray_twin) => {
                    let __xray_twin = __xray_twin.reached();
                    __xray_twin.send_json(__xray_argument)
                }
                #[allow(unreachable_code)]
                ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
                    __xray_untraced
                        .reached()
                        .pass(self.request.send_json(__xray_argument))
                }
            }
        }
    })?;
    sender.send(encode(url)?).await;
    self.request.send_json(Some(Box::new(url)));
    self.request.send_body(Box::new(|body| body));
    (match RequestBuilder::send {
        __xray_callee => {
            ::xray::__private::send::callee(&__xray_callee)
                .__xray_traced(
                    __xray_callee,
                    |__xray_twin| __xray_twin.send(),
                    (&__XRAY_CALL_SITES, ::core::line!()),
                )
        }
    })(request)
        .await?;
    builders
        .map(
            (match RequestBuilder::send {
                __xray_callee => {
                    ::xray::__private::send::callee(&__xray_callee)
                        .__xray_traced(
                            __xray_callee,
                            |__xray_twin| __xray_twin.send(),
                            (&__XRAY_CALL_SITES, ::core::line!()),
                        )
                }
            }),
        );
    let kept = RequestBuilder::send(request);
    keep(kept);
}
