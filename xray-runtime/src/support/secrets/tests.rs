//! Every form of a secret that is known, and texts that only look like one.

use super::*;

/// Texts with a secret, and their cleaned forms.
const FORMS: &[(&str, &str)] = &[
    // a plain URL
    ("at https://me:pa55@h:1/a?q=1#f, then", "at https://h:1/a, then"),
    // a URL in a path
    ("https://gw/proxy/https://me:pa55@h/a?t=qu3ry", "https://gw/proxy/https://h/a"),
    ("/proxy/https://me:pa55@h/a", "/proxy/https://h/a"),
    ("/proxy/https:/me:pa55@h/a", "/proxy/https:/h/a"),
    ("/proxy/https%3A%2F%2Fme%3Apa55%40h%2Fa%3Ft%3Dqu3ry%23fr4g", "/proxy/https%3A%2F%2Fh%2Fa"),
    ("/proxy/https%253A%252F%252Fme%253Apa55%2540h%252Fa%253Ft%253Dqu3ry", "/proxy/https%253A%252F%252Fh%252Fa"),
    ("/proxy/https:%2F%2Fme:pa55@h/a%3Ft=qu3ry", "/proxy/https:%2F%2Fh/a"),
    ("http://gw/proxy/me:pa55@h/a", "http://gw/proxy/h/a"),
    ("/proxy/https://h/a%3Ft=qu3ry", "/proxy/https://h/a"),
    ("http://gw/proxy/http://h/a%3Fqu3ry", "http://gw/proxy/http://h/a"),
    ("http://me%40h/a%3Fqu3ry", "http://h/a"),
    ("me%25253Apa55%252540h", "h"),
    (r#"//:"/http:%2F%2Fme:pa55@h%2Fa%3Ft=qu3ry"#, "//h%2Fa"),
    // lists
    ("http://me:pa55@a:1,http://me:pa55@b:1", "http://a:1,http://b:1"),
    ("amqp://me:pa55@a,me:pa55@b/v", "amqp://b/v"),
    // quotes and backticks
    ("at http://h/a?t=`qu3ry", "at http://h/a"),
    ("at `http://h/a?t=`qu3ry`, then", "at `http://h/a`, then"),
    ("at 'http://h/a?t='qu3ry', then", "at 'http://h/a', then"),
    (r#"{"url":"http://me:pa55@h/a?t=qu3ry","n":1}"#, r#"{"url":"http://h/a","n":1}"#),
    (r#"{\"url\":\"http://me:pa55@h/a?t=qu3ry\",\"n\":1}"#, r#"{\"url\":\"http://h/a\",\"n\":1}"#),
    ("<a href=\"http://h/?t=qu3ry\">x</a>", "<a href=\"http://h/\">x</a>"),
    ("<http://me:pa55@h/?t=qu3ry>.", "<http://h/>."),
    ("<a?t=qu3ry>", "<a>"),
    ("<a?t=qu3ry>b", "<a>b"),
    ("<b>h/x?t=qu3ry</b>", "<b>h/x</b>"),
    ("\"/x?qu3ry\"1", "\"/x"),
    ("GET|/x?qu3ry", "GET|/x"),
    ("/x?(qu3ry)", "/x)"),
    ("?a=qu3ry,", ","),
    // clients take these
    ("http:/me:pa55@h/a", "http:/h/a"),
    (r"http:\\me:pa55@h\a?t=qu3ry", r"http:\\h\a"),
    (r"http:\/me:pa55@h/a", r"http:\/h/a"),
    ("http:me:pa55@h/a", "http:h/a"),
    ("http:[::1]#fr4g", "http:[::1]"),
    ("http:%2Fh%3Fqu3ry", "http:%2Fh"),
    ("http:///me:pa55@h/a", "http:///h/a"),
    ("http://ws:pa55@h/a", "http://h/a"),
    ("http://http:pa55@h/a", "http://h/a"),
    ("//me:pa55@h/a?t=qu3ry", "//h/a"),
    (r"https:\/\/me:pa55@h\/a?t=qu3ry", r"https:\/\/h\/a"),
    // and these are refused, and in the error
    ("http://me:pa/ss@h/a", "http://h/a"),
    ("http://me:pa?ss@h/a", "http://"),
    ("http://me:pa/ss@h%3Fb", "http://h%3Fb"),
    // databases
    ("jdbc:postgresql://h:5432/db?user=me&password=pa55", "jdbc:postgresql://h:5432/db"),
    ("jdbc:sqlserver://h:1433;databaseName=d;user=me;password=pa55", "jdbc:sqlserver://h:1433"),
    ("jdbc:sqlserver://h:1433;user=m@e;password=pa@55;", "jdbc:sqlserver://h:1433;"),
    ("jdbc:oracle:thin:me/pa55@//h:1521/s", "jdbc:oracle:thin:@//h:1521/s"),
    ("jdbc:oracle:thin:me/pa55@h:1521:s", "jdbc:oracle:thin:@h:1521:s"),
    ("jdbc:oracle:thin:me/pa55@h/s?t=qu3ry", "jdbc:oracle:thin:@h/s"),
    ("jdbc:db2://h:1/db:user=me;password=pa55;", "jdbc:db2://h:1/db;"),
    ("Server=h;Database=d;User Id=me;Password=pa55;", "Server=h;Database=d;User Id=me;Password=[removed];"),
    ("host=h user=me password='pa 55' dbname=d", "host=h user=me password='[removed]' dbname=d"),
    ("me:pa55@tcp(h:3306)/db?tls=qu3ry", "tcp(h:3306)/db"),
    ("sqlite:///tmp/a.db?key=qu3ry", "sqlite:///tmp/a.db"),
    // without a scheme
    ("connect me:pa55@h:443", "connect h:443"),
    ("connect me+x:pa55@3h", "connect 3h"),
    ("connect %:pa55@h", "connect h"),
    ("connect me:pa55@[::1]:443", "connect [::1]:443"),
    ("connect me:pa55@10.0.0.1:443", "connect 10.0.0.1:443"),
    ("connect me:pa55@\u{fc}.de", "connect \u{fc}.de"),
    ("connect (me:pa55@h:443), then", "connect (h:443), then"),
    ("connect me:p@55@h:443", "connect h:443"),
    ("connect 'me:p`a'55@h:443'", "connect 'h:443'"),
    ("GET /x?token=qu3ry", "GET /x"),
    ("GET /x?qu3ry HTTP/1.1", "GET /x HTTP/1.1"),
    ("GET h/x?a=qu3ry", "GET h/x"),
    ("GET \"/x?a=qu3ry\", 3 ms", "GET \"/x\", 3 ms"),
    ("/cb#access_token=fr4g", "/cb"),
    // headers
    ("Authorization: Basic bWU6cGE1NQ== was refused", "Authorization: [removed] was refused"),
    ("authorization: Bearer pa55", "authorization: [removed]"),
    ("authorization: Digest username=\"me\", response=\"pa55\"", "authorization: [removed]"),
    (
        "{\"authorization\": \"Basic bWU6\", \"accept\": \"*/*\"}",
        "{\"authorization\": \"[removed]\", \"accept\": \"*/*\"}",
    ),
    ("cookie: sid=pa55; theme=dark\nhost: h", "cookie: [removed]\nhost: h"),
    ("X-Api-Key: pa55", "X-Api-Key: [removed]"),
    ("sent Bearer eyJhbGciOiJIUzI1NiJ9.e30.x, then", "sent Bearer [removed], then"),
    ("sent Bearer abcdeF", "sent Bearer [removed]"),
    ("sent Bearer abcde5", "sent Bearer [removed]"),
    // values
    ("login failed: password=pa55, user=me", "login failed: password=[removed], user=me"),
    ("password: pa55", "password: [removed]"),
    ("/password=pa55", "/password=[removed]"),
    ("token=%22pa55", "token=[removed]"),
    ("\"token\" => \"pa55\"", "\"token\" => \"[removed]\""),
    ("token: b\"pa55\"", "token: b\"[removed]\""),
    ("log in password=Some(\"pa 55\") user=me", "log in password=Some(\"[removed]\") user=me"),
    ("<ns:Password>pa55</ns:Password><n>1</n>", "<ns:Password>[removed]</ns:Password><n>1</n>"),
    ("a=1&access_token=pa55&b=2", "a=1&access_token=[removed]&b=2"),
    (
        "LoginForm { user: \"me\", password: \"pa55\", n: 1 }",
        "LoginForm { user: \"me\", password: \"[removed]\", n: 1 }",
    ),
    ("Form { token: Some(Token(\"pa55\")) }", "Form { token: Some(Token(\"[removed]\")) }"),
    ("ApiKey(\"pa55\")", "ApiKey(\"[removed]\")"),
    ("ApiKey(Some(\"pa55\"))", "ApiKey(Some(\"[removed]\"))"),
    ("token= pa55 other", "token= [removed] other"),
    (r#"ApiKey("pa\"55")"#, r#"ApiKey("[removed]")"#),
    ("{\\\"api_key\\\":\\\"pa55\\\"}", "{\\\"api_key\\\":\\\"[removed]\\\"}"),
    ("tokens: [\"pa55\", \"pa56\"]", "tokens: [[removed]]"),
    ("/a;jsessionid=pa55", "/a;jsessionid=[removed]"),
    ("/x%3Ftoken%3Dpa55%26a%3D1", "/x%3Ftoken%3D[removed]%26a%3D1"),
    (
        r#"Transport { url: Some(Url { scheme: "http", cannot_be_a_base: false, username: "me", password: Some("pa55"), host: Some(Domain("h")), port: Some(1), path: "/a", query: Some("token=qu3ry"), fragment: Some("fr4g") }), n: 1 }"#,
        r#"Transport { url: Some(Url { scheme: "http", cannot_be_a_base: false, username: "[removed]", password: Some("[removed]"), host: Some(Domain("h")), port: Some(1), path: "/a", query: Some("[removed]"), fragment: Some("[removed]") }), n: 1 }"#,
    ),
    (
        "Url {\n    cannot_be_a_base: false,\n    username: \"me\",\n    password: Some(\n        \"pa55\",\n    ),\n    query: Some(\n        \"qu3ry\",\n    ),\n}",
        "Url {\n    cannot_be_a_base: false,\n    username: \"[removed]\",\n    password: Some(\n        \"[removed]\",\n    ),\n    query: Some(\n        \"[removed]\",\n    ),\n}",
    ),
];

/// Texts without a secret.
const HARMLESS: &[&str] = &[
    "",
    "//",
    "// a comment?",
    "no URL: a/b?c",
    "did you mean https://h/p?",
    "wrong password(s)",
    "token=\nnext line",
    "what is /etc/passwd?",
    "see (http://h/a).",
    "at 12:30@home",
    "mailto:me@example.com",
    "me@example.com, you@example.com",
    "git@github.com:me/repo.git",
    "nginx:1.25@sha256:0a1b",
    "serde:json@1.0.2",
    "npm:left-pad@1.3.0",
    "https://registry.npmjs.org/@types/node",
    "https://h/users/me@example.com",
    "https://maps/@52.5,13.4,15z",
    "std::io::Error: a::b@c",
    "C:\\dir\\file",
    "c:/@types/node",
    "me:@h",
    "me:a@-x",
    "a//@b",
    ":/@x",
    ":/#x",
    r"\/@x",
    r"\/#x",
    "x#a=b",
    "/x#=",
    "?=",
    "/?a/",
    "/?;-",
    "/??/",
    "/(?a",
    "http:?a",
    "http:#a",
    "http://[::1]/@a",
    "jdbc://h/:a",
    "colou?r",
    "/colou?r/",
    "a ? b : c",
    "owner/repo#123",
    "#[cfg(feature = \"x\")]",
    "r#type",
    "invalid password: too short",
    "unexpected token: `)`",
    "password: None",
    "{\"password\":null}",
    "max_tokens=",
    "key=value",
    "author=me",
    "token == other",
    "token:=",
    "/password:x",
    "spasswd=1",
    "query:\"x\", then",
    "a:query:\"x\"",
    "expected token, found end",
    "Basic authentication is off",
    "Bearer token missing",
    "src/main.rs:7:3",
    "http://[::1]:80/a",
    "http://h:80/a%20b%3Fc",
    "file:///home/me@x/a",
    "127.0.0.1:2000",
    "tcp:127.0.0.1:2000 udp:[::1]:2000",
    "`reqwest::Error`",
    "invalid digit found in string",
    "Option<Token> is not Vec<Token>",
    "50% of a@b",
    "http::Error(InvalidUri(Empty))",
    "why?!",
    "x?y:z",
    "a=b;c=d",
    "(?P<name>x)",
    "https://h/a;v=1/b",
    "error sending request for url (http://h:1/a)",
    "\u{e9}@\u{e9}:\u{e9}",
    "http://\u{e9}.de/\u{e9}",
];

#[test]
fn each_form_of_a_secret_is_removed_and_nothing_else() {
    for (text, expected) in FORMS {
        let cleaned = cleaned(text);
        assert_eq!(cleaned, *expected, "{text}");
        assert_eq!(super::cleaned(&cleaned), cleaned, "a clean text stays as it is");
    }
}

#[test]
fn a_text_without_secrets_is_borrowed_as_it_is() {
    for text in HARMLESS {
        assert!(matches!(cleaned(text), Cow::Borrowed(cleaned) if cleaned == *text), "{text} became {}", cleaned(text));
    }
}

#[test]
fn a_long_text_is_cut_first_and_not_inside_of_credentials() {
    let password = "p".repeat(MAX_BYTES);
    for (text, expected) in [
        (format!("at http://me:{password}@h/"), "at http"),
        (format!("at me:{password}@h/"), "at me"),
        (format!("at https%3A%2F%2Fme%3A{password}%40h"), "at https"),
        (format!("token={password}"), "token=[removed]"),
    ] {
        assert_eq!(recorded(&text, 1000), expected);
        assert_eq!(recorded_display(&text, 1000).as_deref(), Some(expected));
        assert_eq!(recorded(part_that_is_read(&text), 1000), expected);
    }
    let text = "\u{e9}".repeat(5_000_000);
    assert_eq!(recorded(&text, 1000), "\u{e9}".repeat(1000));
    let Cow::Owned(cleaned) = recorded("token=x and more", 8) else { panic!("the text is not changed") };
    assert_eq!((cleaned.as_str(), cleaned.capacity()), ("token=[r", 8), "no memory of what was cut is kept");
}

#[test]
fn names_speak_of_a_secret_as_whole_words() {
    let speaks = |name: &str, plural| names::suggests_secret(name, SECRET_NAMES, plural);
    for name in
        ["password", "db.password", "PASSWORD", "userPassword", "X-Api-Key", "stripeApiKey", "APIKey", "oauth2token"]
    {
        assert!(speaks(name, false), "{name}");
    }
    for name in ["passwordless", "author", "secretary", "key", "monkey_access", "", "_", "tokenizer"] {
        assert!(!speaks(name, true), "{name}");
    }
    assert!(speaks("max_tokens", true) && !speaks("max_tokens", false));
}

#[test]
fn a_url_of_nothing_but_the_backslashes_of_a_quote_ends_the_search() {
    for text in [r#"\\"\\"?"#, r#"\\\"\\\"?"#, r"?25C%22\\\%22\\\%22\\\", r"/?a=\\\%22\\\%22\\\"] {
        assert!(recorded(text, 1000).len() <= text.len(), "{text}");
    }
}
