//! Local sampling rules: which segments they record.
//!
//! The X-Ray SDK for Python 2.15.0 fails in these cases. Each line names the case, and the test that shows what this
//! SDK does instead:
//!
//! * Rules without `rate` or `fixed_target` raise a bare `TypeError`, and a rate above 1 is accepted:
//!   `rules_that_cannot_be_read_say_where`.
//!
//! * A rule for a path decides about a segment that serves no request:
//!   `a_rule_for_requests_does_not_decide_about_a_segment_that_serves_none`.
//!
//! The SDK for Python is right in this case, which has a test here too:
//! `a_fixed_target_of_two_samples_two_requests_a_second`.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use support::documents::{capture_blocking, checked};
use xray::emitter::MemoryEmitter;
use xray::sampling::{Decision, Local, Rule, Sampler, SamplerHost, SamplingRequest};
use xray::{Recorder, Segment, SegmentBuilder, TraceHeader};

const RULES: &str = r#"{
  "version": 2,
  "rules": [
    { "host": "*", "http_method": "*", "url_path": "/health", "fixed_target": 0, "rate": 0 },
    { "host": "*.example.com", "http_method": "POST", "url_path": "/pay/*", "fixed_target": 0, "rate": 1 }
  ],
  "default": { "fixed_target": 0, "rate": 0 }
}"#;

/// Returns a recorder with this sampler, and the emitter with its documents.
fn recorder(sampler: impl Sampler) -> (Recorder, MemoryEmitter) {
    let emitter = MemoryEmitter::new();
    (Recorder::builder().sampler(sampler).emitter(emitter.clone()).build(), emitter)
}

fn is_sampled(recorder: &Recorder, segment: SegmentBuilder) -> bool {
    segment.recorder(recorder).begin().is_sampled()
}

fn payment() -> SegmentBuilder {
    Segment::builder("shop").request("POST", "https://shop.example.com:8443/pay/7?token=secret")
}

#[test]
fn the_first_rule_that_matches_a_request_decides() {
    let (recorder, emitter) = recorder(Local::from_json(RULES).unwrap());
    let request = |method: &str, url: &str| Segment::builder("shop").request(method, url);
    assert!(is_sampled(&recorder, payment()));
    assert!(is_sampled(&recorder, request("post", "HTTP://SHOP.Example.com/PAY/")));
    assert!(!is_sampled(&recorder, request("POST", "https://shop.example.com/health?x=/pay/7")));
    assert!(!is_sampled(&recorder, request("GET", "https://shop.example.com/pay/7")));
    assert!(!is_sampled(&recorder, request("POST", "https://example.org/pay/7")));
    assert!(!is_sampled(&recorder, request("POST", "https://shop.example.com")));
    assert!(is_sampled(&recorder, request("POST", "/pay/7")), "a URL without a host matches any host");

    let documents = checked(emitter.take());
    assert_eq!(documents.len(), 3);
    let request = documents[0].http.as_ref().and_then(|http| http.request.as_ref()).unwrap();
    assert_eq!(request.method.as_deref(), Some("POST"));
    assert_eq!(request.url.as_deref(), Some("https://shop.example.com:8443/pay/7"));
    let sdk = documents[0].aws.as_ref().and_then(|aws| aws.xray.as_ref()).unwrap();
    assert_eq!(sdk.sampling_rule_name, None, "local rules have no name");
}

#[test]
fn a_rule_for_requests_does_not_decide_about_a_segment_that_serves_none() {
    for rule in [Rule::new(0, 0.0).path("/health*"), Rule::new(0, 0.0).method("GET"), Rule::new(0, 0.0).host("*.local")]
    {
        let sampler = Local::builder().rule(rule).default_rule(0, 1.0).build();
        assert!(is_sampled(&recorder(sampler).0, Segment::builder("job")));
    }
    let next = Local::builder().rule(Rule::new(0, 0.0).path("/health")).rule(Rule::new(0, 1.0)).default_rule(0, 0.0);
    assert!(is_sampled(&recorder(next.build()).0, Segment::builder("job")), "the next rule is for all segments");
}

