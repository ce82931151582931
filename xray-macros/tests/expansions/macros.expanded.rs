//! Macros whose arguments are expressions are walked, others are left as they are.
async fn macros(client: &Client) {
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    const __XRAY_PLACE: &::xray::__private::Place = &{
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "macros",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        ::xray::__private::Place::new(function)
    };
    let __xray_run = __XRAY_PLACE.run();
    let (a, b) = tokio::join!(
        match client.get(a) { __xray_it => (& ::xray::__private::send::probe(&
        __xray_it)).__xray_kind().open(__xray_it, __XRAY_PLACE.at(::core::line!())) }
        .send(), (match { use ::xray::__private::send:: { Peek as _, Take as _ }; request
        .__xray_ask() } { #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => { let __xray_twin = __xray_known
        .alive().open(__XRAY_PLACE.at(::core::line!())); __xray_twin.send() }
        #[allow(unreachable_code)] ::xray::__private::Ask::No(__xray_other) =>
        __xray_other.alive().pass(request.send(), __XRAY_PLACE.at(::core::line!())), })
    );
    futures::try_join!(
        biased; match client.get(a) { __xray_it => (& ::xray::__private::send::probe(&
        __xray_it)).__xray_kind().open(__xray_it, __XRAY_PLACE.at(::core::line!())) }
        .send(),
    )?;
    println!(
        "{:?}", match client.get(a) { __xray_it => (& ::xray::__private::send::probe(&
        __xray_it)).__xray_kind().open(__xray_it, __XRAY_PLACE.at(::core::line!())) }
        .send()
    );
    users_own! {
        client.get(a).send()
    }
}
