//! All functions of an `impl`, except for those with an attribute of their own.
impl Service {
    const LIMIT: u32 = 1;
    const fn limit() -> u32 {
        Self::LIMIT
    }
    async fn get(&self) -> Result<(), Error> {
        #[allow(unused_imports)]
        use ::xray::__private::traits::*;
        static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
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
                match self.client.put(url) {
                    __xray_it => {
                        ::xray::__private::send::receiver(&__xray_it)
                            .__xray_open(
                                __xray_it,
                                (&__XRAY_SITE).at_with(::core::line!(), &__xray_annotations),
                            )
                    }
                }
                    .send()
                    .await
            }
        };
        match self.client.get(url) {
            __xray_it => {
                ::xray::__private::send::receiver(&__xray_it)
                    .__xray_open(
                        __xray_it,
                        (&__XRAY_SITE).at_with(::core::line!(), &__xray_annotations),
                    )
            }
        }
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
