//! The receiver is a value: the result of a method chain, a call, `?` or `.await`.

#[traced_http]
async fn chain(client: &Client, url: &str) -> Result<Response> {
    client.get(url).header("accept", "*/*").send().await
}

#[traced_http]
async fn other_values() {
    let first = request().send();
    request()?.send().await?;
    (request().await).send().await.unwrap();
    match method {
        Method::Get => get(),
        _ => post()?,
    }
    .send();
    let second = if authorized { request } else { login(request) }.send();
    Request { url }.build().send().await
}
