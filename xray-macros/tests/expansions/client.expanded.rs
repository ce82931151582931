//! A client with the URL as the argument. The name of the variable must say that it is a client.
async fn clients(&self, http_client: &Client, uri: Uri, key: &str) -> Result<(), Error> {
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
        "clients",
        ::core::file!(),
        ::core::line!(),
    );
    (match ::xray::__private::client::Asked(&self.client)
        .__xray_client((&__XRAY_SITE).at(::core::line!()))
    {
        #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known.alive();
            __xray_twin.get(uri.clone())
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other.alive().pass(self.client.get(uri.clone()))
        }
    })
        .await?;
    (match ::xray::__private::client::Asked(&self.client)
        .__xray_client((&__XRAY_SITE).at(::core::line!()))
    {
        #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known.alive();
            __xray_twin.get(uri)
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other.alive().pass(self.client.get(uri))
        }
    })
        .await?;
    (match ::xray::__private::client::Asked(&*http_client)
        .__xray_client((&__XRAY_SITE).at(::core::line!()))
    {
        #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known.alive();
            __xray_twin.get(uri)
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other.alive().pass(http_client.get(uri))
        }
    })
        .await?;
    self.clients.get(key);
    http_client.get(&key);
    match http_client.get(key).header("a", "b") {
        __xray_it => {
            ::xray::__private::send::receiver(&__xray_it)
                .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
        }
    }
        .send()
        .await?;
    Ok(())
}
