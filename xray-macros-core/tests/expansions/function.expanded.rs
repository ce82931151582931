//! Functions that make the request themselves (`reqwest::get(url)`), and functions that take it (`ureq::run(request)`).
async fn functions(url: &str, request: Request<()>) -> reqwest::Result<()> {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = {
        {
            use ::xray::__private::clients::reqwest::{Client, check};
            check(Client);
        }
        {
            use ::xray::__private::clients::reqwest_blocking::{Client, check};
            check(Client);
        }
        {
            use ::xray::__private::clients::ureq::{Client, check};
            check(Client);
        }
        ::xray::__private::CallSites::new("functions", ::core::file!(), ::core::line!())
    };
    let mut __xray_call_0 = ::xray::__private::argument::CallInProgress::none();
    let __xray_types_0 = ::xray::__private::argument::CallTypes::new();
    if true {
        (match reqwest::get {
            __xray_callee => {
                ::xray::__private::functions::Callee::of(&__xray_callee)
                    .__xray_traced(__xray_callee, (&__XRAY_CALL_SITES, ::core::line!()))
            }
        })(url)
            .await?;
        (match reqwest::blocking::get::<&str> {
            __xray_callee => {
                ::xray::__private::functions::Callee::of(&__xray_callee)
                    .__xray_traced(__xray_callee, (&__XRAY_CALL_SITES, ::core::line!()))
            }
        })(url)?;
        (match ureq::run(
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
        ) {
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
        })?;
        self::reqwest::get(url);
        get(url);
        Ok(())
    } else {
        loop {}
        #[allow(unreachable_code)]
        {
            (&&&&&&::xray::__private::run::settle(&__xray_types_0)
                .__xray_test_argument())
                .__xray_test_result();
        };
    }
}
async fn own_module(url: &str) {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
        "own_module",
        ::core::file!(),
        ::core::line!(),
    );
    ::xray::__private::send::receiver(
            reqwest::get(url),
            (&__XRAY_CALL_SITES, ::core::line!()),
        )
        .__xray_traced()
        .send();
}
