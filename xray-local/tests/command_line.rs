//! The program `xray-local`, started like from a shell.

#[path = "support/program.rs"]
mod program;
mod support;

use std::path::Path;

use program::{Program, command, fails, prints};
use support::{HEADER, segment};

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
        ["fault", "GET 503 http://a/\u{fffd}[2J", "500 ms", "shop, 1 service  ", document["trace_id"].as_str().unwrap()]
    {
        assert!(line.contains(part), "{line}");
    }
    program.send("garbage");
    let line = program.line();
    assert!(line.starts_with("rejected") && !line.contains("more: "), "{line}");
    let bad = r#"{"id":"x","trace_id":"x","name":"a?","start_time":"x","end_time":"x"}"#;
    program.send(&format!("{HEADER}{bad}"));
    let (line, more) = (program.line(), format!(" | and 4 more: http://{}/problems", program.address));
    assert!(line.starts_with("rejected") && line.ends_with(&more) && line.matches(" | ").count() == 3, "{line}");
    let (status, rest) = program.stop("-TERM");
    assert!(status.success());
    assert_eq!(rest, "3 documents received, 2 rejected\n");
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
    // The first of these lines lacks five fields.
    for (number, problems) in [("line 3 ", 4), ("line 4 ", 1)] {
        let line = program.line();
        assert!(line.contains(number) && line.split(" | ").count() == problems, "{line}");
        assert_eq!(line.ends_with(&format!("more: http://{}/problems", program.address)), problems > 3, "{line}");
    }
    let (_, rest) = program.stop("-TERM");
    assert!(rest.ends_with("4 documents received, 2 rejected\n"), "{rest}");
}

/// A script that starts the program again needs the address at once. A browser opens connections before it needs them.
#[test]
fn the_program_ends_at_once_if_no_request_is_in_progress() {
    let ends = |is_connected: bool| {
        let program = Program::start(&[]);
        let address = program.address.clone();
        let agent = ureq::Agent::new_with_defaults();
        let unused = is_connected.then(|| {
            agent.get(format!("http://{address}/changes")).call().unwrap().body_mut().read_to_string().unwrap();
            std::net::TcpStream::connect(&address).unwrap()
        });
        let begun = std::time::Instant::now();
        assert!(program.stop("-TERM").0.success());
        drop(unused);
        begun.elapsed()
    };
    for is_connected in [false, true] {
        // On a busy machine the end of a process may take long, but not each time.
        let shortest = (0..5).map(|_| ends(is_connected)).min().unwrap();
        assert!(shortest < std::time::Duration::from_millis(500), "{shortest:?}, connected: {is_connected}");
    }
}

#[test]
fn the_line_of_a_segment_that_calls_itself_has_its_name() {
    let mut program = Program::start(&[]);
    let mut document = segment("shop");
    document["parent_id"] = document["id"].clone();
    program.send(&format!("{HEADER}{document}"));
    let line = program.line();
    assert_eq!(line, format!("ok        500 ms  shop, 1 service  {}", document["trace_id"].as_str().unwrap()));
}

/// The pipe to a program that hangs is full after 64 kB.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_stops_the_program_even_if_nobody_reads_its_output() {
    let program = Program::start(&[]);
    let mut document = segment("shop");
    document["http"] =
        serde_json::json!({ "request": { "method": "GET", "url": format!("http://a/{}", "x".repeat(20_000)) } });
    for number in 0..20 {
        document["trace_id"] = support::trace_id().into();
        document["id"] = format!("{number:016x}").into();
        program.send(&format!("{HEADER}{document}"));
    }
    program.wait_until_output_is_full();
    assert!(program.stop_unread("-TERM").success());
}

/// A service manager may give the program a log file on a full disk.
#[cfg(target_os = "linux")]
#[test]
fn the_program_runs_although_its_output_cannot_be_written() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let mut child = command(&["--address", &address]).stdout(full).spawn().unwrap();
    let mut line = String::new();
    let mut errors = std::io::BufReader::new(child.stderr.take().unwrap());
    std::io::BufRead::read_line(&mut errors, &mut line).unwrap();
    let console = ureq::get(format!("http://{address}/")).call();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.contains("cannot write to standard output") && console.is_ok(), "{line}{console:?}");
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
    for limit in ["--max-traces", "--max-memory"] {
        assert!(fails(&[limit, "0"]).contains("0 is not in 1.."), "{limit}");
    }
}

