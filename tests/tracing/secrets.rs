//! Secrets in the fields of spans and events.

use tracing::{Level, error, field, info_span, instrument};
use tracing_subscriber::prelude::*;
use xray::Document;
use xray::document::AnnotationValue;
use xray::tracing::SubsegmentLayer;

use support::subsegments::{below_blocking, messages};

/// Returns the subsegments that a closure records below a layer.
fn below(layer: SubsegmentLayer, work: impl FnOnce()) -> Vec<Document> {
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || below_blocking(work).1)
}

fn keys(subsegment: &Document) -> Vec<&str> {
    subsegment.annotations.keys().map(String::as_str).collect()
}

#[derive(Debug, Clone, Copy)]
#[expect(dead_code, reason = "only its `Debug` text is read")]
struct Form {
    user: &'static str,
    password: &'static str,
}

#[test]
fn the_text_of_a_field_is_clean() {
    #[instrument]
    fn fetch(url: &str, form: Form, attempts: u32) {}

    #[instrument(skip_all, err(level = Level::WARN))]
    fn fails() -> Result<(), String> {
        Err("at http://me:pa55@h/?token=qu3ry".to_owned())
    }

    let subsegments = below(SubsegmentLayer::new(), || {
        fetch("http://me:pa55@h/a?token=qu3ry", Form { user: "me", password: "pa55" }, 2);
        let span = info_span!("later", target = field::Empty);
        span.record("target", field::display("GET /a?token=qu3ry"));
        span.in_scope(|| error!(error = "Authorization: Basic bWU6cGE1NQ==", "failed"));
        fails().unwrap_err();
        info_span!("says").in_scope(|| error!("refused by me:pa55@h:443"));
    });
    let [fetch, fails, says, later] = &subsegments[..] else { panic!("{subsegments:#?}") };
    assert_eq!(fetch.annotations["url"], "http://h/a".into());
    assert_eq!(fetch.annotations["form"], r#"Form { user: "me", password: "[removed]" }"#.into());
    assert_eq!(fetch.annotations["attempts"], 2.into());
    assert_eq!(later.annotations["target"], "GET /a".into());
    assert_eq!(messages(later), ["Authorization: [removed]"]);
    assert!(!fails.fault, "a warning is no error");
    assert_eq!(messages(says), ["refused by h:443"]);
}

#[test]
fn a_field_whose_name_speaks_of_a_secret_is_left_out() {
    #[instrument]
    fn log_in(user: &str, password: &str, api_key: Option<&str>, access_token: &str) {}

    let subsegments = below(SubsegmentLayer::new(), || {
        log_in("me", "pa55", Some("pa55"), "pa55");
        let span =
            info_span!("request", http.request.header.authorization = "pa55", db.password = ?"pa55", cookies = "a=b");
        span.record("db.password", "pa55");
        drop(span);
        // Numbers that count tokens, and names that only contain the letters.
        drop(info_span!("answer", max_tokens = 100, author = "me", secretary = "you", is_passwordless = true));
    });
    let [log_in, request, answer] = &subsegments[..] else { panic!("{subsegments:#?}") };
    assert_eq!((keys(log_in), keys(request)), (vec!["user"], vec![]));
    assert_eq!(keys(answer), ["author", "is_passwordless", "max_tokens", "secretary"]);
}

#[test]
fn the_secret_names_can_be_changed() {
    let names = SubsegmentLayer::SECRET_NAMES.iter().copied().filter(|name| *name != "token").chain(["iban"]);
    let subsegments = below(SubsegmentLayer::new().with_secret_names(names), || {
        drop(info_span!("a", iban = "DE00", parser.token = "(", password = "pa55", Password = 1));
    });
    assert_eq!(keys(&subsegments[0]), ["parser_token"]);
    let subsegments = below(SubsegmentLayer::new().with_secret_names([""; 0]), || drop(info_span!("a", token = "(")));
    assert_eq!(subsegments[0].annotations["token"], AnnotationValue::from("("));
}

#[test]
fn an_allow_list_names_the_only_fields() {
    let layer = SubsegmentLayer::new().with_only_fields(["order", "http.method", "password"]);
    let subsegments = below(layer, || {
        let span = info_span!("a", order = 7, http.method = "GET", user = "me", password = "pa55", error = "failed");
        span.record("user", "you");
    });
    assert_eq!(keys(&subsegments[0]), ["http_method", "order"], "a secret name is left out even if it is allowed");
    assert_eq!(messages(&subsegments[0]), ["failed"], "errors are recorded");
}

#[test]
fn no_kind_of_field_is_recorded_as_an_error_if_its_name_suggests_a_secret() {
    let error = std::io::Error::other("hunter2");
    let error: &(dyn std::error::Error + 'static) = &error;
    let layer = SubsegmentLayer::new().with_secret_names(["api_key", "error"]);
    let subsegments = below(layer, || {
        info_span!("span", api_key = error, error = "hunter2").in_scope(|| ());
        info_span!("debug", error = ?"hunter2").in_scope(|| ());
        info_span!("event").in_scope(|| error!(api_key = error, error = "hunter2", "refused"));
    });
    assert!(!format!("{subsegments:?}").contains("hunter2"), "{subsegments:#?}");
    assert_eq!(subsegments.len(), 3);
    assert_eq!(messages(&subsegments[2]), ["refused"]);
}
