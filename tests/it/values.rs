//! Values that a program records, however hostile they are. A value that cannot be recorded is lost alone.
//!
//! The X-Ray SDK for Python 2.15.0 fails in these cases. Each line names the case, and the test that shows what this
//! SDK does instead:
//!
//! * Names of any length and with any characters are sent, and empty ones: `python_defect_names`.
//! * Annotations become bare `NaN` and `Infinity`, which is not JSON: `python_defect_nan_and_infinity`.
//! * An annotation can have an empty key: `annotations_and_users_are_cut_between_characters_and_counted`.
//! * A tuple as a key in metadata loses the segment: `python_defect_tuple_key`.
//! * A cycle in metadata is followed to the interpreter's recursion limit: `python_defect_cycles`.
//! * The causes of an error are not recorded: `python_defect_no_cause_chain`.
//! * An error that is recorded twice becomes a reference to nothing: `python_defect_reference_by_id`.
//! * 70,000 bytes of metadata do not fit a datagram, and the document is lost:
//!   `python_defect_large_metadata_arrives_as_a_datagram`.
//! * A value of the program makes the SDK fail: `a_hostile_value_loses_nothing_but_itself`.
//! * Some numbers and keys lose a document: `any_mixture_of_values_leaves_a_document`.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fmt;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::mpsc;
use std::time::Duration;

use serde::ser::{Error as _, Serialize, SerializeMap as _, SerializeSeq as _, Serializer};
use serde_json::{Value, json};
use support::Always;
use support::documents::{capture_blocking, checked, read_datagram};
use support::subsegments::exceptions;
use xray::document::Cause;
use xray::emitter::{Emitter, FinishedSegment};
use xray::{Document, Recorder, Segment};

/// Returns an ended segment and its number of rejected values. Also checks the datagrams that it is sent in.
fn record(work: impl Fn(&Segment)) -> (Document, u64) {
    struct Channel(mpsc::Sender<Document>);

    impl Emitter for Channel {
        fn emit(&self, segment: FinishedSegment) {
            let _ = self.0.send(segment.into());
        }
    }

    let (sender, documents) = mpsc::channel();
    let recorder = Recorder::builder().sampler(Always).emitter(Channel(sender)).build();
    let segment = Segment::builder("s").recorder(&recorder).begin();
    work(&segment);
    segment.end();
    send(work);
    let document = documents.recv_timeout(Duration::from_secs(10)).unwrap();
    (checked(vec![document]).remove(0), recorder.stats().values_rejected)
}

/// Returns the documents of the datagrams that the segment is sent in.
fn send(work: impl Fn(&Segment)) -> Vec<Value> {
    let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    daemon.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let recorder = Recorder::builder().sampler(Always).daemon_address(daemon.local_addr().unwrap().to_string()).build();
    let segment = Segment::builder("s").recorder(&recorder).begin();
    work(&segment);
    segment.end();
    assert!(recorder.flush(Duration::from_secs(10)));
    let stats = recorder.stats();
    assert!(stats.documents_sent > 0 && stats.documents_dropped == 0, "{stats:?}");
    let mut datagram = vec![0; 65_536];
    let receive = |_| {
        let length = daemon.recv(&mut datagram).unwrap();
        read_datagram(&datagram[..length])
    };
    (0..stats.documents_sent).map(receive).collect()
}

/// A value whose serialization is a closure, for cases that no well-behaved type has.
struct Hostile(Kind);

#[derive(Debug, Clone, Copy)]
enum Kind {
    Fails,
    Panics,
    PanicsInside,
    EndlessList,
    EndlessMap,
    EndlessNest,
    EndlessOptions,
    EndlessNewtypes,
    EndlessText,
    EndlessNothing,
    TextThatPanics,
    TextThatFails,
    ValueWithoutKey,
    LyingLength,
}

const KINDS: [Kind; 14] = [
    Kind::Fails,
    Kind::Panics,
    Kind::PanicsInside,
    Kind::EndlessList,
    Kind::EndlessMap,
    Kind::EndlessNest,
    Kind::EndlessOptions,
    Kind::EndlessNewtypes,
    Kind::EndlessText,
    Kind::EndlessNothing,
    Kind::TextThatPanics,
    Kind::TextThatFails,
    Kind::ValueWithoutKey,
    Kind::LyingLength,
];

