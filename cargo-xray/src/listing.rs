//! The list that the program prints: the calls of each file, and a summary.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::Span;
use xray_macros_core::{Attribute, Body, untraced};

use crate::fix::Insertions;
use crate::packages::Package;
use crate::sources::{Source, Sources};

/// How many characters of a call are printed at most.
const MAX_CALL: usize = 80;

/// The calls of the chosen packages that no attribute covers, or that the attribute leaves alone.
pub(crate) struct Listing {
    files: Vec<ListedFile>,
    /// The files that could not be read, with the reason.
    failed: Vec<(String, String)>,
}

struct ListedFile {
    path: PathBuf,
    /// The path as it is printed.
    shown: String,
    /// The text to which the positions of the insertions refer.
    text: String,
    /// The manifest of the package.
    package: PathBuf,
    lines: Vec<Line>,
    insertions: Insertions,
}

/// A line of the list.
struct Line {
    number: usize,
    function: String,
    call: String,
    /// Why the call is not traced with the attribute either.
    reason: Option<String>,
    is_annotated: bool,
}

impl Listing {
    /// Reads the packages. Paths are printed as seen from the directory.
    pub(crate) fn of(packages: &[&Package], directory: &Path) -> Self {
        // Packages may share a file. It is listed once, so that the attribute is written once.
        let mut sources = Sources::default();
        let mut files = Vec::new();
        for package in packages {
            package.roots().for_each(|root| sources.read_crate(root));
            let attribute = attribute(package);
            files.extend(sources.read.drain(..).filter_map(|source| {
                let shown = display_path(&source.path, directory);
                listed(source, shown, package, &attribute)
            }));
        }
        files.sort_by(|one, other| one.shown.cmp(&other.shown));
        let failed = sources.failed.into_iter().map(|(path, error)| (display_path(&path, directory), error)).collect();
        Self { files, failed }
    }

    /// Returns whether a function makes calls and lacks the attribute.
    pub(crate) fn can_be_fixed(&self) -> bool {
        self.functions() > 0
    }

    /// Returns whether every file was read.
    pub(crate) fn is_complete(&self) -> bool {
        self.failed.is_empty()
    }

    /// Returns a message for each file that was not read.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = String> {
        self.failed.iter().map(|(path, error)| format!("{path} was not read: {error}"))
    }

    /// Returns whether the attribute is to be written into a file of a package.
    pub(crate) fn has_insertions_in(&self, package: &Package) -> bool {
        self.files.iter().any(|file| file.package == package.manifest() && !file.insertions.is_empty())
    }

    /// Writes the attribute above each function that lacks it. Returns a message that says how many functions were
    /// changed.
    pub(crate) fn fix(&self) -> Result<String, String> {
        for file in self.files.iter().filter(|file| !file.insertions.is_empty()) {
            let ListedFile { path, shown, text, insertions, .. } = file;
            fs::write(path, insertions.apply(text)).map_err(|error| format!("{shown} cannot be written: {error}"))?;
        }
        Ok(match self.functions() {
            0 => "no attribute was missing".to_owned(),
            functions => format!("wrote the attribute above {}", count(functions, "function")),
        })
    }

    fn functions(&self) -> usize {
        self.files.iter().map(|file| file.insertions.len()).sum()
    }
}

fn listed(source: Source, shown: String, package: &Package, attribute: &str) -> Option<ListedFile> {
    let mut insertions = Insertions::new(attribute);
    let mut lines = Vec::new();
    for Body { name, attribute, calls } in untraced(&source.file) {
        // A function in which the attribute would trace nothing is left as it is.
        match &attribute {
            Attribute::Missing(before) if calls.iter().any(|call| call.left_alone.is_none()) => {
                insertions.add(source.offset + before.byte_range().start);
            }
            _ => {}
        }
        for call in calls {
            let reason = match &attribute {
                Attribute::Impossible(reason) => Some(reason.clone()),
                Attribute::There | Attribute::Missing(_) => call.left_alone.map(str::to_owned),
            };
            lines.push(Line {
                number: line_of(&source, call.name),
                function: name.clone(),
                call: abridged(&source.text[bytes(&source, call.span)]),
                reason,
                is_annotated: matches!(attribute, Attribute::There),
            });
        }
    }
    lines.sort_by_key(|line| line.number);
    let package = package.manifest().to_owned();
    let Source { path, text, .. } = source;
    (!lines.is_empty()).then_some(ListedFile { path, shown, text, package, lines, insertions })
}

