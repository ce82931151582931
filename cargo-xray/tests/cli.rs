//! The program, run on the packages in `fixtures`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use expect_test::{ExpectFile, expect_file};
use tempfile::TempDir;

/// Copies the fixture, with the path of the runtime made absolute.
fn fixture() -> TempDir {
    let (here, copy) = (Path::new(env!("CARGO_MANIFEST_DIR")), TempDir::new().unwrap());
    copy_folder(&here.join("tests/fixtures/demo"), copy.path());
    let runtime = here.join("../xray-runtime").canonicalize().unwrap();
    for (manifest, path) in
        [("Cargo.toml", "../../../../xray-runtime"), ("member/Cargo.toml", "../../../../../xray-runtime")]
    {
        let text = read(copy.path(), manifest);
        assert!(text.contains(path), "{text}");
        fs::write(copy.path().join(manifest), text.replace(path, &runtime.display().to_string().replace('\\', "/")))
            .unwrap();
    }
    // The versions of the workspace, whose sources are on this machine.
    fs::copy(here.join("../Cargo.lock"), copy.path().join("Cargo.lock")).unwrap();
    copy
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn read(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap()
}

/// Runs the program as cargo does: with its own name as the first argument.
fn xray(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cargo-xray"))
        .arg("xray")
        .args(arguments)
        .current_dir(folder)
        .env("CARGO", env!("CARGO"))
        .output()
        .unwrap()
}

#[track_caller]
fn stdout(output: &Output, code: i32) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{error}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn expected(name: &str) -> ExpectFile {
    expect_file![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/expected").join(name)]
}

#[test]
fn every_call_without_the_attribute_is_listed() {
    let demo = fixture();
    expected("workspace.txt").assert_eq(&stdout(&xray(demo.path(), &["--workspace"]), 0));
}

#[test]
fn the_packages_are_those_that_cargo_would_build() {
    let demo = fixture();
    let of_member =
        "lib.rs:2: member: client.get(\"member\").send()\n1 call in 1 function without `#[xray::traced_http]`\n";
    let of_workspace = stdout(&xray(demo.path(), &[]), 0);
    assert!(!of_workspace.contains("member"), "{of_workspace}");
    assert_eq!(stdout(&xray(&demo.path().join("member/src"), &[]), 0), of_member);
    assert_eq!(stdout(&xray(demo.path(), &["-p", "member"]), 0), format!("member/src/{of_member}"));
    let manifest = demo.path().join("member/Cargo.toml");
    let elsewhere = TempDir::new().unwrap();
    let listed = stdout(&xray(elsewhere.path(), &["--manifest-path", manifest.to_str().unwrap()]), 0);
    assert!(listed.contains("lib.rs:2: member: client") && listed.lines().count() == 2, "{listed}");
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let demo = fixture();
    let output = xray(demo.path(), &["-p", "absent"]);
    assert_eq!(stdout(&output, 2), "");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "error: the workspace has no package `absent`\n");

    let nothing = TempDir::new().unwrap();
    let output = xray(nothing.path(), &[]);
    assert_eq!(stdout(&output, 2), "");

    // A file that does not parse is named, and the others are read.
    fs::write(demo.path().join("src/api/todos.rs"), "fn f() {}\nfn {\n").unwrap();
    let output = xray(demo.path(), &[]);
    let (listed, warning) = (stdout(&output, 0), String::from_utf8(output.stderr).unwrap());
    assert!(warning.starts_with("warning: src/api/todos.rs was not read: line 2: "), "{warning}");
    assert!(listed.contains("src/lib.rs:33: first:") && !listed.contains("warning"), "{listed}");
}

#[test]
fn deny_fails_if_a_file_cannot_be_read() {
    let demo = fixture();
    for (text, code, warning) in [
        ("#[xray::traced_http]\nfn f() {}\n", 0, ""),
        ("fn {\n", 2, "warning: member/src/lib.rs was not read: line 1: "),
        ("mod absent;\n", 2, "warning: member/src/absent.rs was not read: "),
    ] {
        fs::write(demo.path().join("member/src/lib.rs"), text).unwrap();
        let output = xray(demo.path(), &["-p", "member", "--deny"]);
        let (listed, warned) = (stdout(&output, code), String::from_utf8_lossy(&output.stderr));
        assert_eq!(listed.contains("every call is in a function"), code == 0, "{listed}");
        assert!(warned.starts_with(warning) && warned.is_empty() == warning.is_empty(), "{warned}");
    }
}

#[test]
fn deny_fails_until_every_function_has_the_attribute() {
    let demo = fixture();
    let listed = stdout(&xray(demo.path(), &["--deny"]), 1);
    assert!(listed.contains("first: client.get(\"a\").send()"), "{listed}");
    stdout(&xray(demo.path(), &["--fix"]), 0);
    // The attribute would not trace the remaining calls.
    expected("fixed.txt").assert_eq(&stdout(&xray(demo.path(), &["--deny"]), 0));
}

#[test]
fn fix_writes_the_attribute_and_nothing_else() {
    let (demo, before) = (fixture(), fixture());
    let fixed = stdout(&xray(demo.path(), &["--workspace", "--fix"]), 0);
    assert!(fixed.ends_with("wrote the attribute above 16 functions\n"), "{fixed}");
    let mut files = String::new();
    for file in [
        "member/src/lib.rs",
        "other/elsewhere.rs",
        "src/api/mod.rs",
        "src/api/todos.rs",
        "src/bin/tool.rs",
        "src/gated.rs",
        "src/inline/beside.rs",
        "src/inline/nested.rs",
        "src/lib.rs",
        "src/wire/codec.rs",
        "examples/example.rs",
    ] {
        let (text, original) = (read(demo.path(), file), read(before.path(), file));
        let attributes = ["#[xray::traced_http]", "#[tracing_kit::traced_http(crate = \"::tracing_kit\")]"];
        let without = |text: &str| {
            let text = attributes.iter().fold(text.to_owned(), |text, attribute| text.replace(attribute, ""));
            text.chars().filter(|character| !character.is_whitespace()).collect::<String>()
        };
        assert_eq!(without(&text), without(&original), "{file}");
        // `expect_test` takes a carriage return out of the expected text, so it is written as `\r`.
        writeln!(files, "// {file}\n{}", text.trim_end().replace('\r', "\\r")).unwrap();
    }
    expected("fixed.rs.txt").assert_eq(&files);

    let again = stdout(&xray(demo.path(), &["--workspace", "--fix"]), 0);
    assert!(again.ends_with("no attribute was missing\n"), "{again}");
    for file in ["src/lib.rs", "src/api/todos.rs"] {
        assert!(files.contains(read(demo.path(), file).trim_end()), "{file} has changed");
    }

    let check = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--workspace", "--all-targets"])
        .current_dir(demo.path())
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("demo"))
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
}

