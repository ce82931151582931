//! Reads sampling rules as JSON: the local manifest of the X-Ray SDKs.
//!
//! A derived `Deserialize` would do for valid files. But it reports a missing field at the end of its object, and names
//! no path such as `rules[3].rate`. So an object is first split into `RawValue`s, which borrow from the text. Each is
//! then read alone, and its address tells its line.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::rule::Rule;
use crate::support::text::first_chars;

/// Limit on the length of a manifest.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;
pub(crate) const TOO_LONG: &str = "it is longer than 1 MiB";

/// The content of a manifest.
pub(crate) struct Manifest {
    pub(crate) rules: Vec<Rule>,
    pub(crate) default: Rule,
}

/// The first error in a manifest.
#[derive(Debug)]
pub(crate) struct Problem {
    /// The line, from 1.
    pub(crate) line: usize,
    pub(crate) message: String,
}

/// Reads a manifest of version 1 or 2.
pub(crate) fn read(text: &str) -> Result<Manifest, Problem> {
    if text.len() > MAX_BYTES {
        return Err(Problem { line: 1, message: TOO_LONG.to_owned() });
    }
    // Checks the syntax of the whole text at once, so the steps below only meet valid JSON.
    let whole = serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        // serde_json ends its message with the line and column. `ManifestError` writes the line in front.
        let end = message.rfind(" at line ").unwrap_or(message.len());
        Problem { line: error.line().max(1), message: message[..end].to_owned() }
    })?;
    let manifest = Value { text, path: String::new(), raw: whole }.object(&["version", "default", "rules"])?;

    // Version 1 called the host pattern `service_name`. (Developer guide, X-Ray SDK for Java, "Configuring sampling
    // rules".)
    let version = manifest.get("version")?;
    let host = match version.read() {
        Some(1) => "service_name",
        Some(2) => "host",
        _ => return Err(version.is_not("1 or 2")),
    };
    let rules = match manifest.find("rules") {
        Some(rules) => rules.list()?.into_iter().map(|rule| read_rule(rule, host)).collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    // The default rule has no patterns: it is for all requests that no rule matches.
    let default = manifest.get("default")?.object(&["description", "fixed_target", "rate"])?;
    Ok(Manifest { rules, default: read_numbers(&default)? })
}

/// Reads a rule whose pattern for hosts has the name `host`.
fn read_rule(rule: Value<'_>, host: &str) -> Result<Rule, Problem> {
    let rule = rule.object(&["description", host, "http_method", "url_path", "fixed_target", "rate"])?;
    let pattern = |name| {
        let value = rule.get(name)?;
        value.read::<String>().ok_or_else(|| value.is_not("a string"))
    };
    let (host, method, path) = (pattern(host)?, pattern("http_method")?, pattern("url_path")?);
    Ok(read_numbers(&rule)?.host(host).method(method).path(path))
}

/// Reads the two numbers of a rule and returns a rule with them that matches every request.
fn read_numbers(rule: &Object<'_>) -> Result<Rule, Problem> {
    let fixed_target = rule.get("fixed_target")?;
    let rate = rule.get("rate")?;
    Ok(Rule::new(
        fixed_target.read().ok_or_else(|| fixed_target.is_not("a whole number from 0 to 4294967295"))?,
        rate.read().filter(|rate| (0.0..=1.0).contains(rate)).ok_or_else(|| rate.is_not("a number from 0 to 1"))?,
    ))
}

/// A value of the manifest with its place.
struct Value<'a> {
    /// The whole text of the manifest.
    text: &'a str,
    /// The path of the value, such as `rules[0].rate`; empty for the manifest itself.
    path: String,
    /// The value's part of `text`.
    raw: &'a RawValue,
}

