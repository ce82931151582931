//! Reads the sources of the library as text, where the compiled library cannot be asked.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::LitStr;

use super::page::root;

/// Returns the text of each Rust file of the library, without its unit tests.
pub(crate) fn sources() -> Vec<String> {
    let mut sources = vec![];
    collect(&root().join("xray-runtime/src"), &mut sources);
    assert!(sources.len() > 50, "only {} files were found", sources.len());
    sources
}

fn collect(folder: &Path, sources: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.file_name().unwrap() != "tests.rs" {
            let text = fs::read_to_string(&path).unwrap();
            sources.push(text.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned());
        }
    }
}

/// Returns the value of every string literal in the code, those in arguments of macros included. Documentation does not
/// count.
pub(crate) fn strings() -> Vec<String> {
    let mut strings = vec![];
    for source in sources() {
        collect_strings(source.parse().unwrap(), &mut strings);
    }
    strings
}

fn collect_strings(tokens: TokenStream, strings: &mut Vec<String>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            // Documentation is a token `#[doc = ".."]` or `#![doc = ".."]`.
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                tokens.next_if(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '!'));
                tokens.next_if(is_documentation);
            }
            TokenTree::Group(group) => collect_strings(group.stream(), strings),
            TokenTree::Literal(literal) => {
                strings.extend(syn::parse_str(&literal.to_string()).map(|text: LitStr| text.value()).ok());
            }
            _ => {}
        }
    }
}

fn is_documentation(token: &TokenTree) -> bool {
    let TokenTree::Group(attribute) = token else { return false };
    matches!(attribute.stream().into_iter().next(), Some(TokenTree::Ident(name)) if name == "doc")
}

/// Returns the names of the public functions and methods, and of the methods of public traits.
pub(crate) fn public_functions() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for source in sources() {
        let mut is_in_trait = false;
        for line in source.lines() {
            if line.starts_with("pub trait ") {
                is_in_trait = true;
            } else if line.starts_with('}') {
                is_in_trait = false;
            }
            let code = line.trim_start();
            if ["pub fn ", "pub async fn ", "pub const fn "].iter().any(|start| code.starts_with(start))
                || is_in_trait && code.starts_with("fn ")
            {
                let name = code.split_once("fn ").unwrap().1;
                names.insert(name.split(['(', '<']).next().unwrap().to_owned());
            }
        }
    }
    names
}

/// Returns the names of the public methods in the `impl` blocks of a type.
pub(crate) fn methods_of(name: &str) -> BTreeSet<String> {
    let start = format!("impl {name} {{\n");
    let sources = sources();
    let blocks = sources.iter().flat_map(|source| source.split(&start).skip(1));
    let bodies = blocks.map(|rest| rest.split("\n}\n").next().unwrap());
    let lines = bodies.flat_map(str::lines).filter_map(|line| line.trim_start().strip_prefix("pub fn "));
    lines.map(|name| name.split(['(', '<']).next().unwrap().to_owned()).collect()
}

/// Returns the features of the crate.
pub(crate) fn features() -> BTreeSet<String> {
    let manifest: toml::Table = fs::read_to_string(root().join("xray-runtime/Cargo.toml")).unwrap().parse().unwrap();
    let features = manifest["features"].as_table().unwrap();
    features.keys().filter(|name| *name != "default").cloned().collect()
}

/// Returns the addresses that the library uses for a setting of the daemon's address, as `udp:host:port tcp:host:port`.
pub(crate) fn daemon_addresses(setting: Option<&str>) -> String {
    let builder = xray::Recorder::builder().enabled(false);
    let builder = if let Some(address) = setting { builder.daemon_address(address) } else { builder };
    let report = builder.build().check().to_string();
    let line = report.lines().find_map(|line| line.trim().strip_prefix("daemon_address = "));
    let (addresses, source) = line.unwrap().rsplit_once(" (").unwrap();
    let expected = if setting.is_some() { "code)" } else { "default)" };
    assert_eq!(source, expected, "{setting:?} is not accepted: {report}");
    addresses.to_owned()
}

/// Returns the default port for spans.
pub(crate) fn default_otlp_port() -> u64 {
    let strings = strings();
    let address = strings.iter().find(|text| text.starts_with("localhost:")).unwrap();
    address.rsplit(':').next().unwrap().parse().unwrap()
}

/// Returns the default port of the daemon.
pub(crate) fn default_port() -> u64 {
    daemon_addresses(None).rsplit(':').next().unwrap().parse().unwrap()
}
