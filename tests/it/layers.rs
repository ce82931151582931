//! The layers of each crate: a file or folder of `src` imports only from those that its list names before it.
//!
//! The lists in this file are the map that `CONTRIBUTING.md` describes. A file or folder that no list names fails the
//! test. Inside a folder there is no order, but the files must not import each other in a circle.
//!
//! The test reads `use` statements and paths that start with `crate::` or `super::`. It follows names that a module
//! re-exports to the module that defines them. It skips code under `#[cfg(test)]`: unit tests may import anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, iter};

const MACROS: &[&str] = &[
    "options",
    "syntax",
    "divergence",
    "nesting",
    "invisible_groups",
    "attributes",
    "conditions",
    "calls",
    "arguments",
    "combinators",
    "ends",
    "position",
    "macros",
    "receiver",
    "spawn",
    "variables",
    "captures",
    "uses",
    "driver",
    "client_paths",
    "runtime_tables",
    "candidate",
    "found",
    "head",
    "settlement",
    "call_variable",
    "traced",
    "rewrite",
    "body",
    "traced_http",
    "untraced",
    "lib",
    "tests",
];

const RUNTIME: &[&str] = &[
    "id",
    "support",
    "header",
    "document",
    "record",
    "emitter",
    "sampling",
    "origin",
    "recorder",
    "live",
    "http",
    "clients",
    "integrations",
    "private",
    "testing",
    "lib",
];

const LOCAL: &[&str] = &[
    "time",
    "bounded",
    "optional",
    "printable",
    "url",
    "document",
    "check",
    "otlp",
    "trace",
    "service",
    "store",
    "summary",
    "graph",
    "filter",
    "account",
    "rules",
    "recording",
    "intake",
    "import",
    "forward",
    "receive",
    "jobs",
    "api",
    "collect",
    "console",
    "server",
    "lib",
    "output",
    "terminal",
    "address",
    "tree",
    "client",
    "manual",
    "main",
];

const CARGO: &[&str] = &["packages", "sources", "fix", "listing", "main"];

#[test]
fn xray_macros_core_imports_only_from_lower_layers() {
    check("xray-macros-core", MACROS);
}

#[test]
fn xray_runtime_imports_only_from_lower_layers() {
    check("xray-runtime", RUNTIME);
}

#[test]
fn xray_local_imports_only_from_lower_layers() {
    check("xray-local", LOCAL);
}

#[test]
fn cargo_xray_imports_only_from_lower_layers() {
    check("cargo-xray", CARGO);
}

fn check(name: &str, layers: &[&str]) {
    // The test may be in any package of the workspace, so find the folder that holds the crates.
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find(|path| path.join("xray-macros").is_dir());
    let source = workspace.expect("no folder above this package holds xray-macros").join(name).join("src");
    let problems = Crate::read(&source).problems(layers);
    assert!(problems.is_empty(), "{name}/src:\n{}", problems.join("\n"));
}

/// The path of a module from the crate's root, such as `["document", "cause"]`. The root is empty.
type ModulePath = Vec<String>;

/// The modules of a crate that have a file of their own.
#[derive(Default)]
struct Crate(BTreeMap<ModulePath, Module>);

struct Module {
    file: String,
    imports: Vec<Import>,
}

/// A name that a module imports.
#[derive(Debug, Clone, PartialEq)]
struct Import {
    line: usize,
    /// The path as written, such as `["crate", "document", "Cause"]`. `*` stands for a glob.
    path: Vec<String>,
    /// The name by which the module can use the import. Absent for a path outside of a `use` statement.
    name: Option<String>,
    /// The inline modules around the import, outermost first.
    inside: Vec<String>,
}

