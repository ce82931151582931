//! Log lines: through the `log` crate, or to the standard error output in debug mode; and lines that are logged once.

use std::fmt;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use log::{Level, LevelFilter};
use once_cell::sync::OnceCell;

use crate::support::secrets;

/// The variable that switches the debug mode on, as in the X-Ray SDK for Node.js. (Developer guide, "Configuring the
/// X-Ray SDK for Node.js", environment variables.)
pub(crate) const DEBUG_MODE_VARIABLE: &str = "AWS_XRAY_DEBUG_MODE";

/// Logs a line: `log_line!(Warn, "xray::emitter", "lost {count} documents")`. The message is formatted only if it is
/// read, and its secrets are removed: a wrong setting or a URL in an error may contain one. A panic of the logger does
/// not reach the caller.
///
/// The logger may call the SDK, so a caller must hold no lock and must not be inside the initialiser of a once cell.
//
// Tests the maximum level, and does not call `log::log_enabled!`. With `tracing-log`, that macro asks the filters of
// all layers of `tracing-subscriber`, and a refusal is remembered on the thread until the next event. The layer would
// miss a span that the program creates before that event. Test: `spans::levels_and_filters_choose` in `tests/tracing`.
macro_rules! log_line {
    ($level:ident, $target:literal, $($message:tt)+) => {
        if log::Level::$level <= log::max_level() {
            // A logger is the program's own code.
            let _ = $crate::support::guard::guard(|| {
                let message = $crate::support::log_line::recorded(format_args!($($message)+));
                log::log!(target: $target, log::Level::$level, "{message}");
            });
        } else if $crate::support::log_line::is_debug_mode() {
            $crate::support::log_line::write(log::Level::$level, $target, format_args!($($message)+));
        }
    };
}

pub(crate) use log_line;

/// Returns whether a line at the level `Debug` may be read. Code that prepares values for such a line asks first.
#[inline]
pub(crate) fn is_debug_read() -> bool {
    Level::Debug <= log::max_level() || is_debug_mode()
}

/// Returns whether lines go to the standard error output: the variable is set, and the program has no logger.
//
// The crate installs no logger of its own for this. The `log` crate has room for one logger, and a program that
// installs its own later, for instance by `env_logger::init()`, would panic.
pub(crate) fn is_debug_mode() -> bool {
    static IS_SET: OnceCell<bool> = OnceCell::new();
    // `max_level` is `Off` until a logger is installed. This comes first: it is one load, and decides in most programs.
    log::max_level() == LevelFilter::Off
        && *IS_SET.get_or_init(|| std::env::var(DEBUG_MODE_VARIABLE).is_ok_and(|value| is_on(&value)))
}

/// Returns whether a value of the variable switches the debug mode on: any value except the words for "off".
fn is_on(value: &str) -> bool {
    !matches!(value.trim().to_ascii_lowercase().as_str(), "" | "0" | "false" | "f" | "no" | "n" | "off")
}

/// Returns the text of a line without secrets. Control characters are escaped: a name of a host or a text of a server
/// could otherwise contain a line break, and what looks like the next line of the log.
pub(crate) fn recorded(message: fmt::Arguments<'_>) -> String {
    /// Limit on the characters of a line. The longest lines of this crate have about a thousand.
    const MAX_CHARS: usize = 4000;

    let text = secrets::recorded_display(&message, MAX_CHARS).unwrap_or_default();
    if !text.contains(char::is_control) {
        return text;
    }
    text.chars().fold(String::new(), |mut line, character| {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
        line
    })
}

/// Writes a line to the standard error output.
pub(crate) fn write(level: Level, target: &str, message: fmt::Arguments<'_>) {
    let message = recorded(message);
    // One call for the whole line, so that lines of several threads do not mix. An error is ignored, where `eprintln!`
    // would panic: the output may be closed.
    let _ = io::stderr().write_all(format!("[{level} {target}] {message}\n").as_bytes());
}

/// Decides about a line that is logged once.
#[derive(Debug, Default)]
pub(crate) struct LoggedOnce(AtomicBool);

impl LoggedOnce {
    pub(crate) const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Returns whether the line was logged.
    #[inline]
    pub(crate) fn is_logged(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns whether the line is to be logged: `true` for one caller, and `false` for all others.
    // Loads before it stores. After the first time all threads only read, and the cache line stays shared between them.
    #[inline]
    pub(crate) fn is_first(&self) -> bool {
        !self.is_logged() && !self.0.swap(true, Ordering::Relaxed)
    }

    /// Lets the line be logged once more. Returns whether it was logged.
    pub(crate) fn reset(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_logged_once_until_it_is_reset() {
        let line = LoggedOnce::new();
        assert!(!line.is_logged() && line.is_first() && line.is_logged() && !line.is_first());
        assert!(line.reset() && !line.reset() && !line.is_logged() && line.is_first());
    }

    #[test]
    fn a_line_stays_one_line() {
        let recorded = |host: &str| recorded(format_args!("GET {host}"));
        assert_eq!(recorded("a\nERROR fake\u{1b}[2J\u{85}é"), "GET a\\nERROR fake\\u{1b}[2J\\u{85}é");
    }

    #[test]
    fn words_for_off_leave_the_debug_mode_off() {
        for value in ["TRUE", "true", "1", "yes", "debug"] {
            assert!(is_on(value), "{value}");
        }
        for value in ["", " ", "0", "FALSE", "off", "No"] {
            assert!(!is_on(value), "{value}");
        }
    }
}
