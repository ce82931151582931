//! The request is the argument: it is looked at on its way into the call.
async fn requests(client: &Client, mut service: Service, text: &str) {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
        "requests",
        ::core::file!(),
        ::core::line!(),
    );
    let mut __xray_slot_0 = ::xray::__private::outcome::Slot::new();
    let mut __xray_slot_1 = ::xray::__private::outcome::Slot::new();
    #[cfg(feature = "http2")]
    let mut __xray_slot_2 = ::xray::__private::outcome::Slot::new();
    (match client
        .execute(
            ::xray::__private::inspect(
                build()?,
                &mut __xray_slot_0,
                (&__XRAY_SITE).at(::core::line!()),
                |__xray_it, __xray_slot, __xray_site| {
                    ::xray::__private::execute::argument(__xray_it)
                        .__xray_enter(__xray_it, __xray_slot, __xray_site)
                },
            ),
        )
    {
        __xray_out => {
            (&&&&&::xray::__private::outcome::Outcome::of(&__xray_out, &__xray_slot_0)
                .__xray_when())
                .__xray_how()
                .exit(__xray_out, &mut __xray_slot_0)
        }
    })
        .await?;
    (match client
        .execute(
            ::xray::__private::inspect(
                text.try_into()?,
                &mut __xray_slot_1,
                (&__XRAY_SITE).at(::core::line!()),
                |__xray_it, __xray_slot, __xray_site| {
                    ::xray::__private::execute::argument(__xray_it)
                        .__xray_enter(__xray_it, __xray_slot, __xray_site)
                },
            ),
        )
    {
        __xray_out => {
            (&&&&&::xray::__private::outcome::Outcome::of(&__xray_out, &__xray_slot_1)
                .__xray_when())
                .__xray_how()
                .exit(__xray_out, &mut __xray_slot_1)
        }
    })
        .await?;
    let later = |request| service.call(request);
    let now = |request: Request| {
        let mut __xray_slot_0 = ::xray::__private::outcome::Slot::new();
        (match service
            .call(
                ::xray::__private::inspect(
                    request,
                    &mut __xray_slot_0,
                    (&__XRAY_SITE).at(::core::line!()),
                    |__xray_it, __xray_slot, __xray_site| {
                        ::xray::__private::call::argument(__xray_it)
                            .__xray_enter(__xray_it, __xray_slot, __xray_site)
                    },
                ),
            )
        {
            __xray_out => {
                (&&&&&::xray::__private::outcome::Outcome::of(
                        &__xray_out,
                        &__xray_slot_0,
                    )
                    .__xray_when())
                    .__xray_how()
                    .exit(__xray_out, &mut __xray_slot_0)
            }
        })
    };
    #[cfg(feature = "http2")]
    (match connection
        .send_request(
            ::xray::__private::inspect(
                request,
                &mut __xray_slot_2,
                (&__XRAY_SITE).at(::core::line!()),
                |__xray_it, __xray_slot, __xray_site| {
                    ::xray::__private::send_request::argument(__xray_it)
                        .__xray_enter(__xray_it, __xray_slot, __xray_site)
                },
            ),
        )
    {
        __xray_out => {
            (&&&&&::xray::__private::outcome::Outcome::of(&__xray_out, &__xray_slot_2)
                .__xray_when())
                .__xray_how()
                .exit(__xray_out, &mut __xray_slot_2)
        }
    })
        .await?;
    let id = text.parse()?;
    service.call(id);
    service.call(&request);
    service.execute(|| 1);
}
fn named(client: &Client, request: Request) -> ResponseFuture {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
        "named",
        ::core::file!(),
        ::core::line!(),
    );
    client.request(request)
}
fn boxed(client: &mut Client, request: Request) -> Self::Future {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
        "boxed",
        ::core::file!(),
        ::core::line!(),
    );
    let mut __xray_slot_0 = ::xray::__private::outcome::Slot::new();
    let future = (match client
        .request(
            ::xray::__private::inspect(
                request,
                &mut __xray_slot_0,
                (&__XRAY_SITE).at(::core::line!()),
                |__xray_it, __xray_slot, __xray_site| {
                    ::xray::__private::request::argument(__xray_it)
                        .__xray_enter(__xray_it, __xray_slot, __xray_site)
                },
            ),
        )
    {
        __xray_out => {
            (&&&&&::xray::__private::outcome::Outcome::of(&__xray_out, &__xray_slot_0)
                .__xray_when())
                .__xray_how()
                .exit(__xray_out, &mut __xray_slot_0)
        }
    });
    Box::pin(async move { future.await })
}
