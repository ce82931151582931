//! The receiver is a place: a variable or a field of a variable.

#[traced_http]
async fn places(request: RequestBuilder, mut wrapper: Wrapper) -> bool {
    request.send().await?;
    wrapper.inner.0.send() == wrapper.other.send()
}

#[traced_http]
async fn ours(self) -> Result<Response> {
    self.send().await
}
