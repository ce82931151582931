//! The recorder's rules for one request.

use crate::document::url::Url;
use crate::recorder::HttpRules;

/// The effects of the recorder's rules on a request.
#[derive(Default)]
pub(crate) struct RuleEffects<'a> {
    /// `true` if the request gets neither a subsegment nor headers.
    pub(crate) ignores: bool,
    /// `true` if the request gets no trace headers because `inject_only` does not list its host.
    pub(crate) withholds_headers: bool,
    /// The name that the rules give the subsegment.
    pub(super) name: Option<&'a str>,
}

impl<'a> RuleEffects<'a> {
    pub(crate) fn of(rules: &'a HttpRules, url: &Url<'_>) -> Self {
        let (host, path) = (url.host().unwrap_or_default(), url.path());
        Self {
            ignores: rules.ignores(&host, path),
            withholds_headers: !rules.injects(&host, path),
            name: rules.name(&host, path),
        }
    }
}