#[test]
fn a_decision_of_the_caller_stands() {
    let (recorder, _) = recorder(Local::from_json(RULES).unwrap());
    let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
    for (header, of_payments, of_others) in
        [("Sampled=1", true, true), ("Sampled=0", false, false), ("Sampled=?", true, false), ("", true, false)]
    {
        let header = TraceHeader::parse(&format!("{root};{header}"));
        assert_eq!(is_sampled(&recorder, payment().trace_header(&header)), of_payments, "{header}");
        let other = Segment::builder("shop").request("GET", "http://h/");
        assert_eq!(is_sampled(&recorder, other.trace_header(&header)), of_others, "{header}");
    }
}

#[test]
fn code_decides_where_the_caller_does_not() {
    let (recorder, emitter) = recorder(Local::from_json(RULES).unwrap());
    for sampled in [true, false] {
        for (header, expected) in [("Sampled=1", true), ("Sampled=0", false), ("Sampled=?", sampled), ("", sampled)] {
            for builder in [payment(), Segment::builder("shop").request("GET", "http://h/")] {
                let builder = builder.trace_header(&TraceHeader::parse(header)).sampled(sampled);
                assert_eq!(is_sampled(&recorder, builder), expected, "{header} {sampled}");
            }
        }
    }
    assert_eq!(checked(emitter.take()).len(), 8);
}

#[test]
fn decisions_of_a_caller_take_nothing_from_the_reservoir() {
    let (recorder, _) = recorder(Local::builder().default_rule(1, 0.0).build());
    for header in ["Sampled=1", "Sampled=0"] {
        let header = TraceHeader::parse(header);
        (0..10).for_each(|_| drop(Segment::builder("s").recorder(&recorder).trace_header(&header).begin()));
    }
    assert!(is_sampled(&recorder, Segment::builder("s")));
}

#[test]
fn a_fixed_target_of_two_samples_two_requests_a_second() {
    let (recorder, emitter) = recorder(Local::builder().default_rule(2, 0.0).build());
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..250).for_each(|_| drop(Segment::builder("s").recorder(&recorder).begin())));
        }
    });
    let seconds = begun.elapsed().as_secs() + 2;
    let sampled = checked(emitter.take()).len() as u64;
    assert!((2..=2 * seconds).contains(&sampled), "{sampled} in at most {seconds} seconds");
}

#[test]
fn the_default_is_one_a_second_and_five_percent() {
    let sampler = Local::default();
    let request = SamplingRequest::new("s");
    assert!(sampler.sample(&request).is_sampled(), "the first request of a second is sampled");
    let begun = Instant::now();
    let share = (0..100_000).filter(|_| sampler.sample(&request).is_sampled()).count() as u64;
    let seconds = begun.elapsed().as_secs() + 1;
    // A standard deviation is 68.9. Chance exceeds six of them once in 5 * 10^8 runs.
    assert!((5000 - 414..=5000 + 414 + seconds).contains(&share), "{share} in {seconds} seconds");
}

#[test]
fn a_sampler_sees_what_the_segment_is_given() {
    struct Seen;

    impl Sampler for Seen {
        fn sample(&self, request: &SamplingRequest<'_>) -> Decision {
            let is_payment = request.service_name() == "shop"
                && (request.host(), request.method(), request.path())
                    == (Some("shop.example.com"), Some("POST"), Some("/pay/7"))
                && request.service_type().is_none();
            let is_bare = (request.host(), request.method(), request.path()) == (None, None, None);
            if is_payment || is_bare { Decision::sampled().by_rule("seen") } else { Decision::not_sampled() }
        }
    }

    let (recorder, emitter) = recorder(Seen);
    assert!(is_sampled(&recorder, payment()));
    assert!(is_sampled(&recorder, Segment::builder("shop")));
    let of_a_root = Segment::builder("shop").request("GET", "http://h");
    assert!(!is_sampled(&recorder, of_a_root));
    for document in checked(emitter.take()) {
        let sdk = document.aws.as_ref().and_then(|aws| aws.xray.as_ref()).unwrap();
        assert_eq!(sdk.sampling_rule_name.as_deref(), Some("seen"));
    }
}

