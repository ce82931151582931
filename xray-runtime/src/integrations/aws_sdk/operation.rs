//! An operation in flight, which the SDK keeps in the configuration of the operation.

use std::collections::BTreeMap;
use std::fmt;
use std::mem;
use std::sync::Arc;

use aws_smithy_runtime_api::client::interceptors::context::Error;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, Metadata, OrchestratorError};
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use aws_types::region::Region;
use http::{HeaderName, HeaderValue};
use serde_json::Value;

use super::parameters::{self, Operation, Parameters};
use super::{error, request, response};
use crate::document::Namespace;
use crate::document::name::legal_name;
use crate::header::request_headers::RequestHeaders;
use crate::http::{CallSite, RuleEffects, Url};
use crate::id::SegmentId;
use crate::live::entity::Entity;
use crate::record::{Label, Record, Time};

/// An operation in flight.
///
/// If it is dropped before its [`end`](Self::end), as by `select!` with a timeout, its subsegment is marked as
/// cancelled.
pub(super) struct OperationCall {
    /// The parent of the operation; its own subsegment if `recorded` is `Begun` or `Here`.
    entity: Arc<Entity>,
    recorded: Recorded,
    id: SegmentId,
    site: CallSite,
    left_out: Vec<String>,
    start_time: Time,
    /// The names of the service and the operation. `None` until the names are known.
    metadata: Option<Metadata>,
    /// The operation's row in the list of parameters.
    row: Option<&'static Operation>,
    parameters: Parameters,
    /// The path of the request before the endpoint is applied. Empty if the service has no parameters in the path. S3's
    /// endpoint may add the bucket to the front of the path.
    serialized_path: String,
    request: Request,
}

/// Where an operation is recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Recorded {
    Nowhere,
    /// As a new child of the entity, which gets the child at the end of the operation.
    Below,
    /// On the entity itself, which is a subsegment that the operation has begun and will end.
    Begun,
    /// On the entity itself, which is a subsegment of this operation: the `tracing` layer has made it from the SDK's
    /// span.
    Here,
}

/// The preparation of an operation's request.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Request {
    NotPrepared,
    WithHeaders,
    WithoutHeaders,
}

impl OperationCall {
    /// Begins the operation in the current segment or subsegment. Returns `None` if no segment is current.
    pub(super) fn begin(site: CallSite, left_out: &[String]) -> Option<Self> {
        let entity = site.parent()?.of_aws_operation()?;
        let trace = entity.trace();
        let (id, start_time) = (SegmentId::next(), trace.now());
        let recorded = if trace.is_sampled() { Recorded::Below } else { Recorded::Nowhere };
        Some(Self {
            entity,
            recorded,
            id,
            site,
            left_out: left_out.to_owned(),
            start_time,
            metadata: None,
            row: None,
            parameters: Parameters::new(),
            serialized_path: String::new(),
            request: Request::NotPrepared,
        })
    }

    /// Adds the settings of a second interceptor of the same operation.
    pub(super) fn join(&mut self, site: Option<&CallSite>, left_out: &[String]) {
        if let Some(site) = site {
            self.site = site.clone();
        }
        self.left_out.extend_from_slice(left_out);
    }

    /// Reads the service, the operation and the region from the configuration of a recorded operation.
    pub(super) fn read_configuration(cfg: &mut ConfigBag) {
        /// Most operations have fewer parameters, so the list does not grow.
        const PARAMETERS: usize = 8;

        let Some(call) = Self::of(cfg) else { return };
        if call.recorded == Recorded::Nowhere || call.metadata.is_some() {
            return;
        }
        let Some(metadata) = cfg.load::<Metadata>().cloned() else { return };
        let region = cfg.load::<Region>().map(|region| Value::from(region.as_ref()));
        let Some(call) = Self::of(cfg) else { return };
        if is_subsegment_of(&call.entity, metadata.name()) {
            (call.recorded, call.id) = (Recorded::Here, call.entity.id());
        } else {
            call.entity.trace().call_begins(call.id);
        }
        call.parameters.reserve(PARAMETERS);
        call.parameters.push(("operation", metadata.name().into()));
        call.parameters.extend(region.map(|region| ("region", region)));
        call.row = parameters::of(metadata.service(), metadata.name());
        call.metadata = Some(metadata);
        call.begin_if_reported();
    }

    /// Begins the subsegment now if open children of the parent are reported.
    fn begin_if_reported(&mut self) {
        if self.recorded == Recorded::Below && self.entity.reports_children() {
            let mut record = self.new_record();
            self.describe(&mut record, self.parameters.clone());
            self.entity = self.entity.subsegment(record);
            self.recorded = Recorded::Begun;
        }
    }

