//! A URL with secrets, with any text before, in and behind it: no secret is recorded, and every name is legal.
#![no_main]

use std::error::Error;
use std::fmt;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use xray::{Segment, Sql};

const SECRETS: [&str; 4] = ["us3rQQ", "pa55WW", "qu3rYY", "fr4gZZ"];

#[derive(Debug, arbitrary::Arbitrary)]
struct Input<'a> {
    before: &'a str,
    scheme: u8,
    more: &'a str,
    after: &'a str,
}

#[derive(Debug)]
struct Message(String);

impl fmt::Display for Message {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Error for Message {}

/// Returns whether a text contains a secret, perhaps with other characters in it, which a name does not keep.
fn contains_secret(text: &str) -> bool {
    let plain: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    SECRETS.iter().any(|secret| plain.contains(secret))
}

/// Collects the strings of a document, as values and as keys.
// Not the JSON text: in it a form feed is `\f`, and before `r4gZZ` it would look like a secret.
fn strings_in(value: &Value, strings: &mut Vec<String>) {
    match value {
        Value::String(text) => strings.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| strings_in(value, strings)),
        Value::Object(fields) => {
            for (key, value) in fields {
                strings.push(key.clone());
                strings_in(value, strings);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fuzz_target!(|input: Input<'_>| {
    // The fuzzer finds the secrets by the comparisons below, and writes them into the text around the URL.
    if contains_secret(input.before) || contains_secret(input.after) {
        return;
    }
    let [user, password, query, fragment] = SECRETS;
    let schemes = ["http", "https", "wss", "postgres", "mongodb+srv", "redis"];
    let scheme = schemes[usize::from(input.scheme) % schemes.len()];
    // The characters that a URL may contain. (RFC 3986, sections 2.2 and 2.3.)
    let is_allowed = |character: &char| character.is_ascii_alphanumeric() || "!$&'()*+,;=:@/?.~_-".contains(*character);
    let more: String = input.more.chars().filter(is_allowed).collect();
    let url = format!("{scheme}://{user}:{password}@h/p?k={query}{more}{query}#{fragment}{more}{fragment}");
    // A space ends the text before the URL, which otherwise might be a part of the scheme.
    let text = format!("{} {url} {}", input.before, input.after);
    let ((), documents) = xray::testing::capture_blocking(|| {
        let segment = Segment::builder(&text).begin();
        segment.record_error(&Message(text.clone()));
        segment.set_http_request("GET", &url);
        segment.subsegment(input.before).set_sql(Sql::new("SQL").url(&url));
        segment.in_scope(|| xray::http::call("GET", &url).run(|| (), |(), call| call.response(200, None)));
    });
    let mut document = documents.into_iter().next().expect("the segment is complete");
    for name in std::iter::once(&document.name).chain(document.subsegments.iter().map(|inner| &inner.name)) {
        assert!((1..=200).contains(&name.chars().count()), "{name:?}");
        let is_legal = |character: char| {
            character.is_alphanumeric() || character.is_whitespace() || "_.:/%&#=+\\-@".contains(character)
        };
        assert!(name.chars().all(is_legal), "{name:?}");
    }
    // The name of a segment is what the program gives it, so it is not cleaned.
    document.name.clear();
    let mut recorded = Vec::new();
    strings_in(&serde_json::to_value(&document).expect("a document is valid JSON"), &mut recorded);
    for text in recorded {
        assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "{text:?}");
    }
});
