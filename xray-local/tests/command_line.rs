//! The program `xray-local`, started like from a shell.

mod support;

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use support::{HEADER, segment};

/// A running program. Dropping it kills the program.
struct Program {
    child: Child,
    lines: BufReader<ChildStdout>,
    address: String,
    /// The line about sampling. Empty if the rules are in a file.
    sampling: String,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = command(&[&["--address", "127.0.0.1:0"], arguments].concat()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut program = Self { child, lines, address: String::new(), sampling: String::new() };
        let first = program.line();
        let Some(address) = first.strip_prefix("documents: AWS_XRAY_DAEMON_ADDRESS=") else { panic!("{first}") };
        address.clone_into(&mut program.address);
        assert_eq!(program.line(), format!("console:   http://{}/", program.address));
        if !arguments.contains(&"--rules") {
            let sampling = program.line();
            assert!(sampling.starts_with("sampling:  "), "{sampling}");
            program.sampling = sampling;
        }
        program
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn send(&self, datagram: &str) {
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(datagram.as_bytes(), &self.address).unwrap();
    }

    /// Sends a signal, and returns the exit status and the rest of the output.
    fn stop(mut self, signal: &str) -> (ExitStatus, String) {
        let killed = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap(), rest)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xray-local"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the program, which must fail, and returns its error output.
fn fails(arguments: &[&str]) -> String {
    let output = command(arguments).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn each_trace_and_each_rejected_document_has_a_line() {
    let mut program = Program::start(&[]);
    let mut document = segment("shop\u{1b}[2J");
    document["name"] = "shop".into();
    document["http"] = serde_json::json!({ "request": { "method": "GET", "url": "http://a/\u{1b}[2J" }, "response": { "status": 503 } });
    document["fault"] = true.into();
    program.send(&format!("{HEADER}{document}"));
    let line = program.line();
    for part in
        ["fault", "GET 503 http://a/\u{fffd}[2J", "500 ms", "shop, 1 segment  ", document["trace_id"].as_str().unwrap()]
    {
        assert!(line.contains(part), "{line}");
    }
    program.send("garbage");
    assert!(program.line().starts_with("rejected"));
    let (status, rest) = program.stop("-TERM");
    assert!(status.success());
    assert_eq!(rest, "2 documents received, 1 rejected\n");
}

#[test]
fn either_signal_stops_the_program_and_the_recording_is_complete() {
    let directory = tempfile::tempdir().unwrap();
    let (record, rules) = (directory.path().join("documents.jsonl"), directory.path().join("rules.json"));
    let documents: Vec<_> = (0..2).map(|number| segment(&format!("shop {number}"))).collect();
    for (document, signal) in documents.iter().zip(["-INT", "-TERM"]) {
        let mut program = Program::start(&["--record", text(&record), "--rules", text(&rules)]);
        program.send(&format!("{HEADER}{document:#}"));
        program.line();
        assert!(program.stop(signal).0.success(), "{signal}");
    }
    let recorded = std::fs::read_to_string(&record).unwrap();
    let recorded: Vec<serde_json::Value> = recorded.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(recorded, documents);

    std::fs::write(&record, std::fs::read_to_string(&record).unwrap() + "{}\nbad\n").unwrap();
    let mut program = Program::start(&["--replay", text(&record)]);
    assert_eq!(program.line(), "replayed:  2 documents");
    for number in ["line 3 ", "line 4 "] {
        let line = program.line();
        assert!(line.contains(number), "{line}");
    }
    let (_, rest) = program.stop("-TERM");
    assert!(rest.ends_with("4 documents received, 2 rejected\n"), "{rest}");
}

#[test]
fn the_start_says_which_requests_sdks_record() {
    let every = Program::start(&[]);
    assert_eq!(every.sampling, "sampling:  SDKs record every request (as in AWS, 1 a second and 5 %: --sampling aws)");
    let aws = Program::start(&["--sampling", "aws"]);
    assert_eq!(aws.sampling, "sampling:  SDKs record 1 request a second and 5 % of the others, as in AWS");
    assert!(fails(&["--sampling", "some"]).contains("everything, aws"));
    assert!(fails(&["--sampling", "aws", "--rules", "rules.json"]).contains("--rules"), "the file has the rules");
}

#[test]
fn each_error_is_one_line_that_names_its_subject() {
    let program = Program::start(&[]);
    let taken = fails(&["--address", &program.address]);
    assert!(
        taken.starts_with("xray-local: UDP ") && taken.contains(&program.address) && taken.contains("already in use"),
        "{taken}"
    );
    assert_eq!(taken.lines().count(), 1, "{taken}");
    assert!(fails(&["--address", "nonsense"]).contains("\"nonsense\""));
    assert!(fails(&["--address", "127.0.0.1:0", "--replay", "/nowhere/file"]).contains("/nowhere/file"));
    assert!(fails(&["--address", "127.0.0.1:0", "--record", "/nowhere/file"]).contains("/nowhere/file"));
    assert!(fails(&["--address", "127.0.0.1:0", "--rules", "/"]).contains("rules file"));
    assert!(fails(&["--max-traces", "many"]).contains("--max-traces"));
}
