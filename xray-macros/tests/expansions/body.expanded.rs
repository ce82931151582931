//! A receiver with a body to send: a value takes any, a place only what may stand twice.
fn bodies(
    agent: &Agent,
    request: RequestBuilder,
    user: User,
    list: Vec<u32>,
) -> Result<(), Error> {
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    const __XRAY_PLACE: &::xray::__private::Place = &{
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "bodies",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        ::xray::__private::Place::new(function)
    };
    let __xray_run = __XRAY_PLACE.run();
    match agent.post("/") {
        __xray_it => {
            (&::xray::__private::send::probe(&__xray_it))
                .__xray_kind()
                .open(__xray_it, __XRAY_PLACE.at(::core::line!()))
        }
    }
        .send("text")?;
    match agent.post("/") {
        __xray_it => {
            (&::xray::__private::send_json::probe(&__xray_it))
                .__xray_kind()
                .open(__xray_it, __XRAY_PLACE.at(::core::line!()))
        }
    }
        .send_json(json!({ "user" : user }))?;
    (match {
        use ::xray::__private::send_json::{Peek as _, Take as _};
        request.__xray_ask()
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known
                .alive()
                .open(__XRAY_PLACE.at(::core::line!()));
            __xray_twin.send_json(&user)
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other
                .alive()
                .pass(request.send_json(&user), __XRAY_PLACE.at(::core::line!()))
        }
    })?;
    match self::next() {
        __xray_it => {
            (&::xray::__private::send_form::probe(&__xray_it))
                .__xray_kind()
                .open(__xray_it, __XRAY_PLACE.at(::core::line!()))
        }
    }
        .send_form([("id", list.len())])?;
    (match {
        use ::xray::__private::send_json::{Peek as _, Take as _};
        other.__xray_ask()
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known
                .alive()
                .open(__XRAY_PLACE.at(::core::line!()));
            __xray_twin.send_json((user.id, 1, &list))
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other
                .alive()
                .pass(
                    other.send_json((user.id, 1, &list)),
                    __XRAY_PLACE.at(::core::line!()),
                )
        }
    })?;
    (match {
        use ::xray::__private::send_json::{Peek as _, Take as _};
        other.__xray_ask()
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known
                .alive()
                .open(__XRAY_PLACE.at(::core::line!()));
            __xray_twin.send_json(list.clone())
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other
                .alive()
                .pass(other.send_json(list.clone()), __XRAY_PLACE.at(::core::line!()))
        }
    })?;
    other.send_json(&make())?;
    other.send_json(json!(1))?;
    other.send_json(None)?;
    other.send("text")?;
    Ok(())
}
