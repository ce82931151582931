//! A receiver that is a value: the result of a chain, a call, `?` or `.await`.
async fn chain(client: &Client, url: &str) -> Result<Response> {
    fn __xray_function() -> &'static ::xray::__private::Function {
        static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
            "chain",
            ::core::file!(),
            ::core::line!(),
        );
        &FUNCTION
    }
    const fn __xray_place(line: u32) -> ::xray::__private::Place {
        ::xray::__private::Place::new(::core::file!(), line).within(__xray_function)
    }
    let __xray_run = __xray_function().run();
    match client.get(url).header("accept", "*/*") {
        __xray_it => {
            use ::xray::__private::send::{Known as _, Unknown as _};
            (&::xray::__private::Probe(&__xray_it))
                .__xray_kind()
                .open(__xray_it, &const { __xray_place(::core::line!()) })
        }
    }
        .send()
        .await
}
async fn other_values() {
    fn __xray_function() -> &'static ::xray::__private::Function {
        static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
            "other_values",
            ::core::file!(),
            ::core::line!(),
        );
        &FUNCTION
    }
    const fn __xray_place(line: u32) -> ::xray::__private::Place {
        ::xray::__private::Place::new(::core::file!(), line).within(__xray_function)
    }
    let __xray_run = __xray_function().run();
    let first = match request() {
        __xray_it => {
            use ::xray::__private::send::{Known as _, Unknown as _};
            (&::xray::__private::Probe(&__xray_it))
                .__xray_kind()
                .open(__xray_it, &const { __xray_place(::core::line!()) })
        }
    }
        .send();
    match request()? {
        __xray_it => {
            use ::xray::__private::send::{Known as _, Unknown as _};
            (&::xray::__private::Probe(&__xray_it))
                .__xray_kind()
                .open(__xray_it, &const { __xray_place(::core::line!()) })
        }
    }
        .send()
        .await?;
    match request().await {
        __xray_it => {
            use ::xray::__private::send::{Known as _, Unknown as _};
            (&::xray::__private::Probe(&__xray_it))
                .__xray_kind()
                .open(__xray_it, &const { __xray_place(::core::line!()) })
        }
    }
        .send()
        .await
        .unwrap();
    match (Request { url }).build() {
        __xray_it => {
            use ::xray::__private::send::{Known as _, Unknown as _};
            (&::xray::__private::Probe(&__xray_it))
                .__xray_kind()
                .open(__xray_it, &const { __xray_place(::core::line!()) })
        }
    }
        .send()
        .await
}
