//! Tests that need a process of their own: the test binary starts itself again and runs one test in the child process.
//!
//! A setting in the environment, a logger and an installed recorder hold for a whole process. Tests that share a binary
//! share its process, so a test that depends on such a setting runs in a child.

use std::env;
use std::process::{Command, Output};

/// Names the environment variable that tells a child process which case to run.
const CASE: &str = "XRAY_TEST_CASE";

/// The line that a child prints at the end of its case. Without it, a wrong test name would pass: libtest then runs no
/// test and reports success.
const DONE: &str = "the child's case is done";

/// Returns the case that this process runs, or `None` if this process is not a child.
pub fn case() -> Option<String> {
    env::var(CASE).ok()
}

/// Returns a command that runs one case of one test in a child process.
///
/// `module` is the `module_path!()` of the test, `test` its name. A child reads the case with [`case`].
pub fn command(module: &str, test: &str, case: &str) -> Command {
    // `module_path!()` begins with the name of the binary, and libtest's names of tests do not.
    let module = module.split_once("::").map_or("", |(_binary, module)| module);
    let name = if module.is_empty() { test.to_owned() } else { format!("{module}::{test}") };
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([&name, "--exact", "--nocapture"]).env(CASE, case);
    command
}

/// Ends a case: [`assert_done`] fails for a child that did not come here.
pub fn done() {
    println!("{DONE}");
}

/// Checks that the child ran its case to the end and succeeded.
#[track_caller]
pub fn assert_done(case: &str, output: &Output) {
    let [lines, errors] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success() && lines.contains(DONE), "the child failed at {case:?}:\n{lines}{errors}");
}

/// Runs `body`, the whole body of a test, in a child process. `module` and `test` are as for [`command`].
///
/// The child's default recorder sends to the discard port, so that a daemon on this machine gets nothing from a test.
#[track_caller]
pub fn run(module: &str, test: &str, body: impl FnOnce()) {
    run_with(module, test, &[("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:9")], body);
}

/// Runs `body`, the whole body of a test, in a child process with these environment variables. The child does not
/// inherit this process's log filter or daemon address.
#[track_caller]
pub fn run_with(module: &str, test: &str, variables: &[(&str, &str)], body: impl FnOnce()) {
    if case().as_deref() == Some(test) {
        body();
        return done();
    }
    let mut command = command(module, test, test);
    command.env_remove("AWS_XRAY_DAEMON_ADDRESS").env_remove("RUST_LOG").envs(variables.iter().copied());
    assert_done(test, &command.output().unwrap());
}
