//! The parameters of the map, which are the whole state of the page: each link sets some of them and keeps the others.

use serde::{Deserialize, Serialize};

use crate::console::link;
use crate::console::parameter::{choice, number};
use crate::graph::Service;

/// The parameters. An empty text stands for a parameter that is not given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(in crate::console) struct Query {
    /// The length of the time range up to now. Without it the map shows all traces.
    #[serde(deserialize_with = "number")]
    pub(super) minutes: Option<u32>,
    /// The size of the drawing, in per cent. Without it the drawing fits the window.
    #[serde(deserialize_with = "number")]
    pub(super) zoom: Option<u32>,
    /// The text of the search box: the map shows the traces that match.
    pub(super) filter: String,
    /// A part of the names of services that the reader looks for.
    pub(super) find: String,
    /// What services are merged by.
    #[serde(deserialize_with = "choice")]
    pub(super) group: Option<Group>,
    /// `only` for the services and calls with failures.
    pub(super) failing: String,
    /// `only` for the services that call the selected one, or that it calls, directly or through others.
    pub(super) path: String,
    /// The name, type and account of the selected service.
    pub(super) node: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) account: String,
    /// The name, type and account of the service whose calls by `node` are selected.
    pub(super) to: String,
    pub(super) to_type: String,
    pub(super) to_account: String,
}

/// What services are merged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Group {
    Host,
    Namespace,
}

/// The value of `failing` and `path`.
pub(super) const ONLY: &str = "only";

impl Group {
    fn value(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Namespace => "namespace",
        }
    }
}

impl Query {
    /// Returns the parameters that are given, with their values.
    pub(super) fn parameters(&self) -> Vec<(&'static str, String)> {
        let number = |number: Option<u32>| number.map_or_else(String::new, |number| number.to_string());
        let all = [
            ("minutes", number(self.minutes)),
            ("zoom", number(self.zoom)),
            ("filter", self.filter.clone()),
            ("find", self.find.clone()),
            ("group", self.group.map_or("", Group::value).to_owned()),
            ("failing", self.failing.clone()),
            ("path", self.path.clone()),
            ("node", self.node.clone()),
            ("type", self.kind.clone()),
            ("account", self.account.clone()),
            ("to", self.to.clone()),
            ("to_type", self.to_type.clone()),
            ("to_account", self.to_account.clone()),
        ];
        all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// Returns the address of the map with these parameters.
    pub(super) fn address(&self) -> String {
        let parameters = self.parameters();
        let parameters: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        link::map(&parameters)
    }

    /// Returns the address of the map with some parameters changed.
    pub(super) fn with(&self, change: impl FnOnce(&mut Self)) -> String {
        let mut changed = self.clone();
        change(&mut changed);
        changed.address()
    }

    /// Selects nothing.
    pub(super) fn clear_selection(&mut self) {
        *self = Self {
            minutes: self.minutes,
            zoom: self.zoom,
            filter: std::mem::take(&mut self.filter),
            find: std::mem::take(&mut self.find),
            group: self.group,
            failing: std::mem::take(&mut self.failing),
            ..Self::default()
        };
    }

    /// Returns the address of the map with a service selected. The fragment makes a browser scroll to the service in
    /// the drawing.
    pub(super) fn with_node(&self, service: &Service) -> String {
        self.with(|query| query.select(service, None)) + "#selected"
    }

    /// Returns the address of the map with the calls from one service to another selected.
    pub(super) fn with_edge(&self, from: &Service, to: &Service) -> String {
        self.with(|query| query.select(from, Some(to))) + "#selected"
    }

    fn select(&mut self, service: &Service, callee: Option<&Service>) {
        let path = std::mem::take(&mut self.path);
        self.clear_selection();
        self.path = path;
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        (self.node, self.kind, self.account) = (service.name.clone(), text(&service.kind), text(&service.account_id));
        if let Some(callee) = callee {
            (self.to, self.to_type, self.to_account) =
                (callee.name.clone(), text(&callee.kind), text(&callee.account_id));
        }
    }

    /// Returns whether a service is the selected one, or the caller of the selected calls.
    pub(super) fn is_node(&self, service: &Service) -> bool {
        is(service, &self.node, &self.kind, &self.account)
    }

    /// Returns whether a service is the one whose calls are selected.
    pub(super) fn is_callee(&self, service: &Service) -> bool {
        is(service, &self.to, &self.to_type, &self.to_account)
    }
}

fn is(service: &Service, name: &str, kind: &str, account: &str) -> bool {
    !name.is_empty()
        && service.name == name
        && service.kind.as_deref().unwrap_or_default() == kind
        && service.account_id.as_deref().unwrap_or_default() == account
}
