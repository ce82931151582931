//! The page of the slowest and the failing traces of the last minutes.

use std::cmp::Ordering;
use std::time::{Duration, Instant};

use maud::{Markup, html};
use serde::Deserialize;

use super::elements::age;
use super::page::{Page, Section};
use super::state::Console;
use super::{entity, format, link, status};
use crate::document::State;
use crate::trace::{Trace, signature};
use crate::url;

/// The parameters of the page.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Query {
    /// How many of the last minutes the page covers.
    #[serde(default)]
    minutes: String,
}

/// How many traces each list has.
const LISTED: usize = 20;

/// The longest time for reading traces. After it the page says that it read only some.
const READ_TIME: Duration = Duration::from_secs(2);

/// The minutes that are offered, and how many the page covers by itself.
const CHOICES: [u32; 3] = [5, 15, 60];
const DEFAULT_MINUTES: f64 = 15.0;

/// The longest request that is shown.
const MAX_CHARS: usize = 200;

/// What the page shows of a trace. The trace itself may be megabytes large.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) id: String,
    /// In seconds since 1970.
    pub(super) start: f64,
    /// In seconds.
    seconds: f64,
    state: State,
    service: String,
    request: String,
    /// What the trace is about, to find others like it.
    pub(super) signature: u64,
}

impl Entry {
    /// Reads an entry from a trace. Returns `None` for a trace without a segment that was received.
    pub(super) fn of(trace: &Trace) -> Option<Self> {
        let main = entity::main_segment(trace)?;
        let http = main.http.as_ref();
        let url = http.and_then(|http| http.url.as_deref()).map(url::split).map(|(_, path)| path);
        let method = http.and_then(|http| http.method.as_deref());
        let request = [method, url].into_iter().flatten().collect::<Vec<_>>().join(" ");
        Some(Self {
            id: trace.id.clone(),
            start: trace.start(),
            seconds: trace.response_time().or_else(|| trace.duration()).unwrap_or_default(),
            state: trace.state(),
            service: format::truncate(&main.name, MAX_CHARS),
            request: format::truncate(&request, MAX_CHARS),
            signature: signature(main),
        })
    }

    /// Renders the entry as an element of a list, with a link to `address`.
    pub(super) fn render(&self, address: &str) -> Markup {
        html! {
            li data-seconds=(self.seconds) {
                (status::label(self.state))
                span {
                    a href=(address) { @if self.request.is_empty() { (self.service) } @else { (self.request) } }
                    @if !self.request.is_empty() { " " small { (self.service) } }
                }
                b { (format::duration(self.seconds)) }
                small { (age(self.start)) }
            }
        }
    }
}

/// The first entries in an order, and the number of all.
pub(super) struct Top<F> {
    pub(super) entries: Vec<Entry>,
    count: usize,
    order: F,
}

impl<F: Fn(&Entry, &Entry) -> Ordering> Top<F> {
    pub(super) fn by(order: F) -> Self {
        Self { entries: Vec::new(), count: 0, order }
    }

    /// Adds an entry, and keeps the first [`LISTED`]: a store may hold 100,000 traces.
    pub(super) fn add(&mut self, entry: Entry) {
        self.count += 1;
        let place = self.entries.partition_point(|other| (self.order)(other, &entry) != Ordering::Greater);
        if place < LISTED {
            self.entries.insert(place, entry);
            self.entries.truncate(LISTED);
        }
    }
}

/// Renders the page.
pub(super) fn page(console: &Console, query: &Query) -> Markup {
    let revision = console.revision();
    let chosen = query.minutes.trim().parse::<f64>().ok();
    let minutes = chosen.filter(|minutes| minutes.is_finite() && *minutes > 0.0).unwrap_or(DEFAULT_MINUTES);
    let span = if minutes.fract() == 0.0 { format!("{minutes} min") } else { format::duration(minutes * 60.0) };
    let mut slowest = Top::by(|a: &Entry, b: &Entry| b.seconds.total_cmp(&a.seconds));
    let mut failing = Top::by(|a: &Entry, b: &Entry| b.start.total_cmp(&a.start));
    let is_complete = read(console, crate::time::now() - minutes * 60.0, |entry| {
        if entry.state.is_failure() {
            failing.add(entry.clone());
        }
        slowest.add(entry);
    });
    let content = html! {
        div.head {
            h1 { "Slowest and failing" }
            p { "Traces of the last " (span) }
        }
        nav.choices aria-label="Range of time" {
            @for choice in CHOICES {
                a href=(link::with_query("/recent", &[("minutes", &choice.to_string())]))
                    aria-current=[((f64::from(choice) - minutes).abs() < 1e-9).then_some("true")] { (choice) " min" }
            }
        }
        div data-live {
            @if !is_complete {
                p.notice { "There are too many traces to read all of them. These are from the newest." }
            }
            @if slowest.count == 0 {
                div.card.empty {
                    p { "No trace started in the last " (span) "." }
                    a href="/" { "Show all traces" }
                }
            } @else {
                (list("slowest", "Slowest", &slowest))
                (list("failing", "Failing, newest first", &failing))
            }
        }
    };
    Page::new("Slowest and failing", Section::Traces, revision, content).render(console)
}

fn list<F>(id: &str, title: &str, top: &Top<F>) -> Markup {
    html! {
        section {
            h2 {
                (title)
                @if top.count > LISTED { small { "the first " (LISTED) " of " (format::count(top.count as u64)) } }
            }
            @if top.entries.is_empty() {
                p { "None." }
            } @else {
                ol.card.entries #(id) { @for entry in &top.entries { (entry.render(&link::trace(&entry.id))) } }
            }
        }
    }
}

/// Passes an entry to `take` for each trace that started after a time, the latest arrival first. Returns whether all
/// were read.
pub(super) fn read(console: &Console, after: f64, mut take: impl FnMut(Entry)) -> bool {
    let started = Instant::now();
    for stored in console.store.traces().into_iter().filter(|stored| stored.start() >= after) {
        if started.elapsed() > READ_TIME {
            return false;
        }
        // The trace is closed before the next one is opened.
        let entry = Entry::of(&stored.open());
        entry.into_iter().for_each(&mut take);
    }
    true
}
