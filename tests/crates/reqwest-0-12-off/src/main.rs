//! Must not compile: it would trace nothing and say nothing.

#[xray::traced_http]
async fn status(client: &reqwest::Client, url: &str) -> reqwest::Result<u16> {
    Ok(client.get(url).send().await?.status().as_u16())
}

fn main() {
    drop(status(&reqwest::Client::new(), ""));
}
