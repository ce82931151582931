//! Requests of the sampler to the daemon, and the decisions that follow from the responses.

use std::collections::BTreeSet;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::response::IntoResponse as _;
use serde_json::{Value, json};
use xray::sampling::{Central, Decision, Sampler, SamplerHost, SamplingRequest};
use xray::{Recorder, Segment, TraceHeader};

use support::logs;
use support::sampling_daemon::{Daemon, FALLBACK, Service, eager, rule, rules_answer, targets_answer, until, with};

fn epoch() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

#[test]
fn the_fallback_decides_until_there_are_rules() {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let daemon = Daemon::start(move |_| {
        let _ = held.recv();
        rules_answer(&[rule("Default", 10_000, "*")], None)
    });
    let service = Service::new(daemon.address);
    assert_eq!(service.rule("/").as_deref(), Some(FALLBACK));
    // The daemon has been asked and does not answer. A decision does not wait for it.
    until("the daemon is asked", || daemon.count("/GetSamplingRules") == 1);
    assert_eq!(service.rule("/").as_deref(), Some(FALLBACK));
    drop(release);
    service.wait_for("/", "Default");
    assert_eq!(service.recorder.stats().sampling_failures, 0);

    let call = &daemon.calls()[0];
    assert_eq!((call.method.as_str(), &call.body), ("POST", &json!({})));
    assert_eq!(call.headers["content-type"], "application/json");
    assert_eq!(call.headers["host"], daemon.address.to_string());
    assert!(!call.headers.contains_key("authorization") && !call.headers.contains_key("x-amzn-trace-id"));
}

#[test]
fn the_daemon_is_not_asked_before_the_first_decision() {
    let daemon = Daemon::with_rules(&[rule("Default", 10_000, "*")]);
    let service = Service::new(daemon.address);
    for header in ["Sampled=1", "Sampled=0"] {
        service.rule_of(Segment::builder("shop").trace_header(&TraceHeader::parse(header)));
    }
    service.rule_of(Segment::builder("shop").sampled(true));
    // A service that began later asks its own daemon. If this one had to ask, it would have done so before.
    let other_daemon = Daemon::with_rules(&[rule("Default", 10_000, "*")]);
    Service::new(other_daemon.address).wait_for("/", "Default");
    assert!(daemon.calls().is_empty());
    service.wait_for("/", "Default");
}

#[test]
fn the_daemon_is_asked_at_its_tcp_address() {
    let daemon = Daemon::with_rules(&[rule("Default", 10_000, "*")]);
    let segments = UdpSocket::bind("127.0.0.1:0").unwrap();
    segments.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let address = format!("udp:{} tcp:{}", segments.local_addr().unwrap(), daemon.address);
    let recorder = Recorder::builder().daemon_address(address).sampler(eager().build()).build();
    Segment::builder("shop").recorder(&recorder).begin().end();
    assert!(segments.recv(&mut vec![0; 65_536]).unwrap() > 0);
    until("the daemon is asked", || daemon.count("/GetSamplingRules") == 1);
}

#[test]
fn all_pages_are_fetched() {
    let daemon = Daemon::start(|call| match (&*call.path, call.body["NextToken"].as_str()) {
        ("/GetSamplingRules", None) => rules_answer(&[rule("a", 1, "/a")], Some("second \"page\"")),
        ("/GetSamplingRules", Some("second \"page\"")) => rules_answer(&[rule("b", 2, "/b")], Some("third")),
        ("/GetSamplingRules", Some("third")) => rules_answer(&[rule("Default", 10_000, "*")], None),
        _ => targets_answer(&[]),
    });
    let service = Service::new(daemon.address);
    service.wait_for("/", "Default");
    assert_eq!(["/a", "/b", "/c"].map(|path| service.rule(path).unwrap()), ["a", "b", "Default"]);
    assert_eq!(daemon.count("/GetSamplingRules"), 3);
}

#[test]
fn the_lowest_priority_goes_first_and_the_default_last() {
    let daemon = Daemon::with_rules(&[
        with(rule("Default", 10_000, "*"), "Host", "nobody"),
        rule("z", 5, "/pay/*"),
        rule("a", 5, "/pay/*"),
        rule("first", 1, "/pay/health"),
        with(rule("version", 1, "*"), "Version", 2),
        with(rule("arn", 1, "*"), "ResourceARN", "arn:aws:ecs:::x"),
        with(rule("attributes", 1, "*"), "Attributes", json!({ "tier": "gold" })),
        with(rule("post", 2, "/pay/7"), "HTTPMethod", "post"),
        with(rule("other service", 1, "*"), "ServiceName", "sho"),
        with(rule("other type", 3, "/type"), "ServiceType", "AWS::ECS::*"),
    ]);
    let service = Service::new(daemon.address);
    service.wait_for("/pay/8", "a");
    for (method, url, name) in [
        ("GET", "http://h/pay/health", "first"),
        ("GET", "http://h/pay/7", "a"),
        ("POST", "http://h/pay/7", "post"),
        ("GET", "http://h/cart", "Default"),
        ("GET", "http://h/type", "other type"),
    ] {
        let segment = Segment::builder("shop").request(method, url);
        assert_eq!(service.rule_of(segment).as_deref(), Some(name), "{method} {url}");
    }
    assert_eq!(service.recorder.stats().sampling_rejected, 0, "rules for other SDKs are not counted as rejected");
}

