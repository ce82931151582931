//! Configuration files in the pages: read by a parser of their language, and compared with the library.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Value, json};

use super::code::{daemon_addresses, default_otlp_port, default_port};
use super::page::{self, Block, Page};

/// The actions that the daemon calls for a program.
const DAEMON_ACTIONS: [&str; 5] = [
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:GetSamplingStatisticSummaries",
];

/// Parses a block by its language. Returns the data of a JSON, YAML or TOML file.
fn parse(block: &Block) -> Result<Option<Value>, String> {
    match block.language.as_str() {
        "json" => serde_json::from_str(&block.text).map(Some).map_err(|error| error.to_string()),
        "toml" => toml::from_str(&block.text).map(Some).map_err(|error| error.to_string()),
        "yaml" => match &Yaml::load_from_str(&block.text).map_err(|error| error.to_string())?[..] {
            [document] => Ok(Some(value(document))),
            documents => Err(format!("{} documents", documents.len())),
        },
        // JavaScript is TypeScript without types.
        "js" | "ts" => parse_typescript(&block.text).map(|()| None),
        "sh" => parse_with("sh", &["-n"], &block.text).map(|()| None),
        "python" => {
            parse_with("python3", &["-c", "import ast, sys; ast.parse(sys.stdin.read())"], &block.text).map(|()| None)
        }
        "xml" => {
            let script = "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.stdin)";
            parse_with("python3", &["-c", script], &block.text).map(|()| None)
        }
        // The documentation tests compile Rust; log lines and reports have no grammar. The programs in Go and Java are
        // those of the console, which `xray-local/tests/console/empty.rs` compares.
        "rust" | "text" | "go" | "java" => Ok(None),
        other => Err(format!("no test knows the language {other:?}")),
    }
}

/// Reads a YAML file of the repository.
pub(crate) fn yaml_file(path: &str) -> Value {
    let text = std::fs::read_to_string(page::root().join(path)).unwrap();
    let documents = Yaml::load_from_str(&text).unwrap();
    let [document] = &documents[..] else { panic!("{path}: {} documents", documents.len()) };
    value(document)
}

fn value(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::FloatingPoint(value)) => json!(value.into_inner()),
        Yaml::Value(Scalar::String(value)) => json!(value),
        Yaml::Sequence(items) => items.iter().map(value).collect(),
        Yaml::Mapping(pairs) => {
            let pairs =
                pairs.iter().map(|(key, item)| (key.as_str().expect("a key is a text").to_owned(), value(item)));
            Value::Object(pairs.collect::<Map<_, _>>())
        }
        // A tag of CloudFormation: `!Ref Function` becomes `{"Ref": "Function"}`.
        Yaml::Tagged(tag, node) => json!({ tag.suffix.as_str(): value(node) }),
        other => panic!("{other:?} is not a value"),
    }
}

fn parse_typescript(text: &str) -> Result<(), String> {
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into()).unwrap();
    let tree = parser.parse(text, None).unwrap();
    if tree.root_node().has_error() { Err(tree.root_node().to_sexp()) } else { Ok(()) }
}

/// Lets a program read a text, which it must only parse.
fn parse_with(program: &str, arguments: &[&str], text: &str) -> Result<(), String> {
    let mut command = Command::new(program);
    let mut parser = command.args(arguments).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    parser.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = parser.wait_with_output().unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// Returns the data of every JSON, YAML and TOML block that has this key at its root.
fn files(key: &str) -> Vec<(String, Value)> {
    let pages = page::all();
    let blocks = pages.iter().flat_map(|page| &page.blocks);
    let parsed = blocks.filter_map(|block| Some((block.place.clone(), parse(block).unwrap()?)));
    let files: Vec<_> = parsed.filter(|(_, value)| value.get(key).is_some()).collect();
    assert!(!files.is_empty(), "no page has a configuration file with the key {key:?}");
    files
}

/// Returns the items of a list.
fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is not a list"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a text"))
}

/// Returns the item of a list whose `name` is this.
fn named<'a>(items: &'a Value, name: &str) -> &'a Value {
    list(items).iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("{name} is not in {items}"))
}

