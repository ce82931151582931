//! A subsegment around each kind of function.
fn blocking<'a>(list: &'a mut Vec<u32>) -> Option<&'a mut u32> {
    let __xray_subsegment = ::xray::__private::traced::FunctionSubsegment::new({
        static __XRAY_FUNCTION: ::xray::__private::traced::TracedFunction = ::xray::__private::traced::TracedFunction::new(
            "blocking",
            "blocking",
            ::core::file!(),
            ::core::line!(),
        );
        &__XRAY_FUNCTION
    });
    __xray_subsegment
        .around(move || -> Option<&'a mut u32> { list.first_mut() }, |_, _| ())
}
async unsafe fn asynchronous(id: u32) {
    let __xray_subsegment = my::tracing::__private::traced::FunctionSubsegment::new({
            static __XRAY_FUNCTION: my::tracing::__private::traced::TracedFunction = my::tracing::__private::traced::TracedFunction::new(
                "a name",
                "asynchronous",
                ::core::file!(),
                ::core::line!(),
            );
            &__XRAY_FUNCTION
        })
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
            #[allow(clippy::async_yields_async)]
            async move {
                if false {
                    return my::tracing::__private::traced::never::<()>();
                }
                ({
                    g(id).await;
                })
            },
            |_, _| (),
        )
        .await
}
async fn checked(id: u32) -> Result<impl Iterator<Item = u32>, Error> {
    let __xray_subsegment = ::xray::__private::traced::FunctionSubsegment::new({
        static __XRAY_FUNCTION: ::xray::__private::traced::TracedFunction = ::xray::__private::traced::TracedFunction::new(
            "checked",
            "checked",
            ::core::file!(),
            ::core::line!(),
        );
        &__XRAY_FUNCTION
    });
    __xray_subsegment
        .around_future(
            #[allow(clippy::async_yields_async)]
            async move {
                if false {
                    return ::xray::__private::traced::never::<Result<_, Error>>();
                }
                ({ Ok([g(id).await?].into_iter()) })
            },
            |__xray_result, __xray_context| {
                if let ::core::option::Option::Some(__xray_error) = ::xray::__private::traced::error_of(
                    __xray_result,
                ) {
                    use ::xray::__private::error::*;
                    (&&&&&&ReturnedError(__xray_error)).__xray_record(__xray_context);
                }
            },
        )
        .await
}
fn boxed<'a>(&'a self) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>> {
    let __xray_subsegment = ::xray::__private::traced::FunctionSubsegment::new({
        static __XRAY_FUNCTION: ::xray::__private::traced::TracedFunction = ::xray::__private::traced::TracedFunction::new(
            "boxed",
            "boxed",
            ::core::file!(),
            ::core::line!(),
        );
        &__XRAY_FUNCTION
    });
    Box::pin(
        __xray_subsegment
            .around_future(
                async move { self.g().await },
                |__xray_result, __xray_context| {
                    if let ::core::option::Option::Some(__xray_error) = ::xray::__private::traced::error_of(
                        __xray_result,
                    ) {
                        use ::xray::__private::error::*;
                        (&&&&&&ReturnedError(__xray_error))
                            .__xray_record(__xray_context);
                    }
                },
            ),
    )
}
fn returned() -> impl Future<Output = u32> {
    let __xray_subsegment = ::xray::__private::traced::FunctionSubsegment::new({
        static __XRAY_FUNCTION: ::xray::__private::traced::TracedFunction = ::xray::__private::traced::TracedFunction::new(
            "returned",
            "returned",
            ::core::file!(),
            ::core::line!(),
        );
        &__XRAY_FUNCTION
    });
    __xray_subsegment
        .around_returned_future(
            move || -> _ {
                let first = g();
                h(first)
            },
            |_, _| (),
        )
}
/// The runtime's future does not implement `Debug`.
fn shown() -> impl Future<Output = u32> + Debug {
    let __xray_subsegment = ::xray::__private::traced::FunctionSubsegment::new({
        static __XRAY_FUNCTION: ::xray::__private::traced::TracedFunction = ::xray::__private::traced::TracedFunction::new(
            "shown",
            "shown",
            ::core::file!(),
            ::core::line!(),
        );
        &__XRAY_FUNCTION
    });
    __xray_subsegment.around(move || -> _ { later() }, |_, _| ())
}
fn never() -> ! {
    let __xray_subsegment = ::xray::__private::traced::FunctionSubsegment::new({
        static __XRAY_FUNCTION: ::xray::__private::traced::TracedFunction = ::xray::__private::traced::TracedFunction::new(
            "never",
            "never",
            ::core::file!(),
            ::core::line!(),
        );
        &__XRAY_FUNCTION
    });
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
        static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
            "own",
            ::core::file!(),
            ::core::line!(),
        );
        ::xray::__private::send::receiver(
                self.client.get(),
                (&__XRAY_CALL_SITES, ::core::line!()),
            )
            .__xray_traced()
            .send()
    }
    const fn constant() {}
    fn plain(&self) {
        let __xray_subsegment = ::xray::__private::traced::FunctionSubsegment::new({
            static __XRAY_FUNCTION: ::xray::__private::traced::TracedFunction = ::xray::__private::traced::TracedFunction::new(
                "plain",
                "plain",
                ::core::file!(),
                ::core::line!(),
            );
            &__XRAY_FUNCTION
        });
        __xray_subsegment.around(move || -> () {}, |_, _| ())
    }
    fn tried(&self) -> io::Result<()> {
        let __xray_subsegment = ::xray::__private::traced::FunctionSubsegment::new({
            static __XRAY_FUNCTION: ::xray::__private::traced::TracedFunction = ::xray::__private::traced::TracedFunction::new(
                "tried",
                "tried",
                ::core::file!(),
                ::core::line!(),
            );
            &__XRAY_FUNCTION
        });
        __xray_subsegment
            .around(
                move || -> io::Result<()> { Ok(()) },
                |__xray_result, __xray_context| {
                    if let ::core::option::Option::Some(__xray_error) = ::xray::__private::traced::error_of(
                        __xray_result,
                    ) {
                        use ::xray::__private::error::*;
                        (&&&&&&ReturnedError(__xray_error))
                            .__xray_record(__xray_context);
                    }
                },
            )
    }
}
fn pays(
    mut self: Box<Self>,
    connection: Connection,
    (first, _): Pair,
    _guard: Guard,
    unused: Guard,
    id: u32,
) -> u32 {
    let __xray_subsegment = ::xray::__private::traced::FunctionSubsegment::new({
        static __XRAY_FUNCTION: ::xray::__private::traced::TracedFunction = ::xray::__private::traced::TracedFunction::new(
            "pays",
            "pays",
            ::core::file!(),
            ::core::line!(),
        );
        &__XRAY_FUNCTION
    });
    __xray_subsegment
        .around(
            move || -> u32 {
                #[allow(clippy::used_underscore_binding)]
                let _ = (&_guard, &first, &connection, &self);
                connection.commit(first, id);
                self.count
            },
            |_, _| (),
        )
}
fn calls_outside(client: &Client, id: u32) -> Result<Response, Error> {
    let __xray_subsegment = ::xray::__private::traced::FunctionSubsegment::new({
        static __XRAY_FUNCTION: ::xray::__private::traced::TracedFunction = ::xray::__private::traced::TracedFunction::new(
            "calls_outside",
            "calls_outside",
            ::core::file!(),
            ::core::line!(),
        );
        &__XRAY_FUNCTION
    });
    __xray_subsegment
        .around(
            move || -> Result<Response, Error> {
                #[allow(unused_imports)]
                use ::xray::__private::traits::*;
                static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
                    "calls_outside",
                    ::core::file!(),
                    ::core::line!(),
                );
                let __xray_annotations = ::xray::__private::Annotations::new(|| {
                    use ::xray::__private::annotation::ToAnnotation as _;
                    ::std::vec![("id", (id).__xray_annotation())]
                });
                ::xray::__private::send::receiver(
                        client.get(id),
                        (&__XRAY_CALL_SITES, ::core::line!(), &__xray_annotations),
                    )
                    .__xray_traced()
                    .send()
            },
            |_, _| (),
        )
}
fn calls_inside(client: &Client, id: u32) -> Result<Response, Error> {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
        "calls_inside",
        ::core::file!(),
        ::core::line!(),
    );
    let __xray_annotations = ::xray::__private::Annotations::new(|| {
        use ::xray::__private::annotation::ToAnnotation as _;
        ::std::vec![("id", (id).__xray_annotation())]
    });
    let __xray_subsegment = ::xray::__private::traced::FunctionSubsegment::new({
        static __XRAY_FUNCTION: ::xray::__private::traced::TracedFunction = ::xray::__private::traced::TracedFunction::new(
            "calls_inside",
            "calls_inside",
            ::core::file!(),
            ::core::line!(),
        );
        &__XRAY_FUNCTION
    });
    __xray_subsegment
        .around(
            {
                let __xray_annotations = ::core::clone::Clone::clone(
                    &__xray_annotations,
                );
                move || -> Result<Response, Error> {
                    ::xray::__private::send::receiver(
                            client.get(id),
                            (&__XRAY_CALL_SITES, ::core::line!(), &__xray_annotations),
                        )
                        .__xray_traced()
                        .send()
                }
            },
            |_, _| (),
        )
}
