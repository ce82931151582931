//! The `http` block, made from the attributes of the old and the new semantic conventions for HTTP.

use std::net::IpAddr;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use serde_json::{Map, Value};

use super::attributes::{entry, integer, text, text_or_integer};

/// The attributes about HTTP and the network.
#[derive(Default)]
pub(super) struct Http {
    method: Option<String>,
    url: Option<String>,
    user_agent: Option<String>,
    forwarded_client: Option<String>,
    client_address: Option<String>,
    peer_address: Option<String>,
    peer_ip: Option<String>,
    pub(super) status: Option<i64>,
    content_length: Option<i64>,
    scheme: Option<String>,
    pub(super) host: Option<String>,
    target: Option<String>,
    path: Option<String>,
    server_name: Option<String>,
    host_name: Option<String>,
    net_host_name: Option<String>,
    net_host_port: Option<String>,
    pub(super) net_peer_name: Option<String>,
    net_peer_port: Option<String>,
    server_address: Option<String>,
    server_port: Option<String>,
    /// `true` if an attribute is about HTTP itself. Otherwise there is no `http` block.
    has_request: bool,
    /// `true` if the attributes name a host, so that a URL can be made.
    has_host: bool,
}

impl Http {
    /// Stores an attribute about HTTP or the network. Returns the value of any other attribute.
    pub(super) fn take(&mut self, key: &str, value: Any) -> Option<Any> {
        let (field, has_request, has_host) = match key {
            "http.method" | "http.request.method" => (&mut self.method, true, false),
            "http.url" | "url.full" => (&mut self.url, true, true),
            "http.user_agent" | "user_agent.original" => (&mut self.user_agent, true, false),
            "http.client_ip" => (&mut self.forwarded_client, true, false),
            "http.scheme" | "url.scheme" => (&mut self.scheme, true, false),
            "http.host" => (&mut self.host, true, true),
            "http.target" | "url.query" => (&mut self.target, true, false),
            "url.path" => (&mut self.path, true, false),
            "http.server_name" => (&mut self.server_name, true, true),
            "host.name" => (&mut self.host_name, false, true),
            "net.host.name" => (&mut self.net_host_name, false, true),
            "net.host.port" => (&mut self.net_host_port, true, false),
            "net.peer.name" => (&mut self.net_peer_name, false, true),
            "net.peer.port" => (&mut self.net_peer_port, false, false),
            "net.peer.ip" => (&mut self.peer_ip, false, true),
            "network.peer.address" => (&mut self.peer_address, false, false),
            "client.address" => (&mut self.client_address, false, false),
            "server.address" => (&mut self.server_address, false, true),
            "server.port" => (&mut self.server_port, false, false),
            "http.status_code" | "http.response.status_code" => {
                self.status = integer(&value);
                self.has_request = true;
                return None;
            }
            "http.response_content_length" | "http.response.body.size" => {
                self.content_length = integer(&value);
                return None;
            }
            _ => return Some(value),
        };
        *field = text_or_integer(value);
        self.has_request |= has_request;
        self.has_host |= has_host;
        None
    }

    /// Returns the block, or `None` if no attribute is about HTTP.
    ///
    /// `x_forwarded_for` is written only in segments, which describe requests that their services received. `received`
    /// is the length of a received message. It becomes the length of the response if no attribute holds that length.
    pub(super) fn block(self, is_server: bool, is_segment: bool, received: Option<i64>) -> Option<Value> {
        if !self.has_request {
            return None;
        }
        let is_ip = |text: &String| text.parse::<IpAddr>().is_ok();
        let client = self.client_address.clone().filter(is_ip).or_else(|| self.forwarded_client.clone());
        let peer = self.peer_ip.clone().or_else(|| self.peer_address.clone().filter(is_ip));
        let is_forwarded = client.is_some() && peer.is_none();
        let (mut request, mut response) = (Map::new(), Map::new());
        let url = (self.has_host || peer.is_some()).then(|| self.url(is_server));
        let texts =
            [("url", url), ("method", self.method), ("user_agent", self.user_agent), ("client_ip", client.or(peer))];
        request.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into()))));
        if is_forwarded && is_segment {
            request.insert("x_forwarded_for".to_owned(), true.into());
        }
        let numbers = [("status", self.status), ("content_length", self.content_length.or(received))];
        response.extend(numbers.into_iter().filter_map(|(name, number)| Some((name.to_owned(), number?.into()))));
        let parts = [("request", request), ("response", response)].into_iter().filter(|(_, part)| !part.is_empty());
        Some(parts.map(|(name, part)| (name.to_owned(), Value::Object(part))).collect())
    }

    /// Returns the URL. Builds it from its parts if no attribute holds the whole URL. (OpenTelemetry semantic
    /// conventions, "HTTP spans".)
    fn url(&self, is_server: bool) -> String {
        if let Some(url) = &self.url {
            return url.clone();
        }
        let first = |texts: &[&Option<String>]| texts.iter().find_map(|text| (*text).clone());
        let scheme = self.scheme.as_deref().unwrap_or("http");
        let (host, port) = match (&self.host, is_server) {
            (Some(host), _) => (Some(host.clone()), None),
            (None, true) => (
                first(&[&self.server_name, &self.net_host_name, &self.host_name, &self.server_address]),
                first(&[&self.net_host_port, &self.server_port]),
            ),
            (None, false) => (
                first(&[&self.net_peer_name, &self.peer_ip, &self.server_address]),
                first(&[&self.net_peer_port, &self.server_port]),
            ),
        };
        let is_usual = |port: &String| matches!((scheme, port.as_str()), ("http", "80") | ("https", "443"));
        let port = port.filter(|port| !is_usual(port)).map_or_else(String::new, |port| format!(":{port}"));
        // `http.target` begins with the path. The field may also hold `url.query`, which has no path and is left out.
        let target = self.target.as_ref().filter(|target| target.starts_with('/'));
        let path = target.or(self.path.as_ref()).map_or("/", String::as_str);
        format!("{scheme}://{}{port}{path}", host.unwrap_or_default())
    }
}

/// Returns the length of a received message, if the attributes of a span or event describe one.
pub(super) fn received_bytes(attributes: &[KeyValue]) -> Option<i64> {
    let find =
        |key: &str| attributes.iter().find(|attribute| attribute.key == key).and_then(|found| entry(found.clone()));
    let (_, kind) = find("message.type")?;
    let (_, size) = find("messaging.message.body.size").or_else(|| find("messaging.message_payload_size_bytes"))?;
    integer(&size).filter(|size| *size != 0 && text(kind).as_deref() == Some("RECEIVED"))
}
