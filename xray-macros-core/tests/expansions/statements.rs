//! Statements that begin with a call. Parentheses keep the `match` from ending the statement early.

#[traced_http]
fn statements(a: Wrapper, b: Wrapper) -> bool {
    a.inner.send();
    a.inner.send()?;
    a.inner.send().await.unwrap();
    a.inner.send() && b.inner.send()
}
