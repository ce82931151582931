//! A receiver that is a value: the result of a chain, a call, `?` or `.await`.
async fn chain(client: &Client, url: &str) -> Result<Response> {
    match client.get(url).header("accept", "*/*") {
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
        .await
}
async fn other_values() {
    let first = match request() {
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
        .send();
    match request()? {
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
        .await?;
    match request().await {
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
        .await
        .unwrap();
    match (Request { url }).build() {
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
        .await
}
