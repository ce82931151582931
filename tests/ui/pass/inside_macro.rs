//! An annotated function that a macro defines from the caller's fragments.

macro_rules! fetch {
    ($name:ident, $client:ident, $url:expr, $call:expr) => {
        #[xray::traced_http]
        async fn $name($client: &reqwest::Client) -> reqwest::Result<reqwest::Response> {
            let _ = $client.get($url).send().await;
            $call.send().await
        }
    };
}

fetch!(fetch_it, client, "no url", client.get("no url"));

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert!(runtime.block_on(fetch_it(&reqwest::Client::new())).is_err());
}
