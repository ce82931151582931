//! A subsegment around each kind of function.

#[traced]
fn blocking<'a>(list: &'a mut Vec<u32>) -> Option<&'a mut u32> {
    list.first_mut()
}

#[traced(name = "a name", annotate(id = id, r#type = "b"), crate = "my::tracing")]
async unsafe fn asynchronous(id: u32) {
    g(id).await;
}

#[traced(err)]
async fn checked(id: u32) -> Result<impl Iterator<Item = u32>, Error> {
    Ok([g(id).await?].into_iter())
}

#[traced(err)]
fn boxed<'a>(&'a self) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>> {
    Box::pin(async move { self.g().await })
}

#[traced]
fn returned() -> impl Future<Output = u32> {
    let first = g();
    h(first)
}

/// The runtime's future does not implement `Debug`.
#[traced]
fn shown() -> impl Future<Output = u32> + Debug {
    later()
}

#[traced]
fn never() -> ! {
    loop {}
}

#[traced(err)]
#[traced_http]
impl Service {
    #[xray(skip)]
    fn skipped(&self) {}

    #[traced(name = "own")]
    fn own(&self) -> Result<(), Error> {
        self.client.get().send()
    }

    const fn constant() {}

    fn plain(&self) {}

    fn tried(&self) -> io::Result<()> {
        Ok(())
    }
}

#[traced]
fn pays(mut self: Box<Self>, connection: Connection, (first, _): Pair, _guard: Guard, unused: Guard, id: u32) -> u32 {
    connection.commit(first, id);
    self.count
}

#[traced_http(annotate(id = id))]
#[traced]
fn calls_outside(client: &Client, id: u32) -> Result<Response, Error> {
    client.get(id).send()
}

#[traced]
#[traced_http(annotate(id = id))]
fn calls_inside(client: &Client, id: u32) -> Result<Response, Error> {
    client.get(id).send()
}