/// U+202E shows the text that follows from right to left, and U+009B begins an escape sequence.
const HOSTILE: &str = "\u{1b}[2J\u{9b}31m\u{202e}gpj.exe\u{2066}\u{2028}\u{feff}";

#[test]
fn no_text_of_a_document_or_file_controls_the_terminal() {
    let is_harmless = |text: &str| {
        let line = text.trim_end();
        assert!(!line.is_empty());
        let bad = ['\u{1b}', '\u{9b}', '\u{202e}', '\u{2066}', '\u{2028}', '\u{feff}'];
        assert!(!line.contains(bad), "{line:?}");
    };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("documents.jsonl");
    let mut named = segment("shop");
    named["name"] = HOSTILE.into();
    let mut keyed = segment("shop");
    keyed[HOSTILE] = 1.into();
    keyed["end_time"] = HOSTILE.into();
    std::fs::write(&path, format!("{named}\n{keyed}\n{HOSTILE}\n")).unwrap();
    let mut program = Program::start(&["--replay", text(&path)]);
    assert_eq!(program.line(), "replayed:  0 documents");
    (0..3).for_each(|_| is_harmless(&program.line()));

    let mut live = segment("shop");
    live["http"] = serde_json::json!({ "request": { "method": HOSTILE, "url": HOSTILE } });
    for datagram in [format!("{HEADER}{live}"), format!("{HEADER}{named}"), HOSTILE.to_owned()] {
        program.send(&datagram);
        is_harmless(&program.line());
    }

    let rules = directory.path().join("rules.json");
    let rule = serde_json::json!({ "RuleName": HOSTILE, "ResourceARN": "*", "Priority": HOSTILE, "FixedRate": 1, "ReservoirSize": 1,
        "ServiceName": "*", "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*", "Version": 1 });
    let file =
        serde_json::json!({ "SamplingRuleRecords": [{ "SamplingRule": rule, "CreatedAt": 1, "ModifiedAt": 1 }] });
    std::fs::write(&rules, file.to_string()).unwrap();
    is_harmless(&fails(&["--address", "127.0.0.1:0", "--rules", text(&rules)]));
    is_harmless(&fails(&["--address", "127.0.0.1:0", "--record", &format!("/nowhere/{HOSTILE}")]));
    is_harmless(&fails(&["--address", HOSTILE]));
}

#[cfg(unix)]
#[test]
fn only_the_user_can_read_the_files_that_the_program_creates() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = tempfile::tempdir().unwrap();
    let (record, rules) = (directory.path().join("documents.jsonl"), directory.path().join("rules.json"));
    let program = Program::start(&["--record", text(&record), "--rules", text(&rules)]);
    let rule = serde_json::json!({ "RuleName": "cart", "ResourceARN": "*", "Priority": 1, "FixedRate": 1, "ReservoirSize": 1,
        "ServiceName": "*", "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*", "Version": 1 });
    let create = format!("http://{}/CreateSamplingRule", program.address);
    ureq::post(create).send(serde_json::json!({ "SamplingRule": rule }).to_string()).unwrap();
    for file in [&record, &rules] {
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
}

