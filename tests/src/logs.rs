//! A logger that keeps the lines of `xray`, for tests that read them.

use std::sync::{Mutex, Once, OnceLock};

use log::{Level, LevelFilter, Log, Metadata, Record};

/// A line that `xray` logged.
#[derive(Debug, Clone)]
pub struct Line {
    /// The level.
    pub level: Level,
    /// The target, such as `xray::context`.
    pub target: String,
    /// The message.
    pub text: String,
}

/// Keeps every line that `xray` logs in this process from here on.
///
/// There is one logger for the whole process: a test reads its own lines by a text that only it causes, or runs in a
/// process of its own ([`child`](crate::child)).
pub fn keep() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        log::set_logger(&Logger).unwrap();
        log::set_max_level(LevelFilter::Debug);
    });
}

/// Returns the lines that were logged since [`keep`], oldest first.
pub fn lines() -> Vec<Line> {
    LINES.lock().unwrap().clone()
}

/// Returns the texts of the lines at one level.
pub fn texts_at(level: Level) -> Vec<String> {
    lines().into_iter().filter(|line| line.level == level).map(|line| line.text).collect()
}

/// Returns the texts of the lines with one target.
pub fn texts_of(target: &str) -> Vec<String> {
    lines().into_iter().filter(|line| line.target == target).map(|line| line.text).collect()
}

/// Calls `hook` at each line from here on, as a logger does that asks `xray` something. Only the first hook counts.
pub fn at_each_line(hook: fn()) {
    let _ = HOOK.set(hook);
}

static HOOK: OnceLock<fn()> = OnceLock::new();
static LINES: Mutex<Vec<Line>> = Mutex::new(Vec::new());

struct Logger;

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("xray::")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            if let Some(hook) = HOOK.get() {
                hook();
            }
            let (level, target, text) = (record.level(), record.target().to_owned(), record.args().to_string());
            LINES.lock().unwrap().push(Line { level, target, text });
        }
    }

    fn flush(&self) {}
}
