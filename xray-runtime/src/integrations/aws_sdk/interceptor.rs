//! The interceptor, which is attached to a client or to one operation.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextMut, BeforeTransmitInterceptorContextRef,
    FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::operation::OperationCall;
use crate::http::CallSite;
use crate::http::site::CallSites;

/// The place of operations that no attribute knows of, for the log.
static CALL_SITES: CallSites = CallSites::new("xray::aws_sdk::SubsegmentInterceptor", "", 0);

/// An interceptor for clients of the AWS SDK that records every operation as a subsegment, and inserts the header
/// `X-Amzn-Trace-Id` into its requests.
///
/// Attach it to the configuration of each client, or to one operation by `.customize().interceptor(..)`:
///
/// ```no_run
/// use xray::aws_sdk::SubsegmentInterceptor;
/// # mod aws_sdk_dynamodb {
/// #     pub mod config {
/// #         pub struct Builder;
/// #         impl Builder {
/// #             pub fn interceptor(
/// #                 self,
/// #                 _: impl aws_smithy_runtime_api::client::interceptors::Intercept + 'static,
/// #             ) -> Self { self }
/// #             pub fn build(self) -> Self { self }
/// #         }
/// #         impl From<&()> for Builder { fn from(_: &()) -> Self { Self } }
/// #     }
/// #     pub struct Client;
/// #     impl Client { pub fn from_conf(_: config::Builder) -> Self { Self } }
/// # }
/// # let shared = ();
///
/// // let shared = aws_config::load_from_env().await;
/// let config = aws_sdk_dynamodb::config::Builder::from(&shared).interceptor(SubsegmentInterceptor::new()).build();
/// let client = aws_sdk_dynamodb::Client::from_conf(config);
/// # drop(client);
/// ```
///
/// The subsegment is a child of the segment or subsegment that is current when the operation is first polled. It lasts
/// until the operation is complete, with all its attempts. The body of a streaming response, such as that of S3's
/// `GetObject`, is read after that. An operation that is dropped before it is complete is marked as cancelled. A
/// presigned request is not sent, so it makes no subsegment. The interceptor never fails an operation.
///
/// Below a segment that is not sampled nothing is recorded, and the requests say `Sampled=0`. Outside any segment the
/// requests are unchanged. The rules [`ignore`](crate::RecorderBuilder::ignore) and
/// [`inject_only`](crate::RecorderBuilder::inject_only) apply to the host and path of the request.
#[derive(Debug, Clone, Default)]
pub struct SubsegmentInterceptor {
    left_out: Vec<String>,
    site: Option<CallSite>,
}

impl SubsegmentInterceptor {
    /// Creates an interceptor that records every parameter of the list.
    #[must_use]
    pub const fn new() -> Self {
        Self { left_out: Vec::new(), site: None }
    }

    /// Leaves out a key of the `aws` block, such as `key`, the key of an object in S3. Can be called several times.
    ///
    /// ```
    /// use xray::aws_sdk::SubsegmentInterceptor;
    ///
    /// let interceptor = SubsegmentInterceptor::new().without("key").without("prefix");
    /// # drop(interceptor);
    /// ```
    #[must_use]
    pub fn without(mut self, key: impl Into<String>) -> Self {
        self.left_out.push(key.into());
        self
    }

    /// Creates the interceptor of an operation that is sent at this place in an annotated function.
    pub(crate) fn at(site: CallSite) -> Self {
        Self { left_out: Vec::new(), site: Some(site) }
    }
}

/// Every hook returns `Ok`: an error of a hook would fail the user's operation.
impl Intercept for SubsegmentInterceptor {
    fn name(&self) -> &'static str {
        "xray::aws_sdk::SubsegmentInterceptor"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // The interceptors of the client run before that of the operation, so with both there is a call already.
        if let Some(call) = OperationCall::of(cfg) {
            call.join(self.site.as_ref(), &self.left_out);
            return Ok(());
        }
        let site = self.site.clone().unwrap_or_else(|| CALL_SITES.at(0));
        if let Some(call) = OperationCall::begin(site, &self.left_out) {
            cfg.interceptor_state().store_put(call);
        }
        Ok(())
    }

    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // Only here the configuration of the operation is complete: a client's first hook runs before it is known.
        OperationCall::read_configuration(cfg);
        Ok(())
    }

    fn read_after_serialization(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(call) = OperationCall::of(cfg) {
            call.serialized(context.request());
        }
        Ok(())
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(call) = OperationCall::of(cfg) {
            call.signed(context.request_mut());
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if OperationCall::of(cfg).is_none() {
            return Ok(());
        }
        let retries = cfg.load::<RequestAttempts>().map_or(0, |attempts| attempts.attempts().saturating_sub(1));
        if let Some(call) = OperationCall::of(cfg) {
            let error = context.output_or_error().and_then(Result::err);
            call.end(context.response(), error, retries);
        }
        Ok(())
    }
}
