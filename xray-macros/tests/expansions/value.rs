//! A receiver that is a value: the result of a chain, a call, `?` or `.await`.

#[traced_http]
async fn chain(client: &Client, url: &str) -> Result<Response> {
    client.get(url).header("accept", "*/*").send().await
}

#[traced_http]
async fn other_values() {
    let first = request().send();
    request()?.send().await?;
    (request().await).send().await.unwrap();
    Request { url }.build().send().await
}
