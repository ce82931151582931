//! Any text as a file of local sampling rules, and any request against the rules of a valid file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xray::sampling::{Local, Sampler as _, SamplingRequest};

#[derive(Debug, arbitrary::Arbitrary)]
struct Input<'a> {
    service: &'a str,
    host: &'a str,
    method: &'a str,
    path: &'a str,
    manifest: &'a str,
}

fuzz_target!(|input: Input<'_>| {
    let Ok(rules) = Local::from_json(input.manifest) else { return };
    let request = SamplingRequest::new(input.service).with_host(input.host);
    rules.sample(&request.with_method(input.method).with_path(input.path));
});
