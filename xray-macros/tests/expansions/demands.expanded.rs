//! Calls that must be of a known type: marked ones, whatever their name, and all of a strict function.
async fn marked(courier: &Courier, parcel: Parcel) -> Result<(), Error> {
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    const __XRAY_PLACE: &::xray::__private::Place = &{
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "marked",
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
    ::xray::__private::any::open(parcel, __XRAY_PLACE.at(::core::line!())).ship().await?;
    let answer = (match courier
        .carry(
            ::xray::__private::look(
                parcel,
                |__xray_it| ::xray::__private::any::enter(
                    __xray_it,
                    const { &(*__XRAY_PLACE).named("courier") }.at(::core::line!()),
                    &mut __xray_slot_0,
                ),
            ),
            1,
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
    let answer = (match courier::carry(
        ::xray::__private::look(
            parcel,
            |__xray_it| ::xray::__private::any::enter(
                __xray_it,
                __XRAY_PLACE.at(::core::line!()),
                &mut __xray_slot_1,
            ),
        ),
    ) {
        __xray_out => {
            (&&&&&(&&::xray::__private::answer::Answered(&__xray_out, &__xray_slot_1))
                .__xray_when())
                .__xray_how()
                .exit(__xray_out, &mut __xray_slot_1)
        }
    })?;
    retry!(
        match client.get(url) { __xray_it => (& ::xray::__private::send::probe(&
        __xray_it)).__xray_kind().open(__xray_it, __XRAY_PLACE.at(::core::line!())) }
        .send(), 3
    );
    Ok(())
}
async fn strict(request: RequestBuilder, client: &Client) -> Result<(), Error> {
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    const __XRAY_PLACE: &::xray::__private::Place = &{
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "strict",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        ::xray::__private::Place::new(function).skip_hosts(&["*.local"])
    };
    let __xray_run = __XRAY_PLACE.run();
    let mut __xray_slot_0 = ::xray::__private::answer::Slot::new();
    ::xray::__private::send::open(request, __XRAY_PLACE.at(::core::line!()))
        .send()
        .await?;
    (match client
        .execute(
            ::xray::__private::look(
                request.build()?,
                |__xray_it| ::xray::__private::execute::enter(
                    __xray_it,
                    __XRAY_PLACE.at(::core::line!()),
                    &mut __xray_slot_0,
                ),
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
    Ok(())
}
