//! The innermost declaration of a name says whether the variable is a reference.
async fn scopes(
    client: &Client,
    request: &RequestBuilder,
    slot: Option<RequestBuilder>,
) {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
        "scopes",
        ::core::file!(),
        ::core::line!(),
    );
    let &copied = request;
    copied.send();
    {
        let request = (match ::xray::__private::client::Client(&*client)
            .__xray_client((&__XRAY_SITE).at(::core::line!()))
        {
            #[allow(unreachable_code)]
            ::xray::__private::Dispatch::Traced(__xray_twin) => {
                let __xray_twin = __xray_twin.reached();
                __xray_twin.get(url)
            }
            #[allow(unreachable_code)]
            ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
                __xray_untraced.reached().pass(client.get(url))
            }
        });
        let future = async {
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
                .await
        };
    }
    if let Some(client) = slot {
        (match {
            use ::xray::__private::send::{Peek as _, Take as _};
            client.__xray_dispatch((&__XRAY_SITE).at(::core::line!()))
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
    match (match ::xray::__private::client::Client(&*client)
        .__xray_client((&__XRAY_SITE).at(::core::line!()))
    {
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Traced(__xray_twin) => {
            let __xray_twin = __xray_twin.reached();
            __xray_twin.get(url)
        }
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
            __xray_untraced.reached().pass(client.get(url))
        }
    }) {
        request if (match {
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
            .is_ok() => {}
        request => request.send(),
    }
}