#[test]
fn a_recorder_attaches_its_sampler_once_and_before_the_first_decision() {
    #[derive(Clone, Default)]
    struct Events(Arc<Mutex<Vec<String>>>);

    impl Sampler for Events {
        fn attach(&self, host: &SamplerHost) {
            self.0.lock().unwrap().push(format!("{} {host:?}", host.daemon_address()));
        }

        fn sample(&self, _: &SamplingRequest<'_>) -> Decision {
            self.0.lock().unwrap().push("decision".to_owned());
            Decision::sampled()
        }
    }

    let events = Events::default();
    let builder = Recorder::builder().sampler(events.clone()).emitter(MemoryEmitter::new());
    let recorder = builder.daemon_address("tcp:rules:1 udp:segments:2").build();
    for _ in 0..2 {
        assert!(is_sampled(&recorder, Segment::builder("shop")));
    }
    let host = "rules:1 SamplerHost { daemon_address: \"rules:1\", .. }";
    assert_eq!(*events.0.lock().unwrap(), [host, "decision", "decision"]);
}

#[test]
fn a_request_is_recorded_whoever_samples() {
    let ((), documents) = capture_blocking(|| payment().begin().end());
    let request = documents[0].http.as_ref().and_then(|http| http.request.as_ref()).unwrap();
    assert_eq!(request.url.as_deref(), Some("https://shop.example.com:8443/pay/7"));
}

#[test]
fn rules_that_cannot_be_read_say_where() {
    for (old, new, line, message) in [
        ("\"rate\": 1 }", "\"rate\": 1.5 }", 5, "line 5: rules[1].rate is 1.5, expected a number from 0 to 1"),
        (", \"rate\": 0 }", " }", 4, "line 4: rules[0] has no rate"),
        ("\"fixed_target\": 0, ", "", 4, "line 4: rules[0] has no fixed_target"),
        ("2,", "2,,", 2, "line 2: key must be a string"),
    ] {
        let error = Local::from_json(&RULES.replacen(old, new, 1)).unwrap_err();
        assert_eq!((error.line(), error.to_string().as_str()), (Some(line), message));
    }
}

#[test]
fn rules_from_a_file() {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let file = |name: &str, content: &[u8]| {
        let path = directory.join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let (recorder, _) = recorder(Local::from_file(file("rules.json", RULES.as_bytes())).unwrap());
    assert!(is_sampled(&recorder, payment()));

    let wrong = file("wrong.json", RULES.replace("\"version\": 2", "\"version\": 3").as_bytes());
    let error = Local::from_file(&wrong).unwrap_err();
    assert_eq!(error.to_string(), format!("{}: line 2: version is 3, expected 1 or 2", wrong.display()));
    assert_eq!(error.line(), Some(2));

    let binary = Local::from_file(file("binary.json", &[0xff, 0, 0xfe])).unwrap_err();
    assert!(binary.to_string().ends_with("binary.json: it is not UTF-8"), "{binary}");
    let huge = Local::from_file(file("huge.json", &vec![b' '; 2_000_000])).unwrap_err();
    assert!(huge.to_string().ends_with("huge.json: it is longer than 1 MiB"), "{huge}");
    for path in [directory.join("none.json"), directory.clone()] {
        let error = Local::from_file(&path).unwrap_err();
        assert_eq!(error.line(), None);
        assert!(error.to_string().starts_with(&format!("{}: ", path.display())), "{error}");
    }
    #[cfg(unix)]
    assert!(Local::from_file("/dev/zero").unwrap_err().to_string().ends_with("it is longer than 1 MiB"));
}
