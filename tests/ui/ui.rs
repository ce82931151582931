//! Messages of the compiler: programs that show each error of the attributes, and programs that must compile.

use std::process::Command;

/// The version whose messages are in `tests/ui/compiler`.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn ui() {
    let tests = trybuild::TestCases::new();
    tests.pass("pass/*.rs");
    tests.compile_fail("fail/*.rs");
    if is_compiler() {
        tests.compile_fail("compiler/*.rs");
    } else {
        println!("skipped tests/ui/compiler: it holds the words of {COMPILER}");
    }
}

fn is_compiler() -> bool {
    let version = Command::new("rustc").arg("--version").output();
    version.is_ok_and(|version| String::from_utf8_lossy(&version.stdout).starts_with(COMPILER))
}
