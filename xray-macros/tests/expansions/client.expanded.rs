//! A client with the URL as the argument; its name has to say that it is one.
async fn clients(&self, http_client: &Client, uri: Uri, key: &str) -> Result<(), Error> {
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    const __XRAY_PLACE: &::xray::__private::Place = &{
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
    (match (&::xray::__private::client::Asked(&self.client)).__xray_client() {
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
    (match (&::xray::__private::client::Asked(&self.client)).__xray_client() {
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
    (match (&::xray::__private::client::Asked(&*http_client)).__xray_client() {
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
            (&::xray::__private::send::probe(&__xray_it))
                .__xray_kind()
                .open(__xray_it, __XRAY_PLACE.at(::core::line!()))
        }
    }
        .send()
        .await?;
    Ok(())
}
