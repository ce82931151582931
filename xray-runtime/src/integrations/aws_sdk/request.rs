//! Reads parameters from a serialised request, so that no crate of a service is needed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::parameters::{Extract, Operation, Parameter, Parameters};
use crate::document::MAX_STRING_CHARS;
use crate::http::Url;
use crate::support::percent;
use crate::support::text::first_chars;

/// Limit on the length of a body that is searched for parameters. An item of `DynamoDB` has at most 400 KB, and so much
/// takes about a millisecond.
const MAX_BODY_BYTES: usize = 512 * 1024;
/// Limit on the JSON of one parameter, such as the indexes of a new table.
const MAX_PARAMETER_BYTES: usize = 4 * 1024;
/// Limit on the number of keys that are recorded of a map. X-Ray documents none.
const MAX_KEYS: usize = 100;

/// Operations of S3 that have no bucket.
const WITHOUT_BUCKET: &[&str] = &["ListBuckets", "ListDirectoryBuckets", "WriteGetObjectResponse"];

/// Adds the parameters of a request. `row` is the row of the operation in the list of parameters. `serialized_path` is
/// the path before the endpoint was applied.
pub(super) fn read(
    service: &str,
    operation: &str,
    row: Option<&'static Operation>,
    request: &HttpRequest,
    serialized_path: &str,
    parameters: &mut Parameters,
) {
    match service {
        "Lambda" => read_lambda(request, serialized_path, parameters),
        "S3" => read_s3(operation, request, serialized_path, parameters),
        "SageMaker Runtime" => {
            let name = segment_after(serialized_path, "/endpoints/");
            parameters.extend(name.map(|name| ("endpoint_name", text(&name))));
        }
        _ => {
            let wanted = row.map_or(&[][..], |row| row.request);
            let body = request.body().bytes().unwrap_or_default();
            if service == "SNS" { read_form(body, wanted, parameters) } else { read_json(body, wanted, parameters) }
        }
    }
}

/// Returns whether the path of a service's requests contains parameters.
pub(super) fn are_in_path(service: &str) -> bool {
    matches!(service, "Lambda" | "S3" | "SageMaker Runtime")
}

/// Returns the path of a request, with its escapes.
//
// `Url` is for whole URLs: it reads the path `//key` as a host.
pub(super) fn path(request: &HttpRequest) -> &str {
    let uri = request.uri();
    let uri = uri.split(['?', '#']).next().unwrap_or_default();
    let authority = uri.find("://").map_or(0, |scheme| scheme + "://".len());
    let start = if authority == 0 { Some(0) } else { uri[authority..].find('/').map(|slash| authority + slash) };
    start.map_or("/", |start| &uri[start..])
}

/// Returns whether the signature of a request is in its query.
pub(super) fn is_presigned(request: &HttpRequest) -> bool {
    query(request).split('&').any(|pair| pair.starts_with("X-Amz-Signature="))
}

fn query(request: &HttpRequest) -> &str {
    request.uri().split_once('?').map_or("", |(_, query)| query)
}

fn query_parameter(request: &HttpRequest, name: &str) -> Option<String> {
    form_value(query(request), name)
}

/// Adds the wanted members of a JSON object. Adds nothing if the text is not a JSON object.
pub(super) fn read_json(body: &[u8], wanted: &'static [Parameter], parameters: &mut Parameters) {
    if wanted.is_empty() || body.len() > MAX_BODY_BYTES {
        return;
    }
    let before = parameters.len();
    let mut left = wanted.len();
    let members = Members { wanted, left: &mut left, found: parameters };
    // Reading stops after the last wanted member, and serde_json reports the unread rest as an error.
    if serde_json::Deserializer::from_slice(body).deserialize_map(members).is_err() && left > 0 {
        parameters.truncate(before);
    }
}

/// Reads the wanted members of an object. Skips the other members without building their values.
struct Members<'a> {
    wanted: &'static [Parameter],
    /// The number of wanted members that were not found yet.
    left: &'a mut usize,
    found: &'a mut Parameters,
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while *self.left > 0 {
            match map.next_key_seed(Name { wanted: self.wanted })? {
                None => break,
                Some(None) => drop(map.next_value::<IgnoredAny>()?),
                Some(Some(parameter)) => {
                    let value = map.next_value::<&RawValue>()?;
                    *self.left -= 1;
                    self.found.extend(extract(value, parameter.extract).map(|value| (parameter.key, value)));
                }
            }
        }
        Ok(())
    }
}

