//! The arguments of known macros are walked; other macros are left unchanged.
async fn macros(client: &Client) {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
        "macros",
        ::core::file!(),
        ::core::line!(),
    );
    let (a, b) = tokio::join!(
        match client.get(a) { __xray_it => ::xray::__private::send::receiver(& __xray_it)
        .__xray_open(__xray_it, (& __XRAY_SITE).at(::core::line!())) } .send(), (match {
        use ::xray::__private::send:: { Peek as _, Take as _ }; request
        .__xray_dispatch((& __XRAY_SITE).at(::core::line!())) } {
        #[allow(unreachable_code)] ::xray::__private::Dispatch::Traced(__xray_twin) => {
        let __xray_twin = __xray_twin.reached(); __xray_twin.send() }
        #[allow(unreachable_code)] ::xray::__private::Dispatch::Untraced(__xray_untraced)
        => __xray_untraced.reached().pass(request.send()), })
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
