//! A receiver that is a value: the result of a chain, a call, `?` or `.await`.
async fn chain(client: &Client, url: &str) -> Result<Response> {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
        "chain",
        ::core::file!(),
        ::core::line!(),
    );
    match client.get(url).header("accept", "*/*") {
        __xray_it => {
            ::xray::__private::send::receiver(&__xray_it)
                .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
        }
    }
        .send()
        .await
}
async fn other_values() {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
        "other_values",
        ::core::file!(),
        ::core::line!(),
    );
    let first = match request() {
        __xray_it => {
            ::xray::__private::send::receiver(&__xray_it)
                .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
        }
    }
        .send();
    match request()? {
        __xray_it => {
            ::xray::__private::send::receiver(&__xray_it)
                .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
        }
    }
        .send()
        .await?;
    match request().await {
        __xray_it => {
            ::xray::__private::send::receiver(&__xray_it)
                .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
        }
    }
        .send()
        .await
        .unwrap();
    match match method {
        Method::Get => get(),
        _ => post()?,
    } {
        __xray_it => {
            ::xray::__private::send::receiver(&__xray_it)
                .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
        }
    }
        .send();
    let second = match if authorized { request } else { login(request) } {
        __xray_it => {
            ::xray::__private::send::receiver(&__xray_it)
                .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
        }
    }
        .send();
    match (Request { url }).build() {
        __xray_it => {
            ::xray::__private::send::receiver(&__xray_it)
                .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
        }
    }
        .send()
        .await
}
