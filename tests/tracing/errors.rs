//! Panics and error events in spans.

use std::error::Error;
use std::fmt::{self, Debug};
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures::FutureExt as _;
use tracing::{Instrument as _, Level, Span, debug_span, error, field, info_span, instrument, warn};
use xray::document::Cause;

use super::subscriber::{annotations, below, below_blocking};
use support::subsegments::{exceptions, messages, tree};

#[tokio::test]
async fn a_panic_is_recorded_where_it_leaves_a_span() {
    struct AtTheEnd;

    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            info_span!("cleaned up").in_scope(|| ());
        }
    }

    #[instrument]
    fn fails() {
        let _at_the_end = AtTheEnd;
        panic!("no");
    }

    #[instrument]
    async fn fails_later() {
        tokio::task::yield_now().await;
        fails();
    }

    let ((), subsegments) = below(async {
        info_span!("catches").in_scope(|| catch_unwind(fails).unwrap_err());
        AssertUnwindSafe(fails_later()).catch_unwind().await.unwrap_err();
        tokio::spawn(async { fails() }.instrument(info_span!("task"))).await.unwrap_err();
    })
    .await;
    assert_eq!(
        tree(&subsegments),
        "catches(fails!(cleaned up)), fails_later!(fails!(cleaned up)), task!(fails!(cleaned up))"
    );
    assert_eq!(messages(&subsegments[0].subsegments[0]), ["panicked"]);
}

fn failure() -> Result<u32, std::num::ParseIntError> {
    "x".parse()
}

#[derive(Debug)]
struct Failed(std::num::ParseIntError);

impl fmt::Display for Failed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("failed at http://me:secret@host/")
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[tokio::test]
async fn errors_are_recorded() {
    #[instrument(err)]
    async fn inner() -> Result<u32, Failed> {
        failure().map_err(Failed)
    }

    #[instrument(err(Debug))]
    async fn outer() -> Result<u32, Failed> {
        inner().await
    }

    #[instrument(err(level = Level::WARN))]
    fn warns() -> Result<u32, std::num::ParseIntError> {
        failure()
    }

    #[instrument(err)]
    async fn same() -> Result<u32, Failed> {
        inner().await
    }

    let ((), subsegments) = below(async {
        outer().await.unwrap_err();
        same().await.unwrap_err();
        warns().unwrap_err();
        let error = Failed(failure().unwrap_err());
        let error: &(dyn Error + 'static) = &error;
        info_span!("value").in_scope(|| error!(cause = error, error = "text", "message"));
        info_span!("named").in_scope(|| error!(err = ?error.source(), other = 1, "message"));
        info_span!("says").in_scope(|| debug_span!("not recorded").in_scope(|| error!(other = 1, "message {}", 1)));
        info_span!("silent").in_scope(|| error!(other = 1));
        info_span!("well").in_scope(|| warn!(error, "message"));
        info_span!("field", error).in_scope(|| ());
        info_span!("later", error = field::Empty).in_scope(|| {
            Span::current().record("error", "text").record("error", 1);
        });
        let elsewhere = info_span!("elsewhere");
        info_span!("here").in_scope(|| error!(parent: &elsewhere, "message"));
        error!("in no span");
    })
    .await;
    let expected =
        "outer!(inner!), same!(inner!), warns, value!, named!, says!, silent!, well, field!, later!, here, elsewhere!";
    assert_eq!(tree(&subsegments), expected);
    let [outer, same, _, value, named, says, silent, _, field, later, ..] = &subsegments[..] else { panic!() };
    assert_eq!(messages(&outer.subsegments[0]), ["failed at http://host/"]);
    assert_eq!(messages(outer), ["Failed(ParseIntError { kind: InvalidDigit })"]);
    assert_eq!(same.cause, Some(Cause::Reference(exceptions(&same.subsegments[0])[0].id)), "an error is recorded once");
    for chain in [value, field] {
        assert_eq!(messages(chain), ["failed at http://host/", "invalid digit found in string"]);
        assert_eq!(exceptions(chain)[0].cause, Some(exceptions(chain)[1].id));
        assert_eq!(exceptions(chain)[1].kind.as_deref(), Some("core::num::error::ParseIntError"));
    }
    assert_eq!(messages(named), ["Some(ParseIntError { kind: InvalidDigit })"]);
    assert_eq!(messages(says), ["message 1"]);
    assert_eq!(messages(silent), [""]);
    assert_eq!(messages(later), ["text"]);
    assert_eq!(annotations(later), r#"{"error":1}"#);
}

#[test]
fn of_a_thousand_errors_some_are_recorded() {
    let ((), subsegments) = below_blocking(|| {
        info_span!("a").in_scope(|| (0..1000).for_each(|number| error!("number {number}")));
    });
    assert_eq!(messages(&subsegments[0]).len(), 16);
}

#[test]
fn an_argument_without_an_error_is_no_failure() {
    #[instrument]
    fn handle(error: Option<&str>, err: Result<u8, u8>) {}

    let ((), subsegments) = below_blocking(|| {
        handle(None, Ok(1));
        handle(Some("no"), Ok(1));
        handle(None, Err(7));
    });
    assert_eq!(tree(&subsegments), "handle, handle!, handle!");
    assert_eq!(messages(&subsegments[1]), ["Some(\"no\")"]);
    assert_eq!(messages(&subsegments[2]), ["Err(7)"]);
}

#[test]
fn an_error_that_is_a_text_has_no_type() {
    let ((), subsegments) = below_blocking(|| {
        info_span!("span", error = "refused").in_scope(|| error!("failed"));
    });
    let types: Vec<_> = exceptions(&subsegments[0]).iter().map(|exception| exception.kind.as_deref()).collect();
    assert_eq!(types, [None, None]);
}
