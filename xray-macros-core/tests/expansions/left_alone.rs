//! Calls that are left unchanged: they are no candidates, or their receiver must not be named or evaluated twice.

#[traced_http]
async fn left_alone(&self, reference: &Sender) {
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
