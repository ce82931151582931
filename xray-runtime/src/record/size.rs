//! The size of a record's JSON, and the memory that the record holds.
//!
//! The sizes decide when subsegments leave their parent, and how many segments wait in a queue. They are computed at
//! the end of each subsegment. The exact size of the JSON would take as long as writing the JSON, so the size is an
//! estimate.

use std::borrow::Cow;

use serde_json::Value;

use super::{Details, Extent, Place, Record, held};
use crate::document::{AnnotationValue, Cause, Exception, Sql};

// The constants are the sizes of typical JSON. An error of ten percent does no harm: `Split` measures the real JSON
// before it is sent.

/// Size of the ids, times and flags of a record, and of the names of its fields.
const RECORD_BYTES: usize = 200;
/// Size of the id and flags of an exception, and of the names of its fields.
const EXCEPTION_BYTES: usize = 120;
/// Size of the line of a stack frame, and of the names of its fields.
const FRAME_BYTES: usize = 32;
/// Size of a link.
const LINK_BYTES: usize = 80;
/// Size of a number, or of the quotes and separators around any other value.
const VALUE_BYTES: usize = 8;

impl Record {
    /// Returns the extent of the subsegment and of all subsegments in it.
    pub(super) fn extent(&self) -> Extent {
        let mut extent = Extent { subsegments: 1, bytes: self.own_bytes(), held: self.own_held_bytes() };
        if let Some(details) = self.details() {
            extent.add(details.subsegments.extent());
        }
        extent
    }

    /// Estimates the bytes of the record's JSON without its subsegments.
    fn own_bytes(&self) -> usize {
        // The method, the status and the length are short; `RECORD_BYTES` covers them.
        RECORD_BYTES + self.label.len() + self.details().map_or(0, Details::bytes)
    }

    /// Returns the bytes of memory that the record holds, with all of its subsegments.
    pub(crate) fn held_bytes(&self) -> usize {
        self.extent().held
    }

    /// Returns the bytes of memory that the record holds, without its subsegments.
    pub(super) fn own_held_bytes(&self) -> usize {
        /// The bytes in the parent's list, whose capacity is up to twice its length.
        const LIST_ENTRY: usize = 2 * size_of::<Box<Record>>();
        let method = if let Some(Cow::Owned(method)) = &self.method { held::text(method) } else { 0 };
        // Counts the place in full, although other records may share it. An `Arc` has two counts.
        let place =
            if self.place.is_some() { held::allocation(size_of::<Place>() + 2 * size_of::<usize>()) } else { 0 };
        let details =
            self.details().map_or(0, |details| size_of::<Details>() + held::ALLOCATION_BYTES + details.heap_bytes());
        size_of::<Self>()
            + held::ALLOCATION_BYTES
            + LIST_ENTRY
            + held::allocation(self.label.heap_bytes())
            + method
            + place
            + details
    }
}

impl Details {
    fn bytes(&self) -> usize {
        let annotations = self.annotations.iter().map(|(key, value)| key.len() + annotation_bytes(value));
        let metadata = self.metadata.iter().map(|(namespace, values)| namespace.len() + object_bytes(values.iter()));
        let aws = self.aws.as_ref().map_or(0, |aws| object_bytes(aws.other.iter()));
        let texts = [&self.client.user_agent, &self.client.client_ip, &self.user];
        texts.into_iter().flatten().map(String::len).sum::<usize>()
            + self.cause.as_ref().map_or(0, cause_bytes)
            + annotations.sum::<usize>()
            + metadata.sum::<usize>()
            + aws
            + self.links.len() * LINK_BYTES
            + self.sql.as_ref().map_or(0, |sql| sql_bytes(sql))
    }

    /// Returns the bytes that the record holds on the heap, without its subsegments.
    fn heap_bytes(&self) -> usize {
        let texts = [&self.client.user_agent, &self.client.client_ip, &self.user];
        let exceptions = match &self.cause {
            Some(Cause::Exceptions(cause)) => cause.exceptions.iter().map(held::exception).sum(),
            _ => 0,
        };
        let annotations =
            self.annotations.iter().map(|(key, value)| held::text(key) + held::annotation(value)).sum::<usize>();
        let metadata =
            self.metadata.iter().map(|(namespace, values)| held::text(namespace) + held::entries(values.iter()));
        let aws = self
            .aws
            .as_ref()
            .map_or(0, |aws| size_of_val(&**aws) + held::ALLOCATION_BYTES + held::entries(aws.other.iter()));
        texts.into_iter().flatten().map(held::text).sum::<usize>()
            + self.sql.as_ref().map_or(0, |sql| held::sql(sql))
            + exceptions
            + held::nodes::<String, AnnotationValue>(self.annotations.len())
            + annotations
            + held::nodes::<String, serde_json::Map<String, Value>>(self.metadata.len())
            + metadata.sum::<usize>()
            + aws
    }
}

