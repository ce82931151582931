//! Checks a datagram like the X-Ray daemon: a header line, a line feed, one document.

use serde::Deserialize;
use serde_json::Value;

use super::field::excerpt;
use super::finding::{Code, Finding, Severity};

/// The header line that SDKs send.
const HEADER: &str = r#"{"format":"json","version":1}"#;

/// Returns the document in a datagram. The header ends at the first line feed, so the document may contain line feeds.
///
/// # Errors
///
/// A finding that says why the daemon drops the datagram, or why X-Ray rejects its document. The daemon's rules are
/// those of its `tracesegment` package.
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
    if let Some(reason) = header_problem(header) {
        return Err(dropped(&reason));
    }
    std::str::from_utf8(document).map_err(|error| {
        let reason = format!(
            "the document is not valid UTF-8 at byte {}; the daemon forwards it, and X-Ray rejects it",
            error.valid_up_to()
        );
        Finding::rejected(
            Code::ParseError,
            reason,
            "send plain UTF-8 text, neither compressed nor encoded, and cut texts only between characters",
        )
    })
}

/// Returns the finding for a datagram that the daemon drops. It has no error code, because X-Ray never sees the
/// datagram.
fn dropped(reason: &str) -> Finding {
    Finding {
        severity: Severity::Rejected,
        code: None,
        field: String::new(),
        reason: format!("{reason}, so the daemon drops the datagram"),
        advice: format!("start each datagram with the line `{HEADER}`, followed by the document"),
    }
}

/// Returns why the daemon refuses a header line. The daemon ignores unknown fields, white space, and the case of the
/// format.
fn header_problem(header: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Header {
        #[serde(default)]
        format: Value,
        #[serde(default)]
        version: Value,
    }

    let shown = || excerpt(&String::from_utf8_lossy(header));
    match serde_json::from_slice(header) {
        Err(_) => Some(format!("the first line, `{}`, is not a valid header", shown())),
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
    fn the_document_is_returned_or_the_reason_why_there_is_none() {
        for good in
            ["{\"format\":\"json\",\"version\":1}\n{\n}", "{\"format\": \"JSON\", \"version\": 1, \"more\": 2}\n{\n}"]
        {
            assert_eq!(check_datagram(good.as_bytes()), Ok("{\n}"), "{good}");
        }
        for (bad, reason) in [
            (&b""[..], "the datagram is empty"),
            (b"{}", "the datagram has no header line"),
            (b"{\"format\":\"json\",\"version\":1}\n", "the datagram has no document after its header line"),
            (b"hello\n{}", "the first line, `hello`, is not a valid header"),
            (b"\xff\n{}", "the first line, `\u{fffd}`, is not a valid header"),
            (b"[]\n{}", "the header's format is null, not \"json\""),
            (b"{\"version\":1}\n{}", "the header's format is null, not \"json\""),
            (b"{\"format\":\"json\"}\n{}", "the header's version is null, not 1"),
            (b"{\"format\":\"json\",\"version\":2}\n{}", "the header's version is 2, not 1"),
            (b"{\"format\":\"json\",\"version\":\"1\"}\n{}", "the header's version is \"1\", not 1"),
            (b"{\"format\":\"json\",\"version\":1}\n{\"name\":\"\xff\"}", "the document is not valid UTF-8 at byte 9"),
        ] {
            let finding = check_datagram(bad).unwrap_err();
            assert!(finding.is_rejection());
            assert!(finding.reason.starts_with(reason), "{}", finding.reason);
        }
    }
}
