//! Environment variables in the pages, compared with those that the library reads.

use std::collections::BTreeSet;

use super::{code, page};

/// The beginnings of names of variables.
const PREFIXES: [&str; 6] = ["AWS_", "ECS_", "LAMBDA_", "OTEL_", "RUST_", "_X_AMZN_"];

/// Variables in the pages that other programs read.
const OF_OTHERS: [(&str, &str); 6] = [
    ("AWS_XRAY_LOG_LEVEL", "the X-Ray SDK for Node"),
    ("OTEL_PROPAGATORS", "the SDKs of OpenTelemetry"),
    ("OTEL_RESOURCE_ATTRIBUTES", "the SDKs of OpenTelemetry"),
    ("OTEL_SERVICE_NAME", "the SDKs of OpenTelemetry"),
    ("OTEL_TRACES_SAMPLER", "the SDKs of OpenTelemetry"),
    ("RUST_LOG", "env_logger and tracing-subscriber"),
];

fn is_variable(word: &str) -> bool {
    let rest = PREFIXES.iter().find_map(|prefix| word.strip_prefix(prefix));
    rest.is_some_and(|rest| !rest.is_empty() && !word.ends_with('_'))
}

fn in_text(text: &str) -> impl Iterator<Item = String> {
    let words = text
        .split(|character: char| !(character.is_ascii_uppercase() || character.is_ascii_digit() || character == '_'));
    words.filter(|word| is_variable(word)).map(str::to_owned)
}

/// Returns the variables that the library reads.
fn in_code() -> BTreeSet<String> {
    let variables: BTreeSet<_> = code::strings().into_iter().filter(|text| is_variable(text)).collect();
    assert!(variables.contains("AWS_XRAY_DAEMON_ADDRESS"), "{variables:?}");
    // A literal with a space or a lower-case letter is a sentence.
    variables.into_iter().filter(|name| in_text(name).next().as_ref() == Some(name)).collect()
}

fn in_pages() -> BTreeSet<String> {
    let pages = page::all();
    let texts = pages.iter().flat_map(|page| {
        page.blocks.iter().map(|block| block.text.clone()).chain([page.prose.clone()]).collect::<Vec<_>>()
    });
    texts.flat_map(|text| in_text(&text).collect::<Vec<_>>()).collect()
}

#[test]
fn each_variable_of_a_page_is_read_by_the_library_or_named_as_another_program_s() {
    let (code, pages) = (in_code(), in_pages());
    let others: BTreeSet<_> = OF_OTHERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let unknown: Vec<_> = pages.iter().filter(|name| !code.contains(*name) && !others.contains(*name)).collect();
    assert!(unknown.is_empty(), "no code reads {unknown:?}");
    let unused: Vec<_> = others.iter().filter(|name| !pages.contains(*name) || code.contains(*name)).collect();
    assert!(unused.is_empty(), "no page names {unused:?}, or the library reads it");
}

#[test]
fn each_variable_that_the_library_reads_is_in_the_tables_of_the_configuration_page() {
    let page = page::read("docs/configuration.md");
    let tables = page.tables.iter().filter(|table| table[0][0].text == "variable");
    let documented: BTreeSet<_> = tables.flat_map(|table| &table[1..]).flat_map(|row| row[0].codes.clone()).collect();
    assert_eq!(in_code(), documented);
}