/// A server that listened where the variable points would fail if the variable names the daemon of another machine.
#[test]
fn the_variable_of_the_sdks_does_not_move_the_server_but_a_warning_names_it() {
    let warning = |value: &str, address: &str| {
        let mut child = command(&["--address", address]).env("AWS_XRAY_DAEMON_ADDRESS", value).spawn().unwrap();
        let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
        // The warning is the fourth line. A datagram without a header makes a line that comes after it in any case.
        let mut warning = String::new();
        let mut bound = String::new();
        for line in lines.map_while(Result::ok) {
            if let Some(address) = line.strip_prefix("documents: AWS_XRAY_DAEMON_ADDRESS=") {
                address.clone_into(&mut bound);
                let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
                // The server receives before it prints its address.
                socket.send_to(b"garbage", address).unwrap();
            } else if line.starts_with("warning:") {
                warning = line;
            } else if line.starts_with("rejected") {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        (bound, warning)
    };
    let (bound, said) = warning("127.0.0.1:9", "127.0.0.1:0");
    assert_ne!(bound, "127.0.0.1:9");
    assert!(said.starts_with("warning:   AWS_XRAY_DAEMON_ADDRESS is 127.0.0.1:9 here, "), "{said}");
    let (_, said) = warning(&bound, &bound);
    assert_eq!(said, "", "the variable names this server");
    assert!(prints(&["--help"]).contains("AWS_XRAY_DAEMON_ADDRESS does not change it"));
}

#[test]
fn datagrams_and_spans_are_forwarded() {
    let other = xray_local::Server::builder().address("127.0.0.1:0").start().unwrap();
    let (udp, http) = (other.udp_address().to_string(), format!("http://{}", other.http_address()));
    let mut program = Program::start(&["--forward", &udp, "--otlp-forward", &http]);
    let document = segment("shop");
    program.send(&format!("{HEADER}{document}"));
    program.line();
    let id = document["trace_id"].as_str().unwrap();
    support::wait_for("the datagram", || other.store().trace(id).is_some());
    // Invalid datagrams are forwarded too, because the other receiver may be less strict.
    program.send("garbage");
    support::wait_for("the wrong datagram", || other.store().counters().rejected == 1);

    let spans = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"00000000000000000000000000000001","spanId":"0000000000000001","name":"job","startTimeUnixNano":"1","endTimeUnixNano":"2"}]}]}]}"#;
    let url = format!("http://{}/v1/traces", program.address);
    ureq::post(&url).content_type("application/json").send(spans).unwrap();
    support::wait_for("the span", || other.store().trace("00000000000000000000000000000001").is_some());
    other.shutdown();
    ureq::post(&url).content_type("application/json").send(spans).unwrap();
    let (status, rest) = program.stop("-TERM");
    assert!(status.success(), "the program fails if the other receiver has gone: {rest}");

    // Free for both protocols a moment ago, and probably still free.
    let own = xray_local::Server::builder().address("127.0.0.1:0").start().unwrap().udp_address().port();
    let everywhere = || xray_local::Server::builder().address(format!("0.0.0.0:{own}"));
    let datagrams = everywhere().forward(format!("127.0.0.2:{own}")).start();
    let spans = everywhere().otlp_forward(format!("http://127.0.0.2:{own}")).start();
    for started in [datagrams, spans] {
        let error = format!("{:?}", started.unwrap_err());
        assert!(error.contains("this server would receive its own "), "{error}");
    }

    for (arguments, message) in [
        (["--otlp-forward", "https://collector"], "https is not supported"),
        (["--forward", "nowhere"], "\"nowhere\""),
        (["--otlp-address", "nowhere"], "\"nowhere\""),
        (["--allow-host", "http://tracer"], "cannot allow the host \"http://tracer\": it is a URL; use only its host"),
    ] {
        let error = fails(&[&["--address", "127.0.0.1:0"], &arguments[..]].concat());
        assert!(error.contains(message), "{error}");
    }
}

/// A proxy usually runs on another machine, where 127.0.0.1 is that machine.
#[test]
fn no_request_goes_through_a_proxy() {
    // Nothing listens at this address.
    let proxy = [("http_proxy", "http://127.0.0.1:9"), ("ALL_PROXY", "http://127.0.0.1:9")];
    let other = xray_local::Server::builder().address("127.0.0.1:0").start().unwrap();
    let program = Program::start_with(&["--otlp-forward", &format!("http://{}", other.http_address())], &proxy);
    let spans = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"00000000000000000000000000000001","spanId":"0000000000000001","name":"job","startTimeUnixNano":"1","endTimeUnixNano":"2"}]}]}]}"#;
    ureq::post(format!("http://{}/v1/traces", program.address)).content_type("application/json").send(spans).unwrap();
    support::wait_for("the span", || other.store().trace("00000000000000000000000000000001").is_some());
    let listed = command(&["traces", "--address", &program.address]).envs(proxy).output().unwrap();
    assert!(listed.status.success() && listed.stdout.ends_with(b"000000000001\n"), "{listed:?}");
}

/// The receiver accepts a connection and never answers, so the request is given up when the program stops.
#[test]
fn a_request_that_is_given_up_at_the_end_is_reported_as_lost() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("http://{}", silent.local_addr().unwrap());
    let program = Program::start(&["--otlp-forward", &to]);
    let url = format!("http://{}/v1/traces", program.address);
    for _ in 0..2 {
        ureq::post(&url).content_type("application/json").send(r#"{"resourceSpans":[]}"#).unwrap();
    }
    let (_, rest) = program.stop("-TERM");
    assert!(rest.starts_with("0 datagrams and 2 OTLP requests not forwarded\n"), "{rest}");
}

