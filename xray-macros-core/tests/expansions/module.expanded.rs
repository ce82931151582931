//! All functions of a module, of its `impl` blocks, traits and inner modules.
mod api {
    use super::Client;
    make!(client.get(url).send());
    const fn limit() -> u32 {
        1
    }
    fn no_call() {}
    async fn get(client: &Client) {
        #[allow(unused_imports)]
        use ::xray::__private::traits::*;
        static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
                "get",
                ::core::file!(),
                ::core::line!(),
            )
            .named("todos");
        ::xray::__private::send::receiver(
                client.get(url),
                (&__XRAY_CALL_SITES, ::core::line!()),
            )
            .__xray_traced()
            .send()
            .await;
    }
    impl Service {
        async fn get(&self) {
            #[allow(unused_imports)]
            use ::xray::__private::traits::*;
            static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
                    "get",
                    ::core::file!(),
                    ::core::line!(),
                )
                .named("todos");
            ::xray::__private::send::receiver(
                    self.client.get(url),
                    (&__XRAY_CALL_SITES, ::core::line!()),
                )
                .__xray_traced()
                .send()
                .await;
        }
    }
    trait Api {
        fn no_body();
        async fn get(&self) {
            #[allow(unused_imports)]
            use ::xray::__private::traits::*;
            static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
                    "get",
                    ::core::file!(),
                    ::core::line!(),
                )
                .named("todos");
            ::xray::__private::send::receiver(
                    self.client().get(url),
                    (&__XRAY_CALL_SITES, ::core::line!()),
                )
                .__xray_traced()
                .send()
                .await;
        }
    }
    mod inner {
        async fn get(client: &Client) {
            #[allow(unused_imports)]
            use ::xray::__private::traits::*;
            static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
                    "get",
                    ::core::file!(),
                    ::core::line!(),
                )
                .named("todos");
            ::xray::__private::send::receiver(
                    client.get(url),
                    (&__XRAY_CALL_SITES, ::core::line!()),
                )
                .__xray_traced()
                .send()
                .await;
        }
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
    mod left {
        async fn skipped(client: &Client) {
            client.get(url).send().await;
        }
    }
}
