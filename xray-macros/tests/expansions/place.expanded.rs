//! A receiver that is a place: a variable, or a field of one.
async fn places(request: RequestBuilder, mut wrapper: Wrapper) -> bool {
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    const __XRAY_PLACE: &::xray::__private::Place = &{
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "places",
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
        request.__xray_ask()
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
            __xray_other.alive().pass(request.send(), __XRAY_PLACE.at(::core::line!()))
        }
    })
        .await?;
    (match {
        use ::xray::__private::send::{Peek as _, Take as _};
        wrapper.inner.0.__xray_ask()
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
                .pass(wrapper.inner.0.send(), __XRAY_PLACE.at(::core::line!()))
        }
    })
        == (match {
            use ::xray::__private::send::{Peek as _, Take as _};
            wrapper.other.__xray_ask()
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
                    .pass(wrapper.other.send(), __XRAY_PLACE.at(::core::line!()))
            }
        })
}
async fn ours(self) -> Result<Response> {
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    const __XRAY_PLACE: &::xray::__private::Place = &{
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "ours",
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
        self.__xray_ask()
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
            __xray_other.alive().pass(self.send(), __XRAY_PLACE.at(::core::line!()))
        }
    })
        .await
}
