#[xray::traced_http]
struct Service {
    client: reqwest::Client,
}

fn main() {}