#[test]
fn rules_that_cannot_be_read_are_counted_logged_once_and_left_out_alone() {
    logs::keep();
    // An earlier daemon may have had the same port. Its lines are not counted.
    let earlier = logs::texts_of("xray::sampling").len();
    let wrong = with(rule("wrong", 1, "*"), "FixedRate", "all");
    let daemon = Daemon::with_rules(&[wrong, json!(null), json!([]), rule("Default", 10_000, "*")]);
    let service = Service::new(daemon.address);
    service.wait_for("/", "Default");
    assert_eq!((service.recorder.stats().sampling_rejected, service.recorder.stats().sampling_failures), (3, 0));
    let mut logged = logs::texts_of("xray::sampling").split_off(earlier);
    logged.retain(|text| text.contains(&daemon.address.to_string()));
    assert!(matches!(&logged[..], [text] if text.contains("ignored an invalid sampling rule")), "{logged:#?}");
}

/// The daemon gives no quota, so each rule borrows one request in each second.
#[test]
fn what_was_sampled_is_reported_once() {
    let borrowing = with(with(rule("borrowing", 1, "/borrow"), "FixedRate", 0.0), "ReservoirSize", 5);
    let daemon = Daemon::with_rules(&[borrowing, rule("all", 2, "/all"), rule("Default", 10_000, "*")]);
    let service = Service::new(daemon.address);
    service.wait_for("/", "Default");
    let taken = (0..1000).filter(|_| service.rule("/borrow").is_some()).count() as u64;
    (0..30).for_each(|_| assert!(service.rule("/all").is_some()));
    // A request that the caller decided on is not counted.
    let decided = Segment::builder("shop").request("GET", "/all").trace_header(&TraceHeader::parse("Sampled=1"));
    assert_eq!(service.rule_of(decided), None);
    assert!(taken >= 1, "one request is borrowed each second");
    until("all is reported", || {
        daemon.total("borrowing", "RequestCount") == 1000 && daemon.total("all", "RequestCount") == 30
    });
    // A later report holds every count that is due. It would repeat a count that was reported but not reset.
    assert!(service.rule("/all").is_some());
    until("a later report", || daemon.total("all", "RequestCount") == 31);
    assert_eq!(daemon.total("borrowing", "RequestCount"), 1000, "each request is reported once");
    assert_eq!(daemon.total("borrowing", "BorrowCount"), taken);
    assert_eq!(daemon.total("borrowing", "SampledCount"), taken, "borrowed requests count as sampled");
    let of_all = ["RequestCount", "SampledCount", "BorrowCount"].map(|count| daemon.total("all", count));
    assert_eq!(of_all, [31, 31, 0]);

    let reported = daemon.reported();
    let clients: BTreeSet<_> = reported.iter().map(|of| of["ClientID"].as_str().unwrap().to_owned()).collect();
    let [client] = &clients.into_iter().collect::<Vec<_>>()[..] else { panic!("{reported:#?}") };
    assert!(client.len() == 24 && client.bytes().all(|byte| b"0123456789abcdef".contains(&byte)), "{client}");
    let is_now = |of: &Value| (of["Timestamp"].as_f64().unwrap() - epoch()).abs() < 60.0;
    assert!(reported.iter().all(|of| is_now(of) && of["RequestCount"].as_u64() > Some(0)), "{reported:#?}");
}

#[test]
fn a_report_has_at_most_25_rules() {
    let rules: Vec<_> = (0..60).map(|number| rule(&format!("rule {number}"), 1, &format!("/{number}"))).collect();
    let daemon = Daemon::with_rules(&rules);
    let service = Service::with(daemon.address, eager().report_every(Duration::from_millis(500)).build());
    service.wait_for("/59", "rule 59");
    (0..60).for_each(|number| drop(service.rule(&format!("/{number}"))));
    until("all is reported", || (0..60).all(|number| daemon.total(&format!("rule {number}"), "RequestCount") > 0));
    let sizes =
        daemon.calls().iter().filter_map(|call| Some(call.body["SamplingStatisticsDocuments"].as_array()?.len())).max();
    assert_eq!(sizes, Some(25));
}

