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
