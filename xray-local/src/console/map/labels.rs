//! Words and links that the picture and the tables share.

use crate::console::{format, link};
use crate::graph::{Service, Statistics};

/// Whether a node stands for whoever calls the first service.
pub(super) fn is_client(service: &Service) -> bool {
    service.kind.as_deref() == Some("client")
}

/// Where the traces with a call are listed. Clients are no service of a trace: theirs are those of whom they call.
pub(super) fn traces_of_call(from: &Service, to: &Service) -> String {
    if is_client(from) { link::through_service(&to.name) } else { link::through_edge(&from.name, &to.name) }
}

/// The mean time of a request, in seconds.
pub(super) fn average(statistics: &Statistics) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a mean needs no more digits")]
    (statistics.total_count > 0).then(|| statistics.total_response_time / statistics.total_count as f64)
}

/// `12.3 ms · 1,204`: the average and how many.
pub(super) fn pace(statistics: &Statistics) -> String {
    match average(statistics) {
        Some(average) => format!("{} · {}", format::duration(average), format::count(statistics.total_count)),
        None => "none ended".to_owned(),
    }
}

/// The same, and what went wrong most gravely.
pub(super) fn figures(statistics: &Statistics) -> String {
    let troubles = [
        (statistics.fault_statistics.total_count, "fault"),
        (statistics.error_statistics.throttle_count, "throttled"),
        (statistics.error_statistics.other_count, "error"),
    ];
    let gravest = troubles.into_iter().find(|(count, _)| *count > 0).map(|(count, name)| {
        let plural = if count == 1 || name == "throttled" { "" } else { "s" };
        format!("{} {name}{plural}", format::count(count))
    });
    std::iter::once(pace(statistics)).chain(gravest).collect::<Vec<_>>().join(" · ")
}

/// A node's type in the reader's words.
pub(super) fn kind(kind: Option<&str>) -> &str {
    match kind {
        None => "Service",
        Some("client") => "Clients",
        Some("remote") => "Remote",
        Some("Database::SQL") => "SQL database",
        Some(kind) => kind.strip_prefix("AWS::").unwrap_or(kind),
    }
}