impl Crate {
    fn read(source: &Path) -> Self {
        let mut files = Vec::new();
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(source.join(&folder)).unwrap() {
                let entry = entry.unwrap();
                let path = folder.join(entry.file_name());
                if entry.file_type().unwrap().is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    files.push((path.to_str().unwrap().replace('\\', "/"), fs::read_to_string(entry.path()).unwrap()));
                }
            }
        }
        Self::of(files)
    }

    /// Takes the files of a crate: paths below `src`, and contents.
    fn of(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let module = |(file, text): (String, String)| {
            let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
            let path = if path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() };
            (path, Module { file, imports: imports(&text) })
        };
        Self(files.into_iter().map(module).collect())
    }

    /// Returns what breaks the rules, one sentence per problem.
    fn problems(&self, layers: &[&str]) -> Vec<String> {
        let existing: BTreeSet<&str> = self.0.keys().map(|path| layer_of(path)).collect();
        let listed: BTreeSet<&str> = layers.iter().copied().collect();
        let mut problems: Vec<String> =
            existing.difference(&listed).map(|name| format!("`{name}` is in no layer: add it to the list")).collect();
        problems.extend(listed.difference(&existing).map(|name| format!("`{name}` is listed, but does not exist")));
        if listed.len() < layers.len() {
            problems.push("the list names a file or folder twice".to_owned());
        }

        let height = |name: &str| layers.iter().position(|layer| *layer == name);
        // By folder, the files and folders in it that import from one another.
        let mut arrows = BTreeMap::<&[String], BTreeSet<(String, String)>>::new();
        for (from, module) in &self.0 {
            for import in &module.imports {
                let Some(to) = self.resolve(from, import) else { continue };
                let (low, high) = (layer_of(&to), layer_of(from));
                if height(low).zip(height(high)).is_some_and(|(low, high)| low > high) {
                    let (file, line, path) = (&module.file, import.line, import.path.join("::"));
                    problems.push(format!("{file}:{line} imports `{path}` from `{low}`, which is above `{high}`"));
                }
                // Two modules meet in a folder; one inside the other is no arrow.
                let common = iter::zip(from, &to).take_while(|(one, other)| one == other).count();
                if let (Some(one), Some(other), 1..) = (from.get(common), self.known(&to).get(common), common) {
                    arrows.entry(&from[..common]).or_default().insert((one.clone(), other.clone()));
                }
            }
        }
        for (folder, arrows) in &arrows {
            if let Some(circle) = circle(arrows) {
                problems.push(format!("{}/: {} import each other in a circle", folder.join("/"), circle.join(", ")));
            }
        }
        problems
    }

    /// Returns the module that defines an imported name, or `None` if it is in another crate.
    fn resolve(&self, from: &ModulePath, import: &Import) -> Option<ModulePath> {
        let mut path = self.absolute(from, import)?;
        // A re-export can lead to another one. The limit guards against re-exports in a circle.
        for _ in 0..10 {
            let module = self.known(&path);
            let Some(name) = path.get(module.len()) else { break };
            let mut imports = self.0.get(module).into_iter().flat_map(|module| &module.imports);
            let target = imports.find(|import| import.inside.is_empty() && import.name.as_ref() == Some(name));
            let Some(mut next) = target.and_then(|target| self.absolute(&module.to_vec(), target)) else { break };
            if next == path {
                break;
            }
            next.extend_from_slice(&path[module.len() + 1..]);
            path = next;
        }
        Some(self.known(&path).to_vec())
    }

    /// Returns an import's path from the crate's root, or `None` if it is in another crate.
    fn absolute(&self, from: &ModulePath, import: &Import) -> Option<ModulePath> {
        let mut base: ModulePath = from.iter().chain(&import.inside).cloned().collect();
        let mut path = &import.path[..];
        match path.first()?.as_str() {
            "crate" => {
                base.clear();
                path = &path[1..];
            }
            "self" | "super" => {
                while let Some(first @ ("self" | "super")) = path.first().map(String::as_str) {
                    if first == "super" {
                        base.pop();
                    }
                    path = &path[1..];
                }
            }
            // Without a prefix, the path starts with a module inside this one, or with another crate.
            first => {
                let child: ModulePath = base.iter().cloned().chain([first.to_owned()]).collect();
                self.0.contains_key(&child).then_some(())?;
            }
        }
        base.extend_from_slice(path);
        Some(base)
    }

    /// Returns the longest part of a path that is a module with a file.
    fn known<'a>(&self, path: &'a [String]) -> &'a [String] {
        let lengths = (0..=path.len()).rev();
        lengths.map(|length| &path[..length]).find(|path| self.0.contains_key(*path)).unwrap_or_default()
    }
}

/// Returns the name of the file or folder below `src` that a module belongs to.
fn layer_of(module: &[String]) -> &str {
    module.first().map_or("lib", String::as_str)
}

/// Returns the names in a circle of arrows.
///
/// A name in a circle has an arrow to it and an arrow from it. Removing all other arrows again and again leaves the
/// circles, and names on the way from one circle to another.
fn circle(arrows: &BTreeSet<(String, String)>) -> Option<Vec<&str>> {
    let mut arrows: Vec<(&str, &str)> = arrows.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    loop {
        let (sources, targets): (BTreeSet<&str>, BTreeSet<&str>) = arrows.iter().copied().unzip();
        let before = arrows.len();
        arrows.retain(|(from, to)| targets.contains(from) && sources.contains(to));
        if arrows.is_empty() {
            return None;
        }
        if arrows.len() == before {
            return Some(sources.into_iter().collect());
        }
    }
}