/// Returns the attribute as the code of a package writes it.
fn attribute(package: &Package) -> String {
    match package.runtime() {
        Some(name) if name != "xray" => format!("#[{name}::traced_http(crate = \"::{name}\")]"),
        _ => "#[xray::traced_http]".to_owned(),
    }
}

fn bytes(source: &Source, span: Span) -> std::ops::Range<usize> {
    let range = span.byte_range();
    source.offset + range.start..source.offset + range.end
}

fn line_of(source: &Source, span: Span) -> usize {
    span.start().line + source.text[..source.offset].matches('\n').count()
}

/// Returns a call on one line. Of a long call, the beginning and the end are kept.
fn abridged(call: &str) -> String {
    let mut joined = String::new();
    for line in call.lines().map(|line| without_comment(line).trim()).filter(|line| !line.is_empty()) {
        // A chain of calls begins each line with a dot.
        if !joined.is_empty() && !line.starts_with('.') {
            joined.push(' ');
        }
        joined.push_str(line);
    }
    let characters: Vec<char> = joined.chars().collect();
    if characters.len() <= MAX_CALL {
        return joined;
    }
    let half = MAX_CALL / 2 - 2;
    let (beginning, end) = (&characters[..half], &characters[characters.len() - half..]);
    format!("{} .. {}", String::from_iter(beginning), String::from_iter(end))
}

/// Returns a line without the comment at its end. `//` after an odd number of quotation marks is in a text, such as a
/// URL.
fn without_comment(line: &str) -> &str {
    let is_comment = |(position, _): &(usize, &str)| line[..*position].matches('"').count() % 2 == 0;
    line.match_indices("//").find(is_comment).map_or(line, |(position, _)| &line[..position])
}

/// Returns a path as it is printed: relative to the directory, if it is in the directory.
fn display_path(path: &Path, directory: &Path) -> String {
    let same = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    same.strip_prefix(&directory).unwrap_or(path).display().to_string().replace('\\', "/")
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

impl fmt::Display for Listing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ListedFile { shown, lines, .. } in &self.files {
            for Line { number, function, call, reason, is_annotated } in lines {
                write!(formatter, "{shown}:{number}: {function}: {call}")?;
                match reason {
                    Some(reason) if *is_annotated => writeln!(formatter, " (left alone, because {reason})")?,
                    Some(reason) => writeln!(formatter, " (the attribute would not trace it, because {reason})")?,
                    None => writeln!(formatter)?,
                }
            }
        }
        let lines = || self.files.iter().flat_map(|file| &file.lines);
        let missing = lines().filter(|line| !line.is_annotated && line.reason.is_none()).count();
        let left = lines().filter(|line| line.reason.is_some()).count();
        if missing > 0 {
            let functions = count(self.functions(), "function");
            writeln!(formatter, "{} in {functions} without `#[xray::traced_http]`", count(missing, "call"))?;
        }
        if left > 0 {
            writeln!(
                formatter,
                "{} that the attribute does not trace: see https://github.com/xray-rs/xray/blob/main/docs/limits.md",
                count(left, "call")
            )?;
        }
        if missing + left == 0 && self.is_complete() {
            writeln!(formatter, "every call is in a function with `#[xray::traced_http]`")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_printed_on_one_line_and_abridged() {
        assert_eq!(abridged("client\n    .get(url)\n    .send()"), "client.get(url).send()");
        assert_eq!(abridged("client.get(\"a .b\",\n  1).send()"), "client.get(\"a .b\", 1).send()");
        let commented = "client // the \"second\" one\n    .get(\"http://a\")\n    // last\n    .send()";
        assert_eq!(abridged(commented), "client.get(\"http://a\").send()");
        let long = format!("client.get(\"{}\").send()", "x".repeat(100));
        let short = abridged(&long);
        assert!(short.starts_with("client.get(\"xx") && short.ends_with("xx\").send()"), "{short}");
        assert!(short.chars().count() <= MAX_CALL);
    }
}
