//! The commands of `xray-local` that query a running program.

#[path = "support/program.rs"]
mod program;
mod support;

use program::{Program, command, fails, prints};
use support::{HEADER, segment};

#[test]
fn a_running_program_is_asked_for_its_traces() {
    let mut program = Program::start(&[]);
    let (names, mut failed) = (support::call_of_names(), segment("shop"));
    failed["fault"] = true.into();
    failed["cause"] = serde_json::json!({ "exceptions": [{ "id": "0123456789abcdef", "type": "Refused", "message": "no\u{1b}[2J" }] });
    for document in [&names, &failed] {
        program.send(&format!("{HEADER}{document}"));
        program.line();
    }
    let address = program.address.clone();
    let id = failed["trace_id"].as_str().unwrap();

    let listed = prints(&["traces", "--address", &address]);
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines[0], format!("fault     500 ms  shop, 1 service  {id}"), "latest first");
    assert_eq!(
        lines[1],
        "ok        PUT 200 http://scorekeep.example.com/api/user  1000 ms  Scorekeep, 2 services  1-5880168b-fd5153bb58284b67678aa78c"
    );
    assert_eq!(prints(&["traces", "--address", &address, "--filter", "fault"]), format!("{}\n", lines[0]));
    assert_eq!(prints(&["traces", "--address", &address, "--limit", "1"]), format!("{}\n", lines[0]));
    assert_eq!(prints(&["traces", "--address", &address, "--since", "1h"]), format!("{}\n", lines[0]));
    let json = prints(&["traces", "--address", &address, "--json"]);
    let summaries: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&summaries[0]["Id"], &summaries[1]["Users"][0]["UserName"]), (&id.into(), &"alice".into()));

    let w3c = "5880168bfd5153bb58284b67678aa78c";
    let tree = prints(&["trace", w3c, "--inferred", "--address", &address]);
    let expected = [
        "1-5880168b-fd5153bb58284b67678aa78c  1000 ms",
        "ok        Scorekeep PUT 200 http://scorekeep.example.com/api/user  at 0 ms for 1000 ms",
        "            annotations: is_new=true, size=3, tier=gold",
        "ok          names.example.com (remote) GET 200 https://names.example.com/  at 131 ms for 370 ms",
        "ok            names.example.com (inferred) GET 200 https://names.example.com/  at 131 ms for 370 ms",
    ];
    assert_eq!(tree.lines().collect::<Vec<_>>(), expected);
    let tree = prints(&["trace", w3c, "--address", &address]);
    assert!(tree.contains("names.example.com (remote)") && !tree.contains("(inferred)"), "{tree}");
    let tree = prints(&["trace", id, "--address", &address]);
    assert!(tree.contains("fault     shop  at 0 ms for 500 ms\n            Refused: no\u{fffd}[2J\n"), "{tree}");
    let json: serde_json::Value =
        serde_json::from_str(&prints(&["trace", w3c, "--json", "--address", &address])).unwrap();
    assert_eq!((&json["Segments"][0]["name"], &json["Segments"][1]["inferred"]), (&"Scorekeep".into(), &true.into()));

    // The program works on after the response, for a second and a half.
    let mut early = segment("early");
    let start = early["start_time"].as_f64().unwrap();
    early["subsegments"] =
        serde_json::json!([{ "id": "00000000000000ac", "name": "mail", "start_time": start, "end_time": start + 2.0 }]);
    program.send(&format!("{HEADER}{early}"));
    let line = program.line();
    let expected =
        format!("ok        500 ms (whole trace 2000 ms)  early, 1 service  {}", early["trace_id"].as_str().unwrap());
    assert_eq!(line, expected);
    let listed = prints(&["traces", "--address", &address, "--filter", "service(\"early\")"]);
    assert_eq!(listed.trim_end(), expected, "both show one line");

    // The call was dropped by a timeout, and throttled before; the segment answered in time.
    let mut timed_out = segment("cart");
    timed_out["subsegments"] = serde_json::json!([{ "id": "00000000000000aa", "name": "stock", "start_time": timed_out["start_time"],
        "end_time": timed_out["end_time"], "error": true, "throttle": true, "metadata": { "xray": { "cancelled": true } } }]);
    program.send(&format!("{HEADER}{timed_out}"));
    let line = program.line();
    let listed = prints(&["traces", "--address", &address, "--filter", "service(\"cart\")"]);
    assert!(line.starts_with("ok ") && listed.starts_with("ok "), "the state is that of the root: {line}\n{listed}");
    // Nothing was found for the request. A call that was throttled goes on after the response.
    let mut missing = segment("missing");
    missing["http"] = serde_json::json!({ "response": { "status": 404 } });
    missing["error"] = true.into();
    missing["subsegments"] = serde_json::json!([{ "id": "00000000000000ab", "name": "stock", "namespace": "remote",
        "start_time": missing["start_time"], "in_progress": true, "error": true, "throttle": true }]);
    program.send(&format!("{HEADER}{missing}"));
    let line = program.line();
    let listed = prints(&["traces", "--address", &address, "--filter", "service(\"missing\")"]);
    assert!(line.starts_with("error ") && listed.starts_with("error "), "{line}\n{listed}");
    let tree = prints(&["trace", timed_out["trace_id"].as_str().unwrap(), "--address", &address]);
    assert!(tree.contains("throttle    stock (cancelled)  at 0 ms"), "{tree}");

    for (arguments, message) in [
        (&["traces", "--filter", "falt"][..], "did you mean `fault`"),
        (&["trace", "7"], "\"7\" is not a trace id"),
        (&["trace", "00000000000000000000000000000001"], "there is no trace 1-00000000-000000000000000000000001"),
    ] {
        let error = fails(&[arguments, &["--address", &address]].concat());
        assert!(error.contains(message), "{error}");
    }
    drop(program);
    let error = fails(&["traces", "--address", &address]);
    assert!(error.contains("cannot reach xray-local at") && error.contains("--address"), "{error}");
}

