//! A receiver that is a value: the result of a chain, a call, `?` or `.await`.
async fn chain(client: &Client, url: &str) -> Result<Response> {
    const fn __xray_place(line: u32) -> ::xray::__private::Place {
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "chain",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        ::xray::__private::Place::new(::core::file!(), line, function)
    }
    let __xray_run = __xray_place(0).run();
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
    const fn __xray_place(line: u32) -> ::xray::__private::Place {
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "other_values",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        ::xray::__private::Place::new(::core::file!(), line, function)
    }
    let __xray_run = __xray_place(0).run();
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
