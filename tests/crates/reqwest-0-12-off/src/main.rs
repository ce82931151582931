//! Must not compile: the call would silently stay untraced, because the feature is off.

#[xray::traced_http]
async fn status(client: &reqwest::Client, url: &str) -> reqwest::Result<u16> {
    Ok(client.get(url).send().await?.status().as_u16())
}

fn main() {
    drop(status(&reqwest::Client::new(), ""));
}