/// Reads the name of a member. The result is the wanted parameter of that name, or `None`.
struct Name {
    wanted: &'static [Parameter],
}

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<&'static Parameter>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<&'static Parameter>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.wanted.iter().find(|parameter| parameter.name == name))
    }
}

/// Returns the part of a JSON value that is recorded.
fn extract(value: &RawValue, extract: Extract) -> Option<Value> {
    let json = value.get();
    match extract {
        Extract::Whole if json.len() > MAX_PARAMETER_BYTES => None,
        Extract::Whole => match plain_text(json) {
            Some(plain) => Some(text(plain)),
            None => match serde_json::from_str(json).ok()? {
                Value::Null => None,
                Value::String(long) => Some(text(&long)),
                other => Some(other),
            },
        },
        Extract::Keys => {
            let map: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(json).ok()?;
            Some(map.keys().take(MAX_KEYS).map(|key| text(key)).collect())
        }
        Extract::Count => serde_json::from_str::<Vec<IgnoredAny>>(json).ok().map(|list| list.len().into()),
    }
}

/// Returns the text of a JSON string that has no escapes, as most names, ARNs and URLs.
fn plain_text(json: &str) -> Option<&str> {
    let text = json.strip_prefix('"')?.strip_suffix('"')?;
    (!text.contains('\\')).then_some(text)
}

/// Adds the wanted fields of a form: the protocol of SNS.
fn read_form(body: &[u8], wanted: &'static [Parameter], parameters: &mut Parameters) {
    let form = std::str::from_utf8(body).ok().filter(|form| form.len() <= MAX_BODY_BYTES).unwrap_or_default();
    let found = wanted.iter().filter_map(|parameter| Some((parameter.key, text(&form_value(form, parameter.name)?))));
    parameters.extend(found);
}

fn read_lambda(request: &HttpRequest, serialized_path: &str, parameters: &mut Parameters) {
    let name = segment_after(serialized_path, "/functions/");
    let header = |name| request.headers().get(name).map(Cow::Borrowed);
    let found = [
        ("function_name", name.map(Cow::Owned)),
        ("invocation_type", header("x-amz-invocation-type")),
        ("log_type", header("x-amz-log-type")),
        ("qualifier", query_parameter(request, "Qualifier").map(Cow::Owned)),
    ];
    parameters.extend(present(found));
}

fn read_s3(operation: &str, request: &HttpRequest, serialized_path: &str, parameters: &mut Parameters) {
    if WITHOUT_BUCKET.contains(&operation) {
        return;
    }
    let key = serialized_path.strip_prefix('/').unwrap_or_default();
    let found = [
        ("bucket_name", bucket(request, serialized_path)),
        ("key", (!key.is_empty()).then(|| percent::decoded(key.as_bytes()))),
        ("version_id", query_parameter(request, "versionId")),
        ("prefix", query_parameter(request, "prefix")),
        ("copy_source", request.headers().get("x-amz-copy-source").map(|source| percent::decoded(source.as_bytes()))),
    ];
    parameters.extend(present(found));
}

/// Returns the bucket that the endpoint has put before the path or the host.
fn bucket(request: &HttpRequest, serialized_path: &str) -> Option<String> {
    let before_path = path(request).strip_suffix(serialized_path).unwrap_or_default();
    if let Some(last) = before_path.rsplit('/').next().filter(|last| !last.is_empty()) {
        return Some(percent::decoded(last.as_bytes()));
    }
    let host = Url::from(request.uri()).host()?;
    let is_address = host.parse::<IpAddr>().is_ok();
    let labels = host.find(".s3.").or_else(|| host.find(".s3-"));
    // Without `.s3`, the endpoint is the program's own.
    let is_s3 = host.starts_with("s3.") || host.starts_with("s3-");
    let bucket =
        labels.map(|end| &host[..end]).or_else(|| (!is_s3).then(|| host.split_once('.'))?.map(|(first, _)| first));
    bucket.filter(|_| !is_address).map(ToOwned::to_owned)
}