impl Serialize for Hostile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Kind::Fails => Err(S::Error::custom("no value")),
            Kind::Panics => panic!("no value"),
            Kind::PanicsInside => serializer.collect_seq([Hostile(Kind::Panics)]),
            Kind::EndlessList => serializer.collect_seq(std::iter::repeat("text")),
            Kind::EndlessMap => serializer.collect_map((0_u64..).map(|key| (key, key))),
            Kind::EndlessNest => serializer.collect_seq([self]),
            Kind::EndlessOptions => serializer.serialize_some(self),
            Kind::EndlessNewtypes => serializer.serialize_newtype_struct("N", self),
            Kind::EndlessText | Kind::TextThatPanics | Kind::TextThatFails => serializer.collect_str(self),
            Kind::EndlessNothing => serializer.collect_seq(std::iter::repeat(())),
            Kind::ValueWithoutKey => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_value(&1)?;
                map.end()
            }
            Kind::LyingLength => {
                let mut list = serializer.serialize_seq(Some(usize::MAX))?;
                list.serialize_element(&1)?;
                list.end()
            }
        }
    }
}

impl fmt::Display for Hostile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::EndlessText => loop {
                formatter.write_str("\u{1f980}")?;
            },
            Kind::TextThatPanics => panic!("no text"),
            Kind::TextThatFails => Err(fmt::Error),
            other => write!(formatter, "{other:?}"),
        }
    }
}

impl fmt::Debug for Hostile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hostile")
    }
}

impl Error for Hostile {}

#[test]
fn a_hostile_value_loses_nothing_but_itself() {
    for kind in KINDS {
        let (document, rejected) = record(|segment| {
            segment.add_metadata("before", 1);
            segment.add_metadata("hostile", Hostile(kind));
            segment.add_metadata("after", [Some("text")]);
        });
        let metadata = &document.metadata["default"];
        assert_eq!((&metadata["before"], &metadata["after"]), (&json!(1), &json!(["text"])), "{kind:?}");
        match kind {
            Kind::EndlessText => {
                assert!(metadata["hostile"].as_str().unwrap().ends_with("\u{1f980} [cut]"));
                assert_eq!(rejected, 1);
            }
            Kind::LyingLength => assert_eq!((&metadata["hostile"], rejected), (&json!([1]), 0)),
            _ => assert_eq!((metadata.get("hostile"), rejected), (None, 1), "{kind:?}"),
        }
    }
}

/// Values of any shape with a hostile value somewhere in them: the document is JSON and holds the other values.
#[test]
fn any_mixture_of_values_leaves_a_document() {
    fn value(random: &mut impl FnMut(u64) -> u64, depth: u64) -> Value {
        match random(if depth < 70 { 8 } else { 5 }) {
            0 => Value::Null,
            1 => json!(random(2) == 0),
            2 => json!(random(u64::MAX)),
            3 => json!("\u{0}\"\u{1f980}".repeat(usize::try_from(random(2000)).unwrap())),
            4 => json!(f64::from_bits(random(u64::MAX))),
            5 => (0..random(3)).map(|number| (number.to_string(), value(random, depth + 1))).collect(),
            _ => (0..=random(2)).map(|_| value(random, depth + 1)).collect(),
        }
    }

    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below.max(1)
    };
    for _ in 0..300 {
        let values: Vec<_> = (0..4).map(|_| value(&mut random, 0)).collect();
        let kind = KINDS[usize::try_from(random(13)).unwrap()];
        let (document, rejected) = record(|segment| {
            for (number, value) in values.iter().enumerate() {
                segment.add_metadata(number.to_string(), value);
                segment.add_metadata(format!("with-{number}"), (value, Hostile(kind)));
            }
        });
        let kept = &document.metadata["default"];
        for (number, value) in values.iter().enumerate() {
            assert!(kept.get(&number.to_string()).is_none_or(|kept| kept == value));
        }
        assert!(rejected >= 4, "{kind:?}: {rejected}");
        let text = serde_json::to_string(&document).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), serde_json::to_value(&document).unwrap());
    }
}

#[test]
fn no_lock_is_held_while_a_value_serialises() {
    struct Recording;

    impl Serialize for Recording {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            xray::current().add_metadata("inner", 1);
            xray::current().record_error(&fmt::Error);
            serializer.serialize_unit()
        }
    }

    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let ((), documents) = capture_blocking(|| {
            Segment::builder("t").begin().in_scope(|| xray::current().add_metadata("outer", Recording));
        });
        sender.send(documents).unwrap();
    });
    let documents =
        receiver.recv_timeout(Duration::from_secs(10)).expect("a lock was held while the caller's code ran");
    assert_eq!(documents[0].metadata["default"].len(), 2);
}

