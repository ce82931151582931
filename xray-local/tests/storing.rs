//! The store, its limits and its counters.

use std::thread;

use xray_local::check::Code;
use xray_local::store::{Limits, Outcome, Source, Store, StoredTrace};

fn document(trace: usize, id: usize) -> String {
    format!(
        r#"{{"id":"{id:016x}","trace_id":"{}","name":"shop","start_time":{trace}.5,"end_time":{trace}.75}}"#,
        trace_id(trace)
    )
}

fn trace_id(trace: usize) -> String {
    format!("1-581cf771-{trace:024x}")
}

fn put(store: &Store, text: &str) -> Outcome {
    store.put(text, Source::Http)
}

/// Returns the numbers of the stored traces, newest first.
fn traces(store: &Store) -> Vec<usize> {
    store.traces().iter().map(|stored| usize::from_str_radix(&stored.id().to_string()[11..], 16).unwrap()).collect()
}

#[test]
fn the_oldest_traces_are_dropped() {
    let store = Store::new(Limits { traces: 3, ..Limits::default() });
    for (trace, id) in [(1, 1), (2, 2), (3, 3), (1, 4), (4, 5), (5, 6)] {
        assert!(put(&store, &document(trace, id)).is_taken());
    }
    assert_eq!(traces(&store), [5, 4, 3]);
    assert!(store.trace(&trace_id(1)).is_none());
    let counters = store.counters();
    assert_eq!((counters.received, counters.taken, counters.evicted_traces), (6, 6, 2));
    assert_eq!((counters.traces, counters.documents), (3, 3));
}

/// Eight of a hundred W3C trace ids look like times since 2016.
#[test]
fn the_time_in_an_id_is_not_judged_once_an_id_had_none() {
    let store = Store::new(Limits::default());
    let findings = |digits: &str| {
        let text = document(1, 1).replace("581cf771", digits).replace(":1.5", ":1795600000.5");
        put(&store, &text.replace(":1.75", ":1795600000.75")).findings.len()
    };
    assert_eq!([findings("5759e988"), findings("f1234567"), findings("5759e988")], [1, 0, 0]);
}

#[test]
fn the_store_stays_within_its_limit_of_bytes() {
    const TRACES: usize = 50_000;
    let limits = Limits { bytes: 1 << 20, ..Limits::default() };
    let store = Store::new(limits);
    for trace in 0..TRACES {
        store.put(&document(trace, 1), Source::Udp);
    }
    let counters = store.counters();
    assert!((limits.bytes - 1000..=limits.bytes).contains(&counters.bytes), "{counters:?}");
    assert_eq!(counters.traces as u64 + counters.evicted_traces, TRACES as u64);
    assert_eq!(traces(&store)[0], TRACES - 1);
}

#[test]
fn all_traces_are_listed_the_newest_first() {
    let store = Store::new(Limits { traces: 2500, ..Limits::default() });
    (0..2600).for_each(|trace| drop(put(&store, &document(trace, 1))));
    assert_eq!(traces(&store), (100..2600).rev().collect::<Vec<_>>());
    store.clear();
    (0..3).for_each(|trace| drop(put(&store, &document(trace, 1))));
    assert_eq!(traces(&store), [2, 1, 0]);
}

#[test]
fn a_trace_over_its_limit_rejects_documents() {
    let store = Store::new(Limits { bytes: 4000, ..Limits::default() });
    let outcomes: Vec<Outcome> = (0..100).map(|id| put(&store, &document(7, id))).collect();
    let taken = outcomes.iter().filter(|outcome| outcome.is_taken()).count();
    assert!((5..15).contains(&taken), "{taken}");
    let rejection = outcomes[99].rejection().unwrap();
    assert_eq!(rejection.code, Some(Code::InvalidSegment));
    assert_eq!(store.trace(&trace_id(7)).unwrap().segments.len(), taken);
    assert_eq!((store.counters().taken, store.counters().rejected), (taken as u64, 100 - taken as u64));
    assert!(put(&store, &document(8, 1)).is_taken());
}

#[test]
fn a_document_too_large_for_the_store_leaves_no_empty_trace() {
    let store = Store::new(Limits { bytes: 100, ..Limits::default() });
    assert!(!put(&store, &document(1, 1)).is_taken());
    assert!(traces(&store).is_empty());
}

#[test]
fn a_trace_larger_than_x_ray_allows_is_marked() {
    let store = Store::new(Limits::default());
    (0..1000).for_each(|id| drop(put(&store, &document(1, id))));
    assert!(!store.trace(&trace_id(1)).unwrap().limit_exceeded);
    (1000..4000).for_each(|id| drop(put(&store, &document(1, id))));
    assert!(store.trace(&trace_id(1)).unwrap().limit_exceeded);
}

#[test]
fn the_case_of_a_trace_id_does_not_matter() {
    let store = Store::new(Limits::default());
    put(&store, &document(0xabc, 1));
    put(&store, &document(0xabc, 2).replace("abc", "ABC"));
    let trace = store.trace(&trace_id(0xabc).to_uppercase()).unwrap();
    assert_eq!(trace.segments.len(), 2);
    assert!(trace.entities().all(|entity| entity.trace_id == trace.id));
    assert!(trace.segments.iter().all(|segment| segment.trace_id == trace.id && segment.raw["trace_id"] == trace.id));
}

#[test]
fn subscribers_see_changes_and_clear_removes_everything() {
    let store = Store::new(Limits::default());
    let mut changes = store.changes();
    assert!(!changes.has_changed().unwrap());
    put(&store, &document(1, 1));
    assert!(changes.has_changed().unwrap());
    let before = *changes.borrow_and_update();
    put(&store, "garbage");
    assert!(*changes.borrow_and_update() > before);
    store.clear();
    assert!(changes.has_changed().unwrap());
    let counters = store.counters();
    assert_eq!((counters.traces, counters.documents, counters.bytes, counters.received), (0, 0, 0, 2));
    assert!(store.reports().is_empty() && store.traces().is_empty());
}

#[test]
fn a_snapshot_does_not_change() {
    let store = Store::new(Limits::default());
    put(&store, &document(1, 1));
    let before = store.traces();
    put(&store, &document(1, 2));
    assert_eq!((before[0].revision(), before[0].trace().segments.len()), (1, 1));
    assert_eq!((store.traces()[0].revision(), store.traces()[0].trace().segments.len()), (2, 2));
}

#[test]
fn threads_can_share_a_store() {
    let store = Store::new(Limits::default());
    thread::scope(|scope| {
        for thread in 0..4 {
            let store = store.clone();
            scope.spawn(move || (0..500).for_each(|id| drop(put(&store, &document(id % 7, 1000 * thread + id)))));
        }
    });
    let documents: u64 = store.traces().iter().map(StoredTrace::revision).sum();
    assert_eq!((documents, store.counters().documents, traces(&store).len()), (2000, 2000, 7));
}
