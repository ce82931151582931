//! Futures that stay in the function, and futures that leave it.
async fn futures(client: &Client, mut pending: Vec<ResponseFuture>) {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
        "futures",
        ::core::file!(),
        ::core::line!(),
    );
    let mut __xray_call_0 = ::xray::__private::argument::CallInProgress::none();
    let mut __xray_call_1 = ::xray::__private::argument::CallInProgress::none();
    let mut __xray_call_2 = ::xray::__private::argument::CallInProgress::none();
    let mut __xray_call_4 = ::xray::__private::argument::CallInProgress::none();
    let __xray_types_0 = ::xray::__private::argument::CallTypes::new();
    let __xray_types_1 = ::xray::__private::argument::CallTypes::new();
    let __xray_types_2 = ::xray::__private::argument::CallTypes::new();
    let __xray_types_3 = ::xray::__private::argument::CallTypes::new();
    let __xray_types_4 = ::xray::__private::argument::CallTypes::new();
    if true {
        (match client
            .request(
                ::xray::__private::argument::inspect(
                    first(),
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
            .map_ok(drop)
            .await;
        let stays = (match client
            .request(
                ::xray::__private::argument::inspect(
                    second(),
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
        });
        stays.await;
        let leaves = (match client
            .request(
                ::xray::__private::argument::inspect(
                    third(),
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
                ::xray::__private::argument::AsValue
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
        });
        pending.push(leaves);
        let get = if flag {
            (match ::xray::__private::client::Client(&*client)
                .__xray_dispatch((&__XRAY_CALL_SITES, ::core::line!()))
            {
                #[allow(unreachable_code)]
                ::xray::__private::Dispatch::Traced(__xray_twin) => {
                    let __xray_twin = __xray_twin.reached();
                    __xray_twin.get(url)
                }
                #[allow(unreachable_code)]
                ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
                    __xray_untraced
                        .reached()
                        .pass(
                            match client.get(url) {
                                __xray_result => {
                                    ::xray::__private::argument::ResultOf::of(&__xray_result)
                                        .__xray_kind()
                                        .pass(
                                            __xray_result,
                                            #[allow(clippy::needless_update)]
                                            ::xray::__private::argument::CallTypes {
                                                of: ::xray::__private::PhantomData,
                                                ..__xray_types_3
                                            },
                                        )
                                }
                            },
                        )
                }
            })
        } else {
            (match client
                .request(
                    ::xray::__private::argument::inspect(
                        fourth(),
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
        };
        get.await;
    } else {
        loop {}
        #[allow(unreachable_code)]
        {
            (&&&&&&::xray::__private::request::settle(&__xray_types_0)
                .__xray_test_argument())
                .__xray_test_result();
            (&&&&&&::xray::__private::request::settle(&__xray_types_1)
                .__xray_test_argument())
                .__xray_test_result();
            (&&&&&&::xray::__private::request::settle(&__xray_types_2)
                .__xray_test_argument())
                .__xray_test_result();
            ::xray::__private::settle::unknown(&__xray_types_3).__xray_test_argument();
            (&&&&&&::xray::__private::request::settle(&__xray_types_4)
                .__xray_test_argument())
                .__xray_test_result();
        };
    }
}
