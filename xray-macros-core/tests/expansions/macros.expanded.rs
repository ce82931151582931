//! The arguments of known macros are walked; other macros are left unchanged.
async fn macros(client: &Client) {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
        "macros",
        ::core::file!(),
        ::core::line!(),
    );
    let (a, b) = tokio::join!(
        ::xray::__private::send::receiver(client.get(a), (& __XRAY_CALL_SITES,
        ::core::line!())).__xray_traced().send(), (match { use ::xray::__private::send::
        { TraceablePlace as _, UnknownPlace as _ }; request.__xray_dispatch((&
        __XRAY_CALL_SITES, ::core::line!())) } { #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Traced(__xray_twin) => { let __xray_twin =
        __xray_twin.reached(); __xray_twin.send() } #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Untraced(__xray_untraced) => __xray_untraced
        .reached().pass(request.send()), })
    );
    futures::try_join!(
        biased; ::xray::__private::send::receiver(client.get(a), (& __XRAY_CALL_SITES,
        ::core::line!())).__xray_traced().send(),
    )?;
    println!(
        "{:?}", ::xray::__private::send::receiver(client.get(a), (& __XRAY_CALL_SITES,
        ::core::line!())).__xray_traced().send()
    );
    users_own! {
        client.get(a).send()
    }
}
