//! Closures, async blocks, control flow, and calls inside calls.

#[traced_http]
async fn nested(client: Client) {
    let retry = |url| async move { client.get(url).send().await };
    if let Ok(response) = client.get(a).send().await && response.ok() {
        other.send(client.get(b).send().await).await;
    }
    'pages: loop {
        match client.get(page(client.get(c).send().await?)).send().await {
            Ok(last) if last.send() => break 'pages last,
            _ => continue,
        }
    }
}
