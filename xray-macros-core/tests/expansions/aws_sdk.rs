//! Requests that may be of the AWS SDK, for a runtime that traces them.

#[traced_http_with_aws_sdk]
async fn values(client: &Client) -> Result<(), Error> {
    client.get_item().table_name("orders").send().await?;
    client.post(url).send(body)?;
    #[xray(trace)]
    client.scan().send().await?;
    Ok(())
}

#[traced_http_with_aws_sdk]
async fn places(mut request: Query, limit: i32) -> Result<Page, Error> {
    request = request.limit(limit);
    #[allow(clippy::all)]
    request.send().await?;
    self.request.send().await
}
