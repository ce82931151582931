//! A client with the URL as the argument. The name of the variable must say that it is a client.
#[traced_http]
async fn clients(&self, http_client: &Client, uri: Uri, key: &str) -> Result<(), Error> {
    self.client.get(uri.clone()).await?;
    self.client.get(uri).await?;
    http_client.get(uri).await?;
    // Left alone: a map, a builder.
    self.clients.get(key);
    http_client.get(&key);
    http_client.get(key).header("a", "b").send().await?;
    Ok(())
}
