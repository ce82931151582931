//! Where an expression that begins with `match` would end a statement early.

#[traced_http]
fn statements(a: Wrapper, b: Wrapper) -> bool {
    a.inner.send();
    a.inner.send()?;
    a.inner.send().await.unwrap();
    a.inner.send() && b.inner.send()
}
