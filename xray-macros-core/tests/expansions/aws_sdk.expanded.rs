//! Requests that may be of the AWS SDK, for a runtime that traces them.
async fn values(client: &Client) -> Result<(), Error> {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
        "values",
        ::core::file!(),
        ::core::line!(),
    );
    match client.get_item().table_name("orders") {
        __xray_receiver => {
            ::xray::__private::aws_sdk::Receiver::of(
                    &__xray_receiver,
                    |__xray_request, __xray_interceptor| {
                        #[allow(unused_imports)]
                        use ::xray::__private::aws_sdk::Fallback as _;
                        __xray_request.customize().interceptor(__xray_interceptor)
                    },
                )
                .__xray_traced(
                    __xray_receiver,
                    (&__XRAY_CALL_SITES, ::core::line!()),
                    |__xray_request| __xray_request.send(),
                    |__xray_customized| __xray_customized.send(),
                )
        }
    }
        .send()
        .await?;
    ::xray::__private::send::receiver(
            client.post(url),
            (&__XRAY_CALL_SITES, ::core::line!()),
        )
        .__xray_traced()
        .send(body)?;
    match client.scan() {
        __xray_receiver => {
            ::xray::__private::aws_sdk::Receiver::of(
                    &__xray_receiver,
                    |__xray_request, __xray_interceptor| {
                        #[allow(unused_imports)]
                        use ::xray::__private::aws_sdk::Fallback as _;
                        __xray_request.customize().interceptor(__xray_interceptor)
                    },
                )
                .__xray_require(
                    __xray_receiver,
                    (&__XRAY_CALL_SITES, ::core::line!()),
                    |__xray_request| __xray_request.send(),
                    |__xray_customized| __xray_customized.send(),
                )
        }
    }
        .send()
        .await?;
    Ok(())
}
async fn places(mut request: Query, limit: i32) -> Result<Page, Error> {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
        "places",
        ::core::file!(),
        ::core::line!(),
    );
    request = request.limit(limit);
    #[allow(clippy::all)]
    (match {
        #[allow(unused_imports)]
        use ::xray::__private::aws_sdk::Fallback as _;
        match request.customize() {
            __xray_customized => {
                ::xray::__private::aws_sdk::CustomizeResult::of(&__xray_customized)
                    .__xray_dispatch(
                        __xray_customized,
                        (&__XRAY_CALL_SITES, ::core::line!()),
                    )
            }
        }
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Traced(__xray_twin) => {
            let __xray_twin = __xray_twin.reached();
            let __xray_twin = __xray_twin
                .__xray_attach(|__xray_customized, __xray_interceptor| {
                    #[allow(unused_imports)]
                    use ::xray::__private::aws_sdk::Fallback as _;
                    __xray_customized.interceptor(__xray_interceptor)
                });
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
            __xray_untraced
                .reached()
                .pass(
                    (match {
                        use ::xray::__private::send::{
                            TraceablePlace as _, UnknownPlace as _,
                        };
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
                    }),
                )
        }
    })
        .await?;
    (match {
        use ::xray::__private::send::{TraceablePlace as _, UnknownPlace as _};
        self.request.__xray_dispatch((&__XRAY_CALL_SITES, ::core::line!()))
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Traced(__xray_twin) => {
            let __xray_twin = __xray_twin.reached();
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
            __xray_untraced.reached().pass(self.request.send())
        }
    })
        .await
}
