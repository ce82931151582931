//! The receiver is a client and the argument a URL: `client.get(url)`. The name of the receiver must end in `client`.
async fn clients(&self, http_client: &Client, uri: Uri, key: &str) -> Result<(), Error> {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
        "clients",
        ::core::file!(),
        ::core::line!(),
    );
    (match ::xray::__private::client::Client(&self.client)
        .__xray_dispatch((&__XRAY_CALL_SITES, ::core::line!()))
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
        .__xray_dispatch((&__XRAY_CALL_SITES, ::core::line!()))
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
        .__xray_dispatch((&__XRAY_CALL_SITES, ::core::line!()))
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
    ::xray::__private::send::receiver(
            http_client.get(key).header("a", "b"),
            (&__XRAY_CALL_SITES, ::core::line!()),
        )
        .__xray_traced()
        .send()
        .await?;
    Ok(())
}
