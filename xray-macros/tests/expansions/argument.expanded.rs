//! The request is the argument: it is looked at on its way into the call.
async fn requests(client: &Client, mut service: Service, text: &str) {
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    const __XRAY_PLACE: &::xray::__private::Place = &{
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "requests",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        ::xray::__private::Place::new(function)
    };
    let __xray_run = __XRAY_PLACE.run();
    let mut __xray_slot_0 = ::xray::__private::answer::Slot::new();
    let mut __xray_slot_1 = ::xray::__private::answer::Slot::new();
    #[cfg(feature = "http2")]
    let mut __xray_slot_2 = ::xray::__private::answer::Slot::new();
    (match client
        .execute(
            ::xray::__private::look(
                build()?,
                |__xray_it| {
                    (&::xray::__private::execute::probe(&*__xray_it))
                        .__xray_request()
                        .enter(
                            __xray_it,
                            __XRAY_PLACE.at(::core::line!()),
                            &mut __xray_slot_0,
                        )
                },
            ),
        )
    {
        __xray_out => {
            (&&&&&(&&::xray::__private::answer::Answered(&__xray_out, &__xray_slot_0))
                .__xray_when())
                .__xray_how()
                .exit(__xray_out, &mut __xray_slot_0)
        }
    })
        .await?;
    (match client
        .execute(
            ::xray::__private::look(
                text.try_into()?,
                |__xray_it| {
                    (&::xray::__private::execute::probe(&*__xray_it))
                        .__xray_request()
                        .enter(
                            __xray_it,
                            __XRAY_PLACE.at(::core::line!()),
                            &mut __xray_slot_1,
                        )
                },
            ),
        )
    {
        __xray_out => {
            (&&&&&(&&::xray::__private::answer::Answered(&__xray_out, &__xray_slot_1))
                .__xray_when())
                .__xray_how()
                .exit(__xray_out, &mut __xray_slot_1)
        }
    })
        .await?;
    let later = |request| service.call(request);
    let now = |request: Request| {
        let mut __xray_slot_0 = ::xray::__private::answer::Slot::new();
        (match service
            .call(
                ::xray::__private::look(
                    request,
                    |__xray_it| {
                        (&::xray::__private::call::probe(&*__xray_it))
                            .__xray_request()
                            .enter(
                                __xray_it,
                                __XRAY_PLACE.at(::core::line!()),
                                &mut __xray_slot_0,
                            )
                    },
                ),
            )
        {
            __xray_out => {
                (&&&&&(&&::xray::__private::answer::Answered(
                    &__xray_out,
                    &__xray_slot_0,
                ))
                    .__xray_when())
                    .__xray_how()
                    .exit(__xray_out, &mut __xray_slot_0)
            }
        })
    };
    #[cfg(feature = "http2")]
    (match connection
        .send_request(
            ::xray::__private::look(
                request,
                |__xray_it| {
                    (&::xray::__private::send_request::probe(&*__xray_it))
                        .__xray_request()
                        .enter(
                            __xray_it,
                            __XRAY_PLACE.at(::core::line!()),
                            &mut __xray_slot_2,
                        )
                },
            ),
        )
    {
        __xray_out => {
            (&&&&&(&&::xray::__private::answer::Answered(&__xray_out, &__xray_slot_2))
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
    use ::xray::__private::answers::*;
    const __XRAY_PLACE: &::xray::__private::Place = &{
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "named",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        ::xray::__private::Place::new(function)
    };
    let __xray_run = __XRAY_PLACE.run();
    client.request(request)
}
fn boxed(client: &mut Client, request: Request) -> Self::Future {
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    const __XRAY_PLACE: &::xray::__private::Place = &{
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "boxed",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        ::xray::__private::Place::new(function)
    };
    let __xray_run = __XRAY_PLACE.run();
    let mut __xray_slot_0 = ::xray::__private::answer::Slot::new();
    let future = (match client
        .request(
            ::xray::__private::look(
                request,
                |__xray_it| {
                    (&::xray::__private::request::probe(&*__xray_it))
                        .__xray_request()
                        .enter(
                            __xray_it,
                            __XRAY_PLACE.at(::core::line!()),
                            &mut __xray_slot_0,
                        )
                },
            ),
        )
    {
        __xray_out => {
            (&&&&&(&&::xray::__private::answer::Answered(&__xray_out, &__xray_slot_0))
                .__xray_when())
                .__xray_how()
                .exit(__xray_out, &mut __xray_slot_0)
        }
    });
    Box::pin(async move { future.await })
}
