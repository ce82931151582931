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
    let other = match reqwest::Client::new().get(url) {
        __xray_it => {
            use ::xray::__private::send::{Known as _, Unknown as _};
            (&::xray::__private::Probe(&__xray_it))
                .__xray_kind()
                .open(
                    __xray_it,
                    &const {
                        ::xray::__private::Site::new(::core::file!(), ::core::line!())
                    },
                )
        }
    }
        .send()
        .await;
    #[cfg(feature = "off")]
    let hidden = reqwest::RequestBuilder::new();
}
async fn a_module_of_ones_own(client: &reqwest::Client) {
    match client.get(url) {
        __xray_it => {
            use ::xray::__private::send::{Known as _, Unknown as _};
            (&::xray::__private::Probe(&__xray_it))
                .__xray_kind()
                .open(
                    __xray_it,
                    &const {
                        ::xray::__private::Site::new(::core::file!(), ::core::line!())
                    },
                )
        }
    }
        .send()
        .await;
}
async fn not_reqwest(client: &reqwest_middleware::Client, result: reqwest::Result<u32>) {
    match client.get(url) {
        __xray_it => {
            use ::xray::__private::send::{Known as _, Unknown as _};
            (&::xray::__private::Probe(&__xray_it))
                .__xray_kind()
                .open(
                    __xray_it,
                    &const {
                        ::xray::__private::Site::new(::core::file!(), ::core::line!())
                    },
                )
        }
    }
        .send()
        .await;
}
