#[xray::traced_http(annotate(order), skip_hosts(), strict = true)]
async fn wrong(client: &reqwest::Client, order: u32) {
    client.get("").send().await.unwrap();
}

#[xray::traced_http(annotate(größe = 1), skip_hosts("https://example.com", "a b", ""), local(1))]
async fn values(client: &reqwest::Client) {
    client.get("").send().await.unwrap();
}

fn main() {}
