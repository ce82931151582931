//! The source files of a crate: the root, and the files of its modules.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::{Attribute, Expr, File, Item, ItemMod, Lit, LitStr, Meta};
use xray_macros_core::{is_test, items_in};

/// A source file that was read.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) file: File,
    /// The number of bytes before the text that the positions in `file` refer to: a byte order mark, or the line
    /// `#!..`.
    pub(crate) offset: usize,
}

/// Reads the files of crates, each once.
#[derive(Default)]
pub(crate) struct Sources {
    pub(crate) read: Vec<Source>,
    /// The files that could not be read or parsed, with the reason.
    pub(crate) failed: Vec<(PathBuf, String)>,
    seen: BTreeSet<PathBuf>,
}

/// Where the files of the modules of a file are.
struct Folder {
    /// The folder of the file itself, for `#[path]`.
    of_file: PathBuf,
    /// The folder of the files of its modules.
    of_modules: PathBuf,
}

impl Sources {
    /// Reads a file and the files of its modules.
    pub(crate) fn read_crate(&mut self, root: &Path) {
        let folder = root.parent().unwrap_or(Path::new("")).to_owned();
        self.read_file(root.to_owned(), folder);
    }

    fn read_file(&mut self, path: PathBuf, of_modules: PathBuf) {
        let same = path.canonicalize().unwrap_or_else(|_| path.clone());
        if !self.seen.insert(same) {
            return;
        }
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => return self.failed.push((path, error.to_string())),
        };
        let offset = prefix(&text);
        let file = match syn::parse_file(&text[offset..]) {
            Ok(file) => file,
            Err(error) => {
                let line = error.span().start().line + text[..offset].matches('\n').count();
                return self.failed.push((path, format!("line {line}: {error}")));
            }
        };
        let folder = Folder { of_file: path.parent().unwrap_or(Path::new("")).to_owned(), of_modules };
        let files = module_files(&file.items, &folder, false);
        self.read.push(Source { path, text, file, offset });
        for (path, of_modules) in files {
            self.read_file(path, of_modules);
        }
    }
}

/// Returns the number of bytes that are no Rust code: a byte order mark, and a first line `#!/usr/bin/env ..`.
fn prefix(text: &str) -> usize {
    let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let code = &text[mark..];
    let is_line = code.starts_with("#!") && !code[2..].trim_start().starts_with('[');
    mark + if is_line { code.find('\n').unwrap_or(code.len()) } else { 0 }
}

/// Returns the files of the modules among these items, each with the folder of its own modules. Modules that are only
/// compiled for tests are left out.
fn module_files(items: &[Item], folder: &Folder, is_inline: bool) -> Vec<(PathBuf, PathBuf)> {
    let mut files = Vec::new();
    for item in items {
        if let Item::Macro(call) = item {
            files.extend(module_files(&items_in(call), folder, is_inline));
        }
        let Item::Mod(module) = item else { continue };
        if is_test(&module.attrs) {
            continue;
        }
        let (name, paths) = (module.ident.unraw().to_string(), paths(&module.attrs));
        // `#[path]` starts at the folder of the file, or inside an inline module at that of its modules. A file with
        // such a path has its modules beside it, as `mod.rs` has. (Reference, "The path attribute".)
        let base = if is_inline { &folder.of_modules } else { &folder.of_file };
        if let Some((_, items)) = &module.content {
            let of_modules = paths.first().map_or_else(|| folder.of_modules.join(&name), |path| base.join(path));
            files.extend(module_files(items, &Folder { of_file: folder.of_file.clone(), of_modules }, true));
            continue;
        }
        files.extend(paths.iter().map(|path| base.join(path)).filter(|path| path.is_file()).map(beside));
        files.extend(default_files(module, &name, folder, paths.is_empty()));
    }
    files
}

fn beside(file: PathBuf) -> (PathBuf, PathBuf) {
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    (file, folder)
}

/// Returns the file `name.rs` or `name/mod.rs`. If the module has a `#[path]`, which may be behind `#[cfg_attr(..)]`,
/// only if it exists.
fn default_files(module: &ItemMod, name: &str, folder: &Folder, is_only: bool) -> Option<(PathBuf, PathBuf)> {
    let has_path = module.attrs.iter().any(|attribute| attribute.path().is_ident("path"));
    let own = folder.of_modules.join(name);
    let (flat, nested) = (folder.of_modules.join(format!("{name}.rs")), own.join("mod.rs"));
    if has_path {
        None
    } else if nested.is_file() && !flat.is_file() {
        Some((nested, own))
    } else if flat.is_file() || is_only {
        Some((flat, own))
    } else {
        None
    }
}

/// Returns the paths of `#[path = ".."]` and `#[cfg_attr(.., path = "..")]`.
fn paths(attributes: &[Attribute]) -> Vec<String> {
    let path = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(value) if value.path.is_ident("path") => match &value.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(path) => Some(path.value()),
                _ => None,
            },
            _ => None,
        },
        Meta::List(list) if list.path.is_ident("cfg_attr") => conditional_path(&list.tokens),
        _ => None,
    };
    attributes.iter().filter_map(path).collect()
}

/// Returns the text after `path =` in the arguments of `cfg_attr`.
fn conditional_path(arguments: &TokenStream) -> Option<String> {
    let mut tokens = arguments.clone().into_iter();
    tokens.find(|token| matches!(token, TokenTree::Ident(name) if name == "path"))?;
    let (_equals, text) = (tokens.next()?, tokens.next()?);
    syn::parse2::<LitStr>(text.into()).ok().map(|text| text.value())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_code_is_before_the_positions() {
        assert_eq!(prefix("fn f() {}"), 0);
        assert_eq!(prefix("\u{feff}fn f() {}"), 3);
        assert_eq!(prefix("#!/usr/bin/env rust\nfn f() {}"), 19);
        assert_eq!(prefix("#![allow(dead_code)]\n"), 0);
    }
}
