//! All functions of an `impl` block, except for those with an attribute of their own.
impl Service {
    const LIMIT: u32 = 1;
    const fn limit() -> u32 {
        Self::LIMIT
    }
    async fn get(&self) -> Result<(), Error> {
        #[allow(unused_imports)]
        use ::xray::__private::traits::*;
        static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
                "get",
                ::core::file!(),
                ::core::line!(),
            )
            .named("todos");
        let __xray_annotations = ::xray::__private::Annotations::new(|| {
            use ::xray::__private::annotation::ToAnnotation as _;
            ::std::vec![("tier", (self.tier).__xray_annotation())]
        });
        let later = {
            let __xray_annotations = ::core::clone::Clone::clone(&__xray_annotations);
            async move {
                ::xray::__private::send::receiver(
                        self.client.put(url),
                        (&__XRAY_CALL_SITES, ::core::line!(), &__xray_annotations),
                    )
                    .__xray_traced()
                    .send()
                    .await
            }
        };
        ::xray::__private::send::receiver(
                self.client.get(url),
                (&__XRAY_CALL_SITES, ::core::line!(), &__xray_annotations),
            )
            .__xray_traced()
            .send()
            .await?;
        later.await
    }
    async fn skipped(&self) {
        self.client.get(url).send().await;
    }
    #[xray::traced_http(name = "own")]
    async fn own(&self) {
        self.client.get(url).send().await;
    }
    fn no_call(&self) {}
}
