//! A name is a reference only where its declaration says so, and is another variable elsewhere.
async fn scopes(
    client: &Client,
    request: &RequestBuilder,
    slot: Option<RequestBuilder>,
) {
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    const __XRAY_PLACE: &::xray::__private::Place = &{
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "scopes",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        ::xray::__private::Place::new(function)
    };
    let __xray_run = __XRAY_PLACE.run();
    let &copied = request;
    copied.send();
    {
        let request = (match (&::xray::__private::client::Asked(&*client))
            .__xray_client()
        {
            #[allow(unreachable_code)]
            ::xray::__private::Ask::Yes(__xray_known) => {
                let __xray_twin = __xray_known
                    .alive()
                    .open(__XRAY_PLACE.at(::core::line!()));
                __xray_twin.get(url)
            }
            #[allow(unreachable_code)]
            ::xray::__private::Ask::No(__xray_other) => {
                __xray_other
                    .alive()
                    .pass(client.get(url), __XRAY_PLACE.at(::core::line!()))
            }
        });
        let future = async {
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
                .await
        };
    }
    if let Some(client) = slot {
        (match {
            use ::xray::__private::send::{Peek as _, Take as _};
            client.__xray_ask()
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
                    .pass(client.send(), __XRAY_PLACE.at(::core::line!()))
            }
        });
    } else {
        client.send();
    }
    match (match (&::xray::__private::client::Asked(&*client)).__xray_client() {
        #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known
                .alive()
                .open(__XRAY_PLACE.at(::core::line!()));
            __xray_twin.get(url)
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other.alive().pass(client.get(url), __XRAY_PLACE.at(::core::line!()))
        }
    }) {
        request if (match {
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
            .is_ok() => {}
        request => request.send(),
    }
}
