//! The command line program `xray-local`.

mod address;
mod client;
mod manual;
mod output;
mod terminal;
mod tree;

use std::error::Error;
use std::io::{self, Write};
use std::iter;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use address::Address;
use clap::builder::RangedU64ValueParser;
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use client::{Client, Selection};
use output::Output;
use xray_local::store::Limits;
use xray_local::{Losses, Replay, Sampling, Server};

/// A local AWS X-Ray. Receives documents in place of the X-Ray daemon, explains what X-Ray would reject, and shows the
/// traces in a browser
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true, after_help = manual::AFTER_HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    serve: Serve,
}

/// The commands. Most of them query a running `xray-local`.
#[derive(Subcommand)]
enum Command {
    /// Print the traces of a running xray-local, latest first
    Traces {
        /// Only traces that match this filter expression of X-Ray, for example: fault AND responsetime > 1
        #[arg(long, value_name = "EXPRESSION", default_value = "")]
        filter: String,

        /// Only traces of the last minutes or hours, for example 10m
        #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
        since: Option<Duration>,

        /// The most traces to print
        #[arg(long, value_name = "COUNT", default_value_t = 100)]
        limit: usize,

        #[command(flatten)]
        ask: Ask,
    },
    /// Print a trace of a running xray-local as a tree
    Trace {
        /// The trace id, in the form of X-Ray or W3C, or a header with it
        #[arg(value_name = "ID")]
        id: String,

        /// Print inferred segments too. Each stands for a service that sent no segment, and repeats the call to it. The
        /// output of --json always has them
        #[arg(long)]
        inferred: bool,

        #[command(flatten)]
        ask: Ask,
    },
    /// Print a script that completes the options of xray-local in a shell
    Completions {
        /// The shell that runs the script
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
    /// Print the manual page of xray-local or of one of its commands, to be read with man
    Man {
        /// The command
        #[arg(value_name = "COMMAND")]
        command: Option<String>,
    },
}

/// The options of the commands that query a running xray-local.
#[derive(Args)]
struct Ask {
    /// Print JSON: one line for each trace, as the X-Ray API returns it
    #[arg(long)]
    json: bool,

    // Not a documentation comment, in which the name of the variable would need backticks.
    #[arg(
        long,
        value_name = "HOST:PORT",
        help = "The address of the running xray-local. Without this option, the address in the variable \
                AWS_XRAY_DAEMON_ADDRESS is used, in the forms that X-Ray SDKs read, or else 127.0.0.1:2000"
    )]
    address: Option<String>,
}

/// The options of the server.
#[derive(Args)]
struct Serve {
    #[arg(
        long,
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:2000",
        help = "The address for documents (UDP) and for the X-Ray API and the console (TCP). The variable \
                AWS_XRAY_DAEMON_ADDRESS does not change it"
    )]
    address: String,

    /// An additional TCP address, usually 127.0.0.1:4318, for OpenTelemetry spans (OTLP over HTTP). The X-Ray API and
    /// the console answer there too, and the main address also receives spans
    #[arg(long, value_name = "HOST:PORT")]
    otlp_address: Option<String>,

    /// Forward every datagram to this address, for example to a real X-Ray daemon
    #[arg(long, value_name = "HOST:PORT")]
    forward: Option<String>,

    /// Forward every accepted OTLP request to this URL, for example to a collector
    #[arg(long, value_name = "URL")]
    otlp_forward: Option<String>,

    /// Allow HTTP requests to this host name, in addition to loopback and the address; may be repeated
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,

    /// The most traces to keep; the oldest are dropped first
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().traces, value_parser = at_least_one())]
    max_traces: usize,

    /// The most memory for traces, in MiB; the oldest traces are dropped first
    #[arg(long, value_name = "MIB", default_value_t = Limits::default().bytes >> 20, value_parser = at_least_one())]
    max_memory: usize,

    /// Which requests SDKs record if they ask for sampling rules. The console can change it
    #[arg(long, value_name = "RULE", default_value = "everything", conflicts_with = "rules")]
    sampling: SamplingArgument,

    /// Keep the sampling rules in this file; it is created with the first rule
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,

    /// Append each received document to this file, as one line of JSON
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,

    /// Load documents from this file at start, one per line
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,

    /// Open the console in the browser
    #[arg(long)]
    open: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum SamplingArgument {
    /// Every request
    Everything,
    /// 1 request per second and 5 % of the others, like the default rule of AWS
    Aws,
}

/// Reads a number of at least 1. With a limit of 0, every document would be rejected.
fn at_least_one() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..)
}

fn main() -> ExitCode {
    terminal::log_to_stderr();
    let Arguments { command, serve: options } = Arguments::parse();
    let done = match command {
        Some(command) => run(command),
        None => serve(options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(anstream::stderr(), "xray-local: {}", terminal::plain(&with_sources(&*error)));
            ExitCode::FAILURE
        }
    }
}

