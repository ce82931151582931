#[xray::traced_http(nmae = "todos", name = todos, crate = "not a path", local)]
async fn wrong(client: &reqwest::Client) {
    client.get("").send().await.unwrap();
}

#[xray::traced_http(name = "a", name = "b")]
async fn twice(client: &reqwest::Client) {
    client.get("").send().await.unwrap();
}

#[xray::traced_http(=)]
async fn no_options(client: &reqwest::Client) {
    client.get("").send().await.unwrap();
}

fn main() {}