impl<'a> Value<'a> {
    /// Converts the value; `None` if it has another type or is out of the type's range.
    fn read<T: Deserialize<'a>>(&self) -> Option<T> {
        serde_json::from_str(self.raw.get()).ok()
    }

    /// Returns the members of an object. Each name must be one of `names` and occur once.
    // An unknown name is an error, because a misspelled `rate` would otherwise be silently ignored.
    fn object(self, names: &[&str]) -> Result<Object<'a>, Problem> {
        let Some(Members(members)) = self.read() else { return Err(self.is_not("an object")) };
        for (at, (name, raw)) in members.iter().enumerate() {
            if !names.contains(&name.as_str()) {
                let what = format!("is unknown, expected one of {}", names.join(", "));
                return Err(self.member(name, raw).problem(&what));
            }
            // Not quadratic in a long text: at most `names.len()` members pass both tests.
            if members[..at].iter().any(|(other, _)| other == name) {
                return Err(self.member(name, raw).problem("is present twice"));
            }
        }
        Ok(Object { value: self, members })
    }

    /// Returns the items of a list.
    fn list(self) -> Result<Vec<Self>, Problem> {
        let Some(items) = self.read::<Vec<&RawValue>>() else { return Err(self.is_not("a list")) };
        let of = |(index, raw)| Self { text: self.text, path: format!("{}[{index}]", self.path), raw };
        Ok(items.into_iter().enumerate().map(of).collect())
    }

    /// Returns a member of this object with its path.
    fn member(&self, name: &str, raw: &'a RawValue) -> Self {
        // The name may be unknown. It comes from the file, so it may be long or contain control characters, and the
        // path goes into an error message.
        let name = excerpt(name).escape_debug().to_string();
        let path = if self.path.is_empty() { name } else { format!("{}.{name}", self.path) };
        Self { text: self.text, path, raw }
    }

    /// Returns the error for a value that is not as expected.
    fn is_not(&self, expected: &str) -> Problem {
        self.problem(&format!("is {}, expected {expected}", excerpt(self.raw.get())))
    }

    /// Returns an error about this value; `what` follows its path.
    fn problem(&self, what: &str) -> Problem {
        // A `RawValue` borrows from the text, so the distance of the addresses is the position of the value.
        let start = self.raw.get().as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        let before = self.text.as_bytes().iter().take(start);
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        let path = if self.path.is_empty() { "the manifest" } else { &self.path };
        Problem { line, message: format!("{path} {what}") }
    }
}

/// The members of an object by name.
struct Object<'a> {
    value: Value<'a>,
    members: Vec<(String, &'a RawValue)>,
}

impl<'a> Object<'a> {
    /// Returns a member that may be absent.
    fn find(&self, name: &str) -> Option<Value<'a>> {
        let (_, raw) = self.members.iter().find(|(other, _)| other == name)?;
        Some(self.value.member(name, raw))
    }

    /// Returns a member that must be present.
    fn get(&self, name: &str) -> Result<Value<'a>, Problem> {
        self.find(name).ok_or_else(|| self.value.problem(&format!("has no {name}")))
    }
}

