struct Service;

#[xray::traced_http]
impl Service {
    const LIMIT: u32 = 1;

    fn limit(&self) -> u32 {
        Self::LIMIT
    }

    #[xray(skip)]
    fn skipped(&self) -> u32 {
        self.limit()
    }
}

struct Other;

#[xray::traced_http]
impl Other {
    #[xray(name = "other")]
    async fn named(&self, client: &reqwest::Client) {
        client.get("").send().await.unwrap();
    }

    async fn wrong(&self, client: &reqwest::Client) {
        #[xray(skip = true)]
        client.get("").send().await.unwrap();
    }
}

fn main() {
    Service.skipped();
}
