//! A client with the URL as the argument; its name has to say that it is one.
async fn clients(&self, http_client: &Client, uri: Uri, key: &str) -> Result<(), Error> {
    const __XRAY_PLACE: ::xray::__private::Place = {
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "clients",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        ::xray::__private::Place::new(function)
    };
    let __xray_run = __XRAY_PLACE.run();
    (match {
        use ::xray::__private::client::{IsClient as _, NoClient as _};
        (&::xray::__private::client::Asked(&self.client)).__xray_ask()
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known
                .alive()
                .open(__XRAY_PLACE.at(::core::line!()));
            __xray_twin.get(uri.clone())
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other
                .alive()
                .pass(self.client.get(uri.clone()), __XRAY_PLACE.at(::core::line!()))
        }
    })
        .await?;
    (match {
        use ::xray::__private::client::{IsClient as _, NoClient as _};
        (&::xray::__private::client::Asked(&self.client)).__xray_ask()
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known
                .alive()
                .open(__XRAY_PLACE.at(::core::line!()));
            __xray_twin.get(uri)
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other
                .alive()
                .pass(self.client.get(uri), __XRAY_PLACE.at(::core::line!()))
        }
    })
        .await?;
    (match {
        use ::xray::__private::client::{IsClient as _, NoClient as _};
        (&::xray::__private::client::Asked(&*http_client)).__xray_ask()
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known
                .alive()
                .open(__XRAY_PLACE.at(::core::line!()));
            __xray_twin.get(uri)
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other
                .alive()
                .pass(http_client.get(uri), __XRAY_PLACE.at(::core::line!()))
        }
    })
        .await?;
    self.clients.get(key);
    http_client.get(&key);
    match http_client.get(key).header("a", "b") {
        __xray_it => {
            use ::xray::__private::send::{Known as _, Unknown as _};
            (&::xray::__private::Probe(&__xray_it))
                .__xray_kind()
                .open(__xray_it, __XRAY_PLACE.at(::core::line!()))
        }
    }
        .send()
        .await?;
    Ok(())
}