/// All members of an object in their order.
// A map, also `serde_json::Map`, would keep only the last of two members with one name, and the first would have no
// effect.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// Returns the start of the first line of a text, for an error message.
fn excerpt(text: &str) -> &str {
    const MAX_CHARS: usize = 40;
    first_chars(text.lines().next().unwrap_or_default(), MAX_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::SamplingRequest;

    const WHOLE: &str = r#"{
  "version": 2,
  "rules": [
    {
      "description": "Player moves.",
      "host": "*",
      "http_method": "*",
      "url_path": "/api/move/*",
      "fixed_target": 0,
      "rate": 0.05
    }
  ],
  "default": {
    "fixed_target": 1,
    "rate": 0.1
  }
}"#;

    fn problem(text: &str) -> (usize, String) {
        let problem = read(text).err().unwrap_or_else(|| panic!("{text}"));
        (problem.line, problem.message)
    }

    #[test]
    fn both_versions_are_read() {
        let second = WHOLE.to_owned();
        let first = second.replace(r#""version": 2"#, r#""version": 1"#).replace(r#""host""#, r#""service_name""#);
        for text in [second, first] {
            let text = text.replacen("\"*\"", "\"*.Example.com\"", 1);
            let Manifest { rules, default } = read(&text).unwrap_or_else(|problem| panic!("{problem:?}"));
            let request = SamplingRequest::new("s").with_path("/api/move/up");
            assert!(rules[0].is_for(&request.with_host("game.example.com")), "{text}");
            assert!(!rules[0].is_for(&request.with_host("game.example.org")), "{text}");
            assert!(!rules[0].is_for(&request.with_path("/")), "{text}");
            let of_rules = [&rules[0], &default].map(|rule| (rule.fixed_target(), rule.rate()));
            assert_eq!(of_rules, [(0, 0.05), (1, 0.1)]);
        }
    }

    #[test]
    fn fields_may_have_any_order_and_rules_may_be_absent() {
        for text in [
            r#"{"default":{"rate":1,"fixed_target":0},"version":1}"#,
            r#"{"default":{"rate":0,"fixed_target":4294967295},"rules":[],"version":2}"#,
            r#"{"default":{"rate":1e-3,"fixed_target":7,"description":"x"},"rul\u0065s":[],"version":2}"#,
        ] {
            assert!(read(text).is_ok_and(|manifest| manifest.rules.is_empty()), "{text}");
        }
    }

    #[test]
    fn every_error_names_its_line_and_field() {
        for (old, new, line, message) in [
            ("\"version\": 2,", "", 1, "the manifest has no version"),
            ("\"version\": 2", "\"version\": 3", 2, "version is 3, expected 1 or 2"),
            ("\"version\": 2", "\"version\": \"2\"", 2, "version is \"2\", expected 1 or 2"),
            ("\"version\": 2", "\"version\": 1.5", 2, "version is 1.5, expected 1 or 2"),
            ("\"rules\"", "\"rule\"", 3, "rule is unknown, expected one of version, default, rules"),
            ("\"default\"", "\"version\"", 13, "version is present twice"),
            (
                "\"rate\": 0.1",
                "\"rate\": 0.1, \"host\": \"h\"",
                15,
                "default.host is unknown, expected one of description, fixed_target, rate",
            ),
            ("\"fixed_target\": 1,", "", 13, "default has no fixed_target"),
            ("\"rate\": 0.1", "\"rate\": -1e-9", 15, "default.rate is -1e-9, expected a number from 0 to 1"),
            ("\"host\": \"*\",", "", 4, "rules[0] has no host"),
            (
                "\"host\"",
                "\"service_name\"",
                6,
                "rules[0].service_name is unknown, expected one of description, host, http_method, url_path, fixed_target, rate",
            ),
            ("\"host\": \"*\"", "\"host\": null", 6, "rules[0].host is null, expected a string"),
            ("\"http_method\": \"*\",", "", 4, "rules[0] has no http_method"),
            ("\"url_path\": \"/api/move/*\",", "", 4, "rules[0] has no url_path"),
            ("\"url_path\"", "\"host\"", 8, "rules[0].host is present twice"),
            ("\"/api/move/*\"", "\n\n[\n1]", 10, "rules[0].url_path is [, expected a string"),
            ("\"fixed_target\": 0,", "", 4, "rules[0] has no fixed_target"),
            (
                "\"fixed_target\": 0",
                "\"fixed_target\": -1",
                9,
                "rules[0].fixed_target is -1, expected a whole number from 0 to 4294967295",
            ),
            (
                "\"fixed_target\": 0",
                "\"fixed_target\": 0.5",
                9,
                "rules[0].fixed_target is 0.5, expected a whole number from 0 to 4294967295",
            ),
            (
                "\"fixed_target\": 0",
                "\"fixed_target\": 4294967296",
                9,
                "rules[0].fixed_target is 4294967296, expected a whole number from 0 to 4294967295",
            ),
            (",\n      \"rate\": 0.05", "", 4, "rules[0] has no rate"),
            ("0.05", "1.5", 10, "rules[0].rate is 1.5, expected a number from 0 to 1"),
            ("0.05", "1e999", 10, "rules[0].rate is 1e999, expected a number from 0 to 1"),
            ("0.05", "true", 10, "rules[0].rate is true, expected a number from 0 to 1"),
            ("0.05", "NaN", 10, "expected value"),
            ("0.05\n    }", "0.05\n    }, 7", 11, "rules[1] is 7, expected an object"),
            ("\"*\",\n", "\"*\"\n", 7, "expected `,` or `}`"),
        ] {
            let text = WHOLE.replacen(old, new, 1);
            assert_ne!(text, WHOLE, "{old}");
            assert_eq!(problem(&text), (line, message.to_owned()), "{old} -> {new}");
        }
    }

    #[test]
    fn hostile_texts_are_errors() {
        for (text, line, message) in [
            ("", 1, "EOF while parsing a value"),
            ("\0", 1, "expected value"),
            ("[]", 1, "the manifest is [], expected an object"),
            ("null", 1, "the manifest is null, expected an object"),
            (r#"{"version":2,"default":{},"rules":{}}"#, 1, "rules is {}, expected a list"),
            ("{}\n\n}", 3, "trailing characters"),
            (r#"{"\ud800":1}"#, 1, r#"the manifest is {"\ud800":1}, expected an object"#),
        ] {
            assert_eq!(problem(text), (line, message.to_owned()), "{text}");
        }
        let deep = "[".repeat(MAX_BYTES);
        assert_eq!(problem(&deep).0, 1);
        assert_eq!(problem(&format!("{deep} ")), (1, TOO_LONG.to_owned()));
        let nested = format!(r#"{{"version":2,"default":{}{}}}"#, "[".repeat(50_000), "]".repeat(50_000));
        assert!(problem(&nested).1.ends_with("[[, expected an object"));
        let long = format!("{{\"{}\":\n1}}", "\u{e9}\\n".repeat(10_000));
        assert_eq!(problem(&long).0, 2);
        assert!(problem(&long).1.len() < 200);
        let wide = |name: &str| format!("{{{}\"\":1}}", format!("\"{name}\":1,").repeat(100_000));
        assert_eq!(problem(&wide("rules")).1, "rules is present twice");
        assert!(problem(&wide("x")).1.starts_with("x is unknown"));
        // No beginning of a valid manifest is a valid manifest.
        for end in 0..WHOLE.len() {
            problem(&WHOLE[..end]);
        }
    }
}
