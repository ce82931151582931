//! A request that is sent with a body. A value may have any body, a place only one that can be written twice.
fn bodies(
    agent: &Agent,
    request: RequestBuilder,
    user: User,
    list: Vec<u32>,
) -> Result<(), Error> {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
        "bodies",
        ::core::file!(),
        ::core::line!(),
    );
    ::xray::__private::send::receiver(
            agent.post("/"),
            (&__XRAY_CALL_SITES, ::core::line!()),
        )
        .__xray_traced()
        .send("text")?;
    ::xray::__private::send_json::receiver(
            agent.post("/"),
            (&__XRAY_CALL_SITES, ::core::line!()),
        )
        .__xray_traced()
        .send_json(json!({ "user" : user }))?;
    (match {
        use ::xray::__private::send_json::{TraceablePlace as _, UnknownPlace as _};
        request.__xray_dispatch_with((&__XRAY_CALL_SITES, ::core::line!()))
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
    ::xray::__private::send_form::receiver(
            self::next(),
            (&__XRAY_CALL_SITES, ::core::line!()),
        )
        .__xray_traced()
        .send_form([("id", list.len())])?;
    other.send_json((user.id, 1, &list))?;
    (match {
        use ::xray::__private::send_json::{TraceablePlace as _, UnknownPlace as _};
        other.__xray_dispatch_with((&__XRAY_CALL_SITES, ::core::line!()))
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
    (match &make() {
        __xray_argument => {
            match {
                use ::xray::__private::send_json::{
                    TraceablePlace as _, UnknownPlace as _,
                };
                other.__xray_dispatch_with((&__XRAY_CALL_SITES, ::core::line!()))
            } {
                #[allow(unreachable_code)]
                ::xray::__private::Dispatch::Traced(__xray_twin) => {
                    let __xray_twin = __xray_twin.reached();
                    __xray_twin.send_json(__xray_argument)
                }
                #[allow(unreachable_code)]
                ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
                    __xray_untraced.reached().pass(other.send_json(__xray_argument))
                }
            }
        }
    })?;
    (match json!(1) {
        __xray_argument => {
            match {
                use ::xray::__private::send_json::{
                    TraceablePlace as _, UnknownPlace as _,
                };
                other.__xray_dispatch_with((&__XRAY_CALL_SITES, ::core::line!()))
            } {
                #[allow(unreachable_code)]
                ::xray::__private::Dispatch::Traced(__xray_twin) => {
                    let __xray_twin = __xray_twin.reached();
                    __xray_twin.send_json(__xray_argument)
                }
                #[allow(unreachable_code)]
                ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
                    __xray_untraced.reached().pass(other.send_json(__xray_argument))
                }
            }
        }
    })?;
    other.send_json(None)?;
    (match {
        use ::xray::__private::send::{TraceablePlace as _, UnknownPlace as _};
        other.__xray_dispatch_with((&__XRAY_CALL_SITES, ::core::line!()))
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Traced(__xray_twin) => {
            let __xray_twin = __xray_twin.reached();
            __xray_twin.send("text")
        }
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
            __xray_untraced.reached().pass(other.send("text"))
        }
    })?;
    Ok(())
}
