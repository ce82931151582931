//! Calls that are left unchanged: they are no candidates, or their receiver must not be named or evaluated twice.
async fn left_alone(&self, reference: &Sender) {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_CALL_SITES: ::xray::__private::CallSites = ::xray::__private::CallSites::new(
            "left_alone",
            ::core::file!(),
            ::core::line!(),
        )
        .left_alone(
            &[
                ::xray::__private::LeftAlone {
                    line: ::core::line!(),
                    why: "its receiver is a reference, and a closure around the call would capture the variable itself",
                },
                ::xray::__private::LeftAlone {
                    line: ::core::line!(),
                    why: "its receiver is a reference, and a closure around the call would capture the variable itself",
                },
                ::xray::__private::LeftAlone {
                    line: ::core::line!(),
                    why: "its receiver is a reference, and a closure around the call would capture the variable itself",
                },
                ::xray::__private::LeftAlone {
                    line: ::core::line!(),
                    why: "its receiver is a reference, and a closure around the call would capture the variable itself",
                },
                ::xray::__private::LeftAlone {
                    line: ::core::line!(),
                    why: "its receiver is an index, a dereference, a constant or a macro, which cannot be evaluated twice",
                },
                ::xray::__private::LeftAlone {
                    line: ::core::line!(),
                    why: "its receiver is an index, a dereference, a constant or a macro, which cannot be evaluated twice",
                },
                ::xray::__private::LeftAlone {
                    line: ::core::line!(),
                    why: "its receiver is a field of a value, which it may not be possible to move",
                },
                ::xray::__private::LeftAlone {
                    line: ::core::line!(),
                    why: "its receiver is an index, a dereference, a constant or a macro, which cannot be evaluated twice",
                },
                ::xray::__private::LeftAlone {
                    line: ::core::line!(),
                    why: "its receiver is an index, a dereference, a constant or a macro, which cannot be evaluated twice",
                },
                ::xray::__private::LeftAlone {
                    line: ::core::line!(),
                    why: "it has type arguments",
                },
                ::xray::__private::LeftAlone {
                    line: ::core::line!(),
                    why: "its receiver is an index, a dereference, a constant or a macro, which cannot be evaluated twice",
                },
            ],
        );
    (&__XRAY_CALL_SITES).note_left_alone();
    let borrowed = &sender();
    reference.send();
    borrowed.send();
    self.send();
    for item in items.iter() {
        item.send();
    }
    items[next()].send();
    (*boxed).send();
    sender().inner.send();
    CONSTANT.send();
    path::to::CONSTANT.send();
    channel.send(message).await;
    place.send::<u32>();
    make!().send();
    fn nested() {
        sender().send();
    }
    const { sender().send() };
}
