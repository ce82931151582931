//! Calls that are no candidates, and receivers that must not be named or evaluated twice.
async fn left_alone(&self, reference: &Sender) {
    #[allow(unused_imports)]
    use ::xray::__private::traits::*;
    static __XRAY_SITE: ::xray::__private::FunctionSite = ::xray::__private::FunctionSite::new(
        "left_alone",
        ::core::file!(),
        ::core::line!(),
    );
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
