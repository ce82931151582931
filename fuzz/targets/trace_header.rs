//! Any text as a trace header, a `traceparent` or an id. What is read is written again in a form that reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xray::{Sampled, SegmentId, TraceHeader, TraceId};

fuzz_target!(|text: &str| {
    let header = TraceHeader::parse(text);
    let written = header.to_string();
    assert_eq!(TraceHeader::parse(&written), header, "{written}");
    let extra: usize = header.extra().map(|(key, value)| key.len() + value.len()).sum();
    assert!(extra <= TraceHeader::MAX_EXTRA_BYTES && written.bytes().all(|byte| matches!(byte, b' '..=b'~')));

    for header in [Some(header), TraceHeader::from_traceparent(text)].into_iter().flatten() {
        if let Some(written) = header.to_traceparent() {
            let again = TraceHeader::from_traceparent(&written).expect("a written traceparent is valid");
            assert_eq!((again.root, again.parent), (header.root, header.parent));
            assert_eq!(again.sampled == Some(Sampled::Yes), header.sampled == Some(Sampled::Yes));
        }
    }
    if let Ok(id) = text.parse::<TraceId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
    if let Ok(id) = text.parse::<SegmentId>() {
        assert_eq!(id.to_string().parse(), Ok(id));
    }
});
