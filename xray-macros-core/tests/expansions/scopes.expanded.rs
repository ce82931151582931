//! The innermost declaration of a variable decides whether the variable is a reference.
async fn scopes(
    client: &Client,
    request: &RequestBuilder,
    slot: Option<RequestBuilder>,
) {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
        "scopes",
        ::core::file!(),
        ::core::line!(),
    );
    let &copied = request;
    (match {
        use ::xray::__private::send::{TraceablePlace as _, UnknownPlace as _};
        copied.__xray_dispatch((&__XRAY_CALL_SITES, ::core::line!()))
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Traced(__xray_twin) => {
            let __xray_twin = __xray_twin.reached();
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
            __xray_untraced.reached().pass(copied.send())
        }
    });
    {
        let request = client.get(url);
        let future = async {
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
                .await
        };
    }
    if let Some(client) = slot {
        (match {
            use ::xray::__private::send::{TraceablePlace as _, UnknownPlace as _};
            client.__xray_dispatch((&__XRAY_CALL_SITES, ::core::line!()))
        } {
            #[allow(unreachable_code)]
            ::xray::__private::Dispatch::Traced(__xray_twin) => {
                let __xray_twin = __xray_twin.reached();
                __xray_twin.send()
            }
            #[allow(unreachable_code)]
            ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
                __xray_untraced.reached().pass(client.send())
            }
        });
    } else {
        client.send();
    }
    match client.get(url) {
        request if (match {
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
            .is_ok() => {}
        request => request.send(),
    }
}
