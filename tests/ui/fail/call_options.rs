#[xray::traced_http]
async fn wrong(client: &reqwest::Client) {
    #[xray(skp, name = 1)]
    client.get("").send().await.unwrap();
    #[xray]
    client.get("").send().await.unwrap();
    #[xray(skip)]
    let no_call = 1;
    #[xray(name = "none")]
    println!("{no_call}");
}

fn main() {}
