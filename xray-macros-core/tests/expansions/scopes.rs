//! The innermost declaration of a variable decides whether the variable is a reference.

#[traced_http]
async fn scopes(client: &Client, request: &RequestBuilder, slot: Option<RequestBuilder>) {
    let &copied = request;
    copied.send();
    {
        let request = client.get(url);
        let future = async { request.send().await };
    }
    if let Some(client) = slot {
        client.send();
    } else {
        client.send();
    }
    match client.get(url) {
        request if request.send().is_ok() => {}
        #[xray(skip)]
        request => request.send(),
    }
}
