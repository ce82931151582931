//! A receiver with a body to send: on a value with any body, on a place only with one that may stand twice.
fn bodies(
    agent: &Agent,
    request: RequestBuilder,
    user: User,
    list: Vec<u32>,
) -> Result<(), Error> {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
        "bodies",
        ::core::file!(),
        ::core::line!(),
    );
    match agent.post("/") {
        __xray_it => {
            ::xray::__private::send::receiver(&__xray_it)
                .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
        }
    }
        .send("text")?;
    match agent.post("/") {
        __xray_it => {
            ::xray::__private::send_json::receiver(&__xray_it)
                .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
        }
    }
        .send_json(json!({ "user" : user }))?;
    (match {
        use ::xray::__private::send_json::{Peek as _, Take as _};
        request.__xray_dispatch((&__XRAY_SITE).at(::core::line!()))
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Traced(__xray_twin) => {
            let __xray_twin = __xray_twin.reached();
            __xray_twin.send_json(&user)
        }
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
            __xray_untraced.reached().pass(request.send_json(&user))
        }
    })?;
    match self::next() {
        __xray_it => {
            ::xray::__private::send_form::receiver(&__xray_it)
                .__xray_open(__xray_it, (&__XRAY_SITE).at(::core::line!()))
        }
    }
        .send_form([("id", list.len())])?;
    (match {
        use ::xray::__private::send_json::{Peek as _, Take as _};
        other.__xray_dispatch((&__XRAY_SITE).at(::core::line!()))
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Traced(__xray_twin) => {
            let __xray_twin = __xray_twin.reached();
            __xray_twin.send_json((user.id, 1, &list))
        }
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
            __xray_untraced.reached().pass(other.send_json((user.id, 1, &list)))
        }
    })?;
    (match {
        use ::xray::__private::send_json::{Peek as _, Take as _};
        other.__xray_dispatch((&__XRAY_SITE).at(::core::line!()))
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Traced(__xray_twin) => {
            let __xray_twin = __xray_twin.reached();
            __xray_twin.send_json(list.clone())
        }
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
            __xray_untraced.reached().pass(other.send_json(list.clone()))
        }
    })?;
    other.send_json(&make())?;
    other.send_json(json!(1))?;
    other.send_json(None)?;
    other.send("text")?;
    Ok(())
}
