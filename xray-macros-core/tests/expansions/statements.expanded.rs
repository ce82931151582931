//! Statements that begin with a call. Parentheses keep the `match` from ending the statement early.
fn statements(a: Wrapper, b: Wrapper) -> bool {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
        "statements",
        ::core::file!(),
        ::core::line!(),
    );
    (match {
        use ::xray::__private::send::{TraceablePlace as _, UnknownPlace as _};
        a.inner.__xray_dispatch((&__XRAY_CALL_SITES, ::core::line!()))
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
        use ::xray::__private::send::{TraceablePlace as _, UnknownPlace as _};
        a.inner.__xray_dispatch((&__XRAY_CALL_SITES, ::core::line!()))
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
        use ::xray::__private::send::{TraceablePlace as _, UnknownPlace as _};
        a.inner.__xray_dispatch((&__XRAY_CALL_SITES, ::core::line!()))
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
        use ::xray::__private::send::{TraceablePlace as _, UnknownPlace as _};
        a.inner.__xray_dispatch((&__XRAY_CALL_SITES, ::core::line!()))
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
            use ::xray::__private::send::{TraceablePlace as _, UnknownPlace as _};
            b.inner.__xray_dispatch((&__XRAY_CALL_SITES, ::core::line!()))
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
