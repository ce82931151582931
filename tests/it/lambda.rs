//! Lambda functions on the real `lambda_runtime`, each in a child process. The test stands for Lambda: it serves the
//! Runtime API and reads the daemon's socket. An answer holds the documents that arrived before it.
//!
//! The X-Ray SDK for Python 2.15.0 fails in these cases. Each line names the case, and the test that shows what this
//! SDK does instead:
//!
//! * An annotation outside any subsegment raises an exception: `recorded::what_is_written_to_the_facade_is_counted`.
//! * A segment that a function begins is ignored: `segments::a_segment_is_a_subsegment`.
//! * A trace that is not sampled travels on with a parent of zeros, or loses its root:
//!   `headers::an_unsampled_header_is_forwarded_without_its_parent`.
//! * In `PassThrough` mode, a call carries no header or one with zeros:
//!   `headers::headers_without_a_sampling_decision_are_forwarded_unchanged`.
//! * Outside any invocation, each call logs a warning and carries zeros:
//!   `headers::without_a_header_nothing_is_sent_and_each_place_is_logged_once`.
//! * A subsegment that stays open becomes the parent of what a retry records:
//!   `recorded::what_is_left_open_is_apart_from_a_retry`.
//! * In a thread, the surrounding subsegment is lost: `recorded::each_subsegment_leaves_by_itself`.
//! * A header reaches another trace: `concurrent::concurrent_invocations_record_separate_traces`.

mod by_hand;
mod concurrent;
mod failures;
mod function;
mod headers;
mod recorded;
mod segments;
mod service;
mod streams;
