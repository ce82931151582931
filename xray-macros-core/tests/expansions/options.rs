//! Options: a name for all calls of a function, a name for one call, a skipped call, and a renamed crate.

#[traced_http(name = "todos", crate = "my::tracing")]
async fn options(client: &Client) {
    client.get(a).send().await;
    #[xray(name = "first todo")]
    let first = client.get(b).send().await;
    #[xray(skip)]
    client.get(c).send().await;
    #[allow(unused_must_use)]
    #[xray(name = "in place")]
    #[cfg(feature = "d")]
    d.send();
}
