//! Blocks and flags that a program sets itself: SQL, AWS, HTTP, error and fault. Every document is checked against the
//! schema.

use support::Always;
use support::documents::{capture_blocking, checked};
use xray::document::Preparation;
use xray::emitter::MemoryEmitter;
use xray::{Context, Document, Namespace, Recorder, Segment, Sql, TraceHeader};

/// Returns the subsegment that `record` was called with.
fn subsegment(record: impl FnOnce(&Context)) -> Document {
    let ((), mut documents) = capture_blocking(|| record(&Segment::builder("t").begin().subsegment("call")));
    documents.remove(0).subsegments.remove(0)
}

#[test]
fn a_query_is_a_remote_call_and_its_url_has_no_credentials() {
    let recorded = subsegment(|call| {
        call.set_sql(
            Sql::new("PostgreSQL")
                .url("postgresql://app:secret@db.example.com:5432/shop?sslkey=secret")
                .sanitized_query("SELECT * FROM orders WHERE id = ?")
                .database_version("16.4")
                .driver_version("sqlx 0.8")
                .user("app")
                .preparation(Preparation::Statement),
        );
    });
    assert_eq!(recorded.namespace, Some(Namespace::Remote));
    assert_eq!(
        serde_json::to_value(recorded.sql).unwrap(),
        serde_json::json!({
            "url": "postgresql://db.example.com:5432/shop",
            "sanitized_query": "SELECT * FROM orders WHERE id = ?",
            "database_type": "PostgreSQL",
            "database_version": "16.4",
            "driver_version": "sqlx 0.8",
            "user": "app",
            "preparation": "statement",
        })
    );
}

#[test]
fn long_texts_of_a_query_are_cut() {
    let long = "\u{e9}".repeat(100_000);
    let recorded = subsegment(|call| call.set_sql(Sql::new(&long).user(&long).sanitized_query(&long)));
    let chars = |text: Option<String>| text.unwrap().chars().count();
    let sql = *recorded.sql.unwrap();
    assert_eq!((chars(sql.database_type), chars(sql.user), chars(sql.sanitized_query)), (250, 250, 8192));
}

#[test]
fn an_aws_call_names_its_resource() {
    let recorded = subsegment(|call| {
        call.set_namespace(Namespace::Aws);
        call.add_aws("operation", "PutItem");
        call.add_aws("retries", 2);
        call.add_aws("table_names", ["orders", "carts"]);
    });
    assert_eq!(recorded.namespace, Some(Namespace::Aws));
    let aws = recorded.aws.unwrap().other;
    assert_eq!(
        serde_json::to_value(aws).unwrap(),
        serde_json::json!({ "operation": "PutItem", "retries": 2, "table_names": ["orders", "carts"] })
    );
}

#[test]
fn what_belongs_elsewhere_is_left_out_and_counted() {
    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().sampler(Always).emitter(emitter.clone()).build();
    let segment = Segment::builder("t").recorder(&recorder).begin();
    segment.set_sql(Sql::new("PostgreSQL"));
    segment.set_namespace(Namespace::Aws);
    segment.add_aws("xray", "mine");
    segment.add_aws("k".repeat(251), 1);
    segment.add_aws("nan", f64::NAN);
    segment.end();
    let [document] = &checked(emitter.take())[..] else { panic!() };
    assert!(document.sql.is_none() && document.namespace.is_none());
    let aws = document.aws.as_ref().unwrap();
    assert_eq!(aws.xray.as_ref().unwrap().sdk, "X-Ray for Rust");
    assert_eq!(aws.other.keys().collect::<Vec<_>>(), ["nan"], "NaN is recorded as null, as in metadata");
    assert_eq!(recorder.stats().values_rejected, 5);
}

#[test]
fn a_request_without_an_adapter_and_flags_without_a_status() {
    let recorded = subsegment(|call| {
        call.set_http_request("get", "https://user:secret@example.com:8443/a?b=c#d");
        call.set_http_response(429, Some(7));
    });
    assert!(recorded.error && recorded.throttle && !recorded.fault);
    let http = recorded.http.unwrap();
    let (request, response) = (http.request.unwrap(), http.response.unwrap());
    assert_eq!((request.method.as_deref(), request.url.as_deref()), (Some("GET"), Some("https://example.com:8443/a")));
    assert_eq!((response.status, response.content_length), (Some(429), Some(7)));

    let flags = |set: fn(&Context)| {
        let recorded = subsegment(set);
        (recorded.error, recorded.throttle, recorded.fault)
    };
    assert_eq!(flags(Context::set_error), (true, false, false));
    assert_eq!(flags(Context::set_throttle), (true, true, false));
    assert_eq!(flags(Context::set_fault), (false, false, true));
}

#[test]
fn nothing_happens_where_nothing_is_recorded() {
    let set_all = |context: &Context| {
        context.set_sql(Sql::new("PostgreSQL"));
        context.set_namespace(Namespace::Aws);
        context.add_aws("operation", "PutItem");
        context.set_http_request("GET", "https://example.com/");
        context.set_http_response(500, None);
        context.set_fault();
    };
    set_all(&xray::current());
    let ((), documents) = capture_blocking(|| {
        let header = TraceHeader::parse("Sampled=0");
        set_all(&Segment::builder("t").trace_header(&header).begin().subsegment("call"));
        let ended = Segment::builder("ended").begin();
        let handle = ended.in_scope(xray::current);
        ended.end();
        set_all(&handle);
    });
    let [document] = &documents[..] else { panic!("{documents:#?}") };
    assert!(document.http.is_none() && !document.fault);
}
