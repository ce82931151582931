//! The arguments of known macros are walked; other macros are left unchanged.
async fn macros(client: &Client) {
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
        "macros",
        ::core::file!(),
        ::core::line!(),
    );
    let (a, b) = tokio::join!(
        match client.get(a) { __xray_it => ::xray::__private::send::receiver(& __xray_it)
        .__xray_open(__xray_it, (& __XRAY_SITE).at(::core::line!())) } .send(), (match {
        use ::xray::__private::send:: { Peek as _, Take as _ }; request.__xray_ask((&
        __XRAY_SITE).at(::core::line!())) } { #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => { let __xray_twin = __xray_known
        .alive(); __xray_twin.send() } #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => __xray_other.alive().pass(request
        .send()), })
    );
    futures::try_join!(
        biased; match client.get(a) { __xray_it => ::xray::__private::send::receiver(&
        __xray_it).__xray_open(__xray_it, (& __XRAY_SITE).at(::core::line!())) } .send(),
    )?;
    println!(
        "{:?}", match client.get(a) { __xray_it => ::xray::__private::send::receiver(&
        __xray_it).__xray_open(__xray_it, (& __XRAY_SITE).at(::core::line!())) } .send()
    );
    users_own! {
        client.get(a).send()
    }
}