/// Runs a command, and prints its output.
fn run(command: Command) -> Result<(), Box<dyn Error>> {
    let mut out = anstream::stdout();
    let done = match command {
        Command::Traces { filter, since, limit, ask } => {
            let selection = Selection { filter, since, limit };
            Client::new(Address::of(ask.address)?).traces(&mut out, &selection, ask.json)
        }
        Command::Trace { id, inferred, ask } => {
            Client::new(Address::of(ask.address)?).trace(&mut out, &id, inferred, ask.json)
        }
        Command::Completions { shell } => manual::completions(&mut out, Arguments::command(), shell),
        Command::Man { command } => manual::page(&mut out, Arguments::command(), command.as_deref()),
    };
    match done {
        // The reader of the output has closed the pipe, as `head` does after its last line.
        Err(error) if is_closed_pipe(&*error) => Ok(()),
        done => done,
    }
}

fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn serve(arguments: Serve) -> Result<(), Box<dyn Error>> {
    let limits = Limits {
        traces: arguments.max_traces,
        bytes: arguments.max_memory.saturating_mul(1 << 20),
        ..Limits::default()
    };
    let sampling = match arguments.sampling {
        SamplingArgument::Everything => Sampling::Everything,
        SamplingArgument::Aws => Sampling::Aws,
    };
    // A rules file has the rules, so there is no setting to print.
    let printed_sampling = arguments.rules.is_none().then_some(sampling);
    let mut server = Server::builder().address(arguments.address).limits(limits).sampling(sampling);
    if let Some(address) = arguments.otlp_address {
        server = server.otlp_address(address);
    }
    if let Some(address) = arguments.forward {
        server = server.forward(address);
    }
    if let Some(url) = arguments.otlp_forward {
        server = server.otlp_forward(url);
    }
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
        .map(|path| server.replay(path).map_err(|error| format!("cannot read {}: {error}", path.display())));
    let replay = replay.transpose()?;

    let output = Output::start(anstream::stdout())?;
    let printer = output.printer();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stop_signal = stop_signal()?;
        let log_lines = terminal::follow(&server, printer.clone());
        // The console is useful without the lines.
        let _ = printer.print(start_lines(&server, printed_sampling, replay.as_ref()));
        if arguments.open {
            open::that_detached(server.console_url()).unwrap_or_else(|error| {
                log::warn!("cannot open a browser: {error}; open {} yourself", server.console_url());
            });
        }
        tokio::select! {
            () = stop_signal => {}
            // This branch never completes, so only a signal stops the program. Writing lines can end earlier, when
            // standard output is closed, and the console is still useful then.
            () = async {
                log_lines.await;
                std::future::pending::<()>().await;
            } => {}
        }
        Ok::<_, Box<dyn Error>>(())
    })?;
    // Both are read after the shutdown, which still reads datagrams and gives up requests.
    let store = server.store().clone();
    let lost = server.shutdown();
    let counters = store.counters();
    let mut lines = format!("{} documents received, {} rejected\n", counters.received, counters.rejected);
    if lost != Losses::default() {
        let (datagrams, requests) = (lost.datagrams, lost.requests);
        lines.insert_str(0, &format!("{datagrams} datagrams and {requests} OTLP requests not forwarded\n"));
    }
    let _ = printer.print(lines);
    drop(printer);
    output.finish();
    Ok(())
}

/// Returns an error's message followed by the messages of its sources.
fn with_sources(error: &dyn Error) -> String {
    let chain = iter::successors(Some(error), |&error: &&dyn Error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Returns the lines about the server's addresses, which requests SDKs record, and the result of a replay.
fn start_lines(server: &Server, sampling: Option<Sampling>, replay: Option<&Replay>) -> String {
    let mut lines = vec![
        format!("documents: AWS_XRAY_DAEMON_ADDRESS={}", server.local_address()),
        format!("console:   {}", server.console_url()),
    ];
    if let Some(address) = server.local_otlp_address() {
        lines.push(format!("spans:     OTEL_EXPORTER_OTLP_ENDPOINT=http://{address}"));
    }
    let sampling = sampling.map(|sampling| match sampling {
        Sampling::Everything => {
            "sampling:  SDKs record every request (as in AWS, 1 a second and 5 %: --sampling aws)".to_owned()
        }
        Sampling::Aws => "sampling:  SDKs record 1 request a second and 5 % of the others, as in AWS".to_owned(),
    });
    lines.extend(sampling);
    let addresses = || [Some(server.http_address()), server.otlp_address()].into_iter().flatten();
    if addresses().any(|address| address.ip().is_unspecified()) {
        lines.push(
            "note:      in containers and on other machines, use an address of this machine in place of loopback; a host \
             name needs --allow-host"
                .to_owned(),
        );
    }
    if !addresses().all(|address| address.ip().is_loopback()) {
        let warning = "warning:   this address is not loopback; anyone who can reach it can read and write traces";
        lines.push(warning.to_owned());
    }
    if let Some(warning) = address::warning(server.udp_address().port()) {
        lines.push(format!("warning:   {}", terminal::plain(&warning)));
    }
    if let Some(replay) = replay {
        lines.push(format!("replayed:  {} documents", replay.taken));
        for bad in &replay.bad {
            lines.push(format!("           line {} was not loaded: {}", bad.line, terminal::plain(&bad.reason)));
        }
        if replay.bad_count > replay.bad.len() {
            lines.push(format!("           {} more lines were not loaded", replay.bad_count - replay.bad.len()));
        }
    }
    lines.join("\n") + "\n"
}

/// Completes when the user presses Ctrl-C or the system asks the program to stop.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
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
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async { _ = tokio::signal::ctrl_c().await })
}