#[test]
fn the_start_names_the_address_for_spans() {
    let mut child = command(&["--address", "127.0.0.1:0", "--otlp-address", "127.0.0.1:0"]).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap())).skip(2);
    let line = lines.next().unwrap().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.starts_with("spans:     OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:"), "{line}");
}

#[test]
fn a_server_on_all_interfaces_names_addresses_that_a_client_can_use() {
    for (all, loopback) in [("0.0.0.0", "127.0.0.1"), ("[::]", "[::1]")] {
        let address = format!("{all}:0");
        let mut child = command(&["--address", &address, "--otlp-address", &address]).spawn().unwrap();
        let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
        let lines: Vec<String> = lines.map_while(Result::ok).take(5).collect();
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        if lines.is_empty() && all == "[::]" {
            println!("skipped: there is no IPv6: {}", String::from_utf8_lossy(&output.stderr));
            continue;
        }
        for (line, start) in lines.iter().zip([
            "documents: AWS_XRAY_DAEMON_ADDRESS=",
            "console:   http://",
            "spans:     OTEL_EXPORTER_OTLP_ENDPOINT=http://",
        ]) {
            assert!(line.starts_with(&format!("{start}{loopback}:")), "{line}");
        }
        let note = "note:      in containers and on other machines, use an address of this machine ";
        assert!(lines[4].starts_with(note), "{lines:?}");
    }
}

/// Returns the long options in the help of the program or of a command.
fn options(command: &[&str]) -> Vec<String> {
    let help = prints(&[command, &["--help"]].concat());
    let words = help.split_whitespace().take_while(|word| *word != "Examples:");
    let options = words.filter(|word| word.starts_with("--")).map(|word| word.trim_end_matches(',').to_owned());
    options.collect()
}

#[test]
fn the_manual_has_every_option_and_command_of_the_help() {
    for command in [&[][..], &["traces"], &["trace"], &["completions"], &["man"]] {
        let page = prints(&[&["man"], command].concat());
        let name = [&["xray-local"], command].concat().join("-");
        assert!(page.contains(&format!(".TH {name} 1")), "{page}");
        // A hyphen is escaped: typographic programs would otherwise show a dash.
        let page = page.replace("\\-", "-");
        let options = options(command);
        assert!(options.contains(&"--help".to_owned()), "{options:?}");
        for option in options {
            assert!(page.contains(&option), "{name}: {option} is not in {page}");
        }
    }
    let page = prints(&["man"]);
    for name in ["traces", "trace", "completions", "man"] {
        assert!(page.contains(&format!("xray\\-local\\-{name}(1)")), "{name} is not in {page}");
    }
    assert!(page.contains("Examples:") && page.contains("otlp"), "{page}");
    assert!(fails(&["man", "nothing"]).contains("there is no command \"nothing\""));
}

#[test]
fn each_shell_completes_options_and_commands() {
    // Elvish and PowerShell complete no values.
    let words = ["xray-local", "otlp-address", "traces", "completions", "everything"];
    for (shell, words) in
        [("bash", &words[..]), ("fish", &words), ("zsh", &words), ("elvish", &words[..4]), ("powershell", &words[..4])]
    {
        let script = prints(&["completions", shell]);
        for word in words {
            assert!(script.contains(word), "{shell} does not complete {word}");
        }
    }
    assert!(fails(&["completions", "cmd"]).contains("bash"));
}

#[test]
fn bash_offers_the_options_that_begin_with_what_was_typed() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("completions.bash");
    std::fs::write(&script, prints(&["completions", "bash"])).unwrap();
    let offer = format!(
        "source {}; COMP_WORDS=(xray-local --otlp); COMP_CWORD=1; _xray__local xray-local --otlp xray-local; echo \"${{COMPREPLY[@]}}\"",
        text(&script)
    );
    let Ok(output) = std::process::Command::new("bash").args(["-c", &offer]).output() else {
        println!("skipped: there is no bash");
        return;
    };
    let offered = String::from_utf8(output.stdout).unwrap();
    assert_eq!(offered.trim(), "--otlp-address --otlp-forward", "{offered}");
}
