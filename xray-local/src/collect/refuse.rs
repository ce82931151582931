//! Refuses requests with spans. This module stands for `receive` in programs that embed the server without the feature
//! `otlp`.

use axum::http::StatusCode;
use axum::routing::post;
use axum::{Extension, Router};

use super::TRACES;
use crate::api::Refusal;
use crate::forward::ForwardedSpans;
use crate::intake::Intake;
use crate::otlp::WITHOUT_FEATURE;

/// Returns the route for spans, which refuses every request.
pub(crate) fn routes(_: &Intake, _: Option<ForwardedSpans>) -> Router {
    let refuse =
        async || (StatusCode::NOT_IMPLEMENTED, Extension(Refusal(WITHOUT_FEATURE.to_owned())), WITHOUT_FEATURE);
    Router::new().route(TRACES, post(refuse))
}

#[cfg(test)]
mod tests {
    use crate::Server;
    use crate::otlp::WITHOUT_FEATURE;

    #[test]
    fn a_request_with_spans_is_refused_and_reported_with_the_remedy() {
        let server = Server::builder().address("127.0.0.1:0").start().unwrap();
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let url = format!("http://{}/v1/traces", server.http_address());
        let mut response = agent.post(url).content_type("application/json").send("{\"resourceSpans\":[]}").unwrap();
        assert_eq!(response.status(), 501);
        assert_eq!(response.body_mut().read_to_string().unwrap(), WITHOUT_FEATURE);
        let reports = server.store().reports();
        assert!(reports[0].findings[0].to_string().contains("feature `otlp`"), "{reports:?}");
    }
}
