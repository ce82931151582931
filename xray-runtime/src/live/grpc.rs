//! The status of a gRPC call.

use crate::document::{Cause, Exception, Exceptions, Namespace};
use crate::live::context::Context;
use crate::record::Record;

/// The names of the status codes, by their numbers. (gRPC, "Status codes and their use in gRPC".)
const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

const OK: u32 = 0;
pub(crate) const UNKNOWN: u32 = 2;
#[cfg(feature = "tower")]
pub(crate) const DEADLINE_EXCEEDED: u32 = 4;
const RESOURCE_EXHAUSTED: u32 = 8;
const UNIMPLEMENTED: u32 = 12;
const INTERNAL: u32 = 13;
const DATA_LOSS: u32 = 15;

impl Context {
    /// Records the status of a gRPC call: its code and message, and the flags for the code.
    ///
    /// 0 (`OK`) records nothing. 8 (`RESOURCE_EXHAUSTED`) sets `throttle` and `error`; 12 (`UNIMPLEMENTED`), 13
    /// (`INTERNAL`) and 15 (`DATA_LOSS`) set `fault`; every other code sets `error`, as in the X-Ray SDK for Go. If no
    /// cause is recorded yet, the cause is an exception whose type is the name of the code. The code and the message
    /// are also recorded in the metadata, in the namespace `grpc`. URLs in the message lose their credentials, query
    /// and fragment. The message is cut after 1,000 characters.
    ///
    /// The layers in [`xray::tower`](crate::tower) call this method. Call it yourself for a gRPC client or server
    /// without these layers.
    ///
    /// ```
    /// let ((), documents) = xray::testing::capture_blocking(|| {
    ///     let segment = xray::Segment::builder("todo-app").begin();
    ///     // With tonic: `call.set_grpc_status(status.code() as u32, status.message())`.
    ///     segment.subsegment("todos.example.com").set_grpc_status(5, "no todo 7");
    /// });
    /// let call = &documents[0].subsegments[0];
    /// assert!(call.error && !call.fault);
    /// assert_eq!(call.metadata["grpc"]["status"], "NOT_FOUND");
    /// assert_eq!(call.metadata["grpc"]["message"], "no todo 7");
    /// ```
    pub fn set_grpc_status(&self, code: u32, message: &str) {
        if is_fault(code) && !self.is_remote() {
            self.note_failure();
        }
        let Some(entity) = self.sampled_entity().filter(|_| code != OK) else { return };
        // A number outside the list of codes counts as `UNKNOWN`. (gRPC over HTTP/2, "Responses".)
        let name = NAMES.get(code as usize).copied().unwrap_or(NAMES[UNKNOWN as usize]);
        // The stack would be that of the code that polls the response.
        let exception = Exception::without_stack(message, name);
        self.add_metadata_in("grpc", "code", code);
        self.add_metadata_in("grpc", "status", name);
        if let Some(message) = &exception.message {
            self.add_metadata_in("grpc", "message", message);
        }
        entity.update(|record| record.fail_by_grpc(code, exception));
    }

    /// Returns whether this is a recorded outgoing call. Its failure is the failure of another service, and does not
    /// count as one of this service.
    // Returns `false` in an unsampled trace, where no layer reads the response of a call.
    fn is_remote(&self) -> bool {
        let mut is_remote = false;
        if let Some(entity) = self.sampled_entity() {
            entity.update(|record| is_remote = record.namespace == Some(Namespace::Remote));
        }
        is_remote
    }
}

/// Returns whether a code means that the server failed.
fn is_fault(code: u32) -> bool {
    matches!(code, UNIMPLEMENTED | INTERNAL | DATA_LOSS)
}

impl Record {
    fn fail_by_grpc(&mut self, code: u32, exception: Exception) {
        match code {
            RESOURCE_EXHAUSTED => (self.error, self.throttle) = (true, true),
            code if is_fault(code) => self.fault = true,
            _ => self.error = true,
        }
        // An earlier cause is more precise, because it is the error that the handler recorded.
        if self.cause().is_none() {
            let remote = Some(self.namespace == Some(Namespace::Remote));
            let exceptions = vec![Exception { remote, ..exception }];
            self.set_cause(Cause::Exceptions(Box::new(Exceptions { exceptions, ..Exceptions::default() })));
        }
    }
}
