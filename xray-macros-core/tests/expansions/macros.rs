//! The arguments of known macros are walked; other macros are left unchanged.

#[traced_http]
async fn macros(client: &Client) {
    let (a, b) = tokio::join!(client.get(a).send(), request.send());
    futures::try_join!(biased; client.get(a).send(),)?;
    println!("{:?}", client.get(a).send());
    users_own! { client.get(a).send() }
}
