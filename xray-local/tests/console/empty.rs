//! The list while there are no traces: it says what to type, and shows the trace of a program that did so.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use xray_local::Server;

use crate::access::FAINT_TEXTS;
use crate::browser::{Page, in_browser};
use crate::{server, support};

/// Each way to send a trace, and a text that its part has.
const WAYS: [(&str, &str); 9] = [
    ("rust", "cargo run"),
    ("python", "python first.py"),
    ("node", "node first.cjs"),
    ("java", "maven.compiler.target"),
    ("go", "go mod tidy"),
    ("opentelemetry", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"),
    ("cargo-lambda", "cargo lambda watch"),
    ("sam", "sam local invoke"),
    ("compose", "host.docker.internal:host-gateway"),
];

#[tokio::test]
async fn an_empty_list_says_what_to_type_in_each_language() {
    in_browser(async |page| {
        page.turn_scripts_off().await;
        page.visit("/").await;
        let (address, port) = (page.server.udp_address(), page.server.udp_address().port());
        assert!(page.text("#first-rust").await.contains(&format!("AWS_XRAY_DAEMON_ADDRESS={address} cargo run")));
        for (id, part) in WAYS {
            if id != "rust" {
                assert_eq!(page.count(&format!("#first-{id}[open]")).await, 0, "only the first part is open");
                page.click(&format!("#first-{id} summary")).await;
            }
            let text = page.text(&format!("#first-{id}")).await;
            assert!(text.contains(part) && text.contains(&port.to_string()), "{id}: {text}");
            assert_eq!(page.count(".ways details[open]").await, 1, "{id} closes the others");
        }
    })
    .await;
}

#[tokio::test]
async fn the_empty_list_fits_a_phone_and_has_enough_contrast() {
    in_browser(async |page| {
        page.set_screen(360, 740, true).await;
        for scheme in ["light", "dark"] {
            page.set_preference("prefers-color-scheme", scheme).await;
            page.visit("/").await;
            // Parts of one name open one at a time.
            let open = "document.querySelectorAll('.ways details').forEach((part) => { part.removeAttribute('name'); part.open = true; });";
            page.script(open).await;
            assert_eq!(page.script("return document.documentElement.scrollWidth;").await, 360);
            let faint: Vec<String> = page.evaluate(FAINT_TEXTS).await;
            assert_eq!(faint, Vec::<String>::new(), "{scheme}");
        }
    })
    .await;
}

#[test]
fn spans_go_to_their_own_address_if_there_is_one() {
    let server = Server::builder().address("127.0.0.1:0").otlp_address("127.0.0.1:0").start().unwrap();
    let page = ureq::get(server.console_url()).call().unwrap().body_mut().read_to_string().unwrap();
    let endpoint = format!("OTEL_EXPORTER_OTLP_ENDPOINT=http://{}\n", server.otlp_address().unwrap());
    assert!(page.contains(&endpoint), "{page}");
}

#[test]
fn the_page_in_docs_has_each_program_and_command_of_the_list() {
    let server = server::start();
    let list = ureq::get(server.console_url()).call().unwrap().body_mut().read_to_string().unwrap();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/first-trace.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let texts: Vec<_> =
        list.split("<pre tabindex=\"0\">").skip(1).map(|rest| rest.split("</pre>").next().unwrap()).collect();
    assert!(texts.len() > WAYS.len() * 2, "only {} texts were found", texts.len());
    for text in texts {
        let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
        // The page has the default port.
        let text = text.replace(&format!(":{}", server.udp_address().port()), ":2000");
        assert!(docs.contains(&format!("{text}\n")), "docs/first-trace.md lacks this text:\n{text}");
    }
}

#[tokio::test]
async fn a_rejected_document_is_mentioned_where_the_trace_is_awaited() {
    in_browser(async |page| {
        page.visit("/").await;
        page.click("#first-python summary").await;
        support::send(&page.server, b"no document");
        page.until_text(".empty .notice", "1 document arrived, and X-Ray would reject it. Problems shows why.").await;
        assert_eq!(page.count("#first-python[open]").await, 1, "the update keeps the part open that the reader chose");
        page.click(".empty .notice a").await;
        page.find(".problems").await;
    })
    .await;
}

#[tokio::test]
async fn a_program_that_reaches_only_the_tcp_port_is_noticed() {
    in_browser(async |page| {
        page.visit("/").await;
        assert_eq!(page.count(".empty .notice").await, 0);
        support::post(&page.server, "/GetSamplingRules", &json!({})).ok();
        page.find(".empty .notice").await;
        let hint = format!("open port {} for UDP too.", page.server.udp_address().port());
        assert!(page.text(".empty .notice").await.ends_with(&hint));
    })
    .await;
}

#[tokio::test]
async fn the_list_shows_the_trace_of_the_program_for_python() {
    let Some(python) = installed("neighbour/bin/python", "the X-Ray SDK for Python", true) else { return };
    in_browser(async |page| shows_the_trace_of(page, Command::new(&python).arg(programs().join("first.py"))).await)
        .await;
}

#[tokio::test]
async fn the_list_shows_the_trace_of_the_program_for_node() {
    let Some(packages) = installed("node/node_modules", "the X-Ray SDK for Node.js", false) else { return };
    in_browser(async |page| {
        let mut node = Command::new("node");
        shows_the_trace_of(page, node.arg(programs().join("first.cjs")).env("NODE_PATH", &packages)).await;
    })
    .await;
}

/// Opens the list, runs a program with the address that the list names, and waits until its trace is there.
async fn shows_the_trace_of(page: &Page, program: &mut Command) {
    page.visit("/").await;
    page.find(".ways").await;
    let address = page.server.udp_address().to_string();
    let output = program.env("AWS_XRAY_DAEMON_ADDRESS", address).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    page.until("return document.querySelector('.traces .subject a') !== null;").await;
    page.click(".traces .subject a").await;
    page.find(".rows").await;
    let rows = page.text(".rows").await;
    assert!(rows.contains("first") && rows.contains("work"), "{rows}");
}

/// Returns the folder of the programs that the list shows.
fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console/empty/programs")
}

/// Returns a path in `target` that `.ci/run` installs. Without it the test is skipped, or fails if it is `needed` and
/// `XRAY_REAL_PARTS` is set.
fn installed(path: &str, name: &str, needed: bool) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("target").join(path);
    if path.exists() {
        return Some(path);
    }
    let is_needed = needed && std::env::var_os("XRAY_REAL_PARTS").is_some();
    assert!(!is_needed, "XRAY_REAL_PARTS is set, but {name} is not in {}", path.display());
    println!("skipped: {name} is not installed in {}", path.display());
    None
}
