//! `#[traced(err)]`: errors of every type.

use std::error::Error;
use std::fmt::{self, Display};
use std::pin::Pin;
use std::time::Duration;

use tokio::time::sleep;
use xray::document::Cause;

use support::subsegments::{below, exceptions, messages, tree};

#[derive(Debug)]
pub(super) struct Wrong(pub(super) std::num::ParseIntError);

impl Display for Wrong {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("wrong")
    }
}

impl Error for Wrong {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// Like `anyhow::Error`, this type does not implement `Error` itself.
pub(super) struct Wrapper(Box<dyn Error + Send + Sync>);

impl AsRef<dyn Error + Send + Sync> for Wrapper {
    fn as_ref(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.0
    }
}

impl AsRef<dyn Error> for Wrapper {
    fn as_ref(&self) -> &(dyn Error + 'static) {
        &*self.0
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Wrapper {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

#[derive(Debug)]
#[expect(dead_code, reason = "only the output of `Debug` is read")]
struct OnlyDebug(u32);

struct Nothing;

fn wrong() -> Wrong {
    Wrong("x".parse::<u32>().unwrap_err())
}

#[xray::traced(err)]
pub(super) fn own_error(is_wrong: bool) -> Result<u32, Wrong> {
    if is_wrong {
        return Err(wrong());
    }
    Ok(1)
}

#[xray::traced(err)]
fn boxed_error() -> Result<u32, Box<dyn Error>> {
    Err(wrong())?
}

#[xray::traced(err)]
async fn shared_error() -> Result<u32, Box<dyn Error + Send + Sync>> {
    Ok("x".parse::<u32>()?)
}

#[xray::traced(err)]
pub(super) async fn wrapped_error() -> Result<u32, Wrapper> {
    Err(wrong())?;
    Ok(1)
}

#[xray::traced(err)]
fn shown_error() -> Result<(), String> {
    Err("shown".to_owned())
}

#[xray::traced(err)]
fn debug_error<'a>(number: &'a u32, list: &'a mut [u32]) -> Result<&'a mut u32, OnlyDebug> {
    list.get_mut(9).ok_or(OnlyDebug(*number))
}

#[xray::traced(err)]
fn no_error() -> Result<impl Iterator<Item = u32>, Nothing> {
    if false {
        return Ok([1].into_iter());
    }
    Err(Nothing)
}

#[xray::traced(err)]
fn generic_error<E: Display>(error: E) -> Result<(), E> {
    Err(error)
}

#[xray::traced(err)]
fn boxed_future<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = Result<u32, Wrong>> + Send + 'a>> {
    Box::pin(async move { text.parse().map_err(Wrong) })
}

#[xray::traced(err)]
pub(super) fn returned_future(text: &str) -> impl Future<Output = Result<u32, Wrong>> + use<> {
    let text = text.to_owned();
    async move {
        sleep(Duration::from_millis(1)).await;
        text.parse().map_err(Wrong)
    }
}

#[xray::traced(err)]
fn future_of_another(text: &str) -> impl Future<Output = Result<u32, Wrong>> {
    returned_future(text)
}

#[xray::traced(err)]
async fn wrapped_by_another() -> Result<u32, Wrapper> {
    wrapped_error().await
}

#[xray::traced(err)]
fn shown_by_another() -> Result<(), String> {
    shown_error()
}

#[xray::traced(err)]
fn boxed_by_another() -> Result<u32, Box<dyn Error>> {
    Ok(own_error(true)?)
}

#[tokio::test]
async fn what_a_child_recorded_is_referred_to_whatever_its_form() {
    let ((), subsegments) = below(async {
        assert!(wrapped_by_another().await.is_err() && shown_by_another().is_err());
        assert!(boxed_by_another().is_err());
    })
    .await;
    let expected =
        "wrapped_by_another!(wrapped_error!), shown_by_another!(shown_error!), boxed_by_another!(own_error!)";
    assert_eq!(tree(&subsegments), expected);
    for outer in &subsegments {
        assert_eq!(outer.cause, Some(Cause::Reference(exceptions(&outer.subsegments[0])[0].id)), "{outer:#?}");
    }
}

#[tokio::test]
async fn errors_are_recorded() {
    const SOURCE: &str = "invalid digit found in string";
    let ((), subsegments) = below(async {
        assert!(own_error(false).is_ok() && own_error(true).is_err());
        assert!(boxed_error().is_err() && shared_error().await.is_err() && wrapped_error().await.is_err());
        assert!(shown_error().is_err() && debug_error(&7, &mut []).is_err() && no_error().is_err());
        assert!(generic_error('c').is_err());
        assert!(boxed_future("x").await.is_err() && returned_future("x").await.is_err());
        assert!(future_of_another("x").await.is_err());
    })
    .await;
    let (first, failed) = subsegments.split_first().unwrap();
    assert!(!first.fault && first.cause.is_none());
    let expected: [(&str, &[&str], &str); 10] = [
        ("own_error", &["wrong", SOURCE], "it::traced::errors::Wrong"),
        ("boxed_error", &["wrong", SOURCE], ""),
        ("shared_error", &[SOURCE], "core::num::error::ParseIntError"),
        ("wrapped_error", &["wrong", SOURCE], "it::traced::errors::Wrapper"),
        ("shown_error", &["shown"], "alloc::string::String"),
        ("debug_error", &["OnlyDebug(7)"], "it::traced::errors::OnlyDebug"),
        ("no_error", &[""], "it::traced::errors::Nothing"),
        ("generic_error", &["c"], "char"),
        ("boxed_future", &["wrong", SOURCE], "it::traced::errors::Wrong"),
        ("returned_future", &["wrong", SOURCE], "it::traced::errors::Wrong"),
    ];
    assert_eq!(failed.len(), expected.len() + 1, "{}", tree(failed));
    for (subsegment, (name, texts, kind)) in failed.iter().zip(expected) {
        assert_eq!((subsegment.name.as_str(), messages(subsegment).as_slice(), subsegment.fault), (name, texts, true));
        let first = &exceptions(subsegment)[0];
        assert_eq!((first.kind.as_deref().unwrap_or_default(), first.remote), (kind, Some(false)), "{name}");
    }
    // The inner subsegment recorded the error, so the outer one refers to it.
    assert_eq!(tree(&failed[10].subsegments), "returned_future!");
    let recorded = exceptions(&failed[10].subsegments[0])[0].id;
    assert_eq!((failed[10].fault, &failed[10].cause), (true, &Some(Cause::Reference(recorded))));
}