fn present<T: AsRef<str>, const N: usize>(
    found: [(&'static str, Option<T>); N],
) -> impl Iterator<Item = (&'static str, Value)> {
    found.into_iter().filter_map(|(key, value)| Some((key, text(value?.as_ref()))))
}

/// Returns the segment of a path that follows `prefix`, which ends in a slash.
fn segment_after(path: &str, prefix: &str) -> Option<String> {
    let (_, rest) = path.split_once(prefix)?;
    let segment = rest.split('/').next().filter(|segment| !segment.is_empty())?;
    Some(percent::decoded(segment.as_bytes()))
}

/// Returns the value of a field in a form or query.
fn form_value(form: &str, name: &str) -> Option<String> {
    let mut pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    // In a form a `+` stands for a space.
    pairs.find(|(own, _)| *own == name).map(|(_, value)| percent::decoded(value.replace('+', " ").as_bytes()))
}

/// Returns a text as a value, cut at X-Ray's limit.
fn text(value: &str) -> Value {
    first_chars(value, MAX_STRING_CHARS).into()
}

#[cfg(test)]
mod tests {
    use super::super::parameters;
    use super::*;

    type Found = BTreeMap<&'static str, Value>;

    /// Returns the parameters that `read` adds.
    fn found(read: impl FnOnce(&mut Parameters)) -> Found {
        let mut parameters = Parameters::new();
        read(&mut parameters);
        parameters.into_iter().collect()
    }

    fn of_request(service: &str, operation: &str, request: &HttpRequest, path: &str) -> Found {
        found(|parameters| read(service, operation, None, request, path, parameters))
    }

    fn of_json(body: &[u8], wanted: &'static [Parameter]) -> Found {
        found(|parameters| read_json(body, wanted, parameters))
    }

    fn of_form(body: &[u8], wanted: &'static [Parameter]) -> Found {
        found(|parameters| read_form(body, wanted, parameters))
    }

    fn request(uri: &str) -> HttpRequest {
        let mut request = HttpRequest::empty();
        request.set_uri(uri.to_owned()).unwrap();
        request
    }

    fn bucket_and_key(uri: &str, path: &str) -> (Option<String>, Option<String>) {
        let found = of_request("S3", "GetObject", &request(uri), path);
        let text = |key: &str| found.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
        (text("bucket_name"), text("key"))
    }

    #[test]
    fn bucket_and_key_are_found_in_every_form_of_an_endpoint() {
        let expected = |bucket: &str, key: &str| (Some(bucket.to_owned()), Some(key.to_owned()));
        for (uri, path, bucket, key) in [
            ("https://photos.s3.us-east-1.amazonaws.com/a%20b/c?x-id=GetObject", "/a%20b/c", "photos", "a b/c"),
            ("https://my.photos.s3-fips.us-east-1.amazonaws.com/k", "/k", "my.photos", "k"),
            ("https://s3.us-east-1.amazonaws.com/my.photos/k", "/k", "my.photos", "k"),
            ("http://127.0.0.1:9000/photos//k", "//k", "photos", "/k"),
            ("http://localhost:9000/base/photos/photos", "/photos", "photos", "photos"),
            ("http://photos.localhost:9000/k", "/k", "photos", "k"),
        ] {
            assert_eq!(bucket_and_key(uri, path), expected(bucket, key), "{uri}");
        }
        assert_eq!(bucket_and_key("https://s3.us-east-1.amazonaws.com/", "/"), (None, None));
        assert!(of_request("S3", "ListBuckets", &request("http://a.localhost/"), "/").is_empty());
    }

    #[test]
    fn a_function_is_found_by_its_name_or_arn() {
        let uri = "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/arn%3Aaws%3Alambda/invocations?Qualifier=v%2B1";
        let mut request = request(uri);
        request.headers_mut().insert("x-amz-invocation-type", "Event");
        let found = of_request("Lambda", "Invoke", &request, "/2015-03-31/functions/arn%3Aaws%3Alambda/invocations");
        assert_eq!(found["function_name"], "arn:aws:lambda");
        assert_eq!((&found["invocation_type"], &found["qualifier"]), (&"Event".into(), &"v+1".into()));
        assert_eq!(of_request("Lambda", "ListFunctions", &request, "/2015-03-31/functions/").len(), 2);
    }

    #[test]
    fn an_endpoint_of_sagemaker_is_found_in_the_path() {
        let path = "/endpoints/my%20model/invocations";
        let request = request(&format!("https://runtime.sagemaker.us-east-1.amazonaws.com{path}"));
        let found = of_request("SageMaker Runtime", "InvokeEndpoint", &request, path);
        assert_eq!(found, Found::from([("endpoint_name", "my model".into())]));
        let services = ["Lambda", "S3", "SageMaker Runtime", "DynamoDB", "SNS"];
        assert_eq!(services.map(are_in_path), [true, true, true, false, false]);
    }

    #[test]
    fn an_unknown_service_or_a_broken_uri_has_no_parameters() {
        let mut with_body = request("https://new.us-east-1.amazonaws.com/TableName");
        *with_body.body_mut() = r#"{"TableName":"t"}"#.into();
        assert_eq!(of_request("New Service", "GetItem", &with_body, "/TableName"), Found::new());
        for uri in
            ["", "/", "//", "?", "http://", "http://[::1", "http://é/é?é", "https://b.s3.", "%", "a?X-Amz-Signature"]
        {
            let mut request = HttpRequest::empty();
            if request.set_uri(uri.to_owned()).is_err() {
                continue;
            }
            for (service, operation) in
                [("S3", "GetObject"), ("Lambda", "Invoke"), ("SageMaker Runtime", "InvokeEndpoint")]
            {
                for serialized in ["", "/", "//", "/é", "/functions/", "/functions//", "/endpoints/%"] {
                    let found = of_request(service, operation, &request, serialized);
                    assert!(found.values().all(Value::is_string), "{service} {uri} {serialized}: {found:?}");
                }
            }
            assert!(!is_presigned(&request), "{uri}");
        }
    }

    #[test]
    fn only_the_wanted_members_of_a_body_are_read() {
        let wanted = parameters::of("DynamoDB", "Query").unwrap().request;
        let body = br#"{"TableName":"t","Limit":3,"Select":null,"ExpressionAttributeValues":{":id":{"S":"secret"}}}"#;
        let found = of_json(body, wanted);
        assert_eq!(found, Found::from([("limit", 3.into()), ("table_name", "t".into())]));
        let wanted = parameters::of("DynamoDB", "BatchWriteItem").unwrap().request;
        let found = of_json(br#"{"RequestItems":{"b":[{"PutRequest":{}}],"a":[]}}"#, wanted);
        assert_eq!(found["table_names"], serde_json::json!(["a", "b"]));
        let wanted = parameters::of("SQS", "SendMessageBatch").unwrap().request;
        let found = of_json(br#"{"QueueUrl":"q","Entries":[{"MessageBody":"secret"},{}]}"#, wanted);
        assert_eq!((&found["message_count"], found.len()), (&2.into(), 2));
    }

    #[test]
    fn nothing_is_read_behind_the_last_wanted_member() {
        let wanted = parameters::of("DynamoDB", "PutItem").unwrap().request;
        let expected = Found::from([("table_name", "t".into())]);
        for rest in ["}", ",\"Item\":{}}", ",\"Item\":{\"a\":", ""] {
            assert_eq!(of_json(format!(r#"{{"TableName":"t"{rest}"#).as_bytes(), wanted), expected, "{rest}");
        }
        let wanted = parameters::of("DynamoDB", "GetItem").unwrap().request;
        assert_eq!(of_json(br#"{"Key":{"TableName":"x"},"TableName":"t"}"#, wanted), expected, "the order is free");
        let found = of_json(br#"{"TableName":"a\"\u0062","ConsistentRead":"\\"}"#, wanted);
        assert_eq!(found, Found::from([("table_name", "a\"b".into()), ("consistent_read", "\\".into())]));
    }

    #[test]
    fn bodies_that_are_no_json_or_too_long_have_no_parameters() {
        let wanted = parameters::of("DynamoDB", "GetItem").unwrap().request;
        let long = format!(r#"{{"TableName":"t","x":"{}"}}"#, "x".repeat(MAX_BODY_BYTES));
        let broken =
            [b"".as_slice(), b"{", b"[1]", b"\"TableName\"", b"{\"TableName\":\xff}", b"{\"TableName\":\"t\","];
        for body in broken.into_iter().chain([long.as_bytes()]) {
            assert_eq!(of_json(body, wanted), Found::new());
        }
        let text = format!(r#"{{"TableName":"{}","ConsistentRead":[{}1]}}"#, "x".repeat(900), "1,".repeat(4000));
        let found = of_json(text.as_bytes(), wanted);
        assert_eq!((found["table_name"].as_str().map(str::len), found.len()), (Some(250), 1));
        assert_eq!(of_form(b"\xff=1&TopicArn=%", parameters::of("SNS", "Publish").unwrap().request).len(), 0);
    }

    #[test]
    fn the_topic_of_a_form_is_read() {
        let wanted = parameters::of("SNS", "Publish").unwrap().request;
        let found = of_form(b"Action=Publish&TopicArn=arn%3Aaws%3Asns%3At&Message=secret+text", wanted);
        assert_eq!(found, Found::from([("topic_arn", "arn:aws:sns:t".into())]));
    }

    #[test]
    fn a_presigned_request_is_known_by_its_query() {
        assert!(is_presigned(&request("https://b.s3.amazonaws.com/k?X-Amz-Expires=9&X-Amz-Signature=abc")));
        assert!(!is_presigned(&request("https://b.s3.amazonaws.com/X-Amz-Signature=abc?prefix=X-Amz-Signature=")));
    }
}
