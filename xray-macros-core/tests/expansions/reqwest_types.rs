//! A function that names a type of reqwest contains a check that the build traces that version of reqwest.

#[traced_http]
async fn named(client: Arc<reqwest::Client>, request: ::reqwest::Request, old: &reqwest_0_12::RequestBuilder) {
    let other = reqwest::Client::new().get(url).send().await;
    #[cfg(feature = "off")]
    let hidden = reqwest::RequestBuilder::new();
}

#[traced_http(local(reqwest))]
async fn a_module_of_ones_own(client: &reqwest::Client) {
    client.get(url).send().await;
}

#[traced_http]
async fn not_reqwest(client: &reqwest_middleware::Client, result: reqwest::Result<u32>) {
    client.get(url).send().await;
}
