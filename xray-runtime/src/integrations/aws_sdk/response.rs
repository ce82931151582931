//! Reads ids and parameters from a response.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde_json::Value;

use super::parameters::{Operation, Parameters};
use super::request;

/// Adds the ids of a response, and the parameters of a successful response. `row` is the row of the operation in the
/// list of parameters.
pub(super) fn read(
    service: &str,
    operation: &str,
    row: Option<&'static Operation>,
    response: &HttpResponse,
    parameters: &mut Parameters,
) {
    let status = response.status();
    let is_success = status.is_success();
    if let Some(row) = row.filter(|row| is_success && !row.response.is_empty()) {
        request::read_json(response.body().bytes().unwrap_or_default(), row.response, parameters);
    }
    let is_invocation = |name| is_success && service == "Lambda" && operation == name;
    if is_invocation("Invoke") {
        parameters.push(("status_code", status.as_u16().into()));
    } else if is_invocation("InvokeAsync") {
        parameters.push(("status", status.as_u16().into()));
    }
    read_headers(response, is_invocation("Invoke"), parameters);
}

// Makes one pass over the headers, because a response has few of them and each look-up by name would take longer.
fn read_headers(response: &HttpResponse, is_invocation: bool, parameters: &mut Parameters) {
    let [mut request_id, mut of_s3] = [None; 2];
    for (name, value) in response.headers() {
        match name {
            "x-amzn-requestid" => request_id = request_id.or(Some(value)),
            "x-amz-request-id" => of_s3 = of_s3.or(Some(value)),
            "x-amz-id-2" => parameters.push(("id_2", value.into())),
            "x-amz-function-error" if is_invocation => parameters.push(("function_error", value.into())),
            _ => {}
        }
    }
    // The SDK itself looks for the id in this order. (`aws_types::request_id`.)
    parameters.extend(request_id.or(of_s3).map(|id| ("request_id", Value::from(id))));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn found(service: &str, operation: &str, status: u16, headers: &[(&'static str, &'static str)]) -> Value {
        let mut response = HttpResponse::new(status.try_into().unwrap(), "".into());
        for (name, value) in headers {
            response.headers_mut().append(*name, *value);
        }
        let mut parameters = Parameters::new();
        read(service, operation, None, &response, &mut parameters);
        json!(parameters.into_iter().collect::<BTreeMap<_, _>>())
    }

    #[test]
    fn an_invocation_of_a_function_has_its_status_and_its_error() {
        let of = |service, operation, status| found(service, operation, status, &[("x-amz-function-error", "Handled")]);
        assert_eq!(of("Lambda", "Invoke", 200), json!({ "status_code": 200, "function_error": "Handled" }));
        assert_eq!(of("Lambda", "InvokeAsync", 202), json!({ "status": 202 }));
        for (service, operation, status) in
            [("Lambda", "Invoke", 429), ("Lambda", "GetFunction", 200), ("S3", "Invoke", 200)]
        {
            assert_eq!(of(service, operation, status), json!({}), "{service} {operation} {status}");
        }
    }

    #[test]
    fn the_first_id_of_a_request_counts_and_that_of_s3_only_without_another() {
        let of = |headers: &[_]| found("S3", "GetObject", 500, headers);
        let (own, of_s3, second) = (("x-amzn-requestid", "own"), ("x-amz-request-id", "s3"), ("x-amz-id-2", "2"));
        assert_eq!(of(&[of_s3, second]), json!({ "request_id": "s3", "id_2": "2" }));
        assert_eq!(of(&[of_s3, own, ("x-amzn-requestid", "later")]), json!({ "request_id": "own" }));
        assert_eq!(of(&[]), json!({}));
    }
}
