//! A function that names a type of reqwest contains a check that the build traces that version of reqwest.
async fn named(
    client: Arc<reqwest::Client>,
    request: ::reqwest::Request,
    old: &reqwest_0_12::RequestBuilder,
) {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = {
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
        ::xray::__private::CallSites::new("named", ::core::file!(), ::core::line!())
    };
    let other = ::xray::__private::send::receiver(
            reqwest::Client::new().get(url),
            (&__XRAY_CALL_SITES, ::core::line!()),
        )
        .__xray_traced()
        .send()
        .await;
    #[cfg(feature = "off")]
    let hidden = reqwest::RequestBuilder::new();
}
async fn a_module_of_ones_own(client: &reqwest::Client) {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
        "a_module_of_ones_own",
        ::core::file!(),
        ::core::line!(),
    );
    ::xray::__private::send::receiver(
            client.get(url),
            (&__XRAY_CALL_SITES, ::core::line!()),
        )
        .__xray_traced()
        .send()
        .await;
}
async fn not_reqwest(client: &reqwest_middleware::Client, result: reqwest::Result<u32>) {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
        "not_reqwest",
        ::core::file!(),
        ::core::line!(),
    );
    ::xray::__private::send::receiver(
            client.get(url),
            (&__XRAY_CALL_SITES, ::core::line!()),
        )
        .__xray_traced()
        .send()
        .await;
}
