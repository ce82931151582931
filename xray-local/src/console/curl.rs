//! The request of a call as a command for a shell.

use crate::document::Http;
use crate::printable::is_printable;

/// Returns the command that sends the recorded request with curl: its method and URL. The headers and the body of a
/// request are not recorded.
///
/// Returns `None` if the URL is no URL of HTTP, if the method is not a valid method, or if a terminal could read the
/// text differently from how the page shows it: the text comes from a document, and a control character can end a
/// paste.
pub(super) fn command(http: &Http) -> Option<String> {
    let (method, url) = (http.method.as_deref().unwrap_or("GET"), http.url.as_deref()?);
    let is_http = ["http://", "https://"]
        .into_iter()
        .any(|scheme| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    let is_token = !method.is_empty() && method.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    if !is_http || !is_token || method.starts_with('-') || !url.chars().all(is_printable) {
        return None;
    }
    // With `--globoff`, curl sends brackets and braces as they are. With `--request HEAD` it would wait for a body.
    let method = match method {
        "GET" => String::new(),
        "HEAD" => "--head ".to_owned(),
        method => format!("--request {} ", quoted(method)),
    };
    Some(format!("curl --globoff {method}--url {}", quoted(url)))
}

/// Writes a text as one word of a POSIX shell. Within single quotes no character has a meaning, except the quote.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use serde_json::json;

    use super::*;
    use crate::document::Document;

    fn http(method: &str, url: &str) -> Http {
        let document = json!({"id": "a", "trace_id": "1-5880168b-fd5153bb58284b67678aa78c", "name": "a", "start_time": 1,
            "http": {"request": {"method": method, "url": url}}});
        Document::from_value(document).unwrap().http.unwrap()
    }

    #[test]
    fn a_shell_reads_the_url_as_one_word_whatever_it_holds() {
        for url in [
            "https://example.com/a b",
            "https://example.com/it's",
            "https://example.com/'\"$(touch x)`touch x`;touch x&&!!\\",
            "https://example.com/é?q=[1-9]{a,b}#*",
            "HTTP://example.com/''''",
        ] {
            let command = command(&http("POST", url)).unwrap();
            let words = command.strip_prefix("curl ").unwrap();
            let printed = Command::new("sh").args(["-c", &format!("printf '%s\\n' {words}")]).output().unwrap();
            let printed = String::from_utf8(printed.stdout).unwrap();
            assert_eq!(printed.lines().collect::<Vec<_>>(), ["--globoff", "--request", "POST", "--url", url]);
        }
    }

    #[test]
    fn the_method_is_left_out_where_curl_has_it_by_itself() {
        let url = "http://example.com/";
        assert_eq!(command(&http("GET", url)).unwrap(), "curl --globoff --url 'http://example.com/'");
        assert_eq!(command(&http("HEAD", url)).unwrap(), "curl --globoff --head --url 'http://example.com/'");
    }

    #[test]
    fn a_text_that_is_no_request_gives_no_command() {
        for (method, url) in [
            ("GET", "file:///etc/passwd"),
            ("GET", "-o/tmp/x"),
            ("GET", "javascript:alert(1)"),
            ("GET", ""),
            ("GET", "http://a/\u{1b}[201~"),
            ("GET", "http://a/\nrm"),
            ("GET", "http://a/\u{202e}"),
            ("GET", "http://a/\u{61c}"),
            ("GET", "http://a/\u{ad}"),
            ("GET", "http://a/\u{e0041}"),
            ("--output", "http://a/"),
            ("A B", "http://a/"),
            ("", "http://a/"),
        ] {
            assert_eq!(command(&http(method, url)), None, "{method} {url}");
        }
    }
}