    /// Creates the record of the operation.
    fn new_record(&self) -> Box<Record> {
        let service = self.metadata.as_ref().map_or("", Metadata::service);
        let name = legal_name(self.site.name().unwrap_or(service));
        Record::new(self.id, Label::named(name.as_deref().unwrap_or("AWS")), self.start_time)
    }

    /// Writes the parameters of the operation to its record.
    fn describe(&self, record: &mut Record, parameters: Parameters) {
        record.namespace = Some(Namespace::Aws);
        let aws = record.details_mut().aws.get_or_insert_default();
        let is_kept = |key: &str| !self.left_out.iter().any(|left_out| left_out == key);
        for (key, value) in parameters.into_iter().filter(|(key, _)| is_kept(key)) {
            aws.other.insert(key.to_owned(), value);
        }
    }

    /// Returns the traced operation in a configuration, if there is one.
    pub(super) fn of(cfg: &mut ConfigBag) -> Option<&mut Self> {
        cfg.get_mut_from_interceptor_state()
    }

    /// Reads the request before the endpoint is known.
    pub(super) fn serialized(&mut self, request: &HttpRequest) {
        if self.metadata.as_ref().is_some_and(|metadata| request::are_in_path(metadata.service())) {
            request::path(request).clone_into(&mut self.serialized_path);
        }
    }

    /// Prepares the signed request of an attempt: reads the parameters and inserts the trace headers.
    //
    // Inserts the headers after the signing, because the signer would exclude `X-Amzn-Trace-Id` from the signature
    // (`SigningSettings::excluded_headers` of `aws_sigv4`), and takes 4,000 instructions for each excluded header.
    pub(super) fn signed(&mut self, request: &mut HttpRequest) {
        if self.request == Request::NotPrepared {
            self.request = self.first_signed(request);
        }
        if self.request == Request::WithHeaders {
            let headers = self.entity.trace().outgoing_headers();
            match headers.of_unsampled() {
                Some(headers) => headers.copy_into(request.headers_mut()),
                None => headers.of_call(self.id).copy_into(request.headers_mut()),
            }
        }
    }

    /// Applies the recorder's rules to the request, and reads the parameters.
    fn first_signed(&mut self, request: &HttpRequest) -> Request {
        // The program gets a presigned request, and may send it long after the trace has ended.
        if request::is_presigned(request) {
            self.forget();
            return Request::WithoutHeaders;
        }
        let rules = self.entity.trace().recorder().http_rules();
        let mut withholds_headers = false;
        // Parse the URL only if there are rules for hosts.
        if rules.is_some() || self.site.has_skip_hosts() {
            let url = Url::from(request.uri());
            let effects = rules.map(|rules| RuleEffects::of(rules, &url)).unwrap_or_default();
            if effects.ignores || self.site.skips(&url) {
                self.forget();
                return Request::WithoutHeaders;
            }
            withholds_headers = effects.withholds_headers;
        }
        if let Some(metadata) = self.metadata.as_ref().filter(|_| self.recorded != Recorded::Nowhere) {
            let (service, operation) = (metadata.service(), metadata.name());
            request::read(service, operation, self.row, request, &self.serialized_path, &mut self.parameters);
        }
        if withholds_headers { Request::WithoutHeaders } else { Request::WithHeaders }
    }

    /// Ends the operation with the response to its last attempt, if there was one, and its error.
    pub(super) fn end(
        &mut self,
        response: Option<&HttpResponse>,
        error: Option<&OrchestratorError<Error>>,
        retries: u32,
    ) {
        if self.recorded == Recorded::Nowhere {
            return;
        }
        let recorder = self.entity.trace().recorder();
        let failure = error.map(|error| error::read(error, response, recorder));
        if retries > 0 {
            self.parameters.push(("retries", retries.into()));
        }
        if let Some((response, metadata)) = response.zip(self.metadata.as_ref()) {
            let (service, operation) = (metadata.service(), metadata.name());
            response::read(service, operation, self.row, response, &mut self.parameters);
        }
        let status = response.map(|response| response.status().as_u16());
        self.record(|record| {
            if let Some(status) = status {
                record.record_response(status, None);
            }
            if let Some(failure) = failure {
                failure.record(record);
            }
        });
    }

    /// Ends the operation without recording it.
    fn forget(&mut self) {
        if self.recorded == Recorded::Begun {
            self.entity.forget();
        }
        self.take_recorded();
    }

    /// Takes the place where the operation is recorded. Afterwards the operation is recorded nowhere.
    fn take_recorded(&mut self) -> Recorded {
        if matches!(self.recorded, Recorded::Below | Recorded::Begun) {
            self.entity.trace().call_ends(self.id);
        }
        mem::replace(&mut self.recorded, Recorded::Nowhere)
    }

