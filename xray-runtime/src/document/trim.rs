//! Makes a document smaller that is too large even without its subsegments.

use std::cmp::Reverse;

use serde_json::Value;

use super::{AnnotationValue, Cause, Document, Exception, Sql};
use crate::support::text::first_bytes;

/// The text that replaces the middle of a string.
const CUT_MARK: &str = " [cut] ";
/// Number of bytes that every string keeps.
const MIN_STRING_BYTES: usize = 64;
/// Number of frames that a stack keeps in the first step. The innermost frames tell most about an error.
const MIN_FRAMES: usize = 10;
/// Number of exceptions that a document keeps.
const MIN_EXCEPTIONS: usize = 16;
/// Number of annotations that a document keeps. X-Ray indexes 50 in each trace. (Developer guide, "Annotations".)
const MIN_ANNOTATIONS: usize = 50;
/// Size up to which a value of the `aws` block stays in the first step: the keys that X-Ray itself uses, such as
/// `operation` and `ecs`, are short.
const MIN_AWS_BYTES: usize = 64;
/// Key in the metadata namespace `xray` of the number of values that lost something.
const LEFT_OUT: &str = "left_out";

/// Removes at least `excess` bytes of JSON from a document, or as many as one kind of value can give.
///
/// Returns the number of values that lost something, and 0 if nothing can be removed. The caller repeats this until the
/// document fits.
pub(crate) fn trim(document: &mut Document, excess: usize) -> usize {
    // The order is the order of worth. Metadata is the largest and cannot be searched for, and neither can most values
    // of the `aws` block. Stacks help to read an error, which its message still names. Strings keep both ends.
    // Annotations come last: people search for traces by them. Only a document with thousands of short values of the
    // `aws` block is still too large then.
    let steps: [fn(&mut Document, usize) -> usize; 7] = [
        remove_metadata,
        |document, excess| remove_aws_values(document, excess, MIN_AWS_BYTES),
        |document, _| truncate_stacks(document, MIN_FRAMES),
        |document, _| truncate_stacks(document, 0),
        cut_strings,
        |document, _| remove_exceptions_and_annotations(document),
        |document, excess| remove_aws_values(document, excess, 0),
    ];
    // One kind of value in each call: its estimate of the removed bytes is rough, so the caller measures the JSON again
    // before values of more worth are removed.
    steps.iter().map(|step| step(document, excess)).find(|&count| count > 0).unwrap_or(0)
}

/// Removes the largest values of the metadata until `excess` bytes are gone; returns their number.
fn remove_metadata(document: &mut Document, excess: usize) -> usize {
    let mut sizes = Vec::new();
    for (namespace, values) in &document.metadata {
        for (key, value) in values {
            // The note about removed values stays. It is what tells the reader that the document is incomplete.
            if (namespace.as_str(), key.as_str()) != ("xray", LEFT_OUT) {
                sizes.push((json_bytes(value) + key.len(), (namespace.clone(), key.clone())));
            }
        }
    }
    let largest = largest(sizes, excess);
    for (namespace, key) in &largest {
        document.metadata.get_mut(namespace).and_then(|values| values.remove(key));
    }
    document.metadata.retain(|_, values| !values.is_empty());
    note_left_out(document, largest.len());
    largest.len()
}

/// Removes the largest values of the `aws` block until `excess` bytes are gone; returns their number. Values of at most
/// `min_bytes` stay.
fn remove_aws_values(document: &mut Document, excess: usize, min_bytes: usize) -> usize {
    let Some(aws) = &mut document.aws else { return 0 };
    let sizes = aws.other.iter().map(|(key, value)| (json_bytes(value) + key.len(), key.clone()));
    let largest = largest(sizes.filter(|(bytes, _)| *bytes > min_bytes).collect(), excess);
    for key in &largest {
        aws.other.remove(key);
    }
    note_left_out(document, largest.len());
    largest.len()
}

fn json_bytes(value: &Value) -> usize {
    serde_json::to_vec(value).map_or(0, |json| json.len())
}

/// Returns the keys of the largest values that have `excess` bytes together; of all of them, if they have fewer.
fn largest<K>(mut sizes: Vec<(usize, K)>, excess: usize) -> Vec<K> {
    // Largest first: so the fewest values are lost.
    sizes.sort_by_key(|(bytes, _)| Reverse(*bytes));
    let mut removed = 0;
    let is_needed = |(bytes, _): &(usize, K)| {
        let is_needed = removed < excess;
        removed += bytes;
        is_needed
    };
    sizes.into_iter().take_while(is_needed).map(|(_, key)| key).collect()
}