fn sql_bytes(sql: &Sql) -> usize {
    // The other fields of the block are short. `RECORD_BYTES` is enough for them.
    [&sql.url, &sql.sanitized_query].into_iter().flatten().map(String::len).sum::<usize>() + RECORD_BYTES
}

fn annotation_bytes(value: &AnnotationValue) -> usize {
    match value {
        AnnotationValue::String(text) => VALUE_BYTES + text.len(),
        _ => VALUE_BYTES,
    }
}

fn cause_bytes(cause: &Cause) -> usize {
    match cause {
        Cause::Reference(_) => 0,
        Cause::Exceptions(cause) => cause.exceptions.iter().map(exception_bytes).sum(),
    }
}

fn exception_bytes(exception: &Exception) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let frames = exception.stack.iter().map(|frame| FRAME_BYTES + text(&frame.path) + text(&frame.label));
    EXCEPTION_BYTES + text(&exception.message) + text(&exception.kind) + frames.sum::<usize>()
}

fn value_bytes(value: &Value) -> usize {
    VALUE_BYTES
        + match value {
            Value::String(text) => text.len(),
            Value::Array(values) => values.iter().map(value_bytes).sum(),
            Value::Object(values) => object_bytes(values.iter()),
            _ => 0,
        }
}

fn object_bytes<'a>(values: impl Iterator<Item = (&'a String, &'a Value)>) -> usize {
    values.map(|(key, value)| key.len() + value_bytes(value)).sum()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::document::StackFrame;
    use crate::id::{SegmentId, TraceId};
    use crate::record::{Label, Time};

    #[test]
    fn an_estimate_is_near_the_json() {
        let mut label = Label::EMPTY;
        label.set_url(["https", "://", "example.com", &"p".repeat(200)], &"n".repeat(100));
        let mut record = Record::new(SegmentId::random(), label, Time::from_micros(1));
        record.record_error((0..20).map(|_| Exception::text(&"m".repeat(900), "kind")).collect());
        let details = record.details_mut();
        details.annotations.extend((0..20).map(|number| (format!("key{number}"), "v".repeat(500).into())));
        let metadata = serde_json::json!({ "a": "x".repeat(5000), "b": [1, 2, { "c": "y".repeat(3000) }] });
        details.metadata.entry("default".to_owned()).or_default().insert("key".to_owned(), metadata);
        let mut json = Vec::new();
        record.write_json(&mut json);
        let (json, estimate) = (json.len(), record.own_bytes());
        assert!(estimate.abs_diff(json) < json / 10, "{estimate}, but {json}");
    }

    fn text(bytes: usize) -> String {
        "x".repeat(bytes)
    }

    fn exception() -> Exception {
        let frame = |_| StackFrame { path: Some(text(40)), line: Some(7), label: Some(text(60)) };
        Exception { stack: (0..20).map(frame).collect(), ..Exception::without_stack(&text(500), &text(500)) }
    }

    fn sql() -> Sql {
        let mut sql = Sql::new(text(20));
        (sql.url, sql.sanitized_query) = (Some(text(1000)), Some(text(4000)));
        (sql.database_version, sql.driver_version, sql.user) = (Some(text(20)), Some(text(20)), Some(text(20)));
        sql
    }

    /// A kind of content, the bytes of its texts and items, and a function that adds it to a record.
    type Kind = (&'static str, usize, fn(&mut Record));

    const KINDS: [Kind; 12] = [
        ("long annotations", 20 * 504, |record| {
            let details = record.details_mut();
            (100..120).for_each(|number| drop(details.annotate(format!("k{number}"), text(500).into())));
        }),
        ("short annotations", 600 * (4 + held::ALLOCATION_BYTES + size_of::<(String, AnnotationValue)>()), |record| {
            let details = record.details_mut();
            (100..700).for_each(|number| drop(details.annotate(format!("k{number}"), number.into())));
        }),
        ("metadata", 20 * 504, |record| {
            let details = record.details_mut();
            let mut add = |number, value| details.add_metadata("default".to_owned(), format!("k{number}"), value);
            (100..120).for_each(|number| add(number, text(500).into()).unwrap());
        }),
        ("namespaces", 100 * (2 * 4 + 2 * size_of::<String>() + 11 * size_of::<(String, Value)>()), |record| {
            let details = record.details_mut();
            let mut add = |number| details.add_metadata(format!("n{number}"), format!("k{number}"), json!(number));
            (100..200).for_each(|number| add(number).unwrap());
        }),
        ("lists", 1000 * size_of::<Value>(), |record| {
            let values = json!(vec![1_000_000; 1000]);
            record.details_mut().add_metadata("default".to_owned(), "list".to_owned(), values).unwrap();
        }),
        ("an AWS value", 1000, |record| record.details_mut().add_aws("key".to_owned(), text(1000).into()).unwrap()),
        ("errors", 5 * (1000 + 20 * (100 + size_of::<StackFrame>())), |record| {
            assert!(record.record_error((0..5).map(|_| exception()).collect()));
        }),
        ("SQL", 5080, |record| record.details_mut().sql = Some(Box::new(sql()))),
        ("the client", 3000, |record| {
            let details = record.details_mut();
            (details.client.user_agent, details.client.client_ip) = (Some(text(1000)), Some(text(1000)));
            details.user = Some(text(1000));
        }),
        ("a URL", 1000, |record| record.label.set_url(["https", "://", "example.com", &text(1000)], "example.com")),
        ("links", 0, |record| {
            let details = record.details_mut();
            (0..20).for_each(|_| assert!(details.add_link(TraceId::random(), SegmentId::random(), || true)));
        }),
        ("a place", size_of::<Place>(), |record| {
            record.place = Some(Place::below(TraceId::random(), SegmentId::random()));
        }),
    ];

    #[test]
    fn the_estimates_are_near_the_json_and_the_memory_for_each_kind_of_content() {
        for (kind, least, add) in KINDS {
            let mut record = Record::new(SegmentId::random(), Label::named("example.com"), Time::from_micros(1));
            let sizes = |record: &mut Record| {
                let mut json = Vec::new();
                record.write_json(&mut json);
                (json.len(), record.own_bytes(), record.held_bytes(), record.details_mut().held)
            };
            // The first call creates the details.
            sizes(&mut record);
            let (json, estimate, held, charged) = sizes(&mut record);
            assert_eq!(charged, 0);
            add(&mut record);
            let (more_json, more_estimate, more_held, charged) = sizes(&mut record);
            let (json, estimate, held) = (more_json - json, more_estimate - estimate, more_held - held);
            // The names of the fields of a record are a constant.
            assert!(estimate.abs_diff(json) < json / 5 + RECORD_BYTES, "{kind}: {json} bytes, estimated {estimate}");
            assert!((least..2 * least + 900).contains(&held), "{kind}: {least} held, estimated {held}");
            // An open record is charged for the memory that it holds when it is finished.
            assert!(
                charged == 0 || charged.abs_diff(held) < held / 4 + 1000,
                "{kind}: charged {charged}, holds {held}"
            );
        }
    }

    #[test]
    fn an_ended_call_holds_at_most_256_bytes() {
        let mut label = Label::EMPTY;
        label.set_url(["https", "://", "api.example.com", "/todos/1"], "api.example.com");
        let mut call = Record::new(SegmentId::random(), label, Time::from_micros(1));
        call.method = Some(Cow::Borrowed("GET"));
        call.record_response(200, Some(1234));
        assert!(call.held_bytes() <= 256, "{}", call.held_bytes());
    }

    #[test]
    fn subsegments_and_long_texts_count() {
        let record =
            |name: usize| Record::new(SegmentId::random(), Label::named(&"n".repeat(name)), Time::from_micros(1));
        let mut parent = record(10);
        assert!(record(1000).held_bytes() >= parent.held_bytes() + 1000);
        let alone = parent.held_bytes();
        let limit = Extent { subsegments: usize::MAX, bytes: usize::MAX, held: usize::MAX };
        for _ in 0..10 {
            parent.embed(record(1000), limit);
        }
        assert!(parent.held_bytes() >= alone + size_of::<Details>() + 10 * (size_of::<Record>() + 1000));
        parent.release();
        assert!(parent.held_bytes() < alone + 2 * size_of::<Details>());
    }
}
