//! The receiver is a value: the result of a method chain, a call, `?` or `.await`.
async fn chain(client: &Client, url: &str) -> Result<Response> {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
        "chain",
        ::core::file!(),
        ::core::line!(),
    );
    ::xray::__private::send::receiver(
            client.get(url).header("accept", "*/*"),
            (&__XRAY_CALL_SITES, ::core::line!()),
        )
        .__xray_traced()
        .send()
        .await
}
async fn other_values() {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
        "other_values",
        ::core::file!(),
        ::core::line!(),
    );
    let first = ::xray::__private::send::receiver(
            request(),
            (&__XRAY_CALL_SITES, ::core::line!()),
        )
        .__xray_traced()
        .send();
    ::xray::__private::send::receiver(request()?, (&__XRAY_CALL_SITES, ::core::line!()))
        .__xray_traced()
        .send()
        .await?;
    ::xray::__private::send::receiver(
            request().await,
            (&__XRAY_CALL_SITES, ::core::line!()),
        )
        .__xray_traced()
        .send()
        .await
        .unwrap();
    ::xray::__private::send::receiver(
            match method {
                Method::Get => get(),
                _ => post()?,
            },
            (&__XRAY_CALL_SITES, ::core::line!()),
        )
        .__xray_traced()
        .send();
    let second = ::xray::__private::send::receiver(
            if authorized { request } else { login(request) },
            (&__XRAY_CALL_SITES, ::core::line!()),
        )
        .__xray_traced()
        .send();
    ::xray::__private::send::receiver(
            Request { url }.build(),
            (&__XRAY_CALL_SITES, ::core::line!()),
        )
        .__xray_traced()
        .send()
        .await
}
