//! `xray-local`: what a developer starts beside the program.

mod terminal;

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use xray_local::store::Limits;
use xray_local::{Replay, Server};

/// A local AWS X-Ray: takes what programs send to the X-Ray daemon, explains what X-Ray would refuse, and shows the traces
/// in a browser.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Where documents go (UDP), and where the API and the console are (TCP)
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:2000")]
    address: String,

    /// A name by which requests may reach it, beside loopback and the address; may be repeated
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,

    /// So many traces are kept; the oldest go first
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().traces)]
    max_traces: usize,

    /// So much memory the traces may take, in MiB; the oldest go first
    #[arg(long, value_name = "MIB", default_value_t = Limits::default().bytes >> 20)]
    max_memory: usize,

    /// Keeps the sampling rules in a file; it need not be there yet
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,

    /// Appends each document that comes to a file, as a line of JSON
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,

    /// Loads the documents of a file first, one a line
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,

    /// Opens the console in the browser
    #[arg(long)]
    open: bool,
}

fn main() -> ExitCode {
    terminal::log_to_stderr();
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(anstream::stderr(), "xray-local: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let limits = Limits {
        traces: arguments.max_traces,
        bytes: arguments.max_memory.saturating_mul(1 << 20),
        ..Limits::default()
    };
    let mut server = Server::builder().address(arguments.address).limits(limits);
    for host in arguments.allow_host {
        server = server.allow_host(host);
    }
    if let Some(path) = arguments.rules {
        server = server.rules_file(path);
    }
    if let Some(path) = arguments.record {
        server = server.record(path);
    }
    let server = server.start()?;
    let replay = arguments
        .replay
        .as_deref()
        .map(|path| server.replay(path).map_err(|error| format!("{} cannot be read: {error}", path.display())));
    let replay = replay.transpose()?;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let end = signals()?;
        let told = terminal::follow(&server, anstream::stdout());
        greet(&mut anstream::stdout(), &server, replay.as_ref())?;
        if arguments.open {
            open::that_detached(server.console_url())
                .unwrap_or_else(|error| log::warn!("no browser is opened: {error}"));
        }
        tokio::select! {
            () = end => {}
            // Where nobody reads the standard output any more, the console is still there.
            never = async { (told.await, std::future::pending().await).1 } => never,
        }
        Ok::<_, Box<dyn Error>>(())
    })?;
    let counters = server.store().counters();
    server.shutdown();
    let _ = writeln!(anstream::stdout(), "{} documents came, {} were rejected", counters.received, counters.rejected);
    Ok(())
}

fn greet(out: &mut impl Write, server: &Server, replay: Option<&Replay>) -> io::Result<()> {
    writeln!(out, "documents: AWS_XRAY_DAEMON_ADDRESS={}", server.udp_address())?;
    writeln!(out, "console:   {}", server.console_url())?;
    if !server.http_address().ip().is_loopback() {
        writeln!(out, "careful:   whoever reaches this address reads and writes traces")?;
    }
    if let Some(replay) = replay {
        writeln!(out, "replayed:  {} documents", replay.taken)?;
        for (number, reason) in &replay.bad {
            writeln!(out, "           line {number} is none: {reason}")?;
        }
        if replay.bad_count > replay.bad.len() {
            writeln!(out, "           and {} more lines are none", replay.bad_count - replay.bad.len())?;
        }
    }
    out.flush()
}

/// The end as the system or the keyboard asks for it.
#[cfg(unix)]
fn signals() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn signals() -> io::Result<impl Future<Output = ()>> {
    Ok(async { _ = tokio::signal::ctrl_c().await })
}
