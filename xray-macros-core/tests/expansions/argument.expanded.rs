//! The first argument may be the request: `client.execute(request)`. The call is rewritten around that argument.
async fn requests(client: &Client, mut service: Service, text: &str) {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
        "requests",
        ::core::file!(),
        ::core::line!(),
    );
    let mut __xray_call_0 = ::xray::__private::argument::CallInProgress::none();
    let mut __xray_call_1 = ::xray::__private::argument::CallInProgress::none();
    #[cfg(feature = "http2")]
    let mut __xray_call_4 = ::xray::__private::argument::CallInProgress::none();
    let mut __xray_call_5 = ::xray::__private::argument::CallInProgress::none();
    let __xray_types_0 = ::xray::__private::argument::CallTypes::new();
    let __xray_types_1 = ::xray::__private::argument::CallTypes::new();
    let __xray_types_2 = ::xray::__private::argument::CallTypes::new();
    let __xray_types_3 = ::xray::__private::argument::CallTypes::new();
    #[cfg(feature = "http2")]
    let __xray_types_4 = ::xray::__private::argument::CallTypes::new();
    let __xray_types_5 = ::xray::__private::argument::CallTypes::new();
    if true {
        (match client
            .execute(
                ::xray::__private::argument::inspect(
                    build()?,
                    &mut __xray_call_0,
                    (&__XRAY_CALL_SITES, ::core::line!()),
                    #[allow(clippy::needless_update)]
                    ::xray::__private::argument::CallTypes {
                        of: ::xray::__private::PhantomData,
                        ..__xray_types_0
                    },
                ),
            )
        {
            __xray_result => {
                ::xray::__private::argument::ResultOf::of(&__xray_result)
                    .__xray_kind()
                    .finish(
                        __xray_result,
                        &mut __xray_call_0,
                        #[allow(clippy::needless_update)]
                        ::xray::__private::argument::CallTypes {
                            of: ::xray::__private::PhantomData,
                            ..__xray_types_0
                        },
                    )
            }
        })
            .await?;
        (match client
            .execute(
                ::xray::__private::argument::inspect(
                    text.try_into()?,
                    &mut __xray_call_1,
                    (&__XRAY_CALL_SITES, ::core::line!()),
                    #[allow(clippy::needless_update)]
                    ::xray::__private::argument::CallTypes {
                        of: ::xray::__private::PhantomData,
                        ..__xray_types_1
                    },
                ),
            )
        {
            __xray_result => {
                ::xray::__private::argument::ResultOf::of(&__xray_result)
                    .__xray_kind()
                    .finish(
                        __xray_result,
                        &mut __xray_call_1,
                        #[allow(clippy::needless_update)]
                        ::xray::__private::argument::CallTypes {
                            of: ::xray::__private::PhantomData,
                            ..__xray_types_1
                        },
                    )
            }
        })
            .await?;
        let later = |request| {
            let mut __xray_call_2 = ::xray::__private::argument::CallInProgress::none();
            (match service
                .call(
                    ::xray::__private::argument::inspect(
                        request,
                        &mut __xray_call_2,
                        (&__XRAY_CALL_SITES, ::core::line!()),
                        #[allow(clippy::needless_update)]
                        ::xray::__private::argument::CallTypes {
                            of: ::xray::__private::PhantomData,
                            ..__xray_types_2
                        },
                    ),
                )
            {
                __xray_result => {
                    ::xray::__private::argument::ResultOf::of(&__xray_result)
                        .__xray_kind()
                        .finish(
                            __xray_result,
                            &mut __xray_call_2,
                            #[allow(clippy::needless_update)]
                            ::xray::__private::argument::CallTypes {
                                of: ::xray::__private::PhantomData,
                                ..__xray_types_2
                            },
                        )
                }
            })
        };
        let now = |request: Request| {
            let mut __xray_call_3 = ::xray::__private::argument::CallInProgress::none();
            (match service
                .call(
                    ::xray::__private::argument::inspect(
                        request,
                        &mut __xray_call_3,
                        (&__XRAY_CALL_SITES, ::core::line!()),
                        #[allow(clippy::needless_update)]
                        ::xray::__private::argument::CallTypes {
                            of: ::xray::__private::PhantomData,
                            ..__xray_types_3
                        },
                    ),
                )
            {
                __xray_result => {
                    ::xray::__private::argument::ResultOf::of(&__xray_result)
                        .__xray_kind()
                        .finish(
                            __xray_result,
                            &mut __xray_call_3,
                            #[allow(clippy::needless_update)]
                            ::xray::__private::argument::CallTypes {
                                of: ::xray::__private::PhantomData,
                                ..__xray_types_3
                            },
                        )
                }
            })
        };
        #[cfg(feature = "http2")]
        (match connection
            .send_request(
                ::xray::__private::argument::inspect(
                    request,
                    &mut __xray_call_4,
                    (&__XRAY_CALL_SITES, ::core::line!()),
                    #[allow(clippy::needless_update)]
                    ::xray::__private::argument::CallTypes {
                        of: ::xray::__private::PhantomData,
                        ..__xray_types_4
                    },
                ),
            )
        {
            __xray_result => {
                ::xray::__private::argument::ResultOf::of(&__xray_result)
                    .__xray_kind()
                    .finish(
                        __xray_result,
                        &mut __xray_call_4,
                        #[allow(clippy::needless_update)]
                        ::xray::__private::argument::CallTypes {
                            of: ::xray::__private::PhantomData,
                            ..__xray_types_4
                        },
                    )
            }
        })
            .await?;
        let id = text.parse()?;
        (match service
            .call(
                ::xray::__private::argument::inspect(
                    id,
                    &mut __xray_call_5,
                    (&__XRAY_CALL_SITES, ::core::line!()),
                    #[allow(clippy::needless_update)]
                    ::xray::__private::argument::CallTypes {
                        of: ::xray::__private::PhantomData,
                        ..__xray_types_5
                    },
                ),
            )
        {
            __xray_result => {
                ::xray::__private::argument::AsValue
                    .finish(
                        __xray_result,
                        &mut __xray_call_5,
                        #[allow(clippy::needless_update)]
                        ::xray::__private::argument::CallTypes {
                            of: ::xray::__private::PhantomData,
                            ..__xray_types_5
                        },
                    )
            }
        });
        service.call(&request);
        service.execute(|| 1);
    } else {
        loop {}
        #[allow(unreachable_code)]
        {
            (&&&&&&::xray::__private::execute::settle(&__xray_types_0)
                .__xray_test_argument())
                .__xray_test_result();
            (&&&&&&::xray::__private::execute::settle(&__xray_types_1)
                .__xray_test_argument())
                .__xray_test_result();
            (&&&&&&::xray::__private::call::settle(&__xray_types_2)
                .__xray_test_argument())
                .__xray_test_result();
            (&&&&&&::xray::__private::call::settle(&__xray_types_3)
                .__xray_test_argument())
                .__xray_test_result();
            #[cfg(feature = "http2")]
            {
                (&&&&&&::xray::__private::send_request::settle(&__xray_types_4)
                    .__xray_test_argument())
                    .__xray_test_result();
            }
            (&&&&&&::xray::__private::call::settle(&__xray_types_5)
                .__xray_test_argument())
                .__xray_test_result();
        };
    }
}
fn named(client: &Client, request: Request) -> ResponseFuture {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
        "named",
        ::core::file!(),
        ::core::line!(),
    );
    let mut __xray_call_0 = ::xray::__private::argument::CallInProgress::none();
    let __xray_types_0 = ::xray::__private::argument::CallTypes::new();
    if true {
        (match client
            .request(
                ::xray::__private::argument::inspect(
                    request,
                    &mut __xray_call_0,
                    (&__XRAY_CALL_SITES, ::core::line!()),
                    #[allow(clippy::needless_update)]
                    ::xray::__private::argument::CallTypes {
                        of: ::xray::__private::PhantomData,
                        ..__xray_types_0
                    },
                ),
            )
        {
            __xray_result => {
                ::xray::__private::argument::AsValue
                    .finish(
                        __xray_result,
                        &mut __xray_call_0,
                        #[allow(clippy::needless_update)]
                        ::xray::__private::argument::CallTypes {
                            of: ::xray::__private::PhantomData,
                            ..__xray_types_0
                        },
                    )
            }
        })
    } else {
        loop {}
        #[allow(unreachable_code)]
        {
            (&&&&&&::xray::__private::request::settle(&__xray_types_0)
                .__xray_test_argument())
                .__xray_test_result();
        };
    }
}
fn boxed(client: &mut Client, request: Request) -> Self::Future {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
        "boxed",
        ::core::file!(),
        ::core::line!(),
    );
    let mut __xray_call_0 = ::xray::__private::argument::CallInProgress::none();
    let __xray_types_0 = ::xray::__private::argument::CallTypes::new();
    if true {
        let future = (match client
            .request(
                ::xray::__private::argument::inspect(
                    request,
                    &mut __xray_call_0,
                    (&__XRAY_CALL_SITES, ::core::line!()),
                    #[allow(clippy::needless_update)]
                    ::xray::__private::argument::CallTypes {
                        of: ::xray::__private::PhantomData,
                        ..__xray_types_0
                    },
                ),
            )
        {
            __xray_result => {
                ::xray::__private::argument::ResultOf::of(&__xray_result)
                    .__xray_kind()
                    .finish(
                        __xray_result,
                        &mut __xray_call_0,
                        #[allow(clippy::needless_update)]
                        ::xray::__private::argument::CallTypes {
                            of: ::xray::__private::PhantomData,
                            ..__xray_types_0
                        },
                    )
            }
        });
        Box::pin(async move { future.await })
    } else {
        loop {}
        #[allow(unreachable_code)]
        {
            (&&&&&&::xray::__private::request::settle(&__xray_types_0)
                .__xray_test_argument())
                .__xray_test_result();
        };
    }
}
