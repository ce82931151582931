//! The receiver is a place: a variable or a field of a variable.
async fn places(request: RequestBuilder, mut wrapper: Wrapper) -> bool {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
        "places",
        ::core::file!(),
        ::core::line!(),
    );
    (match {
        use ::xray::__private::send::{TraceablePlace as _, UnknownPlace as _};
        request.__xray_dispatch((&__XRAY_CALL_SITES, ::core::line!()))
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Traced(__xray_twin) => {
            let __xray_twin = __xray_twin.reached();
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
            __xray_untraced.reached().pass(request.send())
        }
    })
        .await?;
    (match {
        use ::xray::__private::send::{TraceablePlace as _, UnknownPlace as _};
        wrapper.inner.0.__xray_dispatch((&__XRAY_CALL_SITES, ::core::line!()))
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Traced(__xray_twin) => {
            let __xray_twin = __xray_twin.reached();
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
            __xray_untraced.reached().pass(wrapper.inner.0.send())
        }
    })
        == (match {
            use ::xray::__private::send::{TraceablePlace as _, UnknownPlace as _};
            wrapper.other.__xray_dispatch((&__XRAY_CALL_SITES, ::core::line!()))
        } {
            #[allow(unreachable_code)]
            ::xray::__private::Dispatch::Traced(__xray_twin) => {
                let __xray_twin = __xray_twin.reached();
                __xray_twin.send()
            }
            #[allow(unreachable_code)]
            ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
                __xray_untraced.reached().pass(wrapper.other.send())
            }
        })
}
async fn ours(self) -> Result<Response> {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
        "ours",
        ::core::file!(),
        ::core::line!(),
    );
    (match {
        use ::xray::__private::send::{TraceablePlace as _, UnknownPlace as _};
        self.__xray_dispatch((&__XRAY_CALL_SITES, ::core::line!()))
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Traced(__xray_twin) => {
            let __xray_twin = __xray_twin.reached();
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Dispatch::Untraced(__xray_untraced) => {
            __xray_untraced.reached().pass(self.send())
        }
    })
        .await
}
