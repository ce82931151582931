//! What the newest traces offer to search for: suggestions for the search box, and examples.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use maud::{Markup, html};
use serde_json::Value;

use crate::console::link;
use crate::document::{Document, State};
use crate::filter::WORDS;
use crate::store::StoredTrace;
use crate::trace::{Caller, Trace};

/// The most suggestions of each kind, the most values of an annotation, and the longest suggestion, in characters.
const MAX_SUGGESTIONS: usize = 30;
const MAX_VALUES: usize = 10;
const MAX_SUGGESTION_CHARS: usize = 200;

/// How many of the newest traces suggestions come from, and how long they are read. A trace may be megabytes large.
const READ_TRACES: usize = 100;
const READ_TIME: Duration = Duration::from_millis(50);

/// Parts of filter expressions that find stored traces.
#[derive(Debug, Default)]
pub(super) struct Known {
    services: BTreeSet<String>,
    /// The services with a fault.
    failing: BTreeSet<String>,
    /// Conditions on calls from one service to another.
    edges: BTreeSet<String>,
    /// The values of annotations as an expression writes them, by key.
    annotations: BTreeMap<String, BTreeSet<String>>,
    urls: BTreeSet<String>,
    /// The URLs of the requests that begin traces.
    served: BTreeSet<String>,
}

impl Known {
    /// Reads the newest traces.
    pub(super) fn of(stored: &[StoredTrace]) -> Self {
        let mut known = Self::default();
        let started = Instant::now();
        for stored in stored.iter().take(READ_TRACES).take_while(|_| started.elapsed() < READ_TIME) {
            known.add(&stored.open());
        }
        known
    }

    fn add(&mut self, trace: &Trace) {
        let calls = trace.calls();
        for segment in &trace.segments {
            suggest(&mut self.services, &segment.name, MAX_SUGGESTIONS);
            if segment.state() == State::Fault && !segment.inferred {
                suggest(&mut self.failing, &segment.name, MAX_SUGGESTIONS);
            }
            if let Caller::Segment { segment: caller, .. } = calls.caller(segment) {
                let edge = link::edge_condition(&link::quote(&caller.name), &link::quote(&segment.name), "");
                suggest(&mut self.edges, &edge, MAX_SUGGESTIONS);
            }
        }
        for entity in trace.entities() {
            for (key, value) in entity.annotations() {
                self.add_annotation(key, value);
            }
            if let Some(url) = url(entity) {
                suggest(&mut self.urls, url, MAX_SUGGESTIONS);
            }
        }
        if let Some(url) = trace.root().and_then(url) {
            suggest(&mut self.served, url, MAX_SUGGESTIONS);
        }
    }

    fn add_annotation(&mut self, key: &str, value: &Value) {
        let value = match value {
            Value::String(text) => link::quote(text),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => return,
        };
        let is_full = self.annotations.len() >= MAX_SUGGESTIONS && !self.annotations.contains_key(key);
        if !is_full && key.chars().nth(MAX_SUGGESTION_CHARS).is_none() {
            suggest(self.annotations.entry(key.to_owned()).or_default(), &value, MAX_VALUES);
        }
    }

    /// Renders the suggestions as options. Without the script, the browser offers those that contain the whole text of
    /// the search box. The script completes the word at the cursor.
    pub(super) fn options(&self) -> Markup {
        html! {
            @for (word, meaning) in WORDS { option value=(word) label=(meaning) {} }
            @for name in &self.services { (option(&link::service_condition(&link::quote(name), ""), "service")) }
            @for edge in &self.edges { (option(edge, "calls")) }
            @for (key, values) in &self.annotations {
                (option(&annotation(key), "annotation"))
                @for value in values { (option(&format!("{} = {value}", annotation(key)), "annotation")) }
            }
            @for url in &self.urls { (option(url, "URL")) }
        }
    }

    /// Returns filter expressions that find stored traces.
    pub(super) fn examples(&self) -> Vec<String> {
        let service = self.failing.first().map(|name| link::service_condition(&link::quote(name), "fault"));
        let service = service.or_else(|| Some(link::service_condition(&link::quote(self.services.first()?), "")));
        let edge = self.edges.first().cloned();
        let with_value = self.annotations.iter().find_map(|(key, values)| Some((key, values.first()?)));
        let annotation = with_value.map(|(key, value)| format!("{} = {value}", annotation(key)));
        let url = self.served.first().map(|url| format!("http.url BEGINSWITH {}", link::quote(url)));
        [service, edge, annotation, url].into_iter().flatten().collect()
    }
}

fn option(value: &str, kind: &str) -> Markup {
    html! { option value=(value) label=(kind) {} }
}

/// Returns the URL of an entity without its query, which would make nearly every URL a suggestion of its own.
fn url(entity: &Document) -> Option<&str> {
    entity.http.as_ref()?.url.as_deref()?.split('?').next()
}

/// Writes the key of an annotation.
fn annotation(key: &str) -> String {
    let is_word = key.chars().all(|character| character.is_alphanumeric() || character == '_');
    if is_word { format!("annotation.{key}") } else { format!("annotation[{}]", link::quote(key)) }
}

/// Adds a text to the suggestions. If there are too many, only the first in alphabetical order are kept.
fn suggest(suggestions: &mut BTreeSet<String>, text: &str, most: usize) {
    let is_late = suggestions.len() == most && suggestions.last().is_some_and(|last| text >= last.as_str());
    if is_late || text.chars().nth(MAX_SUGGESTION_CHARS).is_some() || !suggestions.insert(text.to_owned()) {
        return;
    }
    if suggestions.len() > most {
        suggestions.pop_last();
    }
}
