struct Service;

#[xray::traced_http]
impl Service {
    fn limit(&self) -> u32 {
        1
    }

    #[xray::traced_http(name = "todos")]
    async fn call(&self, client: &reqwest::Client) -> reqwest::Result<reqwest::Response> {
        client.get("").send().await
    }
}

struct Other;

#[xray::traced_http]
impl Other {
    #[xray::traced_http]
    async fn call(&self, client: &reqwest::Client) -> reqwest::Result<reqwest::Response> {
        client.get("").send().await
    }
}

#[xray::traced_http]
mod api {
    #[xray::traced_http]
    pub async fn call(client: &reqwest::Client) -> reqwest::Result<reqwest::Response> {
        client.get("").send().await
    }

    pub mod inner {
        #[xray(skip)]
        pub async fn call(client: &reqwest::Client) -> reqwest::Result<reqwest::Response> {
            client.get("").send().await
        }
    }
}

fn main() {
    let client = reqwest::Client::new();
    Service.limit();
    drop((Service.call(&client), Other.call(&client), api::call(&client), api::inner::call(&client)));
}
