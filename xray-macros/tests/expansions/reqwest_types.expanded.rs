//! Types of reqwest that are named are checked to be of a traced version.
async fn named(
    client: Arc<reqwest::Client>,
    request: ::reqwest::Request,
    old: &reqwest_0_12::RequestBuilder,
) {
    const _: fn() = || {
        #[allow(unused_imports)]
        use ::xray::__private::reqwest_version::Unrelated as _;
        ::xray::__private::reqwest_version::supported(<reqwest::Client>::builder());
    };
    const _: fn(&::reqwest::Request) = |__xray_it| {
        #[allow(unused_imports)]
        use ::xray::__private::reqwest_version::Unrelated as _;
        ::xray::__private::reqwest_version::supported(__xray_it.try_clone());
    };
    const _: fn(reqwest_0_12::RequestBuilder) = |__xray_it| {
        #[allow(unused_imports)]
        use ::xray::__private::reqwest_version::Unrelated as _;
        ::xray::__private::reqwest_version::supported(__xray_it.build_split());
    };
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    const __XRAY_PLACE: &::xray::__private::Place = &{
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "named",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        ::xray::__private::Place::new(function)
    };
    let __xray_run = __XRAY_PLACE.run();
    let other = match reqwest::Client::new().get(url) {
        __xray_it => {
            (&::xray::__private::send::probe(&__xray_it))
                .__xray_kind()
                .open(__xray_it, __XRAY_PLACE.at(::core::line!()))
        }
    }
        .send()
        .await;
    #[cfg(feature = "off")]
    let hidden = reqwest::RequestBuilder::new();
}
async fn a_module_of_ones_own(client: &reqwest::Client) {
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    const __XRAY_PLACE: &::xray::__private::Place = &{
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "a_module_of_ones_own",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        ::xray::__private::Place::new(function)
    };
    let __xray_run = __XRAY_PLACE.run();
    match client.get(url) {
        __xray_it => {
            (&::xray::__private::send::probe(&__xray_it))
                .__xray_kind()
                .open(__xray_it, __XRAY_PLACE.at(::core::line!()))
        }
    }
        .send()
        .await;
}
async fn not_reqwest(client: &reqwest_middleware::Client, result: reqwest::Result<u32>) {
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    const __XRAY_PLACE: &::xray::__private::Place = &{
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "not_reqwest",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        ::xray::__private::Place::new(function)
    };
    let __xray_run = __XRAY_PLACE.run();
    match client.get(url) {
        __xray_it => {
            (&::xray::__private::send::probe(&__xray_it))
                .__xray_kind()
                .open(__xray_it, __XRAY_PLACE.at(::core::line!()))
        }
    }
        .send()
        .await;
}
