#[xray::traced_http]
async fn half_typed(client: &reqwest::Client) {
    client.get("").send().
}

fn main() {
    // The function is there all the same.
    let _ = half_typed;
}