/// U+009B begins an escape sequence, U+202E shows the text that follows from right to left, and U+E0001 is invisible
/// and needs two escapes.
#[test]
fn no_text_of_a_document_controls_the_terminal_in_json() {
    let mut program = Program::start(&[]);
    let mut document = segment("shop");
    let hostile = "\u{9b}31m\u{202e}gpj.exe\u{7f}\u{e0001}é";
    document["user"] = hostile.into();
    program.send(&format!("{HEADER}{document}"));
    program.line();
    let id = document["trace_id"].as_str().unwrap();
    let [summary, trace] = [&["traces"][..], &["trace", id]]
        .map(|ask| prints(&[ask, &["--json", "--address", &program.address]].concat()));
    for text in [&summary, &trace] {
        assert!(text.contains(r"\u009b31m\u202egpj.exe\u007f\udb40\udc01é"), "{text}");
        assert!(text.trim_end().chars().all(xray_local::printable::is_printable), "{text:?}");
    }
    let [summary, trace]: [serde_json::Value; 2] = [summary, trace].map(|text| serde_json::from_str(&text).unwrap());
    assert_eq!((&summary["Users"][0]["UserName"], &trace["Segments"][0]["user"]), (&hostile.into(), &hostile.into()));
}

/// A clock may be wrong, and a program may write milliseconds.
#[test]
fn without_a_range_traces_of_any_time_are_printed() {
    let mut program = Program::start(&[]);
    for start in [-5.0, 1.8e12, xray_local::time::now() + 2.0 * 86_400.0] {
        program.send(&format!("{HEADER}{}", support::segment_at(start, "shop")));
        program.line();
    }
    assert_eq!(prints(&["traces", "--address", &program.address]).lines().count(), 3);
}

/// Runs a command with this value of `AWS_XRAY_DAEMON_ADDRESS`. Returns its output and its error output.
fn with_variable(value: &str, arguments: &[&str]) -> [String; 2] {
    let output = command(arguments).env("AWS_XRAY_DAEMON_ADDRESS", value).output().unwrap();
    [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap())
}

