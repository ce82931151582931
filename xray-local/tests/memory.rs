//! How much memory large traces and careless clients take. The figures are printed.

#[path = "support/program.rs"]
mod program;
mod support;

use serde_json::{Value, json};
use xray_local::store::{Limits, Source, Store};

const TRACE: &str = "1-581cf771-a006649127e371903a2de979";

fn id(number: usize) -> String {
    format!("{number:016x}")
}

/// A document of [`TRACE`] with these fields added.
fn document(number: usize, fields: &Value) -> Value {
    let mut document = json!({ "id": id(number), "trace_id": TRACE, "name": "n", "start_time": 1, "end_time": 2 });
    document.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    document
}

/// A segment with small subsegments that have these fields.
fn segment_of(number: usize, subsegments: usize, fields: &Value) -> Value {
    let subsegment = |index| {
        let mut subsegment =
            json!({ "id": id(number * 1_000 + index + 1), "name": "a", "start_time": 1, "end_time": 2 });
        subsegment.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        subsegment
    };
    document(number * 1_000, &json!({ "subsegments": (0..subsegments).map(subsegment).collect::<Vec<_>>() }))
}

/// A segment with chains of subsegments, each inside the one before.
fn chains(number: usize) -> Value {
    let chain = |chain: usize| {
        let mut inner = Vec::<Value>::new();
        for index in 0..30 {
            let id = id(number * 1_000 + chain * 30 + index + 1);
            inner = vec![json!({ "id": id, "name": "a", "start_time": 1, "end_time": 2, "subsegments": inner })];
        }
        inner.remove(0)
    };
    document(number * 1_000, &json!({ "subsegments": (0..22).map(chain).collect::<Vec<_>>() }))
}

/// A subsegment that was sent by itself.
fn separate(number: usize, parent: usize) -> Value {
    document(number, &json!({ "type": "subsegment", "parent_id": id(parent) }))
}

/// 60,000 bytes of text that take ninety times their memory as JSON values.
fn small_objects() -> Value {
    json!(vec![json!({ "": 0 }); 7_000])
}

