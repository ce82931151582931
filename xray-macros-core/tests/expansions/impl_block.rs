//! All functions of an `impl` block, except for those with an attribute of their own.
#[traced_http(name = "todos", annotate(tier = self.tier))]
impl Service {
    const LIMIT: u32 = 1;

    const fn limit() -> u32 {
        Self::LIMIT
    }

    async fn get(&self) -> Result<(), Error> {
        let later = async move { self.client.put(url).send().await };
        self.client.get(url).send().await?;
        later.await
    }

    #[xray(skip)]
    async fn skipped(&self) {
        self.client.get(url).send().await;
    }

    #[xray::traced_http(name = "own")]
    async fn own(&self) {
        self.client.get(url).send().await;
    }

    fn no_call(&self) {}
}