#[test]
fn commands_ask_the_address_in_the_variable_of_the_sdks() {
    let mut program = Program::start(&[]);
    let document = segment("shop");
    program.send(&format!("{HEADER}{document}"));
    let (address, line) = (program.address.clone(), program.line());
    let id = document["trace_id"].as_str().unwrap();
    for value in [address.clone(), format!("tcp:{address} udp:127.0.0.1:9"), format!("UDP:127.0.0.1:9  TCP:{address}")]
    {
        assert_eq!(with_variable(&value, &["traces"]), [format!("{line}\n"), String::new()], "{value}");
        assert!(with_variable(&value, &["trace", id])[0].starts_with(id), "{value}");
    }
    let given = with_variable("127.0.0.1:9", &["traces", "--address", &address]);
    assert_eq!(given, [format!("{line}\n"), String::new()], "the option counts more");

    let [_, error] = with_variable("127.0.0.1:9", &["traces"]);
    assert!(error.contains("at 127.0.0.1:9, the address in AWS_XRAY_DAEMON_ADDRESS: "), "{error}");
    let [_, error] = with_variable("nonsense", &["traces"]);
    assert!(error.contains("AWS_XRAY_DAEMON_ADDRESS is \"nonsense\", which is not an address"), "{error}");
    for command in ["traces", "trace"] {
        assert!(prints(&[command, "--help"]).contains("AWS_XRAY_DAEMON_ADDRESS"), "{command}");
    }
}

#[test]
fn a_tree_shows_operations_retries_annotations_and_links() {
    let mut program = Program::start(&[]);
    let mut worker = segment("worker");
    let start = worker["start_time"].as_f64().unwrap();
    let call = |number: u32, fields: serde_json::Value| {
        let begin = start + f64::from(number) / 10.0;
        let mut call = serde_json::json!({ "id": format!("{number:016x}"), "namespace": "aws", "start_time": begin, "end_time": begin + 0.1 });
        call.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        call
    };
    let stock = |status: u32| {
        serde_json::json!({ "name": "stock", "namespace": "remote", "fault": status == 503,
            "http": { "request": { "method": "GET", "url": "http://stock/items" }, "response": { "status": status } } })
    };
    worker["annotations"] = (0..12).map(|number| (format!("key_{number:02}"), "v".repeat(41))).collect();
    worker["links"] = serde_json::json!([
        { "trace_id": "1-5880168b-fd5153bb58284b67678aa78c", "id": "53995c3f42cd8ad8" }, { "trace_id": "no id" },
    ]);
    worker["subsegments"] = serde_json::json!([
        call(
            1,
            serde_json::json!({ "name": "DynamoDB", "aws": { "operation": "GetItem", "table_name": "orders", "retries": 1 },
            "http": { "response": { "status": 200 } } })
        ),
        call(
            2,
            serde_json::json!({ "name": "SQS", "aws": { "operation": "SendMessage", "queue_url": "https://sqs/1/mail" } })
        ),
        call(3, stock(503)),
        call(4, stock(200)),
    ]);
    program.send(&format!("{HEADER}{worker}"));
    program.line();
    let tree = prints(&["trace", worker["trace_id"].as_str().unwrap(), "--address", &program.address]);
    let lines: Vec<&str> = tree.lines().skip(2).collect();
    let value = format!("{}…", "v".repeat(39));
    assert!(lines[0].starts_with(&format!("            annotations: key_00={value}, key_01={value}, ")), "{tree}");
    assert!(lines[0].ends_with(&format!(", key_09={value}, and 2 more")), "{tree}");
    let expected = [
        "            linked traces: 1-5880168b-fd5153bb58284b67678aa78c",
        "ok          DynamoDB (aws) GetItem orders 200 (1 retry)  at 100 ms for 100 ms",
        "ok          SQS (aws) SendMessage https://sqs/1/mail  at 200 ms for 100 ms",
        "fault       stock (remote) GET 503 http://stock/items  at 300 ms for 100 ms",
        "ok          stock (remote) GET 200 http://stock/items (retry 1)  at 400 ms for 100 ms",
    ];
    assert_eq!(lines[1..], expected, "{tree}");
}

