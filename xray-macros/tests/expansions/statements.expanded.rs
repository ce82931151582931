//! Statements that begin with a call: a `match` in its place would end the statement early.
fn statements(a: Wrapper, b: Wrapper) -> bool {
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
        "statements",
        ::core::file!(),
        ::core::line!(),
    );
    (match {
        use ::xray::__private::send::{Peek as _, Take as _};
        a.inner.__xray_ask((&__XRAY_SITE).at(::core::line!()))
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known.alive();
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other.alive().pass(a.inner.send())
        }
    });
    (match {
        use ::xray::__private::send::{Peek as _, Take as _};
        a.inner.__xray_ask((&__XRAY_SITE).at(::core::line!()))
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known.alive();
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other.alive().pass(a.inner.send())
        }
    })?;
    (match {
        use ::xray::__private::send::{Peek as _, Take as _};
        a.inner.__xray_ask((&__XRAY_SITE).at(::core::line!()))
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known.alive();
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other.alive().pass(a.inner.send())
        }
    })
        .await
        .unwrap();
    (match {
        use ::xray::__private::send::{Peek as _, Take as _};
        a.inner.__xray_ask((&__XRAY_SITE).at(::core::line!()))
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known.alive();
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other.alive().pass(a.inner.send())
        }
    })
        && (match {
            use ::xray::__private::send::{Peek as _, Take as _};
            b.inner.__xray_ask((&__XRAY_SITE).at(::core::line!()))
        } {
            #[allow(unreachable_code)]
            ::xray::__private::Ask::Yes(__xray_known) => {
                let __xray_twin = __xray_known.alive();
                __xray_twin.send()
            }
            #[allow(unreachable_code)]
            ::xray::__private::Ask::No(__xray_other) => {
                __xray_other.alive().pass(b.inner.send())
            }
        })
}
