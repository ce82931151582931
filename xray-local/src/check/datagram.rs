//! What the daemon does with a datagram: a header line, a line feed, one document.

use serde::Deserialize;
use serde_json::Value;

use super::field::excerpt;
use super::finding::{Code, Finding, Severity};

/// The header as SDKs send it.
const HEADER: &str = r#"{"format":"json","version":1}"#;

/// The document in a datagram. Only the first line feed counts, so the document may have lines.
///
/// # Errors
///
/// Why the daemon, or X-Ray behind it, drops the datagram. (The daemon's `tracesegment` package.)
pub(crate) fn check_datagram(datagram: &[u8]) -> Result<&str, Finding> {
    if datagram.is_empty() {
        return Err(dropped("the datagram is empty"));
    }
    let mut parts = datagram.splitn(2, |byte| *byte == b'\n');
    let (header, document) = (parts.next().unwrap_or_default(), parts.next());
    let Some(document) = document else {
        return Err(dropped("the datagram has no header line"));
    };
    if document.is_empty() {
        return Err(dropped("the datagram has no document after its header line"));
    }
    if let Some(reason) = wrong_header(header) {
        return Err(dropped(&reason));
    }
    std::str::from_utf8(document).map_err(|error| {
        let reason = format!(
            "the document is no UTF-8 at byte {}; the daemon sends it on, and X-Ray refuses it",
            error.valid_up_to()
        );
        Finding::rejected(
            Code::ParseError,
            reason,
            "send UTF-8, cut on character boundaries, not compressed and not encoded",
        )
    })
}

/// X-Ray never sees it, so there is no error code.
fn dropped(reason: &str) -> Finding {
    Finding {
        severity: Severity::Rejected,
        code: None,
        field: String::new(),
        reason: format!("{reason}, so the daemon drops it"),
        advice: format!("begin each datagram with `{HEADER}` and a line feed"),
    }
}

/// What the daemon refuses in a header; it takes other fields, spaces, and the format in any case.
fn wrong_header(header: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Header {
        #[serde(default)]
        format: Value,
        #[serde(default)]
        version: Value,
    }

    let shown = || excerpt(&String::from_utf8_lossy(header));
    match serde_json::from_slice(header) {
        Err(_) => Some(format!("the first line, `{}`, is no header", shown())),
        Ok(Header { format, .. }) if !format.as_str().is_some_and(|format| format.eq_ignore_ascii_case("json")) => {
            Some(format!("the header's format is {}, not \"json\"", excerpt(&format.to_string())))
        }
        Ok(Header { version, .. }) if version != 1 => {
            Some(format!("the header's version is {}, not 1", excerpt(&version.to_string())))
        }
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagrams() {
        for good in
            ["{\"format\":\"json\",\"version\":1}\n{\n}", "{\"format\": \"JSON\", \"version\": 1, \"more\": 2}\n{\n}"]
        {
            assert_eq!(check_datagram(good.as_bytes()), Ok("{\n}"), "{good}");
        }
        for (bad, reason) in [
            (&b""[..], "the datagram is empty"),
            (b"{}", "the datagram has no header line"),
            (b"{\"format\":\"json\",\"version\":1}\n", "the datagram has no document after its header line"),
            (b"hello\n{}", "the first line, `hello`, is no header"),
            (b"\xff\n{}", "the first line, `\u{fffd}`, is no header"),
            (b"[]\n{}", "the header's format is null, not \"json\""),
            (b"{\"version\":1}\n{}", "the header's format is null, not \"json\""),
            (b"{\"format\":\"json\"}\n{}", "the header's version is null, not 1"),
            (b"{\"format\":\"json\",\"version\":2}\n{}", "the header's version is 2, not 1"),
            (b"{\"format\":\"json\",\"version\":\"1\"}\n{}", "the header's version is \"1\", not 1"),
            (b"{\"format\":\"json\",\"version\":1}\n{\"name\":\"\xff\"}", "the document is no UTF-8 at byte 9"),
        ] {
            let finding = check_datagram(bad).unwrap_err();
            assert!(finding.is_rejection());
            assert!(finding.reason.starts_with(reason), "{}", finding.reason);
        }
    }
}