/// Returns the imports in a file's text.
fn imports(text: &str) -> Vec<Import> {
    let tokens = tokens(text);
    let token = |index: usize| tokens.get(index).map_or("", |(_, token)| token.as_str());
    let mut imports = Vec::new();
    // The inline modules around the current token, each with the depth of braces outside of it.
    let (mut inside, mut depth) = (Vec::<(String, usize)>::new(), 0);
    let mut index = 0;
    while index < tokens.len() {
        let names = || inside.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        match token(index) {
            "#" if (index + 1..index + 7).map(token).eq(["[", "cfg", "(", "test", ")", "]"]) => {
                index = end_of_item(&tokens, index + 7);
                continue;
            }
            "mod" if token(index + 2) == "{" => inside.push((token(index + 1).to_owned(), depth)),
            // `use<..>` lists the parameters that an `impl Trait` captures.
            "use" if token(index + 1) != "<" => {
                let mut leaves = Vec::new();
                let start = index;
                index = use_tree(&tokens, index + 1, &[], &mut leaves);
                imports.extend(leaves.into_iter().map(|(path, name)| Import {
                    line: tokens[start].0,
                    path,
                    name: Some(name),
                    inside: names(),
                }));
                continue;
            }
            "crate" | "super" if token(index + 1) == "::" && starts_path(index, token) => {
                let mut path = vec![token(index).to_owned()];
                let line = tokens[index].0;
                while token(index + 1) == "::" && is_identifier(token(index + 2)) {
                    path.push(token(index + 2).to_owned());
                    index += 2;
                }
                // A macro with `#[macro_export]` is at the crate's root, wherever it is defined.
                if token(index + 1) != "!" {
                    imports.push(Import { line, path, name: None, inside: names() });
                }
            }
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                if inside.last().is_some_and(|(_, outside)| *outside == depth) {
                    inside.pop();
                }
            }
            _ => {}
        }
        index += 1;
    }
    imports
}

/// Returns whether a token is the first of a path. `$crate` is one token of a macro, and `pub(in crate::x)` names a
/// module that contains this one.
fn starts_path<'a>(index: usize, token: impl Fn(usize) -> &'a str) -> bool {
    index == 0 || !["$", "::", "in"].contains(&token(index - 1))
}

/// Reads a tree of a `use` statement: adds a path and a name for each leaf, and returns the index after the tree.
fn use_tree(
    tokens: &[(usize, String)],
    mut index: usize,
    prefix: &[String],
    leaves: &mut Vec<(Vec<String>, String)>,
) -> usize {
    let token = |index: usize| tokens.get(index).map_or("", |(_, token)| token.as_str());
    let mut path = prefix.to_vec();
    if token(index) == "::" {
        // `::name` is another crate; the empty name makes the path resolve to none of this crate's modules.
        path.push(String::new());
        index += 1;
    }
    loop {
        match token(index) {
            "{" => {
                index += 1;
                while !matches!(token(index), "}" | "") {
                    index = use_tree(tokens, index, &path, leaves);
                    index += usize::from(token(index) == ",");
                }
                return index + 1;
            }
            "*" => {
                path.push("*".to_owned());
                leaves.push((path, "*".to_owned()));
                return index + 1;
            }
            segment if is_identifier(segment) => path.push(segment.to_owned()),
            // The text is no `use` statement of this crate, such as `use #path` in a quotation of a macro.
            _ => return index + 1,
        }
        index += 1;
        if token(index) == "::" {
            index += 1;
            continue;
        }
        // `use a::{self}` imports `a`.
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let mut name = path.last().cloned().unwrap_or_default();
        if token(index) == "as" {
            token(index + 1).clone_into(&mut name);
            index += 2;
        }
        leaves.push((path, name));
        return index;
    }
}

/// Returns the index after an item: after its block, or after its semicolon.
fn end_of_item(tokens: &[(usize, String)], start: usize) -> usize {
    let mut depth = 0;
    for (index, (_, token)) in tokens.iter().enumerate().skip(start) {
        match token.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" if depth == 1 => return index + 1,
            "}" | ")" | "]" => depth -= 1,
            ";" if depth == 0 => return index + 1,
            _ => {}
        }
    }
    tokens.len()
}

