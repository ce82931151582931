//! Lists the HTTP calls of a crate that `#[xray::traced_http]` does not cover, and writes the attribute: see
//! `README.md`.

mod fix;
mod listing;
mod packages;
mod sources;

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use clap::{Parser, Subcommand};

use crate::listing::Listing;
use crate::packages::Packages;

/// The exit code if `--deny` finds a call.
const DENIED: u8 = 1;
/// The exit code if the packages cannot be read, and with `--deny` if a file cannot be read. Clap exits with it, too.
const FAILED: u8 = 2;

/// syn parses recursively, and some sources are nested deeply. Only the pages of a stack that are used take memory.
const STACK: usize = 256 << 20;

#[derive(Parser)]
#[command(name = "cargo", bin_name = "cargo", version, disable_help_subcommand = true)]
struct Cargo {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Xray(Options),
}

/// Lists the HTTP calls of a crate that `#[xray::traced_http]` does not cover
///
/// It reads the library, the programs and the examples of the package, without building them. A call is listed by its
/// name: whether it is an HTTP call depends on its types. The attribute changes only calls that are.
#[derive(clap::Args)]
#[command(version)]
struct Options {
    /// Exits with code 1 if a function makes calls and lacks the attribute, or with 2 if a file cannot be read, for CI
    #[arg(long)]
    deny: bool,

    /// Writes `#[xray::traced_http]` above the functions that lack it
    #[arg(long)]
    fix: bool,

    /// Reads this package; can be repeated
    #[arg(short, long, value_name = "NAME")]
    package: Vec<String>,

    /// Reads all packages of the workspace
    #[arg(long)]
    workspace: bool,

    /// Reads the package of this `Cargo.toml`
    #[arg(long, value_name = "PATH")]
    manifest_path: Option<PathBuf>,
}

fn main() -> ExitCode {
    let Cargo { command: Command::Xray(options) } = Cargo::parse();
    let run = thread::Builder::new().stack_size(STACK).spawn(move || run(&options));
    match run.map(thread::JoinHandle::join) {
        Ok(Ok(Ok(code))) => code,
        Ok(Ok(Err(error))) => {
            eprintln!("error: {error}");
            ExitCode::from(FAILED)
        }
        // The message of the panic has been printed.
        Ok(Err(_)) | Err(_) => ExitCode::from(FAILED),
    }
}

fn run(options: &Options) -> Result<ExitCode, String> {
    let packages = Packages::read(options.manifest_path.as_deref())?;
    let chosen = packages.choose(&options.package, options.workspace)?;
    let directory = env::current_dir().map_err(|error| format!("the current directory cannot be read: {error}"))?;
    let listing = Listing::of(&chosen, &directory);
    for warning in listing.warnings() {
        eprintln!("warning: {warning}");
    }
    print!("{listing}");
    if options.fix {
        let fixed = listing.fix()?;
        println!("{fixed}");
        for package in chosen.iter().filter(|package| listing.has_insertions_in(package) && package.runtime().is_none())
        {
            println!(
                "note: `{}` does not depend on xray-sdk: add `xray = {{ package = \"xray-sdk\", version = \"{}\" }}` to \
                 `[dependencies]` in its Cargo.toml",
                package.name,
                env!("CARGO_PKG_VERSION"),
            );
        }
        return Ok(ExitCode::SUCCESS);
    }
    Ok(match options.deny {
        true if listing.can_be_fixed() => ExitCode::from(DENIED),
        true if !listing.is_complete() => ExitCode::from(FAILED),
        _ => ExitCode::SUCCESS,
    })
}
