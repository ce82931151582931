//! All functions of a module, of its `impl` blocks, traits and inner modules.
#[traced_http(name = "todos")]
mod api {
    use super::Client;

    make!(client.get(url).send());

    const fn limit() -> u32 {
        1
    }

    fn no_call() {}

    async fn get(client: &Client) {
        client.get(url).send().await;
    }

    impl Service {
        async fn get(&self) {
            self.client.get(url).send().await;
        }
    }

    trait Api {
        fn no_body();

        async fn get(&self) {
            self.client().get(url).send().await;
        }
    }

    mod inner {
        async fn get(client: &Client) {
            client.get(url).send().await;
        }

        #[xray(skip)]
        async fn skipped(client: &Client) {
            client.get(url).send().await;
        }

        #[xray::traced_http(name = "own")]
        impl Own {
            async fn own(&self) {
                self.client.get(url).send().await;
            }
        }
    }

    #[xray(skip)]
    mod left {
        async fn skipped(client: &Client) {
            client.get(url).send().await;
        }
    }
}
