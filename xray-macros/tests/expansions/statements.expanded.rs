//! Where an expression that begins with `match` would end a statement early.
fn statements(a: Wrapper, b: Wrapper) -> bool {
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    const __XRAY_PLACE: &::xray::__private::Place = &{
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "statements",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        ::xray::__private::Place::new(function)
    };
    let __xray_run = __XRAY_PLACE.run();
    (match {
        use ::xray::__private::send::{Peek as _, Take as _};
        a.inner.__xray_ask()
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known
                .alive()
                .open(__XRAY_PLACE.at(::core::line!()));
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other.alive().pass(a.inner.send(), __XRAY_PLACE.at(::core::line!()))
        }
    });
    (match {
        use ::xray::__private::send::{Peek as _, Take as _};
        a.inner.__xray_ask()
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known
                .alive()
                .open(__XRAY_PLACE.at(::core::line!()));
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other.alive().pass(a.inner.send(), __XRAY_PLACE.at(::core::line!()))
        }
    })?;
    (match {
        use ::xray::__private::send::{Peek as _, Take as _};
        a.inner.__xray_ask()
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known
                .alive()
                .open(__XRAY_PLACE.at(::core::line!()));
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other.alive().pass(a.inner.send(), __XRAY_PLACE.at(::core::line!()))
        }
    })
        .await
        .unwrap();
    (match {
        use ::xray::__private::send::{Peek as _, Take as _};
        a.inner.__xray_ask()
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known
                .alive()
                .open(__XRAY_PLACE.at(::core::line!()));
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other.alive().pass(a.inner.send(), __XRAY_PLACE.at(::core::line!()))
        }
    })
        && (match {
            use ::xray::__private::send::{Peek as _, Take as _};
            b.inner.__xray_ask()
        } {
            #[allow(unreachable_code)]
            ::xray::__private::Ask::Yes(__xray_known) => {
                let __xray_twin = __xray_known
                    .alive()
                    .open(__XRAY_PLACE.at(::core::line!()));
                __xray_twin.send()
            }
            #[allow(unreachable_code)]
            ::xray::__private::Ask::No(__xray_other) => {
                __xray_other
                    .alive()
                    .pass(b.inner.send(), __XRAY_PLACE.at(::core::line!()))
            }
        })
}
