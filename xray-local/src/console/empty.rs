//! The list of an empty store: it says what to type for a first trace, in each language.
//!
//! `docs/first-trace.md` has the programs and commands of this page too. `tests/console/empty.rs` compares the two, and
//! runs programs of `empty/programs`.

use std::net::SocketAddr;

use maud::{Markup, html};

use super::format;
use super::state::Console;

/// A way to send a first trace.
struct Way {
    /// The name, and the id of the element.
    name: &'static str,
    id: &'static str,
    steps: Vec<Step>,
}

/// What the reader does, and the text to copy.
struct Step {
    title: &'static str,
    text: String,
}

/// Renders what to do while there are no traces.
pub(super) fn first_steps(console: &Console) -> Markup {
    html! {
        div.empty {
            h2 { "Waiting for the first trace" }
            p { "It appears here as soon as it arrives. To send one, choose the language or the tool of your program:" }
            (arrived(console))
            div.ways {
                @for (index, way) in ways(console).iter().enumerate() { (render(way, index == 0)) }
            }
        }
    }
}

/// Renders what arrived without making a trace: rejected documents, or a request for sampling rules. The second comes
/// over TCP. A reader who opened only that port, as happens with containers, would otherwise wait in vain.
fn arrived(console: &Console) -> Markup {
    let counters = console.store.counters();
    html! {
        @if counters.rejected > 0 {
            p.notice.bad {
                span {
                    (format::count_of(counters.rejected, "document")) " arrived, and X-Ray would reject "
                    @if counters.rejected == 1 { "it. " } @else { "them. " }
                    a href="/problems" { "Problems" } " shows why."
                }
            }
        } @else if console.rules.were_requested() {
            p.notice {
                span {
                    "A program asked for sampling rules, so it has the right address. It sends documents over UDP when a \
                     request ends. If none arrives, open port " (console.address.port()) " for UDP too."
                }
            }
        }
    }
}

/// Renders a way as a part that opens on a click. Only one part is open at a time, because all have one `name`.
fn render(way: &Way, is_open: bool) -> Markup {
    html! {
        details #{ "first-" (way.id) } name="first-trace" open[is_open] {
            summary { (way.name) }
            ol {
                @for step in &way.steps {
                    li {
                        p { (step.title) button.copy type="button" data-copy=(step.text) hidden { "Copy" } }
                        pre tabindex="0" { (step.text) }
                    }
                }
            }
        }
    }
}

/// Returns the ways in the order of the page.
fn ways(console: &Console) -> Vec<Way> {
    let daemon = format!("AWS_XRAY_DAEMON_ADDRESS={}", console.address);
    let mut ways = languages(&daemon);
    ways.push(open_telemetry(console.otlp_address.unwrap_or(console.address)));
    ways.push(cargo_lambda(&daemon));
    ways.extend(containers(console.address.port()));
    ways
}

/// Returns a way for each language with an X-Ray SDK. `daemon` is the variable that an SDK reads.
fn languages(daemon: &str) -> Vec<Way> {
    let language = |name, id, install: (&'static str, &str), file, program: &str, run: &str| Way {
        name,
        id,
        steps: vec![
            Step { title: install.0, text: install.1.trim_end().to_owned() },
            Step { title: file, text: program.trim_end().to_owned() },
            Step { title: "Run it", text: format!("{daemon} {run}") },
        ],
    };
    let mut go = language(
        "Go",
        "go",
        ("Make a module with the X-Ray SDK", "go mod init first\ngo get github.com/aws/aws-xray-sdk-go"),
        "main.go",
        include_str!("empty/programs/first.go"),
        "go run .",
    );
    go.steps.insert(2, Step { title: "Add the modules that the SDK needs", text: "go mod tidy".to_owned() });
    vec![
        language(
            "Rust",
            "rust",
            ("Add the crate", "cargo add xray-sdk --rename xray"),
            "src/main.rs",
            include_str!("empty/programs/first.rs"),
            "cargo run",
        ),
        language(
            "Python",
            "python",
            ("Install the X-Ray SDK", "pip install aws-xray-sdk"),
            "first.py",
            include_str!("empty/programs/first.py"),
            "python first.py",
        ),
        language(
            "Node.js",
            "node",
            ("Install the X-Ray SDK", "npm install aws-xray-sdk-core"),
            "first.cjs",
            include_str!("empty/programs/first.cjs"),
            "node first.cjs",
        ),
        language(
            "Java",
            "java",
            ("pom.xml, for Java 17 or later", include_str!("empty/programs/pom.xml")),
            "First.java, in src/main/java",
            include_str!("empty/programs/First.java"),
            "mvn compile exec:java -Dexec.mainClass=First",
        ),
        go,
    ]
}

fn open_telemetry(address: SocketAddr) -> Way {
    let text = format!(
        "export OTEL_EXPORTER_OTLP_ENDPOINT=http://{address}\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
    );
    let title = "Set these variables for your program. They work with the SDKs of all languages";
    Way { name: "OpenTelemetry", id: "opentelemetry", steps: vec![Step { title, text }] }
}

fn cargo_lambda(daemon: &str) -> Way {
    let start = Step { title: "Start the function", text: format!("cargo lambda watch --env-var {daemon}") };
    let invoke = Step {
        title: "Invoke it, in another terminal",
        text: "cargo lambda invoke FUNCTION --data-ascii '{}'".to_owned(),
    };
    Way { name: "Lambda: cargo-lambda", id: "cargo-lambda", steps: vec![start, invoke] }
}

/// Returns the ways for programs in containers, which reach this machine by a name of its own.
fn containers(port: u16) -> [Way; 2] {
    let variable = format!("AWS_XRAY_DAEMON_ADDRESS: host.docker.internal:{port}");
    let listen = || Step {
        title: "Start xray-local where containers reach it. Do this only on a network that you trust",
        text: format!("xray-local --address 0.0.0.0:{port} --allow-host host.docker.internal"),
    };
    let sam = Step {
        title: "Add the variable to the properties of the function, in a template for your machine",
        text: format!("Environment:\n  Variables:\n    {variable}"),
    };
    let compose = Step {
        title: "Add these lines to your service in compose.yaml",
        text: format!("environment:\n  {variable}\nextra_hosts:\n  - host.docker.internal:host-gateway"),
    };
    let invoke = Step { title: "Invoke the function", text: "sam build\nsam local invoke".to_owned() };
    let start = Step { title: "Start the service", text: "docker compose up".to_owned() };
    [
        Way { name: "Lambda: SAM", id: "sam", steps: vec![listen(), sam, invoke] },
        Way { name: "Docker Compose", id: "compose", steps: vec![listen(), compose, start] },
    ]
}
