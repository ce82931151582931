//! A client with the URL as the argument. The name of the variable must say that it is a client.
async fn clients(&self, http_client: &Client, uri: Uri, key: &str) -> Result<(), Error> {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
        "clients",
        ::core::file!(),
        ::core::line!(),
    );
    (match ::xray::__private::client::Client(&self.client)
        .__xray_client((&__XRAY_SITE).at(::core::line!()))
    {
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Traced(__xray_twin) => {
            let __xray_twin = __xray_twin.reached();
            __xray_twin.get(uri.clone())
        }
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
            __xray_untraced.reached().pass(self.client.get(uri.clone()))
        }
    })
        .await?;
    (match ::xray::__private::client::Client(&self.client)
        .__xray_client((&__XRAY_SITE).at(::core::line!()))
    {
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Traced(__xray_twin) => {
            let __xray_twin = __xray_twin.reached();
            __xray_twin.get(uri)
        }
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
            __xray_untraced.reached().pass(self.client.get(uri))
        }
    })
        .await?;
    (match ::xray::__private::client::Client(&*http_client)
        .__xray_client((&__XRAY_SITE).at(::core::line!()))
    {
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Traced(__xray_twin) => {
            let __xray_twin = __xray_twin.reached();
            __xray_twin.get(uri)
        }
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
            __xray_untraced.reached().pass(http_client.get(uri))
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
