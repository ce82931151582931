//! Names in the pages: items of the library, features, counters, log lines, commands and files.

use std::collections::BTreeSet;

use super::page::{self, Page, Table};
use super::{code, page::root};

/// Imports each item, so that one that does not exist is an error of the compiler.
macro_rules! items {
    ($($first:ident $(:: $rest:ident)*),* $(,)?) => {
        $(#[allow(unused_imports)] use $first $(:: $rest)* as _;)*
        const ITEMS: &[&str] = &[$(concat!(stringify!($first) $(, "::", stringify!($rest))*)),*];
    };
}

items! {
    xray::Propagation,
    xray::Recorder,
    xray::Segment,
    xray::SegmentBuilder,
    xray::TraceHeader,
    xray::Trust,
    xray::actix_web::SegmentMiddleware,
    xray::aws_sdk::SubsegmentInterceptor,
    xray::current,
    xray::diesel::QueryInstrumentation,
    xray::doctor,
    xray::http::call,
    xray::in_current_trace,
    xray::lambda::TraceLayer,
    xray::reqwest_middleware::SubsegmentMiddleware,
    xray::sampling::Always,
    xray::sampling::Local,
    xray::stats,
    xray::testing::capture,
    xray::tower::SegmentLayer,
    xray::tower::SubsegmentLayer,
    xray::trace_id,
    xray::traced,
    xray::traced_http,
    xray::tracing::SubsegmentLayer,
    xray::tracing::WithTraceId,
}

/// Features in the pages that belong to other crates.
const FEATURES_OF_OTHERS: [(&str, &str); 4] =
    [("json", "tracing-subscriber"), ("signal", "tokio"), ("tracing-log", "tracing-subscriber"), ("util", "tower")];

/// Returns the item in a path, without the method after it: `xray::Segment` of `xray::Segment::builder("name")`.
fn item(path: &str) -> String {
    let end = path.find(|character: char| !(character.is_alphanumeric() || "_:".contains(character)));
    let path = path[..end.unwrap_or(path.len())].trim_end_matches(':');
    let mut names = vec![];
    for name in path.split("::") {
        names.push(name);
        if name.starts_with(char::is_uppercase) {
            break;
        }
    }
    names.join("::")
}

fn items_in(code: &str) -> impl Iterator<Item = String> {
    code.match_indices("xray::").map(|(start, _)| item(&code[start..])).filter(|item| item != "xray")
}

/// Returns the targets of the log lines.
fn log_targets() -> BTreeSet<String> {
    let targets = code::strings().into_iter().filter(|text| {
        text.strip_prefix("xray::")
            .is_some_and(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase()))
    });
    targets.collect()
}

#[test]
fn each_item_of_the_library_in_a_page_exists() {
    let targets = log_targets();
    let mut unknown = BTreeSet::new();
    for page in page::all() {
        for code in page.all_codes() {
            unknown.extend(items_in(code).filter(|item| !ITEMS.contains(&&**item) && !targets.contains(item)));
        }
    }
    assert!(unknown.is_empty(), "add to `ITEMS`, which imports them: {unknown:#?}");
}

/// Returns whether a table compares another library with this one, which has the last column.
fn compares_libraries(table: &Table) -> bool {
    table[0].last().unwrap().text.starts_with("xray")
}

/// Returns the parts in `backticks` that are not in a column of another library.
fn codes_about_the_library(page: &Page) -> impl Iterator<Item = &String> {
    let cells = page.tables.iter().flat_map(|table| {
        let first = if compares_libraries(table) { table[0].len() - 1 } else { 0 };
        table.iter().flat_map(move |row| &row[first..])
    });
    page.codes.iter().chain(cells.flat_map(|cell| &cell.codes))
}

/// Returns the names that are followed by a bracket: `service_name` of `.service_name("todo-app")`.
fn called(code: &str) -> impl Iterator<Item = &str> {
    let is_end = |character: char| !(character.is_alphanumeric() || character == '_');
    let names = code.match_indices('(').filter_map(move |(bracket, _)| code[..bracket].rsplit(is_end).next());
    names.filter(|name| !name.is_empty())
}

/// Names in such places that belong to other crates and the standard library, or to an attribute.
const METHODS_OF_OTHERS: [&str; 5] = ["traced", "default", "layer", "with", "from_secs"];

