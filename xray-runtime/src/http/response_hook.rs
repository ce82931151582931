//! The response hook: a user's closure that records additional data about a call from the head of its response.

use super::call::Call;
use crate::document::response_head::ResponseHead;
use crate::live::segment::Subsegment;
use crate::recorder::RecorderBuilder;
use crate::support::guard::guard;
use crate::support::log_line::log_line;

impl RecorderBuilder {
    /// Sets a closure that records additional data about a call from the head of its response.
    ///
    /// The closure runs for every sampled call that receives a response, with any client. The call's subsegment is
    /// current while the closure runs, so [`current`](crate::current) returns it too. The closure runs on the thread
    /// that received the response, and delays the caller, so it should be quick. A panic in it is logged and does not
    /// reach the caller.
    ///
    /// ```
    /// let recorder = xray::Recorder::builder()
    ///     .on_response(|subsegment, response| {
    ///         if let Some(id) = response.header("x-request-id") {
    ///             subsegment.annotate("request_id", id);
    ///         }
    ///     })
    ///     .build();
    /// # drop(recorder);
    /// ```
    pub fn on_response(
        self,
        record: impl Fn(&Subsegment, &ResponseHead<'_>) + Send + Sync + 'static,
    ) -> RecorderBuilder {
        // The module of the recorder cannot import `Subsegment` without a circle of imports, because a subsegment
        // contains its recorder. So the closure gets the subsegment from the context; see `Call::run_response_hook`.
        self.response_hook(Box::new(move |head| record(&Subsegment::of_current(), head)))
    }
}

impl Call {
    /// Runs the recorder's response hook, if it has one, with the call's subsegment as the current context.
    pub(super) fn run_response_hook(&mut self, head: &ResponseHead<'_>) {
        // Most programs have no hook. Return early, because the subsegment takes a lock and a reference count.
        if self.trace().recorder().response_hook().is_some() {
            self.run_hook(head);
        }
    }

    // Not inlined, to keep the code of a call without a hook short.
    #[cold]
    fn run_hook(&mut self, head: &ResponseHead<'_>) {
        let subsegment = self.subsegment();
        let Some(hook) = subsegment.recorder().response_hook() else { return };
        // Catch the panic inside the scope, so it is not recorded as the cause of a fault of the call.
        let result = subsegment.in_scope(|| guard(|| hook(head)));
        if result.is_none() {
            log_line!(
                Error,
                "xray::http",
                "the closure given to `on_response` panicked; the call continues without its data",
            );
        }
    }
}
