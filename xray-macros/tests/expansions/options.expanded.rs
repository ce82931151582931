//! A name for all calls of a function, and for one; a call that is skipped; a renamed crate.
async fn options(client: &Client) {
    match client.get(a) {
        __xray_it => {
            use my::tracing::__private::send::{Known as _, Unknown as _};
            (&my::tracing::__private::Probe(&__xray_it))
                .__xray_kind()
                .open(
                    __xray_it,
                    &const {
                        my::tracing::__private::Site::new(
                                ::core::file!(),
                                ::core::line!(),
                            )
                            .named("todos")
                    },
                )
        }
    }
        .send()
        .await;
    let first = match client.get(b) {
        __xray_it => {
            use my::tracing::__private::send::{Known as _, Unknown as _};
            (&my::tracing::__private::Probe(&__xray_it))
                .__xray_kind()
                .open(
                    __xray_it,
                    &const {
                        my::tracing::__private::Site::new(
                                ::core::file!(),
                                ::core::line!(),
                            )
                            .named("first todo")
                    },
                )
        }
    }
        .send()
        .await;
    client.get(c).send().await;
    #[allow(unused_must_use)] #[cfg(feature = "d")]
    (match {
        use my::tracing::__private::send::{Peek as _, Take as _};
        d.__xray_ask()
    } {
        #[allow(unreachable_code)]
        my::tracing::__private::Ask::Yes(__xray_known) => {
            let __xray_twin = __xray_known
                .alive()
                .open(
                    &const {
                        my::tracing::__private::Site::new(
                                ::core::file!(),
                                ::core::line!(),
                            )
                            .named("in place")
                    },
                );
            __xray_twin.send()
        }
        #[allow(unreachable_code)]
        my::tracing::__private::Ask::No(__xray_other) => {
            __xray_other.alive().pass(d.send())
        }
    });
}