#[test]
fn quotas_and_rates_are_followed() {
    let target = Arc::new(Mutex::new(json!({ "RuleName": "shop", "FixedRate": 0.0, "Interval": 0 })));
    let given = Arc::clone(&target);
    let daemon = Daemon::start(move |call| match &*call.path {
        "/GetSamplingRules" => {
            rules_answer(&[with(rule("shop", 1, "/"), "ReservoirSize", 1), rule("other", 2, "/other")], None)
        }
        _ => targets_answer(&[given.lock().unwrap().clone(), json!({ "RuleName": "unknown", "FixedRate": 1.0 })]),
    });
    let service = Service::new(daemon.address);
    service.wait_for("/", "shop");
    let sampled_of = |count: usize| (0..count).filter(|_| service.rule("/").is_some()).count();
    until("only borrowed requests are sampled", || sampled_of(10) <= 1);

    *target.lock().unwrap() = json!({
        "RuleName": "shop", "FixedRate": 0.0, "ReservoirQuota": 1_000_000, "ReservoirQuotaTTL": epoch() + 600.0,
        "Interval": 0,
    });
    until("the quota suffices for all requests", || sampled_of(10) == 10);

    target.lock().unwrap()["ReservoirQuotaTTL"] = json!(epoch() - 5.0);
    until("an expired quota does not count", || sampled_of(10) <= 1);

    target.lock().unwrap()["FixedRate"] = json!(1.0);
    until("the rate is followed", || sampled_of(10) == 10);

    // The answer to a report gives each rule its interval. The next report comes after the answer.
    let report = || {
        let before = daemon.total("other", "RequestCount");
        assert!(service.rule("/other").is_some());
        until("the other rule is reported", || daemon.total("other", "RequestCount") > before);
    };
    target.lock().unwrap()["Interval"] = json!(3600);
    report();
    let reported = daemon.total("shop", "RequestCount");
    assert_eq!(sampled_of(10), 10);
    report();
    assert_eq!(daemon.total("shop", "RequestCount"), reported, "the rule is not reported within its interval");
}

/// The sampler fetches the changed rules at once, although the period for rules lasts minutes.
#[test]
fn a_changed_rule_is_followed() {
    let is_changed = Arc::new(AtomicBool::new(false));
    let changed = Arc::clone(&is_changed);
    let daemon = Daemon::start(move |call| {
        let is_changed = changed.load(Ordering::Relaxed);
        if call.path == "/SamplingTargets" {
            // The time is by the clock of X-Ray, which is far behind here. It stays until there is another change.
            let modified = if is_changed { 1_000_000_600.5 } else { 1_000_000_000.0 };
            return json!({ "SamplingTargetDocuments": [], "LastRuleModification": modified })
                .to_string()
                .into_response();
        }
        rules_answer(&[rule(if is_changed { "after" } else { "before" }, 1, "*")], None)
    });
    let service = Service::new(daemon.address);
    service.wait_for("/", "before");
    until("there are reports", || {
        service.rule("/");
        daemon.count("/SamplingTargets") > 3
    });
    assert_eq!(daemon.count("/GetSamplingRules"), 1);
    is_changed.store(true, Ordering::Relaxed);
    service.wait_for("/", "after");
    let reports = daemon.count("/SamplingTargets");
    until("there are more reports", || {
        service.rule("/");
        daemon.count("/SamplingTargets") > reports + 3
    });
    assert_eq!(daemon.count("/GetSamplingRules"), 2, "a known change does not cause another fetch");
}

#[test]
fn statistics_that_x_ray_does_not_know_bring_new_rules() {
    let daemon = Daemon::start(|call| match &*call.path {
        "/GetSamplingRules" => rules_answer(&[rule("Default", 10_000, "*")], None),
        _ => json!({ "UnprocessedStatistics": [{ "RuleName": "Default", "ErrorCode": "404", "Message": "gone" }] })
            .to_string()
            .into_response(),
    });
    let service = Service::new(daemon.address);
    until("rules are fetched again", || {
        service.rule("/");
        daemon.count("/GetSamplingRules") > 1
    });
}

#[test]
fn rules_are_fetched_again_after_their_period() {
    let daemon = Daemon::with_rules(&[rule("Default", 10_000, "*")]);
    let service = Service::with(daemon.address, eager().fetch_rules_every(Duration::from_millis(50)).build());
    service.rule("/");
    until("rules are fetched again", || daemon.count("/GetSamplingRules") > 3);
}

/// A sampler that asks `Central` with a request of its own, which holds the name alone.
struct WithOwnRequest(Central);

impl Sampler for WithOwnRequest {
    fn attach(&self, host: &SamplerHost) {
        self.0.attach(host);
    }

    fn sample(&self, request: &SamplingRequest<'_>) -> Decision {
        self.0.sample(&SamplingRequest::new(request.service_name()))
    }
}

#[test]
fn a_sampler_that_forwards_attach_may_make_its_own_request() {
    let daemon = Daemon::with_rules(&[rule("pay", 1, "/pay"), rule("Default", 10_000, "*")]);
    let service = Service::with(daemon.address, WithOwnRequest(eager().build()));
    service.wait_for("/", "pay");
}

#[test]
fn many_threads_are_counted_exactly() {
    let daemon = Daemon::with_rules(&[rule("counted", 1, "/counted"), rule("Default", 10_000, "*")]);
    let service = Service::new(daemon.address);
    service.wait_for("/", "Default");
    let decide = || Segment::builder("s").request("GET", "/counted").recorder(&service.recorder).begin().end();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..2_000).for_each(|_| decide()));
        }
    });
    let total = |count| daemon.total("counted", count);
    until("each decision is reported", || total("RequestCount") == 16_000);
    assert_eq!(total("SampledCount"), 16_000);
}
