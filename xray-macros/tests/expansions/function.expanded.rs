//! A function that makes the request itself, and one that is given it.
async fn functions(url: &str, request: Request<()>) -> reqwest::Result<()> {
    const _: fn() = || {
        use ::xray::__private::clients::reqwest::{Client, check};
        check(Client)
    };
    const _: fn() = || {
        use ::xray::__private::clients::reqwest_blocking::{Client, check};
        check(Client)
    };
    const _: fn() = || {
        use ::xray::__private::clients::ureq::{Client, check};
        check(Client)
    };
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    const __XRAY_PLACE: &::xray::__private::Place = &{
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "functions",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        ::xray::__private::Place::new(function)
    };
    let __xray_run = __XRAY_PLACE.run();
    let mut __xray_slot_0 = ::xray::__private::answer::Slot::new();
    (match reqwest::get {
        __xray_callee => {
            (&::xray::__private::functions::Callee::of(&__xray_callee))
                .__xray_function()
                .open(__xray_callee, __XRAY_PLACE.at(::core::line!()))
        }
    })(url)
        .await?;
    (match reqwest::blocking::get::<&str> {
        __xray_callee => {
            (&::xray::__private::functions::Callee::of(&__xray_callee))
                .__xray_function()
                .open(__xray_callee, __XRAY_PLACE.at(::core::line!()))
        }
    })(url)?;
    (match ureq::run(
        ::xray::__private::look(
            request,
            |__xray_it| {
                (&::xray::__private::run::probe(&*__xray_it))
                    .__xray_request()
                    .enter(
                        __xray_it,
                        __XRAY_PLACE.at(::core::line!()),
                        &mut __xray_slot_0,
                    )
            },
        ),
    ) {
        __xray_out => {
            (&&&&&(&&::xray::__private::answer::Answered(&__xray_out, &__xray_slot_0))
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
    use ::xray::__private::answers::*;
    const __XRAY_PLACE: &::xray::__private::Place = &{
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "own_module",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        ::xray::__private::Place::new(function)
    };
    let __xray_run = __XRAY_PLACE.run();
    match reqwest::get(url) {
        __xray_it => {
            (&::xray::__private::send::probe(&__xray_it))
                .__xray_kind()
                .open(__xray_it, __XRAY_PLACE.at(::core::line!()))
        }
    }
        .send();
}
