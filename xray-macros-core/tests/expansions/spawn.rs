//! A spawned task or thread runs in the current trace if its work contains a call.

#[traced_http]
async fn spawned(client: Client) {
    tokio::spawn(async move { client.get(url).send().await });
    std::thread::spawn(move || request.send());
    set.spawn_on(
        {
            let url = url.clone();
            async move { client.get(url).send().await }.instrument(span)
        },
        handle,
    );
    tokio::spawn(async { nothing().await });
    pool.spawn_all(|| request.send());
}
