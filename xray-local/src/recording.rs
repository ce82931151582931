//! Files of documents, one document per line: appending to one, and reading one.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A file to which the server appends documents.
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
    /// Opens a file for appending; creates it if it does not exist. Ends the last line of the file, which is unfinished
    /// if the disk was full or the program was killed.
    ///
    /// Documents may hold names, addresses and metadata of users, so only the user of the program can read a new file.
    pub(crate) fn append(path: &Path) -> io::Result<Self> {
        let mut options = File::options();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        if is_last_line_unfinished(path, &file)? {
            file.write_all(b"\n")?;
        }
        let state = Mutex::new(State { writer: BufWriter::new(file), has_failed: false });
        Ok(Self { path: path.to_owned(), state })
    }

    /// Appends a document as one line. Ignores text that is not JSON.
    ///
    /// Replacing line breaks by spaces keeps the document's meaning: inside a JSON string a line break must be escaped,
    /// so a raw one is between two tokens.
    pub(crate) fn add(&self, text: &str) {
        if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
            let line = text.trim().replace(['\n', '\r'], " ") + "\n";
            self.write(|writer| writer.write_all(line.as_bytes()));
        }
    }

    /// Writes buffered lines to the file.
    pub(crate) fn flush(&self) {
        self.write(BufWriter::flush);
    }

    /// Logs the first failure only: with a full disk every write fails, and the server goes on without the recording.
    fn write(&self, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) {
        let mut state = self.state();
        match write(&mut state.writer) {
            Err(error) if !state.has_failed => {
                state.has_failed = true;
                log::warn!(
                    "cannot write to the recording {}: {error}; documents are missing from it (logged once)",
                    self.path.display()
                );
            }
            _ => {}
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether the last byte of a file is no line feed. `file` is open for writing only.
fn is_last_line_unfinished(path: &Path, file: &File) -> io::Result<bool> {
    let metadata = file.metadata()?;
    // Only a regular file keeps what was written before: a pipe does not.
    if !metadata.is_file() || metadata.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    let read = File::open(path).and_then(|mut file| {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)
    });
    // A file that cannot be read may end in the middle of a line. A replay skips an empty line.
    Ok(read.is_err() || last != *b"\n")
}

/// The result of replaying a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Replay {
    /// The number of documents taken into the store.
    pub taken: usize,
    /// The first 100 lines that were not taken.
    pub bad: Vec<BadLine>,
    /// The number of all lines that were not taken.
    pub bad_count: usize,
}

/// A line of a replayed file that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BadLine {
    /// The number of the line in the file, from 1.
    pub line: usize,
    /// Why the line was not taken.
    pub reason: String,
}

/// How many bad lines [`Replay::bad`] lists.
const MAX_LISTED: usize = 100;

/// The longest line that is read, in bytes. X-Ray accepts no document of more than 64 kB.
const MAX_LINE_BYTES: u64 = 1 << 20;

/// Passes each line of a file to `take`. Skips empty lines.
///
/// # Errors
///
/// If the file cannot be read. Lines before the failure have been passed to `take`.
pub(crate) fn replay(path: &Path, mut take: impl FnMut(&str) -> Result<(), String>) -> io::Result<Replay> {
    let (mut replay, mut reader, mut bytes) = (Replay::default(), BufReader::new(File::open(path)?), Vec::new());
    for line in 1.. {
        bytes.clear();
        if (&mut reader).take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        let is_too_long = bytes.len() as u64 > MAX_LINE_BYTES && !bytes.ends_with(b"\n");
        if is_too_long {
            reader.skip_until(b'\n')?;
        }
        let taken = match std::str::from_utf8(&bytes) {
            _ if is_too_long => Err(format!("the line is longer than {MAX_LINE_BYTES} bytes")),
            Ok(text) if text.trim().is_empty() => continue,
            Ok(text) => take(text.trim()),
            Err(error) => Err(format!("the line is not UTF-8: {error}")),
        };
        match taken {
            Ok(()) => replay.taken += 1,
            Err(reason) => {
                replay.bad_count += 1;
                if replay.bad.len() < MAX_LISTED {
                    replay.bad.push(BadLine { line, reason });
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
    fn recorded_documents_can_be_replayed() {
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
    fn a_document_is_not_appended_to_an_unfinished_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("documents.jsonl");
        for (before, after) in
            [("", "{}\n"), ("[1]\n", "[1]\n{}\n"), ("[1]", "[1]\n{}\n"), ("[1]\n{\"a\":", "[1]\n{\"a\":\n{}\n")]
        {
            std::fs::write(&path, before).unwrap();
            let recording = Recording::append(&path).unwrap();
            recording.add("{}");
            recording.flush();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), after);
        }
    }

    #[test]
    fn bad_lines_are_listed_with_their_numbers() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("documents.jsonl");
        std::fs::write(&path, b"{}\n\nbad\n{}\r\n\xff\n{}").unwrap();
        let replay = replay(&path, |line| if line == "{}" { Ok(()) } else { Err(line.to_owned()) }).unwrap();
        assert_eq!((replay.taken, replay.bad_count), (3, 2));
        assert_eq!(replay.bad[0], BadLine { line: 3, reason: "bad".to_owned() });
        assert!(replay.bad[1].line == 5 && replay.bad[1].reason.contains("UTF-8"), "{replay:?}");
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("documents.jsonl");
        let longest = " ".repeat((1 << 20) - 2);
        std::fs::write(&path, format!("{{}}{longest}\n{{}}{longest} \n{{}}\n")).unwrap();
        let replay = replay(&path, |_| Ok(())).unwrap();
        let bad = BadLine { line: 2, reason: "the line is longer than 1048576 bytes".to_owned() };
        assert_eq!(replay, Replay { taken: 2, bad: vec![bad], bad_count: 1 });
    }

    #[test]
    fn a_missing_file_is_an_error() {
        assert!(replay(Path::new("/nowhere/documents.jsonl"), |_| Ok(())).is_err());
        assert!(Recording::append(Path::new("/nowhere/documents.jsonl")).is_err());
    }
}
