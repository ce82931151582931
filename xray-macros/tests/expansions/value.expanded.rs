//! A receiver that is a value: the result of a chain, a call, `?` or `.await`.
async fn chain(client: &Client, url: &str) -> Result<Response> {
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    const __XRAY_PLACE: &::xray::__private::Place = &{
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "chain",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        ::xray::__private::Place::new(function)
    };
    let __xray_run = __XRAY_PLACE.run();
    match client.get(url).header("accept", "*/*") {
        __xray_it => {
            (&::xray::__private::send::probe(&__xray_it))
                .__xray_kind()
                .open(__xray_it, __XRAY_PLACE.at(::core::line!()))
        }
    }
        .send()
        .await
}
async fn other_values() {
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    const __XRAY_PLACE: &::xray::__private::Place = &{
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "other_values",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        ::xray::__private::Place::new(function)
    };
    let __xray_run = __XRAY_PLACE.run();
    let first = match request() {
        __xray_it => {
            (&::xray::__private::send::probe(&__xray_it))
                .__xray_kind()
                .open(__xray_it, __XRAY_PLACE.at(::core::line!()))
        }
    }
        .send();
    match request()? {
        __xray_it => {
            (&::xray::__private::send::probe(&__xray_it))
                .__xray_kind()
                .open(__xray_it, __XRAY_PLACE.at(::core::line!()))
        }
    }
        .send()
        .await?;
    match request().await {
        __xray_it => {
            (&::xray::__private::send::probe(&__xray_it))
                .__xray_kind()
                .open(__xray_it, __XRAY_PLACE.at(::core::line!()))
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
            (&::xray::__private::send::probe(&__xray_it))
                .__xray_kind()
                .open(__xray_it, __XRAY_PLACE.at(::core::line!()))
        }
    }
        .send();
    let second = match if authorized { request } else { login(request) } {
        __xray_it => {
            (&::xray::__private::send::probe(&__xray_it))
                .__xray_kind()
                .open(__xray_it, __XRAY_PLACE.at(::core::line!()))
        }
    }
        .send();
    match (Request { url }).build() {
        __xray_it => {
            (&::xray::__private::send::probe(&__xray_it))
                .__xray_kind()
                .open(__xray_it, __XRAY_PLACE.at(::core::line!()))
        }
    }
        .send()
        .await
}
