//! The names of segments and subsegments.

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use super::attributes::text;
use super::http::Http;
use crate::check::allowed_name;
use crate::url;

/// The name for a span whose own name has no character that X-Ray accepts.
const NAMELESS: &str = "span";

/// Copies of the attributes that determine the name of a segment or subsegment.
#[derive(Default)]
pub(super) struct Names {
    local_service: Option<String>,
    pub(super) remote_service: Option<String>,
    peer_service: Option<String>,
    aws_service: Option<String>,
    rpc_service: Option<String>,
    rpc_system: Option<String>,
    span_kind: Option<String>,
    pub(super) db_name: Option<String>,
    pub(super) db_connection: Option<String>,
}

impl Names {
    /// Copies the value of an attribute, if the attribute determines the name.
    pub(super) fn look(&mut self, key: &str, value: &Any) {
        let field = match key {
            "aws.local.service" => &mut self.local_service,
            "aws.remote.service" => &mut self.remote_service,
            "peer.service" => &mut self.peer_service,
            "aws.service" => &mut self.aws_service,
            "rpc.service" => &mut self.rpc_service,
            "rpc.system" => &mut self.rpc_system,
            "aws.span.kind" => &mut self.span_kind,
            "db.name" => &mut self.db_name,
            "db.connection_string" => &mut self.db_connection,
            _ => return,
        };
        *field = text(value.clone());
    }

    /// Returns whether the span is the first of its service in the trace. ADOT marks such spans.
    pub(super) fn is_local_root(&self) -> bool {
        self.span_kind.as_deref() == Some("LOCAL_ROOT")
    }

    /// Returns whether the span is a call by an AWS SDK.
    pub(super) fn is_aws_call(&self) -> bool {
        self.rpc_system.as_deref() == Some("aws-api")
    }

    /// Returns the name of the service that a local root belongs to.
    pub(super) fn of_service(&self) -> Option<String> {
        self.local_service.clone()
    }

    /// Returns the name of the service that a span calls.
    pub(super) fn of_callee(&self) -> Option<String> {
        let name = self.remote_service.as_deref()?;
        let own = ["AWS.SDK.", "AWS::"].into_iter().find_map(|prefix| name.strip_prefix(prefix));
        Some(own.filter(|_| self.is_aws_call()).unwrap_or(name).to_owned())
    }

    /// Returns the name of the segment or subsegment, and `true` if the name comes from the attribute `aws.service`.
    pub(super) fn of(&self, kind: SpanKind, http: &Http, service: Option<&str>, span: &str) -> (String, bool) {
        let own = match kind {
            SpanKind::Server => self.of_service(),
            SpanKind::Internal if self.is_local_root() => self.of_service(),
            SpanKind::Client | SpanKind::Producer | SpanKind::Consumer => self.of_callee(),
            _ => None,
        };
        if let Some(name) = own.or_else(|| self.peer_service.clone()) {
            return (name, false);
        }
        if let Some(name) = &self.aws_service {
            return (name.clone(), true);
        }
        let service = service.filter(|_| kind == SpanKind::Server).map(str::to_owned);
        let name = self.of_database().or(service).or_else(|| self.rpc_service.clone());
        let name = name.or_else(|| http.host.clone()).or_else(|| http.net_peer_name.clone());
        (name.unwrap_or_else(|| of_span(span)), false)
    }

    /// Returns the name of a database and its host: `orders@db.example.com`.
    fn of_database(&self) -> Option<String> {
        let name = self.db_name.clone()?;
        Some(match self.db_connection.as_deref().and_then(host) {
            Some(host) => format!("{name}@{host}"),
            None => name,
        })
    }
}

/// Returns the name of a span without the characters that X-Ray does not accept.
fn of_span(name: &str) -> String {
    match allowed_name(name) {
        name if name.is_empty() => NAMELESS.to_owned(),
        name => name,
    }
}

/// Returns the host of a connection string such as `jdbc:mysql://db.example.com:3306`.
fn host(connection: &str) -> Option<&str> {
    let (authority, _) = url::split(connection.strip_prefix("jdbc:").unwrap_or(connection));
    Some(url::host(authority).trim_matches(['[', ']'])).filter(|host| !host.is_empty())
}
