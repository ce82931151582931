//! The page of counters: what the store received and holds.

use std::sync::atomic::Ordering;

use maud::{Markup, html};

use super::format;
use super::page::{Page, Section};
use super::state::Console;

/// Renders the page.
pub(super) fn page(console: &Console) -> Markup {
    let revision = console.revision();
    let (counters, limits) = (console.store.counters(), console.store.limits());
    let content = html! {
        div.head { h1 { "Counters" } p { "Since xray-local started" } }
        dl.counters data-live {
            (number("Received", counters.received, "documents, including datagrams that hold no document"))
            (number("Accepted", counters.taken, "documents that X-Ray would accept"))
            (number("Rejected", counters.rejected, "documents that X-Ray would refuse"))
            (number("Suspicious", counters.suspicious, "accepted documents with something to fix"))
            (number("Dropped", console.dropped.load(Ordering::Relaxed),
                "datagrams that arrived faster than they could be processed"))
            (gauge("Traces", &format::count(counters.traces as u64), counters.traces, limits.traces,
                &format!("of at most {}", format::count(limits.traces as u64))))
            (gauge("Memory", &format::bytes(counters.bytes), counters.bytes, limits.bytes,
                &format!("of at most {} for documents", format::bytes(limits.bytes))))
            (number("Documents", counters.documents as u64, "in the stored traces"))
            (number("Evicted", counters.evicted_traces, "traces removed to make room for newer ones"))
            (text("Uptime", &format::duration(console.started.elapsed().as_secs_f64().floor()), "since xray-local started"))
            (text("Address", &console.address.to_string(), "for UDP and HTTP"))
        }
    };
    Page::new("Counters", Section::Counters, revision, content).render(console)
}

fn number(name: &str, value: u64, meaning: &str) -> Markup {
    text(name, &format::count(value), meaning)
}

fn text(name: &str, value: &str, meaning: &str) -> Markup {
    html! { div.card.counter { dt { (name) } dd { b { (value) } small { (meaning) } } } }
}

/// Renders a value with a bar that shows which share of its limit is in use.
fn gauge(name: &str, value: &str, used: usize, limit: usize, meaning: &str) -> Markup {
    #[expect(clippy::cast_precision_loss, reason = "the width of a bar needs few digits")]
    let width = (used as f64 / limit.max(1) as f64 * 100.0).min(100.0);
    html! {
        div.card.counter {
            dt { (name) }
            dd {
                b { (value) } small { (meaning) }
                svg aria-hidden="true" { rect width={ (format_args!("{width:.1}")) "%" } height="5" {} }
            }
        }
    }
}