/// Adds `count` to the number of removed values that the document itself shows.
fn note_left_out(document: &mut Document, count: usize) {
    if count > 0 {
        let own = document.metadata.entry("xray".to_owned()).or_default();
        let before = own.get(LEFT_OUT).and_then(serde_json::Value::as_u64).unwrap_or(0);
        own.insert(LEFT_OUT.to_owned(), (before + count as u64).into());
    }
}

/// Keeps the `frames` innermost frames of each stack; returns the number of stacks that lost some.
fn truncate_stacks(document: &mut Document, frames: usize) -> usize {
    let mut count = 0;
    for exception in exceptions(document) {
        let cut = exception.stack.len().saturating_sub(frames);
        if cut > 0 {
            exception.stack.truncate(frames);
            let cut = u32::try_from(cut).unwrap_or(u32::MAX);
            exception.truncated = Some(exception.truncated.unwrap_or(0).saturating_add(cut));
            count += 1;
        }
    }
    count
}

/// Cuts all strings to one length, which saves `excess` bytes; returns the number of strings that were cut.
fn cut_strings(document: &mut Document, excess: usize) -> usize {
    let mut strings = strings(document);
    let shortest = MIN_STRING_BYTES + CUT_MARK.len();
    let mut limit = strings.iter().map(|text| text.len()).max().unwrap_or(0);
    let saved = |limit| strings.iter().map(|text| text.len().saturating_sub(limit)).sum::<usize>();
    // One limit for all strings takes from the long ones first. Steps of a quarter find it after some twenty sums.
    while limit > shortest && saved(limit) < excess {
        limit = (limit - limit / 4).max(shortest);
    }
    let mut count = 0;
    for text in &mut strings {
        if text.len() > limit {
            cut_middle(text, limit - CUT_MARK.len());
            count += 1;
        }
    }
    count
}

/// Replaces the middle of a text by a mark, so that `bytes` bytes of its two ends are left.
fn cut_middle(text: &mut String, bytes: usize) {
    // Both ends are worth keeping: a message begins with what failed and often ends with the cause.
    let head = first_bytes(text, bytes / 2).len();
    let mut tail = text.len() - bytes / 2;
    while !text.is_char_boundary(tail) {
        tail += 1;
    }
    text.replace_range(head..tail, CUT_MARK);
}

/// Keeps the first exceptions and annotations; returns the number of those removed.
fn remove_exceptions_and_annotations(document: &mut Document) -> usize {
    let annotations = document.annotations.len().saturating_sub(MIN_ANNOTATIONS);
    for _ in 0..annotations {
        document.annotations.pop_last();
    }
    let mut exceptions = 0;
    if let Some(Cause::Exceptions(cause)) = &mut document.cause {
        exceptions = cause.exceptions.len().saturating_sub(MIN_EXCEPTIONS);
        cause.exceptions.truncate(MIN_EXCEPTIONS);
        // The format has its own field for this: the number of exceptions between one and its cause.
        if let Some(last) = cause.exceptions.last_mut().filter(|_| exceptions > 0) {
            last.skipped = u32::try_from(exceptions).ok();
        }
    }
    note_left_out(document, annotations + exceptions);
    annotations + exceptions
}

fn exceptions(document: &mut Document) -> &mut [Exception] {
    match &mut document.cause {
        Some(Cause::Exceptions(cause)) => &mut cause.exceptions,
        _ => &mut [],
    }
}

