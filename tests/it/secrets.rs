//! Secrets in texts from clients, callers and the program: none of them is in a document or in the log.

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use axum::Router;
use log::Level;
use proptest::prelude::*;
use proptest::test_runner::Config;
use support::subsegments::{messages, only_call, url};
use support::{Always, Server, child, logs, refused_url};
use xray::emitter::MemoryEmitter;
// Unlike those of `support`, these functions do not keep the documents for the test `collector`. The collector's
// receiver rejects a document whose SQL URL does not name a database, as many cases of this file do.
use xray::testing::{capture, capture_blocking};
use xray::tower::SegmentLayer;
use xray::{Document, Instrument as _, Recorder, Segment, Sql};

const SECRETS: [&str; 4] = ["us3rQQ", "pa55WW", "qu3rYY", "fr4gZZ"];

/// Checks that no secret is in the documents.
#[track_caller]
fn assert_clean(documents: &[Document]) {
    assert!(!documents.is_empty());
    let text = serde_json::to_string(documents).unwrap();
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

/// Paths that contain a URL, and what is recorded of them.
const PATHS: [(&str, &str); 6] = [
    ("/proxy/https://us3rQQ:pa55WW@h/a", "/proxy/https://h/a"),
    ("/proxy/https:/us3rQQ:pa55WW@h/a?qu3rYY", "/proxy/https:/h/a"),
    ("/proxy/us3rQQ:pa55WW@h/a", "/proxy/h/a"),
    ("/proxy/https%3A%2F%2Fus3rQQ%3Apa55WW%40h%2Fa%3Fb%3Dqu3rYY%23fr4gZZ", "/proxy/https%3A%2F%2Fh%2Fa"),
    ("/proxy/https%253A%252F%252Fus3rQQ%253Apa55WW%2540h%252Fa", "/proxy/https%253A%252F%252Fh%252Fa"),
    ("/proxy/https://h/a%3Fb=qu3rYY", "/proxy/https://h/a"),
];

#[xray::traced_http]
async fn get(url: &str) -> reqwest::Result<reqwest::Response> {
    reqwest::get(url).await
}

#[tokio::test]
async fn a_url_in_the_path_of_an_outgoing_request_is_clean() {
    let server = Server::start().await;
    for (path, recorded) in PATHS {
        let (_, documents) = capture(get(&server.url(path)).in_segment("t")).await;
        assert_clean(&documents);
        assert_eq!(url(only_call(&documents)), server.url(recorded));
    }
    for seen in server.take_seen() {
        let target = seen.uri.to_string();
        assert!(SECRETS.iter().any(|secret| target.contains(secret)), "the request is unchanged: {target}");
    }
}

#[tokio::test]
async fn a_url_in_the_path_of_a_served_request_is_clean() {
    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().sampler(Always).emitter(emitter.clone()).build();
    let layer: SegmentLayer = SegmentLayer::new("t").recorder(&recorder);
    let mut service = Router::new().layer(layer);
    for (path, recorded) in PATHS {
        let request = axum::http::Request::get(path)
            .header("host", "us3rQQ:pa55WW@gw")
            .header("user-agent", "bot (+http://us3rQQ:pa55WW@h/?qu3rYY)")
            .body(axum::body::Body::empty())
            .unwrap();
        tower::Service::call(&mut service, request).await.unwrap();
        let documents = emitter.take();
        assert_clean(&documents);
        assert_eq!(url(&documents[0]), format!("http://gw{recorded}"));
    }
}

#[test]
fn what_clients_take_for_a_url_is_clean() {
    for (given, recorded) in [
        ("http:/us3rQQ:pa55WW@h/a", "http://h/a"),
        (r"http:\\us3rQQ:pa55WW@h\a", r"http://h\a"),
        (" http://us3rQQ:pa55WW@h/a", "http://h/a"),
        ("HTTP:us3rQQ:pa55WW@h/a", "HTTP://h/a"),
        ("http://us3rQQ:pa55WW/x@h/a", "http://h/a"),
        ("http://us3rQQ:pa55WW?x@h/a", "http://"),
        ("jdbc:sqlserver://h:1433;user=us3rQQ;password=pa55WW", "jdbc:sqlserver://h:1433"),
        ("jdbc:oracle:thin:us3rQQ/pa55WW@h:1521:db", "jdbc:oracle:thin:@h:1521:db"),
        ("Server=h;Password=pa55WW;", "Server=h;Password=[removed];"),
        ("us3rQQ:pa55WW@tcp(h:3306)/db?qu3rYY", "tcp(h:3306)/db"),
        ("redis://:pa55WW@h:6379/0", "redis://h:6379/0"),
    ] {
        let ((), documents) = capture_blocking(|| {
            let segment = Segment::builder("t").begin();
            segment.set_http_request("GET", given);
            segment.subsegment("db").set_sql(Sql::new("SQL").url(given));
            assert!(!format!("{:?}", xray::http::Url::from(given)).contains("pa55WW"), "{given}");
        });
        assert_clean(&documents);
        let sql = documents[0].subsegments[0].sql.as_ref().unwrap();
        assert_eq!((url(&documents[0]), sql.url.as_deref()), (recorded, Some(recorded)), "{given}");
    }
    let name = |given: &str| {
        let ((), documents) = capture_blocking(|| {
            let segment = Segment::builder("t").begin();
            segment.in_scope(|| xray::http::call("GET", given).run(|| (), |(), call| call.response(200, None)));
        });
        only_call(&documents).name.clone()
    };
    assert_eq!(name(r"http:\\us3rQQ:pa55WW@h.example\a"), "h.example");
    assert_eq!(name("https:/us3rQQ:pa55WW@h.example/a"), "h.example");
}

/// The text of a `url::Url` is in the errors of clients, as its `Debug`. `unwrap` puts it into the message of a panic.
#[tokio::test]
async fn the_debug_text_of_a_clients_error_is_clean() {
    let address = refused_url().replace("http://", "http://us3rQQ:pa55WW@") + "p?token=qu3rYY#fr4gZZ";
    let blocking = address.clone();
    let (text, documents) = capture_blocking(|| {
        let segment = Segment::builder("t").begin();
        let call = AssertUnwindSafe(|| segment.in_scope(|| ureq_2::get(&blocking).call().unwrap()));
        let panic = catch_unwind(call).unwrap_err();
        *panic.downcast::<String>().unwrap()
    });
    assert!(text.contains(r#"username: "us3rQQ", password: Some("pa55WW")"#), "the panic is unchanged: {text}");
    assert_clean(&documents);
    assert!(messages(&documents[0])[0].contains(r#"password: Some("[removed]")"#));

    let error = reqwest_0_11::get(&address).await.unwrap_err();
    let text = format!("{error:?}");
    assert!(text.contains(r#"query: Some("token=qu3rYY")"#), "{text}");
    let ((), documents) = capture_blocking(|| Segment::builder("t").begin().record_error(&Message(text)));
    assert_clean(&documents);
}

#[derive(Debug)]
struct Message(String);

impl fmt::Display for Message {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Error for Message {}

/// Returns what is recorded of a text: as the message of an error, as a URL and as that of a database.
fn record(text: &str) -> Vec<Document> {
    let ((), documents) = capture_blocking(|| {
        let segment = Segment::builder("t").begin();
        segment.record_error(&Message(text.to_owned()));
        segment.set_http_request("GET", text);
        segment.subsegment("db").set_sql(Sql::new("SQL").url(text));
    });
    documents
}

/// A URL with each of the secrets, in the forms in which clients take it and messages show it.
fn url_in_any_form() -> impl Strategy<Value = String> {
    let scheme = prop_oneof![Just("http"), Just("https"), Just("wss"), Just("postgres"), Just("mongodb+srv")];
    let host = prop_oneof![Just("h"), Just("example.com:8080"), Just("[::1]"), Just("10.0.0.1")];
    let [user, password, query, fragment] = SECRETS;
    (scheme, host, "[!$&'()*+,;=:@/?a-z0-9.~_-]{0,6}", 0..16_u8).prop_map(move |(scheme, host, more, form)| {
        let is_special = scheme.starts_with(['h', 'w']);
        let url = format!("{scheme}://{user}:{password}@{host}/p/x?k={query}{more}{query}#{fragment}{more}{fragment}");
        match form {
            0 => format!("{scheme}://{user}@{host}?{query}`{query}#{fragment}"),
            1 => format!("/proxy/{url}"),
            2 => format!("https://gateway/proxy/{}", percent_encoded(&url)),
            3 => percent_encoded(&percent_encoded(&url)),
            4 => url.replace('/', r"\/"),
            5 => format!("{url},{url}"),
            6 => format!("{user}:{password}@{host}"),
            7 => format!("{url:?}"),
            8 => format!("{:?}", format!("{url:?}")),
            9 if is_special => url.replacen("//", "/", 1),
            10 if is_special => url.replacen("//", r"\\", 1),
            11 if is_special => url.replacen("//", "", 1),
            12 => format!(
                "Url {{ scheme: {scheme:?}, cannot_be_a_base: false, username: {user:?}, password: Some({password:?}), \
                 host: Some(Domain({host:?})), port: None, path: \"/p\", query: Some({query:?}), fragment: None }}"
            ),
            13 => percent_encoded(&url),
            14 => url.replace('/', "%2F").replace('?', "%3F"),
            15 => format!("http://{}", percent_encoded(&url)),
            _ => url,
        }
    })
}

fn percent_encoded(text: &str) -> String {
    let encoded = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}

#[test]
fn whatever_is_put_around_a_url_its_secrets_are_not_recorded() {
    let config = Config { cases: 2000, failure_persistence: None, ..Config::default() };
    let around = || prop_oneof![r"\PC{0,12}", "[ -~]{0,12}", r#"[a-z:/@?#%"'`<>(\\ ]{0,8}"#];
    proptest!(config, |(before in around(), url in url_in_any_form(), after in around(), space in "[ \n]?")| {
        assert_clean(&record(&format!("{before}{space}{url}{space}{after}")));
    });
}

#[test]
fn a_text_without_secrets_is_recorded_as_it_is() {
    let config = Config { cases: 1000, failure_persistence: None, ..Config::default() };
    proptest!(config, |(
        text in "([A-Za-z0-9.,;!()'`-]{1,9}[ \n]){0,12}[a-z]{1,9}[.?!]?",
        url in r"https://[a-z]{1,5}(\.[a-z]{2,3})?(:[0-9]{1,4})?(/[a-z0-9._~!$&'()*+,;-]{0,5}){0,4}/",
    )| {
        let documents = record(&text);
        prop_assert_eq!(messages(&documents[0]), [text.as_str()]);
        let documents = record(&url);
        prop_assert_eq!((messages(&documents[0])[0], self::url(&documents[0])), (url.as_str(), url.as_str()));
    });
}

#[test]
fn a_wrong_address_of_the_daemon_is_logged_without_its_secrets() {
    child::run(module_path!(), "a_wrong_address_of_the_daemon_is_logged_without_its_secrets", || {
        logs::keep();
        let long = format!("http://us3rQQ:{}@daemon:2000", "pa55WW".repeat(100));
        for address in ["http://us3rQQ:pa55WW@daemon:2000/?qu3rYY", "us3rQQ:pa55WW@daemon:2000", &long] {
            let builder = Recorder::builder().daemon_address(address);
            assert!(!format!("{builder:?}").contains("pa55WW"));
            drop(builder.build());
        }
        let lines = logs::texts_at(Level::Warn);
        let expected = ["http://daemon:2000/", "daemon:2000", "http://daemon:2000"];
        for (line, expected) in lines.iter().zip(expected) {
            assert!(line.starts_with(&format!("daemon_address is \"{expected}\", expected")), "{lines:#?}");
        }
        assert_eq!(lines.len(), 3, "{lines:#?}");
    });
}
