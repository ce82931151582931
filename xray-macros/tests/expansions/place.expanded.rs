//! A receiver that is a place: a variable, or a field of one.
async fn places(request: RequestBuilder, mut wrapper: Wrapper) -> bool {
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
        "places",
        ::core::file!(),
        ::core::line!(),
    );
    (match {
        use ::xray::__private::send::{Peek as _, Take as _};
        request.__xray_ask((&__XRAY_SITE).at(::core::line!()))
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known.alive();
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other.alive().pass(request.send())
        }
    })
        .await?;
    (match {
        use ::xray::__private::send::{Peek as _, Take as _};
        wrapper.inner.0.__xray_ask((&__XRAY_SITE).at(::core::line!()))
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known.alive();
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other.alive().pass(wrapper.inner.0.send())
        }
    })
        == (match {
            use ::xray::__private::send::{Peek as _, Take as _};
            wrapper.other.__xray_ask((&__XRAY_SITE).at(::core::line!()))
        } {
            #[allow(unreachable_code)]
            ::xray::__private::Ask::Yes(__xray_known) => {
                let __xray_twin = __xray_known.alive();
                __xray_twin.send()
            }
            #[allow(unreachable_code)]
            ::xray::__private::Ask::No(__xray_other) => {
                __xray_other.alive().pass(wrapper.other.send())
            }
        })
}
async fn ours(self) -> Result<Response> {
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
        "ours",
        ::core::file!(),
        ::core::line!(),
    );
    (match {
        use ::xray::__private::send::{Peek as _, Take as _};
        self.__xray_ask((&__XRAY_SITE).at(::core::line!()))
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known.alive();
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other.alive().pass(self.send())
        }
    })
        .await
}
