//! The commands `traces` and `trace`, which query a running `xray-local`.

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};
use xray_local::document::{Document, State, TraceId};
use xray_local::time::now;
use xray_local::trace::Trace;

use crate::address::Address;
use crate::terminal::{TraceLine, plain_json, request_of};
use crate::tree;

/// The longest time to wait for a response.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The traces that the command `traces` prints.
pub(crate) struct Selection {
    pub(crate) filter: String,
    /// The longest time since a trace's start. With `None`, traces of any age are printed.
    pub(crate) since: Option<Duration>,
    pub(crate) limit: usize,
}

/// A running `xray-local`.
pub(crate) struct Client {
    agent: ureq::Agent,
    address: Address,
}

impl Client {
    pub(crate) fn new(address: Address) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(TIMEOUT));
        // By default, ureq uses the proxy in `http_proxy`, which cannot reach the loopback interface of this machine.
        let config = config.proxy(None);
        Self { agent: config.build().into(), address }
    }

    /// Prints a line for each trace, latest first. With `as_json`, each line is the trace's summary from the X-Ray API.
    pub(crate) fn traces(
        &self,
        out: &mut impl Write,
        selection: &Selection,
        as_json: bool,
    ) -> Result<(), Box<dyn Error>> {
        // Clocks differ, so a trace may start in the future.
        let (start, end) = match selection.since {
            Some(since) => (now() - since.as_secs_f64(), now() + 86_400.0),
            None => (f64::MIN, f64::MAX),
        };
        let mut query = json!({ "StartTime": start, "EndTime": end, "FilterExpression": selection.filter });
        let mut left = selection.limit;
        loop {
            let mut page = self.ask("TraceSummaries", &query)?;
            let Value::Array(summaries) = page["TraceSummaries"].take() else {
                return Err("the response has no traces".into());
            };
            for summary in summaries.iter().take(left) {
                let line = if as_json { plain_json(&summary.to_string()) } else { self.line(summary)? };
                writeln!(out, "{line}")?;
            }
            left = left.saturating_sub(summaries.len());
            match page.get("NextToken").filter(|_| left > 0) {
                Some(token) => query["NextToken"] = token.clone(),
                None => return Ok(()),
            }
        }
    }

    /// Prints a trace as a tree, in which inferred segments are left out unless `shows_inferred` is set. With
    /// `as_json`, prints a JSON object with all segments of the trace.
    pub(crate) fn trace(
        &self,
        out: &mut impl Write,
        id: &str,
        shows_inferred: bool,
        as_json: bool,
    ) -> Result<(), Box<dyn Error>> {
        let id = TraceId::find(id).ok_or_else(|| format!("{id:?} is not a trace id"))?;
        let Some(stored) = self.stored(id)? else { return Err(format!("there is no trace {id}").into()) };
        if as_json {
            let (id, duration) = (&stored.response["Id"], &stored.response["Duration"]);
            let trace = json!({ "Id": id, "Duration": duration, "Segments": stored.documents });
            writeln!(out, "{}", plain_json(&trace.to_string()))?;
            return Ok(());
        }
        // The API does not say which parents were rejected. The console does.
        let trace = stored.trace().with_stand_ins(|_| false);
        tree::print(out, &trace, shows_inferred, &format!("http://{}/problems", self.address.text))?;
        Ok(())
    }

    /// Returns the line that describes a trace, made from its summary. The summary of a trace without a root segment,
    /// as of a Lambda function, has no name. Its line is made from the trace.
    fn line(&self, summary: &Value) -> Result<String, Box<dyn Error>> {
        if let Some(id) = summary["Id"].as_str().and_then(TraceId::find).filter(|_| summary["EntryPoint"].is_null()) {
            if let Some(stored) = self.stored(id)? {
                return Ok(TraceLine::of(&stored.trace()).to_string());
            }
        }
        Ok(summary_line(summary))
    }

    /// Asks for a trace. Returns `None` if it is not stored.
    fn stored(&self, id: TraceId) -> Result<Option<Stored>, Box<dyn Error>> {
        let mut response = self.ask("Traces", &json!({ "TraceIds": [id.to_string()] }))?;
        let Some(trace) = response["Traces"].get_mut(0).map(Value::take) else { return Ok(None) };
        let segments = trace["Segments"].as_array().into_iter().flatten();
        let documents = segments.map(|segment| serde_json::from_str(segment["Document"].as_str().unwrap_or_default()));
        let documents = documents.collect::<Result<_, _>>();
        let documents = documents.map_err(|error| format!("a segment of the trace {id} cannot be read: {error}"))?;
        Ok(Some(Stored { id, response: trace, documents }))
    }

    /// Calls an operation of the X-Ray API, and returns its response.
    fn ask(&self, operation: &str, query: &Value) -> Result<Value, Box<dyn Error>> {
        let Address { text: address, origin } = &self.address;
        let url = format!("http://{address}/{operation}");
        let mut response = self.agent.post(&url).send_json(query).map_err(|error| {
            format!(
                "cannot reach xray-local at {address}{origin}: {error}; start it, or pass its address with --address"
            )
        })?;
        let status = response.status();
        let body: Value = response.body_mut().with_config().limit(u64::MAX).read_json().map_err(|error| {
            format!("the server at {address}{origin} responded with {status}, and is not xray-local: {error}")
        })?;
        if status.is_success() {
            return Ok(body);
        }
        Err(body["Message"].as_str().unwrap_or("the request was refused").into())
    }
}

/// A trace as the API returns it.
struct Stored {
    id: TraceId,
    /// The part of the response about this trace.
    response: Value,
    /// The documents in the response.
    documents: Vec<Value>,
}

impl Stored {
    fn trace(&self) -> Trace {
        // A document that is read is never inferred, so the response's inferred segments are left out and inferred
        // again.
        let received = self.documents.iter().filter(|document| document["inferred"] != json!(true));
        Trace::of(self.id, received.cloned().filter_map(Document::from_value))
    }
}

/// Returns the line that describes a trace, made from its summary alone.
fn summary_line(summary: &Value) -> String {
    let (has, http) = (|flag: &str| summary[flag] == json!(true), &summary["Http"]);
    // `HasThrottle` and `IsPartial` may be those of any segment. A throttled request is an error with the status 429,
    // and only a root segment that has ended has a response time.
    let is_throttled = || has("HasThrottle") && http["HttpStatus"].as_i64().is_none_or(|status| status == 429);
    let state = if has("HasFault") {
        State::Fault
    } else if has("HasError") {
        if is_throttled() { State::Throttle } else { State::Error }
    } else if has("IsPartial") && summary["ResponseTime"].is_null() {
        State::InProgress
    } else {
        State::Ok
    };
    let line = TraceLine {
        id: summary["Id"].as_str().unwrap_or_default(),
        state,
        request: request_of(http["HttpMethod"].as_str(), http["HttpStatus"].as_i64(), http["HttpURL"].as_str()),
        response_time: summary["ResponseTime"].as_f64(),
        duration: summary["Duration"].as_f64(),
        name: summary["EntryPoint"]["Name"].as_str().unwrap_or_default(),
        has_segment: !summary["EntryPoint"].is_null(),
        services: summary["ServiceIds"].as_array().map_or(0, Vec::len),
    };
    line.to_string()
}