#[test]
fn the_trace_of_a_lambda_function_has_a_name_and_the_segment_that_aws_sends() {
    let mut program = Program::start(&[]);
    let mut title = segment("title");
    title["type"] = "subsegment".into();
    title["parent_id"] = "53995c3f42cd8ad8".into();
    let id = title["trace_id"].as_str().unwrap().to_owned();
    program.send(&format!("{HEADER}{title}"));
    let line = program.line();
    assert_eq!(line, format!("ok        500 ms  title (no segment)  {id}"));
    assert_eq!(prints(&["traces", "--address", &program.address]).trim_end(), line);
    let tree = prints(&["trace", &id, "--address", &program.address]);
    let lines: Vec<&str> = tree.lines().collect();
    assert_eq!(lines[0], format!("{id}  500 ms"));
    assert!(lines[1].starts_with("AWS sends the segment of a Lambda function itself"), "{tree}");
    assert_eq!(lines[2], "-         Lambda, sent by AWS (not received)  at 0 ms for 500 ms");
    assert_eq!(lines[3], "ok          title  at 0 ms for 500 ms");

    // The segment of a service is open, so it may still arrive.
    title["in_progress"] = true.into();
    title.as_object_mut().unwrap().remove("end_time");
    title["trace_id"] = support::trace_id().into();
    let id = title["trace_id"].as_str().unwrap().to_owned();
    program.send(&format!("{HEADER}{title}"));
    assert_eq!(program.line(), format!("running   ?  title (no segment)  {id}"));
    let tree = prints(&["trace", &id, "--address", &program.address]);
    assert!(tree.contains("A parent is missing.") && tree.contains("-         Not received  at"), "{tree}");
}

#[test]
fn a_segment_whose_parent_was_not_received_is_marked_and_explained() {
    let mut program = Program::start(&[]);
    let mut worker = segment("worker");
    worker["parent_id"] = "53995c3f42cd8ad8".into();
    program.send(&format!("{HEADER}{worker}"));
    program.line();
    let id = worker["trace_id"].as_str().unwrap();
    let show = || prints(&["trace", id, "--address", &program.address]);
    let tree = show();
    let lines: Vec<&str> = tree.lines().collect();
    assert!(lines[1].starts_with("The parent segment `53995c3f42cd8ad8` was not received. Usually "), "{tree}");
    assert!(lines[1].ends_with("/problems shows whether it was rejected."), "{tree}");
    assert_eq!(lines[2], "ok        worker (parent missing)  at 0 ms for 500 ms");

    let mut caller = segment("caller");
    caller["trace_id"] = id.into();
    caller["id"] = "53995c3f42cd8ad8".into();
    program.send(&format!("{HEADER}{caller}"));
    support::wait_for("the caller", || show().contains("caller"));
    assert!(!show().contains("parent"), "{}", show());
}

/// A segment and a subsegment with the same id can close a circle of calls below the root.
#[test]
fn each_segment_of_a_circle_of_calls_is_printed_once() {
    use std::io::Read as _;

    let program = Program::start(&[]);
    let entity = |name: &str, id: u32, parent: Option<u32>, start: f64| {
        let parent = parent.map(|parent| format!("{parent:016x}"));
        serde_json::json!({ "id": format!("{id:016x}"), "name": name, "parent_id": parent, "start_time": 100.0 + start, "end_time": 110.0 })
    };
    let mut shop = entity("shop", 1, None, 0.0);
    shop["subsegments"] = serde_json::json!([entity("call", 2, None, 1.0)]);
    let below_the_root = [shop, entity("stock", 3, Some(2), 2.0), entity("price", 2, Some(3), 3.0)];
    let without_root = [entity("stock", 1, Some(2), 0.0), entity("price", 2, Some(1), 1.0)];
    for (id, segments, names) in [
        (
            "1-581cf771-000000000000000000000001",
            &below_the_root[..],
            &["shop", "  call", "    stock", "      price"][..],
        ),
        ("1-581cf771-000000000000000000000002", &without_root, &["stock", "  price"]),
    ] {
        let documents = segments.iter().cloned().map(|mut segment| {
            segment["trace_id"] = id.into();
            segment.to_string()
        });
        let body = serde_json::json!({ "TraceSegmentDocuments": documents.collect::<Vec<_>>() });
        ureq::post(format!("http://{}/TraceSegments", program.address)).send(body.to_string()).unwrap();

        let mut child = command(&["trace", id, "--address", &program.address]).spawn().unwrap();
        // A bound, so that the test ends even if the output does not.
        let (mut printed, mut output) = (String::new(), child.stdout.take().unwrap().take(10_000));
        output.read_to_string(&mut printed).unwrap();
        drop(output);
        child.wait().unwrap();
        let lines = printed.lines().skip(1).map(|line| line[10..].split("  at ").next().unwrap());
        assert_eq!(lines.collect::<Vec<_>>(), names, "{printed}");
    }
}