type Shape = (&'static str, fn(usize) -> Value);

/// Documents of many shapes: ordinary documents, and documents that take the most memory for their text.
const SHAPES: [Shape; 14] = [
    ("subsegments", |number| segment_of(number, 800, &json!({}))),
    ("calls", |number| {
        let http = json!({ "request": { "method": "GET", "url": "http://a/b" }, "response": { "status": 200 } });
        segment_of(number, 300, &json!({ "namespace": "remote", "http": http }))
    }),
    ("calls of a traced service", |number| {
        let http = json!({ "request": { "method": "GET", "url": "http://a/b", "traced": true } });
        segment_of(number, 300, &json!({ "namespace": "remote", "http": http }))
    }),
    ("calls without anything", |number| {
        segment_of(number, 500, &json!({ "namespace": "remote", "http": { "request": {} } }))
    }),
    ("annotations", |number| segment_of(number, 500, &json!({ "annotations": { "n": number } }))),
    ("chains", chains),
    ("small objects", |number| document(number, &json!({ "metadata": { "a": small_objects() } }))),
    ("small arrays", |number| document(number, &json!({ "metadata": { "a": vec![json!([[]]); 9_000] } }))),
    ("a long text", |number| document(number, &json!({ "metadata": { "a": "x".repeat(60_000) } }))),
    ("large objects", |number| {
        let fields: serde_json::Map<_, _> = (0..6_000).map(|key| (format!("{key}"), json!(0))).collect();
        document(number, &json!({ "metadata": { "a": fields } }))
    }),
    ("subsegments of missing parents", |number| separate(number, number + 1_000_000)),
    ("subsegments of one missing parent", |number| separate(number, 1_000_000)),
    ("a tree of separate subsegments", |number| separate(number, number.checked_sub(1).map_or(1_000_000, |n| n / 2))),
    ("a call with small objects", |number| {
        let mut call = separate(number, number + 1_000_000);
        call["namespace"] = json!("remote");
        call["http"] = json!({ "a": small_objects() });
        call
    }),
];

#[test]
fn the_memory_of_a_trace_is_never_underestimated() {
    for (name, shape) in SHAPES {
        let store = Store::new(Limits { open_bytes: 4 << 30, ..Limits::default() });
        let (mut text, mut number) = (0, 0);
        while text < 1 << 20 {
            let document = shape(number).to_string();
            assert!(store.put(&document, Source::Http).is_taken(), "{name}");
            text += document.len();
            number += 1;
        }
        let stored = store.stored(TRACE).unwrap();
        let mut trace = None;
        let measured = allocation_counter::measure(|| trace = Some(stored.open()));
        let (peak, bound) = (measured.bytes_max, stored.open_bytes() as u64);
        println!("{name}: text {text}, measured {peak} bytes, bound {bound} bytes");
        assert!(peak <= bound, "{name}");
        assert!(bound < 6 * peak.max(text as u64), "{name}: the bound is too high");
    }
}

/// The tests below read the memory of the running program from `/proc`.
#[cfg(target_os = "linux")]
mod program_memory {
    use std::io::Write as _;
    use std::net::TcpStream;
    use std::thread;

    use super::*;
    use crate::program::Program;

    const MIB: u64 = 1 << 20;

    fn post(program: &Program, path: &str, body: &str) -> u16 {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut response = agent.post(format!("http://{}{path}", program.address)).send(body).unwrap();
        let _ = response.body_mut().with_config().limit(1 << 30).read_to_vec();
        response.status().as_u16()
    }

    fn get(program: &Program, path: &str) -> u16 {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut response = agent.get(format!("http://{}{path}", program.address)).call().unwrap();
        let _ = response.body_mut().with_config().limit(1 << 30).read_to_vec();
        response.status().as_u16()
    }

    /// Starts the program with traces of documents that have these metadata. Returns the ids.
    fn with_traces(traces: usize, documents: usize, metadata: &Value) -> (Program, Vec<String>) {
        let program = Program::start(&[]);
        let ids: Vec<_> = (0..traces).map(|trace| format!("1-581cf771-{trace:024x}")).collect();
        for trace in &ids {
            for number in 0..documents {
                let mut document = document(number, &json!({ "metadata": { "a": metadata } }));
                document["trace_id"] = trace.as_str().into();
                let body = json!({ "TraceSegmentDocuments": [document.to_string()] }).to_string();
                assert_eq!(post(&program, "/TraceSegments", &body), 200);
            }
        }
        (program, ids)
    }

    #[test]
    fn requests_share_the_memory_for_traces_that_are_read() {
        let (program, ids) = with_traces(10, 12, &small_objects());
        let stored = program.peak_memory();
        let times = r#"{ "StartTime": 0, "EndTime": 9999999999"#;
        thread::scope(|scope| {
            for number in 0..36 {
                let (program, id) = (&program, &ids[number % ids.len()]);
                scope.spawn(move || match number % 6 {
                    0 => post(program, "/Traces", &json!({ "TraceIds": [id] }).to_string()),
                    1 => post(program, "/TraceSummaries", &format!("{times} }}")),
                    2 => post(program, "/ServiceGraph", &format!("{times} }}")),
                    3 => get(program, "/?filter=duration+%3E+100"),
                    4 => get(program, "/map"),
                    _ => get(program, &format!("/traces/{id}")),
                });
            }
        });
        let peak = program.peak_memory();
        println!("8 MiB stored, 36 requests: {} MiB before, {} MiB at most", stored / MIB, peak / MIB);
        assert!(peak < 800 * MIB, "{} MiB", peak / MIB);
    }

    #[test]
    fn clients_that_do_not_read_their_responses_share_the_memory_for_responses() {
        let (program, ids) = with_traces(5, 30, &json!("x".repeat(60_000)));
        let stored = program.peak_memory();
        let body = json!({ "TraceIds": ids }).to_string();
        let request =
            format!("POST /Traces HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let mut readers = Vec::new();
        for _ in 0..32 {
            let mut stream = TcpStream::connect(&program.address).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            readers.push(stream);
        }
        // Each client has its response once its first byte has arrived.
        for stream in &readers {
            stream.set_read_timeout(Some(std::time::Duration::from_secs(120))).unwrap();
            stream.peek(&mut [0]).unwrap();
        }
        let peak = program.peak_memory();
        println!("9 MiB stored, 32 slow readers: {} MiB before, {} MiB at most", stored / MIB, peak / MIB);
        assert!(peak < 500 * MIB, "{} MiB", peak / MIB);
        assert_eq!(get(&program, "/counters"), 200);
    }

    #[test]
    fn large_bodies_do_not_become_larger_values() {
        let program = Program::start(&[]);
        let before = program.peak_memory();
        let objects = format!("[{}{{}}]", r#"{"":0},"#.repeat(270_000));
        let texts = format!("[{}\"\"]", r#""","#.repeat(600_000));
        let bodies = [
            ("/TelemetryRecords", objects.clone()),
            ("/TraceSummaries", format!(r#"{{"StartTime":0,"EndTime":1,"X":{objects}}}"#)),
            ("/ServiceGraph", format!(r#"{{"StartTime":0,"EndTime":1,"X":{objects}}}"#)),
            ("/TraceSegments", format!(r#"{{"TraceSegmentDocuments":{texts}}}"#)),
            ("/Traces", format!(r#"{{"TraceIds":{texts}}}"#)),
            ("/TraceGraph", format!(r#"{{"TraceIds":{texts}}}"#)),
            ("/SamplingTargets", format!(r#"{{"SamplingStatisticsDocuments":{objects}}}"#)),
            ("/CreateSamplingRule", format!(r#"{{"SamplingRule":{{"Attributes":{objects}}}}}"#)),
        ];
        thread::scope(|scope| {
            for (path, body) in &bodies {
                for _ in 0..3 {
                    scope.spawn(|| post(&program, path, body));
                }
            }
        });
        let peak = program.peak_memory();
        println!("24 bodies of 2 MiB: {} MiB before, {} MiB at most", before / MIB, peak / MIB);
        assert!(peak - before < 250 * MIB, "{} MiB", peak / MIB);
    }
}