#[test]
fn each_method_that_is_called_on_an_item_of_the_library_exists() {
    let functions = code::public_functions();
    let receivers = ["Recorder::", "Segment", "TraceHeader::", "Local::", "recorder.", "segment.", "xray::", "."];
    let mut unknown = BTreeSet::new();
    let mut count = 0;
    for page in page::all() {
        let codes = codes_about_the_library(&page);
        for code in codes.filter(|code| receivers.iter().any(|receiver| code.starts_with(receiver))) {
            for name in called(code) {
                count += 1;
                if !functions.contains(name) && !METHODS_OF_OTHERS.contains(&name) {
                    unknown.insert(format!("{}: `{name}` in `{code}`", page.path));
                }
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
    assert!(count > 40, "only {count} names were found");
}

#[test]
fn each_method_in_the_column_of_the_library_exists() {
    let functions = code::public_functions();
    let mut count = 0;
    for path in ["README.md", "docs/from-python.md", "docs/from-node.md"] {
        let page = page::read(path);
        let tables = page.tables.iter().filter(|table| compares_libraries(table));
        for cell in tables.flat_map(|table| &table[1..]).map(|row| row.last().unwrap()) {
            for name in cell.codes.iter().flat_map(|code| called(code)) {
                count += 1;
                let exists = functions.contains(name) || METHODS_OF_OTHERS.contains(&name);
                assert!(exists, "{path}: there is no `{name}` ({})", cell.text);
            }
        }
    }
    assert!(count > 60, "only {count} names were found");
}

#[test]
fn the_table_of_settings_lists_every_setting_of_the_builder() {
    let page = page::read("docs/configuration.md");
    let documented: BTreeSet<_> =
        page.table("setting")[1..].iter().flat_map(|row| &row[0].codes).flat_map(|code| called(code)).collect();
    let settings = code::methods_of("RecorderBuilder");
    let settings: BTreeSet<_> =
        settings.iter().map(String::as_str).filter(|name| !["build", "install"].contains(name)).collect();
    assert_eq!(documented, settings);
}

#[test]
fn the_table_of_counters_lists_every_counter() {
    let page = page::read("docs/no-traces.md");
    let documented: BTreeSet<_> = page.table("counter")[1..].iter().flat_map(|row| row[0].codes.clone()).collect();
    let stats = format!("{:?}", xray::stats());
    let fields = stats.trim_start_matches("Stats {").trim_end_matches('}').split(',');
    let fields: BTreeSet<_> = fields.filter_map(|field| Some(field.split_once(':')?.0.trim().to_owned())).collect();
    assert_eq!(documented, fields);
}

#[test]
fn the_table_of_log_targets_lists_every_target() {
    let page = page::read("docs/no-traces.md");
    let documented: BTreeSet<_> = page.table("target")[1..].iter().flat_map(|row| row[0].codes.clone()).collect();
    assert_eq!(documented, log_targets());
}

#[test]
fn each_log_line_that_a_page_quotes_is_written_by_the_library() {
    let page = page::read("docs/no-traces.md");
    let strings = code::strings();
    let rows = &page.table("the log says")[1..];
    assert!(rows.len() >= 10);
    for quote in rows.iter().flat_map(|row| &row[0].codes) {
        assert!(strings.iter().any(|text| text.contains(quote)), "no log line contains {quote:?}");
    }
}

#[test]
fn each_feature_in_a_page_exists_and_each_feature_is_documented() {
    let features = code::features();
    let others = FEATURES_OF_OTHERS.map(|(name, _)| name);
    for page in page::all() {
        // In the sentences: `feature "x"`, `features "x", "y"`.
        for (start, word) in page.prose.match_indices("feature") {
            let rest = page.prose[start + word.len()..].trim_start_matches('s').trim_start();
            let Some(name) = rest.strip_prefix('`').and_then(|rest| rest.split('`').next()) else { continue };
            assert!(features.contains(name) || others.contains(&name), "{}: there is no feature `{name}`", page.path);
        }
    }
    // The page about calls lacks two features that are not about calls.
    for (path, others) in [("README.md", &[][..]), ("docs/what-is-traced.md", &["backtrace", "origin"])] {
        let page = page::read(path);
        let missing: Vec<_> = features
            .iter()
            .filter(|feature| !others.contains(&&***feature) && !page.all_codes().any(|code| code == *feature))
            .collect();
        assert!(missing.is_empty(), "{path} does not name the features {missing:?}");
    }
}

#[test]
fn a_page_that_uses_a_module_names_the_feature_of_the_module() {
    let modules = [
        ("actix_web", "actix-web"),
        ("aws_sdk", "aws-sdk"),
        ("diesel", "diesel"),
        ("lambda", "lambda"),
        ("reqwest_middleware", "reqwest-middleware"),
        ("tower", "tower"),
        ("tracing", "tracing"),
    ];
    for page in page::all() {
        for block in page.blocks.iter().filter(|block| block.language == "rust") {
            for (module, feature) in modules {
                let uses = block.text.contains(&format!("xray::{module}::"));
                let names = page
                    .blocks
                    .iter()
                    .any(|block| block.language == "toml" && block.text.contains(&format!("\"{feature}\"")))
                    || page.all_codes().any(|code| code == feature);
                assert!(!uses || names, "{} does not name the feature `{feature}`", block.place);
            }
        }
    }
}

/// Returns the command-line options of xray-local that an item of its source declares, without the leading dashes.
pub(crate) fn options_of_xray_local(item: &str) -> BTreeSet<String> {
    let source = std::fs::read_to_string(root().join("xray-local/src/main.rs")).unwrap();
    let (_, fields) = source.split_once(&format!("{item} {{")).unwrap();
    let (fields, _) = fields.split_once("\n}").unwrap();
    let names = fields
        .lines()
        .filter(|line| !line.trim_start().starts_with(['/', '#']))
        .filter_map(|line| line.split_once(": "));
    names.map(|(name, _)| name.trim().replace('_', "-")).collect()
}

fn options_in(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().filter_map(|word| word.strip_prefix("--"))
}

#[test]
fn each_option_of_xray_local_in_a_page_exists() {
    let items = ["struct Serve", "enum Command", "struct Ask"].map(options_of_xray_local);
    let options: BTreeSet<String> = items.into_iter().flatten().collect();
    let mut count = 0;
    for page in page::all() {
        let commands = page.blocks.iter().filter(|block| block.language == "sh").flat_map(|block| block.text.lines());
        for command in commands.chain(page.all_codes().map(String::as_str)) {
            let Some((_, arguments)) = command.split_once("xray-local ") else { continue };
            for option in options_in(arguments) {
                count += 1;
                assert!(options.contains(option), "{}: xray-local has no option --{option}", page.path);
            }
        }
    }
    assert!(count > 3, "only {count} options were found");
}

#[test]
fn the_table_of_options_lists_every_option_of_xray_local() {
    let page = page::read("xray-local/README.md");
    let codes = page.table("option")[1..].iter().flat_map(|row| row[0].codes.clone());
    let documented: BTreeSet<_> =
        codes.flat_map(|code| options_in(&code).map(str::to_owned).collect::<Vec<_>>()).collect();
    assert_eq!(documented, options_of_xray_local("struct Serve"));
}

#[test]
fn each_package_and_file_of_the_repository_in_a_page_exists() {
    let manifests = ["xray-local", "xray-runtime", "benches", "tests"].map(|folder| {
        let manifest: toml::Table =
            std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap().parse().unwrap();
        manifest["package"]["name"].as_str().unwrap().to_owned()
    });
    for page in page::all() {
        let commands = page.blocks.iter().filter(|block| block.language == "sh").flat_map(|block| block.text.lines());
        for command in commands.chain(page.all_codes().map(String::as_str)) {
            let words: Vec<_> = command.split_whitespace().collect();
            for package in words.windows(2).filter(|words| words[0] == "-p").map(|words| words[1]) {
                let example = package.strip_prefix("example-").map(|name| root().join("examples").join(name));
                let exists = example.is_some_and(|path| path.exists()) || manifests.contains(&package.to_owned());
                assert!(exists, "{}: there is no package {package}", page.path);
            }
        }
        let folders = ["benches/", "docs/", "examples/", "tests/", "xray-local/", "xray-runtime/"];
        for path in page.all_codes().filter(|code| folders.iter().any(|folder| code.starts_with(folder))) {
            assert!(root().join(path).exists(), "{}: there is no {path}", page.path);
        }
    }
}