    /// Records the operation, once.
    fn record(&mut self, complete: impl FnOnce(&mut Record)) {
        let recorded = self.take_recorded();
        let parameters = mem::take(&mut self.parameters);
        let trace = self.entity.trace();
        let annotations: BTreeMap<_, _> = self.site.annotations().pairs().collect();
        trace.note_annotations(annotations.len());
        let complete = |record: &mut Record| {
            self.describe(record, parameters);
            record.details_mut().annotations.extend(annotations);
            complete(record);
        };
        match recorded {
            Recorded::Nowhere => {}
            Recorded::Below => {
                let mut record = self.new_record();
                record.end = Some(trace.now());
                complete(&mut record);
                self.entity.adopt(record);
            }
            Recorded::Begun => {
                self.entity.update(complete);
                self.entity.end();
            }
            Recorded::Here => self.entity.update(complete),
        }
    }
}

impl Drop for OperationCall {
    fn drop(&mut self) {
        // Without a name, the SDK could not construct the operation, and nothing was sent.
        if self.recorded != Recorded::Nowhere && self.metadata.is_some() {
            self.record(Record::mark_cancelled);
        }
    }
}

/// Returns whether an entity is an open subsegment of the operation that nothing is recorded on yet.
fn is_subsegment_of(entity: &Entity, operation: &str) -> bool {
    if entity.is_segment() {
        return false;
    }
    let mut is_it = false;
    entity.update(|record| {
        let aws = record
            .details()
            .and_then(|details| details.aws.as_ref())
            .filter(|_| record.namespace == Some(Namespace::Aws));
        is_it = aws.is_some_and(|aws| {
            aws.other.get("operation").is_some_and(|own| own == operation) && !aws.other.contains_key("request_id")
        });
    });
    is_it
}

impl fmt::Debug for OperationCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, metadata, .. } = self;
        let mut call = formatter.debug_struct("OperationCall");
        call.field("id", id).field("metadata", metadata).finish_non_exhaustive()
    }
}

impl Storable for OperationCall {
    type Storer = StoreReplace<Self>;
}

impl RequestHeaders for Headers {
    fn get(&self, name: &HeaderName) -> Option<&str> {
        self.get(name.as_str())
    }

    fn set(&mut self, name: &'static HeaderName, value: HeaderValue) {
        if let Ok(value) = value.to_str() {
            // The value was accepted by `http`, which the SDK's headers are made of.
            let _ = self.try_insert(name.as_str(), value.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::site::CallSites;
    use crate::live::segment::Segment;
    use crate::testing::capture_blocking;

    fn begun() -> OperationCall {
        static SITES: CallSites = CallSites::new("get", "src/main.rs", 1);
        OperationCall::begin(SITES.at(1), &[]).unwrap()
    }

    #[test]
    fn the_configuration_of_an_operation_is_read_once() {
        let ((), documents) = capture_blocking(|| {
            Segment::builder("shop").begin().in_scope(|| {
                let mut cfg = ConfigBag::base();
                cfg.interceptor_state().store_put(Metadata::new("GetItem", "DynamoDB"));
                cfg.interceptor_state().store_put(begun());
                for _ in 0..2 {
                    OperationCall::read_configuration(&mut cfg);
                    let call = OperationCall::of(&mut cfg).unwrap();
                    assert_eq!(call.parameters, [("operation", "GetItem".into())]);
                    assert_eq!(call.recorded, Recorded::Below, "nothing reports open children");
                }
            });
        });
        let [operation] = &documents[0].subsegments[..] else { panic!("{documents:#?}") };
        assert!(operation.name == "DynamoDB" && operation.end_time.is_some());
    }

    #[test]
    fn an_operation_whose_name_is_not_known_is_not_recorded() {
        let ((), documents) = capture_blocking(|| Segment::builder("shop").begin().in_scope(|| drop(begun())));
        assert!(documents[0].subsegments.is_empty(), "{documents:#?}");
    }

    #[test]
    fn an_operation_is_recorded_on_a_subsegment_with_its_name_and_without_a_response() {
        capture_blocking(|| {
            let segment = Segment::builder("shop").begin();
            let is_of = |names: &[(&str, &str)], namespace| {
                let part = segment.subsegment("DynamoDB");
                if let Some(namespace) = namespace {
                    part.set_namespace(namespace);
                }
                for (name, value) in names {
                    part.add_aws(*name, value);
                }
                is_subsegment_of(part.entity().unwrap(), "GetItem")
            };
            let (own, answered) = (("operation", "GetItem"), ("request_id", "1"));
            assert!(is_of(&[own], Some(Namespace::Aws)));
            assert!(!is_of(&[own, answered], Some(Namespace::Aws)), "another operation is recorded there");
            assert!(!is_of(&[("operation", "PutItem")], Some(Namespace::Aws)));
            assert!(!is_of(&[own], None));
            segment.add_aws("operation", "GetItem");
            assert!(!is_subsegment_of(segment.entity().unwrap(), "GetItem"), "a segment");
        });
    }
}
