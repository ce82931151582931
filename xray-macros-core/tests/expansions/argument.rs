//! The first argument may be the request: `client.execute(request)`. The call is rewritten around that argument.

#[traced_http]
async fn requests(client: &Client, mut service: Service, text: &str) {
    client.execute(build()?).await?;
    client.execute(text.try_into()?).await?;
    let later = |request| service.call(request);
    let now = |request: Request| service.call(request);
    #[cfg(feature = "http2")]
    connection.send_request(request).await?;
    let id = text.parse()?;
    service.call(id);
    service.call(&request);
    service.execute(|| 1);
}

#[traced_http]
fn named(client: &Client, request: Request) -> ResponseFuture {
    client.request(request)
}

#[traced_http]
fn boxed(client: &mut Client, request: Request) -> Self::Future {
    let future = client.request(request);
    Box::pin(async move { future.await })
}