#[test]
fn a_file_of_several_packages_is_listed_and_changed_once() {
    let demo = fixture();
    let one = "pub fn one(client: demo::client::Client) -> u32 {\n    client.get(\"1\").send()\n}\n";
    let two = one.replace("one", "two");
    let two_functions = format!("{one}{two}");
    for (root, path) in [("src/lib.rs", "../other/shared.rs"), ("member/src/lib.rs", "../../other/shared.rs")] {
        let text = read(demo.path(), root);
        fs::write(demo.path().join(root), format!("{text}\n#[path = \"{path}\"]\npub mod shared;\n")).unwrap();
    }
    // The attribute is that of the first package.
    let cases = [
        (&["--workspace", "--fix"] as &[_], "#[tracing_kit::traced_http(crate = \"::tracing_kit\")]"),
        (&["-p", "demo", "-p", "demo", "--fix"], "#[xray::traced_http]"),
    ];
    for (arguments, attribute) in cases {
        fs::write(demo.path().join("other/shared.rs"), &two_functions).unwrap();
        let listed = stdout(&xray(demo.path(), arguments), 0);
        assert_eq!(listed.matches("other/shared.rs:2:").count(), 1, "{listed}");
        assert_eq!(read(demo.path(), "other/shared.rs"), format!("{attribute}\n{one}{attribute}\n{two}"));
    }
}

#[test]
fn fix_names_the_crate_that_a_package_lacks() {
    for table in ["dev-dependencies", "build-dependencies"] {
        let demo = fixture();
        let manifest = read(demo.path(), "Cargo.toml");
        fs::write(demo.path().join("Cargo.toml"), manifest.replace("[dependencies]", &format!("[{table}]"))).unwrap();
        let fixed = stdout(&xray(demo.path(), &["--fix"]), 0);
        assert!(
            fixed.contains("note: `demo` does not depend on xray-sdk: add `xray = { package = \"xray-sdk\""),
            "{fixed}"
        );
    }
}