/// Returns the strings that may be long.
// The other strings are cut at 250 characters when they are recorded.
fn strings(document: &mut Document) -> Vec<&mut String> {
    let Document { annotations, cause, http, sql, .. } = document;
    let mut strings = Vec::new();
    for value in annotations.values_mut() {
        if let AnnotationValue::String(text) = value {
            strings.push(text);
        }
    }
    if let Some(Cause::Exceptions(cause)) = cause {
        for exception in &mut cause.exceptions {
            strings.extend([&mut exception.message, &mut exception.kind].into_iter().flatten());
        }
    }
    if let Some(sql) = sql {
        let Sql { url, sanitized_query, database_type, database_version, driver_version, user, preparation: _ } =
            &mut **sql;
        let texts = [url, sanitized_query, database_type, database_version, driver_version, user];
        strings.extend(texts.into_iter().flatten());
    }
    strings.extend(http.as_mut().and_then(|http| http.request.as_mut()?.url.as_mut()));
    strings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Exceptions, StackFrame};
    use crate::id::SegmentId;

    fn document() -> Document {
        Document::new(SegmentId::random(), "name".to_owned(), 1.0)
    }

    fn record_exceptions(document: &mut Document, exceptions: Vec<Exception>) {
        document.cause = Some(Cause::Exceptions(Box::new(Exceptions { exceptions, ..Exceptions::default() })));
    }

    #[test]
    fn the_largest_metadata_goes_first_and_the_document_counts_it() {
        let mut document = document();
        for (key, bytes) in [("a", 30_000), ("b", 40_000), ("c", 20_000)] {
            let values = document.metadata.entry("default".to_owned()).or_default();
            values.insert(key.to_owned(), "x".repeat(bytes).into());
        }
        assert_eq!(trim(&mut document, 30_000), 1);
        assert_eq!(document.metadata["default"].keys().collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(trim(&mut document, 50_000), 2);
        assert_eq!(document.metadata.keys().collect::<Vec<_>>(), ["xray"]);
        assert_eq!(document.metadata["xray"][LEFT_OUT], 3);
        assert_eq!(trim(&mut document, 1), 0, "the number of removed values stays");
    }

    #[test]
    fn the_largest_values_of_the_aws_block_go_after_the_metadata() {
        let mut document = document();
        document.metadata.entry("default".to_owned()).or_default().insert("a".to_owned(), "x".repeat(100).into());
        let aws = &mut document.aws.get_or_insert_default().other;
        for (key, bytes) in [("operation", 10), ("item", 50_000), ("table", 20_000), ("resources", 10_000)] {
            aws.insert(key.to_owned(), "x".repeat(bytes).into());
        }
        assert_eq!(trim(&mut document, 20_000), 1, "the metadata");
        for (excess, left) in [(20_000, vec!["operation", "resources", "table"]), (90_000, vec!["operation"])] {
            assert!(trim(&mut document, excess) > 0);
            assert_eq!(document.aws.as_ref().unwrap().other.keys().collect::<Vec<_>>(), left);
        }
        assert_eq!(document.metadata["xray"][LEFT_OUT], 4);
        document.annotations.insert("long".to_owned(), "x".repeat(1000).into());
        assert_eq!(trim(&mut document, 1), 1, "the string");
        assert_eq!(document.aws.as_ref().unwrap().other["operation"].as_str().map(str::len), Some(10));
        assert_eq!((trim(&mut document, 10_000), trim(&mut document, 10_000)), (1, 1), "the string, then short values");
        assert_eq!((trim(&mut document, 1), &document.metadata["xray"][LEFT_OUT]), (0, &5.into()));
    }

    #[test]
    fn the_size_of_a_value_is_that_of_its_json_and_its_key() {
        let mut document = document();
        let values = document.metadata.entry("default".to_owned()).or_default();
        values.insert("a".to_owned(), "x".repeat(300).into());
        values.insert("b".repeat(30), "x".repeat(20).into());
        values.insert("c".repeat(100), 1.into());
        // The first two have 303 and 101 bytes.
        assert_eq!(trim(&mut document, 303), 1);
        assert!(!document.metadata["default"].contains_key("a"));
        assert_eq!(trim(&mut document, 1), 1);
        assert!(!document.metadata["default"].contains_key(&*"c".repeat(100)));
        let aws = &mut document.aws.get_or_insert_default().other;
        aws.insert("a".repeat(40), "x".repeat(22).into());
        aws.insert("b".repeat(40), "x".repeat(23).into());
        document.annotations.insert("long".to_owned(), "x".repeat(100).into());
        let trimmed = [(); 3].map(|()| trim(&mut document, 1));
        assert_eq!(trimmed, [1; 3], "the metadata, then a value of 65 bytes, then the string");
        let left = document.aws.as_ref().unwrap().other.keys().collect::<Vec<_>>();
        assert_eq!(left, [&"a".repeat(40)], "a value of 64 bytes stays");
    }

    #[test]
    fn exceptions_and_annotations_are_counted_together() {
        let mut document = document();
        document.annotations.extend((0..60).map(|number| (format!("{number:02}"), number.into())));
        record_exceptions(&mut document, (0..20).map(|_| Exception::text("text", "kind")).collect());
        for exception in exceptions(&mut document) {
            exception.stack.clear();
        }
        assert_eq!(trim(&mut document, 1), 14);
        assert_eq!(document.metadata["xray"][LEFT_OUT], 14);
        document.annotations.extend((70..80).map(|number| (format!("{number:02}"), number.into())));
        exceptions(&mut document).last_mut().unwrap().skipped = None;
        assert_eq!(trim(&mut document, 1), 10);
        assert_eq!(exceptions(&mut document).last().unwrap().skipped, None, "no exception was removed");
    }

    #[test]
    fn a_string_keeps_its_first_and_last_bytes() {
        let mut document = document();
        document.annotations.insert("long".to_owned(), "x".repeat(1000).into());
        assert_eq!((trim(&mut document, 10_000), trim(&mut document, 10_000)), (1, 0));
        let AnnotationValue::String(text) = &document.annotations["long"] else { panic!() };
        assert_eq!(text.len(), MIN_STRING_BYTES + CUT_MARK.len());
        assert!(document.metadata.is_empty(), "the mark in the string says that it is cut");
    }

    #[test]
    fn a_string_is_cut_between_characters_and_no_more_than_is_needed() {
        for (text, excess, lengths) in [
            ("x".repeat(1000), 250, 745..=750),
            ("\u{1f980}".repeat(250) + "x", 10_000, 60..=MIN_STRING_BYTES + CUT_MARK.len()),
            (format!("x{}", "\u{1f980}".repeat(250)), 10_000, 60..=MIN_STRING_BYTES + CUT_MARK.len()),
        ] {
            let mut document = document();
            document.annotations.insert("long".to_owned(), text.into());
            assert_eq!(trim(&mut document, excess), 1);
            let AnnotationValue::String(text) = &document.annotations["long"] else { panic!() };
            assert!(lengths.contains(&text.len()), "{} bytes: {text}", text.len());
        }
    }

    #[test]
    fn outer_frames_go_before_inner_ones() {
        let mut document = document();
        let frame = |line| StackFrame { line: Some(line), ..StackFrame::default() };
        let stack = (0..40).map(frame).collect();
        record_exceptions(&mut document, vec![Exception { stack, truncated: Some(5), ..Exception::panic("boom") }]);
        for (left, truncated) in [(10, 35), (0, 45)] {
            assert_eq!(trim(&mut document, 1), 1);
            let [exception] = exceptions(&mut document) else { panic!() };
            assert_eq!((exception.stack.len(), exception.truncated), (left, Some(truncated)));
            assert!(exception.stack.first().is_none_or(|frame| frame.line == Some(0)));
        }
    }

    #[test]
    fn long_strings_keep_their_ends() {
        let mut document = document();
        document.annotations.insert("short".to_owned(), "abc".into());
        let long = format!("head{}tail", "\u{1f980}".repeat(245));
        document.annotations.insert("long".to_owned(), long.into());
        assert_eq!(trim(&mut document, 500), 1);
        let AnnotationValue::String(text) = &document.annotations["long"] else { panic!() };
        assert!(text.len() <= 488 && text.len() > 350, "{}", text.len());
        assert!(text.starts_with("head\u{1f980}") && text.ends_with("\u{1f980}tail") && text.contains(CUT_MARK));
        assert_eq!(document.annotations["short"], "abc".into());
    }

    /// Trims a document until it fits into a datagram.
    fn trim_to_fit(document: &mut Document) {
        let mut steps = 0;
        loop {
            let bytes = serde_json::to_vec(document).unwrap().len();
            let Some(excess) = bytes.checked_sub(63 * 1024) else { break };
            assert!(trim(document, excess + 1) > 0, "{bytes} bytes, and nothing left to remove");
            steps += 1;
        }
        assert!(steps < 20, "{steps}");
    }

    #[test]
    fn any_document_fits_after_a_few_steps() {
        let mut document = document();
        let key = |number| format!("{number:0>500}");
        document.annotations.extend((0..500).map(|number| (key(number), "\u{1}".repeat(1000).into())));
        let exceptions = (0..200).map(|_| Exception::text(&"\u{1}".repeat(1000), "kind")).collect();
        record_exceptions(&mut document, exceptions);
        trim_to_fit(&mut document);
        assert_eq!(document.annotations.len(), MIN_ANNOTATIONS);
        let [.., last] = super::exceptions(&mut document) else { panic!() };
        assert_eq!(last.skipped, Some(200 - u32::try_from(MIN_EXCEPTIONS).unwrap()));
    }

    #[test]
    fn of_thousands_of_short_values_the_shortest_stay() {
        let mut document = document();
        let aws = &mut document.aws.get_or_insert_default().other;
        aws.extend((0..5000).map(|number| (format!("table {number}"), "x".repeat(30).into())));
        aws.insert("operation".to_owned(), "PutItem".into());
        trim_to_fit(&mut document);
        let aws = &document.aws.as_ref().unwrap().other;
        assert!((1000..2000).contains(&aws.len()) && aws.contains_key("operation"), "{} values", aws.len());
    }
}
