//! What the store has seen and has.

use std::sync::atomic::Ordering;

use maud::{Markup, html};

use super::format;
use super::page::{Page, Section};
use super::state::Console;

pub(super) fn page(console: &Console) -> Markup {
    let revision = console.revision();
    let (counters, limits) = (console.store.counters(), console.store.limits());
    let content = html! {
        div.head { h1 { "Counters" } p { "Since xray-local was started" } }
        dl.counters data-live {
            (number("Received", counters.received, "documents and datagrams"))
            (number("Taken", counters.taken, "documents that X-Ray would take"))
            (number("Rejected", counters.rejected, "documents that X-Ray would refuse"))
            (number("Suspicious", counters.suspicious, "taken, with something to mend"))
            (number("Dropped", console.dropped.load(Ordering::Relaxed), "datagrams that came faster than they could be read"))
            (share("Traces", &format::count(counters.traces as u64), counters.traces, limits.traces,
                &format!("of {} that are kept at most", format::count(limits.traces as u64))))
            (share("Memory", &format::bytes(counters.bytes), counters.bytes, limits.bytes,
                &format!("of {} for documents at most", format::bytes(limits.bytes))))
            (number("Documents", counters.documents as u64, "in these traces"))
            (number("Evicted", counters.evicted_traces, "oldest traces that made room for newer ones"))
            (text("Up for", &format::duration(console.started.elapsed().as_secs_f64().floor()), "since it was started"))
            (text("Address", &console.address.to_string(), "UDP and HTTP"))
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

fn share(name: &str, value: &str, part: usize, whole: usize, meaning: &str) -> Markup {
    #[expect(clippy::cast_precision_loss, reason = "a picture of it")]
    let width = (part as f64 / whole.max(1) as f64 * 100.0).min(100.0);
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
