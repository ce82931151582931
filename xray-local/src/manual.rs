//! The manual pages and the scripts for shells, which are generated from the definition of the command line.

use std::error::Error;
use std::io::Write;

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;

/// The end of the help and of the manual page.
pub(crate) const AFTER_HELP: &str = "\
Examples:
  xray-local --open
      Receives documents at 127.0.0.1:2000, where X-Ray SDKs send them by default, and opens the console.
  AWS_XRAY_DAEMON_ADDRESS=127.0.0.1:2000 cargo run
      Runs a program that sends its documents to xray-local.
  xray-local --otlp-address 127.0.0.1:4318
      Receives spans where the SDKs of OpenTelemetry send them by default, too.
  xray-local --address 0.0.0.0:2000 --allow-host host.docker.internal
      Receives documents from containers. xray-local has no authentication: do this on a network that you trust.
  xray-local traces --filter 'fault AND responsetime > 1' --since 10m
      Prints the slow and failed traces of the last ten minutes.

Documentation: https://github.com/xray-rs/xray/blob/main/xray-local/README.md";

/// Prints the script with which a shell completes the command line.
pub(crate) fn completions(out: &mut impl Write, mut program: Command, shell: Shell) -> Result<(), Box<dyn Error>> {
    let name = program.get_name().to_owned();
    // Written to memory first: `generate` panics if the output is closed.
    let mut script = vec![];
    clap_complete::generate(shell, &mut program, name, &mut script);
    out.write_all(&script)?;
    Ok(())
}

/// Prints the manual page of the program, or of the command with this name.
pub(crate) fn page(out: &mut impl Write, mut program: Command, command: Option<&str>) -> Result<(), Box<dyn Error>> {
    // Gives the commands their full names, such as `xray-local traces`.
    program.build();
    let described = match command {
        None => program,
        Some(name) => program.find_subcommand(name).ok_or_else(|| format!("there is no command {name:?}"))?.clone(),
    };
    Man::new(described).render(out)?;
    Ok(())
}
