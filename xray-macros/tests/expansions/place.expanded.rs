//! A receiver that is a place: a variable, or a field of one.
async fn places(request: RequestBuilder, mut wrapper: Wrapper) -> bool {
    const fn __xray_place(line: u32) -> ::xray::__private::Place {
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "places",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        ::xray::__private::Place::new(::core::file!(), line, function)
    }
    let __xray_run = __xray_place(0).run();
    (match {
        use ::xray::__private::send::{Peek as _, Take as _};
        request.__xray_ask()
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known
                .alive()
                .open(&const { __xray_place(::core::line!()) });
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other
                .alive()
                .pass(request.send(), &const { __xray_place(::core::line!()) })
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
                .open(&const { __xray_place(::core::line!()) });
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other
                .alive()
                .pass(wrapper.inner.0.send(), &const { __xray_place(::core::line!()) })
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
                    .open(&const { __xray_place(::core::line!()) });
                __xray_twin.send()
            }
            #[allow(unreachable_code)]
            ::xray::__private::Ask::No(__xray_other) => {
                __xray_other
                    .alive()
                    .pass(wrapper.other.send(), &const { __xray_place(::core::line!()) })
            }
        })
}
async fn ours(self) -> Result<Response> {
    const fn __xray_place(line: u32) -> ::xray::__private::Place {
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "ours",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        ::xray::__private::Place::new(::core::file!(), line, function)
    }
    let __xray_run = __xray_place(0).run();
    (match {
        use ::xray::__private::send::{Peek as _, Take as _};
        self.__xray_ask()
    } {
        #[allow(unreachable_code)]
        ::xray::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known
                .alive()
                .open(&const { __xray_place(::core::line!()) });
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        ::xray::__private::Ask::No(__xray_other) => {
            __xray_other
                .alive()
                .pass(self.send(), &const { __xray_place(::core::line!()) })
        }
    })
        .await
}