#[test]
fn each_block_is_read_by_a_parser_of_its_language() {
    let pages = page::all();
    let blocks: Vec<_> = pages.iter().flat_map(|page| &page.blocks).collect();
    assert!(blocks.len() > 30, "only {} blocks were found", blocks.len());
    let errors: Vec<_> =
        blocks.iter().filter_map(|block| Some(format!("{}: {}", block.place, parse(block).err()?))).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn each_page_with_a_rust_example_is_compiled() {
    // The README pages are tested with their crates. The two pages below are tested in the workspaces `tests/aws-sdk`
    // and `tests/databases`.
    let elsewhere = ["docs/aws-sdk.md", "docs/databases.md"];
    let is_ours = |page: &&Page| page.path.starts_with("docs/") && !elsewhere.contains(&&*page.path);
    for page in page::all().iter().filter(is_ours) {
        let has_rust = page.blocks.iter().any(|block| block.language == "rust");
        assert!(!has_rust || pages::PAGES.contains(&&*page.path), "{} is not in tests/pages/src/lib.rs", page.path);
    }
}

#[test]
fn the_task_definition_connects_the_program_to_the_daemon() {
    for (place, task) in files("containerDefinitions") {
        let containers = &task["containerDefinitions"];
        let daemon = named(containers, "xray-daemon");
        let program = list(containers).iter().find(|container| *container != daemon).unwrap();
        // In this mode the containers share the loopback interface, so the default address is the daemon.
        assert_eq!(task["networkMode"], "awsvpc", "{place}");
        assert_eq!(daemon_addresses(None), format!("udp:127.0.0.1:{0} tcp:127.0.0.1:{0}", default_port()));
        for protocol in ["udp", "tcp"] {
            let port = json!({ "containerPort": default_port(), "protocol": protocol });
            assert!(list(&daemon["portMappings"]).contains(&port), "{place}: no {port}");
        }
        // A program must not end with its daemon, and must not begin before it.
        assert_eq!(daemon["essential"], false, "{place}");
        assert_eq!(program["dependsOn"][0]["containerName"], daemon["name"], "{place}");
        assert_eq!(program["environment"], json!([{ "name": "AWS_XRAY_TRACING_NAME", "value": program["name"] }]));
    }
    // The mode `bridge`, which the text describes.
    let page = page::read("docs/production.md");
    assert!(page.codes.contains(&r#""links": ["xray-daemon"]"#.to_owned()));
    let setting = format!("xray-daemon:{}", default_port());
    assert!(page.codes.contains(&format!("AWS_XRAY_DAEMON_ADDRESS={setting}")));
    assert_eq!(daemon_addresses(Some(&setting)), format!("udp:{setting} tcp:{setting}"));
}

#[test]
fn the_daemon_set_opens_both_ports_of_each_node() {
    for (place, set) in files("spec") {
        assert_eq!(set["kind"], "DaemonSet", "{place}");
        let template = &set["spec"]["template"];
        assert_eq!(set["spec"]["selector"]["matchLabels"], template["metadata"]["labels"], "{place}");
        let daemon = named(&template["spec"]["containers"], "xray-daemon");
        for protocol in ["UDP", "TCP"] {
            let port = json!({ "containerPort": default_port(), "hostPort": default_port(), "protocol": protocol });
            assert!(list(&daemon["ports"]).contains(&port), "{place}: no {port}");
        }
    }
}

#[test]
fn the_address_of_a_pod_names_a_variable_of_the_pod() {
    for (place, pod) in files("env") {
        let address = text(&named(&pod["env"], "AWS_XRAY_DAEMON_ADDRESS")["value"]);
        let (variable, port) = address.strip_prefix("$(").and_then(|rest| rest.split_once("):")).unwrap();
        let variable = named(&pod["env"], variable);
        assert_eq!(variable["valueFrom"]["fieldRef"]["fieldPath"], "status.hostIP", "{place}");
        assert_eq!(port, default_port().to_string(), "{place}");
        // Kubernetes replaces the variable only if it comes before the one that uses it.
        assert_eq!(list(&pod["env"])[0], *variable, "{place}");
        for address in [format!("10.0.0.1:{port}"), format!("[fd00::1]:{port}")] {
            assert_eq!(daemon_addresses(Some(&address)), format!("udp:{address} tcp:{address}"));
        }
    }
}

#[test]
fn agent_and_collector_listen_where_the_library_sends() {
    let default = format!("127.0.0.1:{}", default_port());
    for (place, agent) in files("traces") {
        let xray = &agent["traces"]["traces_collected"]["xray"];
        assert_eq!([&xray["bind_address"], &xray["tcp_proxy"]["bind_address"]], [default.as_str(); 2], "{place}");
    }
    let mut receivers = BTreeSet::new();
    for (place, collector) in files("receivers") {
        for (name, receiver) in collector["receivers"].as_object().unwrap() {
            receivers.insert(name.clone());
            let (endpoints, port) = match name.as_str() {
                "awsxray" => {
                    assert_eq!(receiver["transport"], "udp", "{place}");
                    (vec![&receiver["endpoint"], &receiver["proxy_server"]["endpoint"]], default_port())
                }
                // The sampler fetches its rules from the extension `awsproxy`, not from this receiver.
                "otlp" => (vec![&receiver["protocols"]["http"]["endpoint"]], default_otlp_port()),
                other => panic!("{place}: no test knows the receiver {other}"),
            };
            for endpoint in endpoints {
                assert_eq!(*endpoint, format!("0.0.0.0:{port}"), "{place}");
            }
        }
        let extensions = collector["extensions"].as_object().into_iter().flatten();
        for (name, extension) in extensions {
            assert!(list(&collector["service"]["extensions"]).contains(&json!(name)), "{place}: {name} is not used");
            match name.as_str() {
                "awsproxy" => assert_eq!(extension["endpoint"], format!("0.0.0.0:{}", default_port()), "{place}"),
                "sigv4auth" => assert_eq!(extension["service"], "xray", "{place}"),
                other => panic!("{place}: no test knows the extension {other}"),
            }
        }
        for exporter in collector["exporters"].as_object().unwrap().values() {
            if let Some(authenticator) = exporter["auth"].get("authenticator") {
                assert!(collector["extensions"].get(text(authenticator)).is_some(), "{place}: no {authenticator}");
            }
        }
        for (_, pipeline) in collector["service"]["pipelines"].as_object().unwrap() {
            for side in ["receivers", "exporters"] {
                for name in list(&pipeline[side]) {
                    assert!(collector[side].get(text(name)).is_some(), "{place}: no {name} in {side}");
                }
            }
        }
    }
    assert_eq!(receivers, ["awsxray", "otlp"].map(str::to_owned).into());
}

#[test]
fn the_policy_allows_what_the_daemon_calls() {
    for (place, policy) in files("Statement") {
        assert_eq!(policy["Version"], "2012-10-17", "{place}");
        let [statement] = list(&policy["Statement"]) else { panic!("{place}: {policy}") };
        assert_eq!((&statement["Effect"], &statement["Resource"]), (&json!("Allow"), &json!("*")), "{place}");
        assert_eq!(statement["Action"], json!(DAEMON_ACTIONS), "{place}");
    }
}

#[test]
fn the_file_of_local_rules_does_what_its_descriptions_say() {
    for (place, file) in files("rules") {
        let is_recorded = |segment: xray::SegmentBuilder| {
            let sampler = xray::sampling::Local::from_json(&file.to_string()).unwrap();
            let recorder = xray::Recorder::builder().sampler(sampler).emitter(xray::emitter::MemoryEmitter::new());
            segment.recorder(&recorder.build()).begin().is_sampled()
        };
        let request = |method, url| xray::Segment::builder("shop").request(method, url);
        assert!(!is_recorded(request("GET", "https://shop.example.com/health")), "{place}");
        assert!((0..20).all(|_| is_recorded(request("POST", "https://shop.example.com/pay/7"))), "{place}");
        // The default rule records the first segment of each second; the first rule would record none.
        assert!(is_recorded(xray::Segment::builder("worker")), "{place}");
    }
}

#[test]
fn the_sam_template_switches_tracing_on_and_builds_with_cargo_lambda() {
    for (place, template) in files("Transform") {
        assert_eq!(template["Transform"], "AWS::Serverless-2016-10-31", "{place}");
        let resources = template["Resources"].as_object().unwrap();
        let functions = resources.values().filter(|resource| resource["Type"] == "AWS::Serverless::Function");
        for function in functions {
            let properties = &function["Properties"];
            assert_eq!(properties["Tracing"], "Active", "{place}");
            assert_eq!(properties["Handler"], "bootstrap", "{place}");
            assert_eq!(properties["Runtime"], "provided.al2023", "{place}");
            assert_eq!(function["Metadata"]["BuildMethod"], "rust-cargolambda", "{place}");
        }
        assert!(template.to_string().contains("AWS::Serverless::Function"), "{place}");
    }
}

#[test]
fn the_cdk_stack_switches_tracing_on() {
    let pages = page::all();
    let stacks: Vec<_> = pages.iter().flat_map(|page| &page.blocks).filter(|block| block.language == "ts").collect();
    assert!(!stacks.is_empty(), "no page has a stack");
    for stack in stacks {
        parse(stack).unwrap();
        assert!(stack.text.contains("tracing: Tracing.ACTIVE"), "{}", stack.place);
    }
}

#[test]
fn dependencies_have_the_versions_that_the_examples_are_compiled_with() {
    let manifests = ["tests/pages/Cargo.toml", "tests/databases/Cargo.toml"].map(|path| {
        let manifest = std::fs::read_to_string(page::root().join(path)).unwrap();
        manifest.parse::<toml::Table>().unwrap()
    });
    let workspace: toml::Table = std::fs::read_to_string(page::root().join("Cargo.toml")).unwrap().parse().unwrap();
    let sdk = text_of(&workspace["workspace"]["package"]["version"]);
    let (sdk, _) = sdk.rsplit_once('.').unwrap();
    for (place, file) in files("dependencies") {
        for (name, dependency) in file["dependencies"].as_object().unwrap() {
            let version = dependency.get("version").unwrap_or(dependency);
            if name == "xray" {
                assert_eq!((&dependency["package"], text(version)), (&json!("xray-sdk"), sdk), "{place}");
                for feature in dependency["features"].as_array().into_iter().flatten() {
                    assert!(super::code::features().contains(text(feature)), "{place}: no feature {feature}");
                }
            } else {
                let mut tested = manifests.iter().filter_map(|manifest| manifest["dependencies"].get(name));
                let tested = tested.next().unwrap_or_else(|| panic!("{place}: {name} is not a dependency"));
                assert_eq!(text(version), text_of(tested.get("version").unwrap_or(tested)), "{place}: {name}");
            }
        }
    }
}

fn text_of(value: &toml::Value) -> &str {
    value.as_str().unwrap()
}
