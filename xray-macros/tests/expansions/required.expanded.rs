//! Calls that must be of a known type: marked calls of any name, and all calls of a strict function.
async fn marked(courier: &Courier, parcel: Parcel) -> Result<(), Error> {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
        "marked",
        ::core::file!(),
        ::core::line!(),
    );
    let mut __xray_slot_0 = ::xray::__private::outcome::Slot::new();
    let mut __xray_slot_1 = ::xray::__private::outcome::Slot::new();
    ::xray::__private::any::open(parcel, (&__XRAY_SITE).at(::core::line!()))
        .ship()
        .await?;
    let answer = (match courier
        .carry(
            ::xray::__private::inspect(
                parcel,
                &mut __xray_slot_0,
                {
                    static __XRAY_NAMED_SITE: ::xray::__private::FunctionSite = (&__XRAY_SITE)
                        .with_name("courier");
                    &__XRAY_NAMED_SITE
                }
                    .at(::core::line!()),
                |__xray_it, __xray_slot, __xray_site| ::xray::__private::any::enter(
                    __xray_it,
                    __xray_slot,
                    __xray_site,
                ),
            ),
            1,
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
    let answer = (match courier::carry(
        ::xray::__private::inspect(
            parcel,
            &mut __xray_slot_1,
            (&__XRAY_SITE).at(::core::line!()),
            |__xray_it, __xray_slot, __xray_site| ::xray::__private::any::enter(
                __xray_it,
                __xray_slot,
                __xray_site,
            ),
        ),
    ) {
        __xray_out => {
            (&&&&&::xray::__private::outcome::Outcome::of(&__xray_out, &__xray_slot_1)
                .__xray_when())
                .__xray_how()
                .exit(__xray_out, &mut __xray_slot_1)
        }
    })?;
    retry!(
        match client.get(url) { __xray_it => ::xray::__private::send::receiver(&
        __xray_it).__xray_open(__xray_it, (& __XRAY_SITE).at(::core::line!())) } .send(),
        3
    );
    Ok(())
}
async fn strict(request: RequestBuilder, client: &Client) -> Result<(), Error> {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
            "strict",
            ::core::file!(),
            ::core::line!(),
        )
        .skip_hosts(&["*.local"]);
    let mut __xray_slot_0 = ::xray::__private::outcome::Slot::new();
    ::xray::__private::send::open(request, (&__XRAY_SITE).at(::core::line!()))
        .send()
        .await?;
    (match client
        .execute(
            ::xray::__private::inspect(
                request.build()?,
                &mut __xray_slot_0,
                (&__XRAY_SITE).at(::core::line!()),
                |__xray_it, __xray_slot, __xray_site| ::xray::__private::execute::enter(
                    __xray_it,
                    __xray_slot,
                    __xray_site,
                ),
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
    Ok(())
}
