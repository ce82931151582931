//! Lambda functions on the real `lambda_runtime`, each a process of its own (this program run again), with a small
//! Runtime API and a daemon's socket on this side. What an answer brings along is what had arrived before it.
//!
//! Where the X-Ray SDK for Python 2.15.0 was measured to go wrong, by section of that study, and what shows the other
//! behaviour:
//!
//! * 2.9 Lambda, an annotation outside any subsegment raises: `recorded::what_is_written_to_the_facade_is_counted`
//! * 2.9 Lambda, a segment is ignored: `segments::a_segment_is_a_subsegment`
//! * 2.9 Lambda, what is not sampled sends a parent of zeros: `headers::unsampled`
//! * 2.9 Lambda, in `PassThrough` mode there is no header or one of zeros: `headers::pass_through`
//! * 2.9 Lambda, outside any invocation each call warns and carries zeros: `headers::none`
//! * 2.9 Lambda, a subsegment that is left open is the parent of what a retry does:
//!   `recorded::what_is_left_open_is_apart_from_a_retry`
//! * 2.9 Lambda, in a thread the subsegment around is lost: `recorded::each_subsegment_leaves_by_itself`
//! * 6.2, headers reach other traces, the real root is lost: `concurrent::many_at_once_keep_apart`, `headers::unsampled`

mod by_hand;
mod concurrent;
mod failures;
mod function;
mod headers;
mod recorded;
mod segments;
mod service;
