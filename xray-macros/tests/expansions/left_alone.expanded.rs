//! Receivers and calls that are no candidates, or of which the macro cannot tell what looking twice would do.
async fn left_alone(&self, reference: &Sender) {
    #[allow(unused_imports)]
    use ::xray::__private::answers::*;
    const __XRAY_PLACE: &::xray::__private::Place = &{
        fn function() -> &'static ::xray::__private::Function {
            static FUNCTION: ::xray::__private::Function = ::xray::__private::Function::new(
                "left_alone",
                ::core::file!(),
                ::core::line!(),
            );
            &FUNCTION
        }
        ::xray::__private::Place::new(function)
    };
    let __xray_run = __XRAY_PLACE.run();
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
