//! Documents kept in a file, one a line, and read from there again.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A file to which documents are appended.
#[derive(Debug)]
pub(crate) struct Recording {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    writer: BufWriter<File>,
    has_failed: bool,
}

impl Recording {
    pub(crate) fn append(path: &Path) -> io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        let state = Mutex::new(State { writer: BufWriter::new(file), has_failed: false });
        Ok(Self { path: path.to_owned(), state })
    }

    /// Adds what is JSON. In JSON a line break is a space between two tokens, or it is not JSON.
    pub(crate) fn add(&self, text: &str) {
        if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
            let line = text.trim().replace(['\n', '\r'], " ") + "\n";
            self.write(|writer| writer.write_all(line.as_bytes()));
        }
    }

    /// Hands on what waits for more.
    pub(crate) fn flush(&self) {
        self.write(BufWriter::flush);
    }

    /// A full disk is told once, and takes nothing else along.
    fn write(&self, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) {
        let mut state = self.state();
        match write(&mut state.writer) {
            Err(error) if !state.has_failed => {
                state.has_failed = true;
                log::warn!("documents are not recorded in {}: {error}", self.path.display());
            }
            _ => {}
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came of a file that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Replay {
    /// How many documents were taken.
    pub taken: usize,
    /// The lines that were not: their numbers, from 1, and why. At most a hundred of them.
    pub bad: Vec<(usize, String)>,
    /// How many lines were not taken.
    pub bad_count: usize,
}

/// So many bad lines are told.
const TOLD: usize = 100;

/// Reads the lines of a file; empty ones are none.
///
/// # Errors
///
/// If the file cannot be read. What was read before is taken.
pub(crate) fn replay(path: &Path, mut take: impl FnMut(&str) -> Result<(), String>) -> io::Result<Replay> {
    let mut replay = Replay::default();
    for (number, line) in (1..).zip(BufReader::new(File::open(path)?).split(b'\n')) {
        let line = line?;
        let taken = match std::str::from_utf8(&line) {
            Ok(line) if line.trim().is_empty() => continue,
            Ok(line) => take(line.trim()),
            Err(error) => Err(format!("not UTF-8: {error}")),
        };
        match taken {
            Ok(()) => replay.taken += 1,
            Err(reason) => {
                replay.bad_count += 1;
                if replay.bad.len() < TOLD {
                    replay.bad.push((number, reason));
                }
            }
        }
    }
    Ok(replay)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_recorded_comes_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("documents.jsonl");
        for documents in [&["{\"a\": \"\\n\",\r\n \"b\": 1}", "no JSON", "{\"a\": \"\n\"}"][..], &["[1]", ""]] {
            let recording = Recording::append(&path).unwrap();
            for document in documents {
                recording.add(document);
            }
            recording.flush();
        }
        let mut lines = Vec::new();
        let replay = replay(&path, |line| {
            lines.push(line.to_owned());
            Ok(())
        });
        assert_eq!(lines, ["{\"a\": \"\\n\",   \"b\": 1}", "[1]"]);
        assert_eq!(replay.unwrap(), Replay { taken: 2, ..Replay::default() });
    }

    #[test]
    fn bad_lines_are_told_with_their_numbers() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("documents.jsonl");
        std::fs::write(&path, b"{}\n\nbad\n{}\r\n\xff\n{}").unwrap();
        let replay = replay(&path, |line| if line == "{}" { Ok(()) } else { Err(line.to_owned()) }).unwrap();
        assert_eq!((replay.taken, replay.bad_count), (3, 2));
        assert_eq!(replay.bad[0], (3, "bad".to_owned()));
        assert!(replay.bad[1].0 == 5 && replay.bad[1].1.contains("UTF-8"), "{replay:?}");
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error() {
        assert!(replay(Path::new("/nowhere/documents.jsonl"), |_| Ok(())).is_err());
        assert!(Recording::append(Path::new("/nowhere/documents.jsonl")).is_err());
    }
}
