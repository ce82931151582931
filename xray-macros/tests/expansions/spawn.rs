//! A task or thread with a call in it is carried in the current trace.

#[traced_http]
async fn spawned(client: Client) {
    tokio::spawn(async move { client.get(url).send().await });
    std::thread::spawn(move || request.send());
    tokio::spawn(async { nothing().await });
}
