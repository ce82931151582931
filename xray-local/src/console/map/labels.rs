//! The words, figures and links that the drawing and the tables share.

use crate::console::{format, link, status};
use crate::document::State;
use crate::graph::{Service, Statistics};

/// Returns whether a node stands for the clients of a service, which send no segments themselves.
pub(super) fn is_client(service: &Service) -> bool {
    service.kind.as_deref() == Some("client")
}

/// Returns the address of the traces that contain a call. No filter finds clients or a service whose segments were not
/// received. Their traces are those of the service that they call.
pub(super) fn traces_with_call(from: &Service, to: &Service) -> String {
    if is_client(from) || from.stand_in {
        link::traces_through_service(&to.name)
    } else {
        link::traces_through_edge(&from.name, &to.name)
    }
}

/// Returns the average duration of a request, in seconds. Returns `None` if no request has ended.
pub(super) fn average(statistics: &Statistics) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "three digits of the average are shown")]
    (statistics.total_count > 0).then(|| statistics.total_response_time / statistics.total_count as f64)
}

/// Returns the number of requests in each state, in the order of the ring.
pub(super) fn counts(statistics: &Statistics) -> [(State, u64); 4] {
    [
        (State::Ok, statistics.ok_count),
        (State::Error, statistics.error_statistics.other_count),
        (State::Throttle, statistics.error_statistics.throttle_count),
        (State::Fault, statistics.fault_statistics.total_count),
    ]
}

/// Returns the label of a call, the average duration and the number of requests: `12.3 ms · 1,204`.
pub(super) fn call_label(statistics: &Statistics) -> String {
    match average(statistics) {
        Some(average) => format!("{} · {}", format::duration(average), format::count(statistics.total_count)),
        None => "none ended".to_owned(),
    }
}

/// Returns the label of a service: like [`call_label`], with the number of requests in the worst state that occurred.
pub(super) fn service_label(statistics: &Statistics) -> String {
    let label = call_label(statistics);
    let [_, error, throttle, fault] = counts(statistics);
    match [fault, throttle, error].into_iter().find(|(_, number)| *number > 0) {
        Some((state, number)) => format!("{label} · {}", status::count(number, state)),
        None => label,
    }
}

/// Returns the statistics in words: `18 requests, 12.3 ms on average: 16 OK, 2 faults`.
pub(super) fn description(statistics: &Statistics) -> String {
    let Some(average) = average(statistics) else { return "no request has ended".to_owned() };
    let counts = counts(statistics).into_iter().filter(|(_, number)| *number > 0);
    let counts: Vec<_> = counts.map(|(state, number)| status::count(number, state)).collect();
    format!(
        "{}, {} on average: {}",
        format::count_of(statistics.total_count, "request"),
        format::duration(average),
        counts.join(", ")
    )
}

/// Returns the name of a node's type.
pub(super) fn kind(kind: Option<&str>) -> &str {
    match kind {
        None => "Service",
        Some("client") => "Clients",
        Some("remote") => "Remote",
        Some("Database::SQL") => "SQL database",
        Some(kind) => kind.strip_prefix("AWS::").unwrap_or(kind),
    }
}
