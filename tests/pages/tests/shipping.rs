//! How xray-local is shipped: the archives for `cargo binstall`, the Dockerfile and the compose file, compared with the
//! program: names, ports, options and variables.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::code::{daemon_addresses, default_otlp_port, default_port};
use super::configuration::yaml_file;
use super::names::options_of_xray_local;
use super::page::root;

const COMPOSE: &str = "xray-local/compose.yaml";
const DOCKERFILE: &str = "xray-local/Dockerfile";

/// Returns the instructions of the Dockerfile, each with its arguments.
fn instructions() -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join(DOCKERFILE)).unwrap();
    let text = text.replace("\\\n", " ");
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let known = ["FROM", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "ENTRYPOINT", "CMD"];
    let instructions = lines.map(|line| {
        let (name, arguments) = line.split_once(' ').unwrap_or_else(|| panic!("{DOCKERFILE}: {line}"));
        assert!(known.contains(&name), "{DOCKERFILE}: no test knows the instruction {name}");
        (name.to_owned(), arguments.trim().to_owned())
    });
    instructions.collect()
}

/// Returns the arguments of the last instruction with this name.
fn arguments_of(name: &str) -> String {
    let last = instructions().into_iter().rev().find(|(found, _)| found == name);
    last.unwrap_or_else(|| panic!("{DOCKERFILE} has no {name}")).1
}

/// Returns the ports that the program listens on by default, as Docker writes them.
fn ports() -> BTreeSet<String> {
    let (main, spans) = (default_port(), default_otlp_port());
    [format!("{main}/udp"), format!("{main}/tcp"), format!("{spans}/tcp")].into()
}

fn manifest() -> toml::Table {
    fs::read_to_string(root().join("xray-local/Cargo.toml")).unwrap().parse().unwrap()
}

fn service<'a>(compose: &'a Value, name: &str) -> &'a Value {
    compose["services"].get(name).unwrap_or_else(|| panic!("{COMPOSE} has no service {name}"))
}

#[test]
fn cargo_binstall_finds_the_archive_of_each_system_in_the_release_of_the_version() {
    let (manifest, workspace) = (manifest(), fs::read_to_string(root().join("Cargo.toml")).unwrap());
    let workspace: toml::Table = workspace.parse().unwrap();
    let package = &workspace["workspace"]["package"];
    let (repository, version) = (package["repository"].as_str().unwrap(), package["version"].as_str().unwrap());
    let name = manifest["package"]["name"].as_str().unwrap();
    let general = &manifest["package"]["metadata"]["binstall"];
    for (target, format, ending, suffix) in
        [("x86_64-unknown-linux-gnu", "tgz", "tar.gz", ""), ("x86_64-pc-windows-msvc", "zip", "zip", ".exe")]
    {
        let special = general["overrides"].get(target);
        let setting = |key: &str| special.and_then(|special| special.get(key)).unwrap_or(&general[key]);
        let expanded = |key: &str| {
            let values =
                [("repo", repository), ("name", name), ("version", version), ("target", target), ("bin", name)];
            let text = setting(key).as_str().unwrap().replace("{ binary-ext }", suffix);
            values.iter().fold(text, |text, (key, value)| text.replace(&format!("{{ {key} }}"), value))
        };
        assert_eq!(setting("pkg-fmt").as_str(), Some(format), "{target}");
        let archive = format!("{repository}/releases/download/v{version}/{name}-{target}.{ending}");
        assert_eq!(expanded("pkg-url"), archive);
        assert_eq!(expanded("bin-dir"), format!("{name}-{target}/{name}{suffix}"));
    }
}

#[test]
fn the_image_contains_the_program_that_it_builds_and_opens_its_ports() {
    let instructions = instructions();
    let (_, command) = instructions.iter().find(|(name, _)| name == "RUN").unwrap();
    let manifest = manifest();
    let program = manifest["bin"][0]["name"].as_str().unwrap();
    assert!(command.starts_with("cargo build --locked --release"), "{command}");
    assert!(command.ends_with(&format!("--package {}", manifest["package"]["name"].as_str().unwrap())), "{command}");

    let copied = arguments_of("COPY");
    let copied: Vec<_> = copied.split_whitespace().collect();
    let folder = instructions.iter().find(|(name, _)| name == "WORKDIR").map(|(_, folder)| folder.as_str()).unwrap();
    let built = format!("{folder}/target/release/{program}");
    assert_eq!(copied[..2], ["--from=build", built.as_str()]);
    assert_eq!(arguments_of("ENTRYPOINT"), format!("[\"{program}\"]"));
    assert_eq!(arguments_of("EXPOSE").split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>(), ports());
    assert_ne!(arguments_of("USER").split(':').next(), Some("0"), "the program needs no rights");
}

#[test]
fn the_image_listens_on_all_interfaces_with_options_that_the_program_has() {
    let arguments: Vec<String> = serde_json::from_str(&arguments_of("CMD")).unwrap();
    let options = options_of_xray_local("struct Serve");
    for option in arguments.iter().filter_map(|argument| argument.strip_prefix("--")) {
        assert!(options.contains(option), "{DOCKERFILE}: xray-local has no option --{option}");
    }
    let value = |option: &str| &arguments[arguments.iter().position(|argument| argument == option).unwrap() + 1];
    assert_eq!(*value("--address"), format!("0.0.0.0:{}", default_port()));
    assert_eq!(*value("--otlp-address"), format!("0.0.0.0:{}", default_otlp_port()));
    // The program refuses requests to a name that it does not know.
    service(&yaml_file(COMPOSE), value("--allow-host"));
}

#[test]
fn the_compose_file_builds_the_image_and_publishes_its_ports_on_loopback_only() {
    let compose = yaml_file(COMPOSE);
    let local = service(&compose, "xray-local");
    let folder = root().join(COMPOSE).parent().unwrap().join(local["build"]["context"].as_str().unwrap());
    assert_eq!(folder.canonicalize().unwrap(), root().canonicalize().unwrap());
    assert_eq!(local["build"]["dockerfile"], DOCKERFILE);
    let published: BTreeSet<String> =
        local["ports"].as_array().unwrap().iter().map(|port| port.as_str().unwrap().to_owned()).collect();
    let expected = ports().into_iter().map(|port| {
        let (number, protocol) = port.split_once('/').unwrap();
        format!("127.0.0.1:{number}:{number}/{protocol}")
    });
    assert_eq!(published, expected.collect());
}

#[test]
fn the_service_in_the_compose_file_sends_to_the_program_beside_it() {
    let compose = yaml_file(COMPOSE);
    let first = service(&compose, "first");
    let variables = &first["environment"];
    let address = variables["AWS_XRAY_DAEMON_ADDRESS"].as_str().unwrap();
    assert_eq!(address, format!("xray-local:{}", default_port()));
    assert_eq!(daemon_addresses(Some(address)), format!("udp:{address} tcp:{address}"));
    assert_eq!(variables["OTEL_EXPORTER_OTLP_ENDPOINT"], format!("http://xray-local:{}", default_otlp_port()));
    for name in first["depends_on"].as_array().unwrap() {
        service(&compose, name.as_str().unwrap());
    }
    for volume in first["volumes"].as_array().unwrap() {
        let (file, _) = volume.as_str().unwrap().split_once(':').unwrap();
        let path = root().join("xray-local").join(file);
        assert!(path.is_file(), "{COMPOSE}: there is no {file}");
    }
}