/// The SDK for Python writes bare `NaN` and `Infinity`, which is not JSON.
#[test]
fn python_defect_nan_and_infinity() {
    let (document, rejected) = record(|segment| {
        for (key, number) in [("nan", f64::NAN), ("inf", f64::INFINITY), ("fine", 1.5)] {
            segment.annotate(key, number);
            segment.add_metadata(key, [number]);
        }
    });
    assert_eq!(document.annotations.len(), 1);
    assert_eq!(
        document.metadata["default"],
        *json!({ "nan": [null], "inf": [null], "fine": [1.5] }).as_object().unwrap()
    );
    assert_eq!(rejected, 4);
}

#[test]
fn a_number_is_recorded_as_it_is_written() {
    let (document, rejected) = record(|segment| {
        segment.annotate("ratio", 0.1_f32);
        segment.annotate("order", u64::MAX);
        segment.annotate("customer", i64::MIN);
        segment.add_metadata("ratios", [0.1_f32, 1e-7]);
    });
    let text = serde_json::to_string(&document).unwrap();
    assert!(text.contains(r#""customer":-9223372036854775808,"order":18446744073709551615,"ratio":0.1}"#), "{text}");
    assert!(text.contains(r#""ratios":[0.1,1e-7]"#), "{text}");
    assert_eq!(rejected, 0);
}

/// In the SDK for Python, a tuple as a key loses the whole segment.
#[test]
fn python_defect_tuple_key() {
    let (document, rejected) = record(|segment| {
        segment.add_metadata("tuple", HashMap::from([((1, 2), 3)]));
        segment.add_metadata("number", BTreeMap::from([(-1, 'a'), (2, 'b')]));
        segment.add_metadata("flag", HashMap::from([(true, 1)]));
    });
    assert_eq!(
        Value::from(document.metadata["default"].clone()),
        json!({
            "number": { "-1": "a", "2": "b" },
            "flag": { "true": 1 },
        })
    );
    assert_eq!(rejected, 1);
}

/// The SDK for Python follows a cycle until the interpreter's recursion limit.
#[test]
fn python_defect_cycles() {
    let (document, rejected) = record(|segment| segment.add_metadata("cycle", Hostile(Kind::EndlessNest)));
    assert!(document.metadata.is_empty());
    assert_eq!(rejected, 1);
}

/// The SDK for Python accepts empty names, names of any length and names with any character.
#[test]
fn python_defect_names() {
    let long = "\u{e9}".repeat(300);
    let ((), documents) = capture_blocking(|| {
        for name in ["a\"b|c\\d{e}[f]", "Grüße/日本", &long] {
            let segment = Segment::builder(name).begin();
            segment.subsegment(name).end();
            segment.subsegment("???").end();
            segment.subsegment("").end();
        }
    });
    for (document, name) in documents.iter().zip(["abcdef", "Grüße/日本", &"\u{e9}".repeat(200)]) {
        let names: Vec<_> = document.subsegments.iter().map(|part| part.name.as_str()).collect();
        assert_eq!((document.name.as_str(), names), (name, vec![name, "subsegment", "subsegment"]));
    }
    let (_, rejected) = record(|segment| {
        for name in ["fine", "Vec<T>", &long, "???", ""] {
            segment.subsegment(name).end();
        }
    });
    assert_eq!(rejected, 3, "an empty name loses no document");
}

#[test]
fn annotations_and_users_are_cut_between_characters_and_counted() {
    let text = format!("a{}", "\u{1f980}".repeat(2000));
    let (document, rejected) = record(|segment| {
        segment.annotate("text", &text);
        segment.annotate("k".repeat(501), 1);
        segment.annotate("", 1);
        segment.annotate("a.b", 1);
        segment.annotate("k".repeat(500), "\u{e9}".repeat(1000));
        segment.set_user(&text);
        segment.add_metadata_in("AWS.x", "k", 1);
        segment.add_metadata(text.as_str(), 1);
    });
    assert_eq!(document.annotations.len(), 2);
    assert_eq!(document.annotations["text"], text.chars().take(1000).collect::<String>().into());
    assert_eq!(document.user, Some(text.chars().take(250).collect()));
    assert!(document.metadata.is_empty());
    assert_eq!(rejected, 7);
}

#[test]
fn annotations_that_are_not_indexed_are_kept_and_counted() {
    let (document, rejected) = record(|segment| {
        let part = segment.subsegment("part");
        for number in 0..30 {
            segment.annotate(format!("k{number}"), number);
            part.annotate(format!("k{number}"), number);
            part.annotate(format!("k{number}"), number + 1);
        }
    });
    assert_eq!((document.annotations.len(), document.subsegments[0].annotations.len()), (30, 30));
    assert_eq!(rejected, 10);
}

#[derive(Debug)]
struct Wrapped(&'static str, Box<dyn Error>);

impl fmt::Display for Wrapped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl Error for Wrapped {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.1)
    }
}

fn number_error() -> std::num::ParseIntError {
    "x".parse::<u8>().unwrap_err()
}

/// The SDK for Python records one error of a chain.
#[test]
fn python_defect_no_cause_chain() {
    let (document, _) = record(|segment| segment.record_error(&Wrapped("outer", Box::new(number_error()))));
    let [outer, inner] = exceptions(&document) else { panic!("{document:#?}") };
    assert_eq!((outer.message.as_deref(), outer.cause), (Some("outer"), Some(inner.id)));
    assert_eq!(inner.kind.as_deref(), Some(std::any::type_name::<std::num::ParseIntError>()));
}

/// An error that a child recorded becomes a reference. In the SDK for Python, the reference can point to nothing.
#[test]
fn python_defect_reference_by_id() {
    let (document, _) = record(|segment| {
        let outer = segment.subsegment("outer");
        let inner = outer.subsegment("inner");
        inner.record_error(&number_error());
        inner.end();
        outer.record_error(&number_error());
        outer.end();
        segment.record_error(&number_error());
        // Recorded again on the same entity, the error changes nothing.
        segment.record_error(&number_error());
    });
    let outer = document.subsegments.last().unwrap();
    let [original] = exceptions(&outer.subsegments[0]) else { panic!("{document:#?}") };
    assert_eq!(outer.cause, Some(Cause::Reference(original.id)));
    assert!(outer.fault && document.fault);
    assert_eq!(document.cause, Some(Cause::Reference(original.id)));
}

#[test]
fn an_error_of_the_last_child_is_the_cause_of_one_that_wraps_it() {
    let (document, _) = record(|segment| {
        let part = segment.subsegment("part");
        part.record_error(&number_error());
        part.end();
        segment.record_error(&Wrapped("outer", Box::new(number_error())));
        segment.record_error(&fmt::Error);
    });
    let [original] = exceptions(&document.subsegments[0]) else { panic!("{document:#?}") };
    let [outer, other] = exceptions(&document) else { panic!("{document:#?}") };
    assert_eq!((outer.message.as_deref(), outer.cause), (Some("outer"), Some(original.id)));
    assert_eq!(other.cause, None);
}

#[test]
fn other_errors_beside_a_reference_lose_nothing() {
    let (document, _) = record(|segment| {
        let part = segment.subsegment("part");
        part.record_error(&number_error());
        part.end();
        segment.record_error(&number_error());
        segment.record_error(&fmt::Error);
        // Another error with the same message.
        let said = number_error().to_string();
        segment.record_error(&std::io::Error::other(said));
    });
    let [original] = exceptions(&document.subsegments[0]) else { panic!("{document:#?}") };
    let [same, format, other] = exceptions(&document) else { panic!("{document:#?}") };
    assert_eq!(same, original);
    assert!(format.id != original.id && other.id != original.id);
}

#[test]
fn an_error_that_panics_is_recorded_by_its_type() {
    for kind in [Kind::TextThatPanics, Kind::TextThatFails] {
        let (document, rejected) = record(|segment| {
            segment.record_error(&Hostile(kind));
            segment.annotate("after", true);
        });
        let [exception] = exceptions(&document) else { panic!("{document:#?}") };
        assert_eq!((exception.message.as_deref(), rejected), (None, 1));
        assert!(exception.kind.as_ref().unwrap().ends_with("::Hostile"));
        assert_eq!(document.annotations.len(), 1);
    }
    let (document, rejected) = record(|segment| segment.record_error(&Hostile(Kind::EndlessText)));
    assert_eq!((exceptions(&document)[0].kind.is_some(), rejected), (true, 0));
}

/// The SDK for Python sends nothing if a segment has 70,000 bytes of metadata.
#[test]
fn python_defect_large_metadata_arrives_as_a_datagram() {
    let documents = send(|segment| {
        segment.annotate("tier", "gold");
        segment.add_metadata("small", "text");
        segment.add_metadata("large", "\u{e9}".repeat(35_000));
        for kind in KINDS {
            segment.add_metadata(format!("{kind:?}"), Hostile(kind));
        }
    });
    let [document] = &documents[..] else { panic!("{documents:#?}") };
    assert_eq!(
        (&document["annotations"]["tier"], &document["metadata"]["default"]["small"]),
        (&json!("gold"), &json!("text"))
    );
}