fn is_identifier(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Splits Rust code into identifiers, `::` and single characters, each with its line. Leaves out white space, comments,
/// texts, and the quotation marks of lifetimes.
fn tokens(text: &str) -> Vec<(usize, String)> {
    let characters: Vec<char> = text.chars().collect();
    let at = |index: usize| characters.get(index).copied().unwrap_or('\0');
    let mut tokens = Vec::new();
    let (mut index, mut line) = (0, 1);
    while index < characters.len() {
        let start = index;
        match (at(index), at(index + 1)) {
            ('/', '/') => index = find(&characters, index, |index| at(index) == '\n'),
            ('/', '*') => index = find(&characters, index + 2, |index| (at(index), at(index + 1)) == ('*', '/')) + 2,
            ('"', _) => index = end_of_text(&characters, index),
            ('\'', '\\') => index = find(&characters, index + 3, |index| at(index) == '\'') + 1,
            ('\'', _) if at(index + 2) == '\'' => index += 3,
            (first, _) if first.is_alphanumeric() || first == '_' => {
                index = find(&characters, index, |index| !(at(index).is_alphanumeric() || at(index) == '_'));
                let word: String = characters[start..index].iter().collect();
                let hashes = characters[index..].iter().take_while(|character| **character == '#').count();
                if matches!(word.as_str(), "r" | "br" | "cr") && at(index + hashes) == '"' {
                    let end: String = iter::once('"').chain(iter::repeat_n('#', hashes)).collect();
                    let ends = |index: usize| characters[index..].iter().take(end.len()).copied().eq(end.chars());
                    index = find(&characters, index + hashes + 1, ends) + end.len();
                } else {
                    tokens.push((line, word));
                }
            }
            (':', ':') => {
                tokens.push((line, "::".to_owned()));
                index += 2;
            }
            (first, _) => {
                if !first.is_whitespace() && first != '\'' {
                    tokens.push((line, first.to_string()));
                }
                index += 1;
            }
        }
        index = index.min(characters.len());
        line += characters[start..index].iter().filter(|character| **character == '\n').count();
    }
    tokens
}

/// Returns the first index from `start` on for which a condition is true.
fn find(characters: &[char], start: usize, condition: impl Fn(usize) -> bool) -> usize {
    (start..characters.len()).find(|index| condition(*index)).unwrap_or(characters.len())
}

/// Returns the index after a text in quotation marks.
fn end_of_text(characters: &[char], start: usize) -> usize {
    let mut index = start + 1;
    while index < characters.len() && characters[index] != '"' {
        index += if characters[index] == '\\' { 2 } else { 1 };
    }
    index + 1
}

#[test]
fn imports_in_every_form_are_found() {
    let text = r##"
        //! use crate::comment;
        use crate::{a::b, c::{self, d as e}};
        pub(crate) use super::super::f::*;
        use ::std::g;
        mod inline { use super::h; }
        #[cfg(test)]
        mod tests { use crate::hidden; }
        fn function<'a>() -> impl Trait + use<'a> {
            let texts = ('"', "use crate::text;", r#"use crate::"raw";"#, b'\'');
            let path = crate::i::j(super::k, $crate::l, crate::m!());
            /* use crate::n; */
        }
        #[cfg(test)]
        use crate::hidden;
        use o::p;
    "##;
    let mut found = String::new();
    for Import { line, path, name, inside } in imports(text) {
        let (path, inside) = (path.join("::"), inside.join("::"));
        writeln!(found, "{line} {inside} {path} {}", name.unwrap_or_default()).unwrap();
    }
    let expected = [
        "3  crate::a::b b",
        "3  crate::c c",
        "3  crate::c::d e",
        "4  super::super::f::* *",
        "5  ::std::g g",
        "6 inline super::h h",
        "11  crate::i::j ",
        "11  super::k ",
        "16  o::p p",
    ];
    assert_eq!(found.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn imports_that_go_up_or_in_a_circle_are_reported() {
    let problems = |files: &[(&str, &str)], layers: &[&str]| {
        Crate::of(files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned()))).problems(layers)
    };
    let files = [
        ("lib.rs", "mod low; mod high; pub use high::High;"),
        ("low.rs", "use std::fmt;"),
        ("high/mod.rs", "mod one; mod two; pub use one::One; use crate::low; use two::Two;"),
        ("high/one.rs", "use super::two::Two; use super::High;"),
        ("high/two.rs", "use super::High;"),
    ];
    assert_eq!(problems(&files, &["low", "high", "lib"]), Vec::<String>::new());
    assert_eq!(
        problems(&files, &["high", "low", "lib"]),
        ["high/mod.rs:1 imports `crate::low` from `low`, which is above `high`"]
    );
    assert_eq!(problems(&files, &["low", "lib"]), ["`high` is in no layer: add it to the list"]);
    assert_eq!(problems(&files, &["low", "middle", "high", "lib"]), ["`middle` is listed, but does not exist"]);
    for (import, path) in [("use crate::High;", "crate::High"), ("fn f() { crate::high::f() }", "crate::high::f")] {
        let mut files = files;
        files[1].1 = import;
        assert_eq!(
            problems(&files, &["low", "high", "lib"]),
            [format!("low.rs:1 imports `{path}` from `high`, which is above `low`")]
        );
    }
    // The second import reaches `one` through the name that `high/mod.rs` re-exports.
    for import in ["use super::one::One;", "use super::One;", "use crate::high::{one::One};"] {
        let mut files = files;
        files[4].1 = import;
        assert_eq!(
            problems(&files, &["low", "high", "lib"]),
            ["high/: one, two import each other in a circle"],
            "{import}"
        );
    }
}
