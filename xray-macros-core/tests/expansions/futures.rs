//! Futures that stay in the function, and futures that leave it.
#[traced_http]
async fn futures(client: &Client, mut pending: Vec<ResponseFuture>) {
    client.request(first()).map_ok(drop).await;
    let stays = client.request(second());
    stays.await;
    let leaves = client.request(third());
    pending.push(leaves);
    let get = if flag { client.get(url) } else { client.request(fourth()) };
    get.await;
}
