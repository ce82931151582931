//! A subsegment around a function of each kind.
fn blocking<'a>(list: &'a mut Vec<u32>) -> Option<&'a mut u32> {
    let __xray_subsegment = ::xray::__private::traced::FunctionSubsegment::new(
        "blocking",
    );
    __xray_subsegment
        .around(move || -> Option<&'a mut u32> { list.first_mut() }, |_, _| ())
}
async unsafe fn asynchronous(id: u32) {
    let __xray_subsegment = my::tracing::__private::traced::FunctionSubsegment::new(
            "a name",
        )
        .annotated(
            my::tracing::__private::Annotations::new(|| {
                use my::tracing::__private::annotation::ToAnnotation as _;
                ::std::vec![
                    ("id", (id).__xray_annotation()), ("type", ("b").__xray_annotation())
                ]
            }),
        );
    __xray_subsegment
        .around_future(
            async move {
                if false {
                    return my::tracing::__private::traced::never::<()>();
                }
                {
                    g(id).await;
                }
            },
            |_, _| (),
        )
        .await
}
async fn checked(id: u32) -> Result<impl Iterator<Item = u32>, Error> {
    let __xray_subsegment = ::xray::__private::traced::FunctionSubsegment::new(
        "checked",
    );
    __xray_subsegment
        .around_future(
            async move {
                if false {
                    return ::xray::__private::traced::never::<Result<_, Error>>();
                }
                { Ok([g(id).await?].into_iter()) }
            },
            |__xray_result: &::core::result::Result<_, _>, __xray_context| {
                if let ::core::result::Result::Err(__xray_error) = __xray_result {
                    use ::xray::__private::error::*;
                    (&&&&&&Returned(__xray_error)).__xray_record(__xray_context);
                }
            },
        )
        .await
}
fn boxed<'a>(&'a self) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>> {
    let __xray_subsegment = ::xray::__private::traced::FunctionSubsegment::new("boxed");
    Box::pin(
        __xray_subsegment
            .around_future(
                async move { self.g().await },
                |__xray_result: &::core::result::Result<_, _>, __xray_context| {
                    if let ::core::result::Result::Err(__xray_error) = __xray_result {
                        use ::xray::__private::error::*;
                        (&&&&&&Returned(__xray_error)).__xray_record(__xray_context);
                    }
                },
            ),
    )
}
fn returned() -> impl Future<Output = u32> {
    let __xray_subsegment = ::xray::__private::traced::FunctionSubsegment::new(
        "returned",
    );
    __xray_subsegment
        .around_returned_future(
            move || -> _ {
                let first = g();
                h(first)
            },
            |_, _| (),
        )
}
fn never() -> ! {
    let __xray_subsegment = ::xray::__private::traced::FunctionSubsegment::new("never");
    match __xray_subsegment
        .around(move || -> ::core::convert::Infallible { loop {} }, |_, _| ())
    {}
}
impl Service {
    fn skipped(&self) {}
    #[traced(name = "own")]
    fn own(&self) -> Result<(), Error> {
        #[allow(unused_imports)]
        use ::xray::__private::traits::*;
        static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
            "own",
            ::core::file!(),
            ::core::line!(),
        );
        match self.client.get() {
            __xray_it => {
                ::xray::__private::send::receiver(&__xray_it)
                    .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
            }
        }
            .send()
    }
    const fn constant() {}
    fn plain(&self) {
        let __xray_subsegment = ::xray::__private::traced::FunctionSubsegment::new(
            "plain",
        );
        __xray_subsegment.around(move || -> () {}, |_, _| ())
    }
    fn tried(&self) -> io::Result<()> {
        let __xray_subsegment = ::xray::__private::traced::FunctionSubsegment::new(
            "tried",
        );
        __xray_subsegment
            .around(
                move || -> io::Result<()> { Ok(()) },
                |__xray_result: &::core::result::Result<_, _>, __xray_context| {
                    if let ::core::result::Result::Err(__xray_error) = __xray_result {
                        use ::xray::__private::error::*;
                        (&&&&&&Returned(__xray_error)).__xray_record(__xray_context);
                    }
                },
            )
    }
}
fn calls_outside(client: &Client, id: u32) -> Result<Response, Error> {
    let __xray_subsegment = ::xray::__private::traced::FunctionSubsegment::new(
        "calls_outside",
    );
    __xray_subsegment
        .around(
            move || -> Result<Response, Error> {
                #[allow(unused_imports)]
                use ::xray::__private::traits::*;
                static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
                    "calls_outside",
                    ::core::file!(),
                    ::core::line!(),
                );
                let __xray_annotations = ::xray::__private::Annotations::new(|| {
                    use ::xray::__private::annotation::ToAnnotation as _;
                    ::std::vec![("id", (id).__xray_annotation())]
                });
                match client.get(id) {
                    __xray_it => {
                        ::xray::__private::send::receiver(&__xray_it)
                            .__xray_open(
                                __xray_it,
                                (&__XRAY_SITE).at_with(::core::line!(), &__xray_annotations),
                            )
                    }
                }
                    .send()
            },
            |_, _| (),
        )
}
fn calls_inside(client: &Client, id: u32) -> Result<Response, Error> {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
        "calls_inside",
        ::core::file!(),
        ::core::line!(),
    );
    let __xray_annotations = ::xray::__private::Annotations::new(|| {
        use ::xray::__private::annotation::ToAnnotation as _;
        ::std::vec![("id", (id).__xray_annotation())]
    });
    let __xray_subsegment = ::xray::__private::traced::FunctionSubsegment::new(
        "calls_inside",
    );
    __xray_subsegment
        .around(
            {
                let __xray_annotations = ::core::clone::Clone::clone(
                    &__xray_annotations,
                );
                move || -> Result<Response, Error> {
                    match client.get(id) {
                        __xray_it => {
                            ::xray::__private::send::receiver(&__xray_it)
                                .__xray_open(
                                    __xray_it,
                                    (&__XRAY_SITE).at_with(::core::line!(), &__xray_annotations),
                                )
                        }
                    }
                        .send()
                }
            },
            |_, _| (),
        )
}
