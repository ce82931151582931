//! Types of reqwest that a function names are checked: the build must trace their version.
async fn named(
    client: Arc<reqwest::Client>,
    request: ::reqwest::Request,
    old: &reqwest_0_12::RequestBuilder,
) {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = {
        {
            #[allow(unused_imports)]
            use ::xray::__private::reqwest_version::Unrelated as _;
            ::xray::__private::reqwest_version::client(<reqwest::Client>::builder);
        }
        {
            #[allow(unused_imports)]
            use ::xray::__private::reqwest_version::Unrelated as _;
            ::xray::__private::reqwest_version::request(<::reqwest::Request>::try_clone);
        }
        {
            #[allow(unused_imports)]
            use ::xray::__private::reqwest_version::Unrelated as _;
            ::xray::__private::reqwest_version::request_builder(
                <reqwest_0_12::RequestBuilder>::build_split,
            );
        }
        ::xray::__private::FunctionSite::new("named", ::core::file!(), ::core::line!())
    };
    let other = match reqwest::Client::new().get(url) {
        __xray_it => {
            ::xray::__private::send::receiver(&__xray_it)
                .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
        }
    }
        .send()
        .await;
    #[cfg(feature = "off")]
    let hidden = reqwest::RequestBuilder::new();
}
async fn a_module_of_ones_own(client: &reqwest::Client) {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
        "a_module_of_ones_own",
        ::core::file!(),
        ::core::line!(),
    );
    match client.get(url) {
        __xray_it => {
            ::xray::__private::send::receiver(&__xray_it)
                .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
        }
    }
        .send()
        .await;
}
async fn not_reqwest(client: &reqwest_middleware::Client, result: reqwest::Result<u32>) {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
        "not_reqwest",
        ::core::file!(),
        ::core::line!(),
    );
    match client.get(url) {
        __xray_it => {
            ::xray::__private::send::receiver(&__xray_it)
                .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
        }
    }
        .send()
        .await;
}
