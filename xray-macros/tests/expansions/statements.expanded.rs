//! Statements that begin with a call: a `match` in its place would end the statement early.
fn statements(a: Wrapper, b: Wrapper) -> bool {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
        "statements",
        ::core::file!(),
        ::core::line!(),
    );
    (match {
        use ::xray::__private::send::{Peek as _, Take as _};
        a.inner.__xray_dispatch((&__XRAY_SITE).at(::core::line!()))
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Traced(__xray_twin) => {
            let __xray_twin = __xray_twin.reached();
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
            __xray_untraced.reached().pass(a.inner.send())
        }
    });
    (match {
        use ::xray::__private::send::{Peek as _, Take as _};
        a.inner.__xray_dispatch((&__XRAY_SITE).at(::core::line!()))
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Traced(__xray_twin) => {
            let __xray_twin = __xray_twin.reached();
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
            __xray_untraced.reached().pass(a.inner.send())
        }
    })?;
    (match {
        use ::xray::__private::send::{Peek as _, Take as _};
        a.inner.__xray_dispatch((&__XRAY_SITE).at(::core::line!()))
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Traced(__xray_twin) => {
            let __xray_twin = __xray_twin.reached();
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
            __xray_untraced.reached().pass(a.inner.send())
        }
    })
        .await
        .unwrap();
    (match {
        use ::xray::__private::send::{Peek as _, Take as _};
        a.inner.__xray_dispatch((&__XRAY_SITE).at(::core::line!()))
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Traced(__xray_twin) => {
            let __xray_twin = __xray_twin.reached();
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
            __xray_untraced.reached().pass(a.inner.send())
        }
    })
        && (match {
            use ::xray::__private::send::{Peek as _, Take as _};
            b.inner.__xray_dispatch((&__XRAY_SITE).at(::core::line!()))
        } {
            #[allow(unreachable_code)]
            ::xray::__private::Dispatch::Traced(__xray_twin) => {
                let __xray_twin = __xray_twin.reached();
                __xray_twin.send()
            }
            #[allow(unreachable_code)]
            ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
                __xray_untraced.reached().pass(b.inner.send())
            }
        })
}
