//! A Lambda function with the layer. `tests/it/lambda` has the tests with Lambda's runtime.

use std::panic::AssertUnwindSafe;

use axum::body::Bytes;
use futures::{FutureExt as _, StreamExt as _};
use lambda_runtime::{Context, Error, LambdaInvocation};
use tower::{ServiceBuilder, ServiceExt as _, service_fn};
use xray::Recorder;
use xray::lambda::TraceLayer;

use super::checks::{self, Host, Reply};
use super::handler::handle;
use support::Server;

struct Function {
    recorder: Recorder,
    upstream: String,
}

impl Host for Function {
    const SENDS_SEGMENTS: bool = false;

    async fn start(recorder: &Recorder, upstream: &Server) -> Self {
        Self { recorder: recorder.clone(), upstream: upstream.url("") }
    }

    async fn request(&self, path: &str, header: &str) -> Reply {
        let mut context = Context::default();
        context.xray_trace_id = Some(header.to_owned());
        let (parts, ()) = http::Response::new(()).into_parts();
        let invocation = LambdaInvocation { parts, body: Bytes::from(path.to_owned()), context };

        let upstream = self.upstream.clone();
        let function = service_fn(move |invocation: LambdaInvocation| {
            let path = String::from_utf8(invocation.body.to_vec()).unwrap();
            handle(path, upstream.clone()).map(Ok::<_, Error>)
        });
        let function = ServiceBuilder::new().layer(TraceLayer::new().recorder(&self.recorder)).service(function);
        // Lambda's runtime also catches a panic of the function.
        let answer = AssertUnwindSafe(function.oneshot(invocation)).catch_unwind().await;
        let body = answer.map_err(|_| "the function panicked")?.map_err(|error| error.to_string())?;
        Ok(body.map(|chunk| chunk.map_err(|error| error.to_string())).boxed())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lambda_passes_the_checks_of_every_server() {
    checks::run::<Function>().await;
}
