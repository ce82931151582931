//! A function that makes the request itself, and a function that takes the request.
async fn functions(url: &str, request: Request<()>) -> reqwest::Result<()> {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = {
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
        ::xray::__private::FunctionSite::new(
            "functions",
            ::core::file!(),
            ::core::line!(),
        )
    };
    let mut __xray_slot_0 = ::xray::__private::outcome::Slot::new();
    (match reqwest::get {
        __xray_callee => {
            ::xray::__private::functions::Callee::of(&__xray_callee)
                .__xray_open(__xray_callee, (&__XRAY_SITE).at(::core::line!()))
        }
    })(url)
        .await?;
    (match reqwest::blocking::get::<&str> {
        __xray_callee => {
            ::xray::__private::functions::Callee::of(&__xray_callee)
                .__xray_open(__xray_callee, (&__XRAY_SITE).at(::core::line!()))
        }
    })(url)?;
    (match ureq::run(
        ::xray::__private::inspect(
            request,
            &mut __xray_slot_0,
            (&__XRAY_SITE).at(::core::line!()),
            |__xray_it, __xray_slot, __xray_site| {
                ::xray::__private::run::argument(__xray_it)
                    .__xray_enter(__xray_it, __xray_slot, __xray_site)
            },
        ),
    ) {
        __xray_out => {
            (&&&&&::xray::__private::outcome::Outcome::of(&__xray_out, &__xray_slot_0)
                .__xray_when())
                .__xray_how()
                .exit(__xray_out, &mut __xray_slot_0)
        }
    })?;
    self::reqwest::get(url);
    get(url);
    Ok(())
}
async fn own_module(url: &str) {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
        "own_module",
        ::core::file!(),
        ::core::line!(),
    );
    match reqwest::get(url) {
        __xray_it => {
            ::xray::__private::send::receiver(&__xray_it)
                .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
        }
    }
        .send();
}
