//! Arguments that are more than a name, and methods that are named by their path.
#[traced_http]
async fn hoisted(request: RequestBuilder, http_client: &Client, url: &str) {
    request.send(encode(url)?)?;
    http_client.get(url.parse()?).await?;
    self.request.send_json(json!({ "url": url }))?;
    // Left alone: a channel, and arguments whose type depends on the parameter.
    sender.send(encode(url)?).await;
    self.request.send_json(Some(Box::new(url)));
    self.request.send_body(Box::new(|body| body));
    RequestBuilder::send(request).await?;
    builders.map(RequestBuilder::send);
    let kept = RequestBuilder::send(request);
    keep(kept);
}
