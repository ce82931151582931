//! The receiver is a client and the argument a URL: `client.get(url)`. The name of the receiver must end in `client`.
#[traced_http]
async fn clients(&self, http_client: &Client, uri: Uri, key: &str) -> Result<(), Error> {
    self.client.get(uri.clone()).await?;
    self.client.get(uri).await?;
    http_client.get(uri).await?;
    // Left unchanged: `get` of a map, and `get` of a client that returns a request builder.
    self.clients.get(key);
    http_client.get(&key);
    http_client.get(key).header("a", "b").send().await?;
    Ok(())
}
