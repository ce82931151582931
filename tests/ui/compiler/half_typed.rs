#[xray::traced_http]
async fn half_typed(client: &reqwest::Client) {
    client.get("").send().
}

fn main() {
    // The function exists despite the error in it.
    let _ = half_typed;
}
