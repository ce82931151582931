//! Calls that the user requires to be traced: calls marked with `#[xray(trace)]`, and all calls of a `strict` function.
async fn marked(courier: &Courier, parcel: Parcel) -> Result<(), Error> {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
        "marked",
        ::core::file!(),
        ::core::line!(),
    );
    let mut __xray_call_0 = ::xray::__private::argument::CallInProgress::none();
    let mut __xray_call_1 = ::xray::__private::argument::CallInProgress::none();
    let __xray_types_0 = ::xray::__private::argument::CallTypes::new();
    let __xray_types_1 = ::xray::__private::argument::CallTypes::new();
    if true {
        ::xray::__private::any::traced(parcel, (&__XRAY_CALL_SITES, ::core::line!()))
            .ship()
            .await?;
        let answer = (match courier
            .carry(
                ::xray::__private::argument::inspect(
                    ::xray::__private::any::required(parcel),
                    &mut __xray_call_0,
                    (
                        {
                            static __XRAY_NAMED_CALL_SITES: ::xray::__private::CallSites = (&__XRAY_CALL_SITES)
                                .with_name("courier");
                            &__XRAY_NAMED_CALL_SITES
                        },
                        ::core::line!(),
                    ),
                    #[allow(clippy::needless_update)]
                    ::xray::__private::argument::CallTypes {
                        of: ::xray::__private::PhantomData,
                        ..__xray_types_0
                    },
                ),
                1,
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
        let answer = (match courier::carry(
            ::xray::__private::argument::inspect(
                ::xray::__private::any::required(parcel),
                &mut __xray_call_1,
                (&__XRAY_CALL_SITES, ::core::line!()),
                #[allow(clippy::needless_update)]
                ::xray::__private::argument::CallTypes {
                    of: ::xray::__private::PhantomData,
                    ..__xray_types_1
                },
            ),
        ) {
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
        })?;
        retry!(
            ::xray::__private::send::receiver(client.get(url), (& __XRAY_CALL_SITES,
            ::core::line!())).__xray_traced().send(), 3
        );
        Ok(())
    } else {
        loop {}
        #[allow(unreachable_code)]
        {
            (&&&&&&::xray::__private::any::settle(&__xray_types_0)
                .__xray_test_argument())
                .__xray_test_result();
            ::xray::__private::settle::require(&__xray_types_0);
            (&&&&&&::xray::__private::any::settle(&__xray_types_1)
                .__xray_test_argument())
                .__xray_test_result();
            ::xray::__private::settle::require(&__xray_types_1);
        };
    }
}
async fn strict(request: RequestBuilder, client: &Client) -> Result<(), Error> {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
            "strict",
            ::core::file!(),
            ::core::line!(),
        )
        .skip_hosts(&["*.local"]);
    let mut __xray_call_0 = ::xray::__private::argument::CallInProgress::none();
    let __xray_types_0 = ::xray::__private::argument::CallTypes::new();
    if true {
        ::xray::__private::send::traced(request, (&__XRAY_CALL_SITES, ::core::line!()))
            .send()
            .await?;
        (match client
            .execute(
                ::xray::__private::argument::inspect(
                    ::xray::__private::execute::required(request.build()?),
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
        Ok(())
    } else {
        loop {}
        #[allow(unreachable_code)]
        {
            (&&&&&&::xray::__private::execute::settle(&__xray_types_0)
                .__xray_test_argument())
                .__xray_test_result();
            ::xray::__private::settle::require(&__xray_types_0);
        };
    }
}
