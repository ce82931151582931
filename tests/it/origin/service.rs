//! A stand-in for the metadata services of EC2 and ECS.

use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use tokio::sync::Notify;

/// How a service answers the last request of a detection.
#[derive(Clone, Copy)]
pub(super) enum Answers {
    WithAllThereIs,
    /// Like `WithAllThereIs`, but only after the program has emitted its first segment.
    AfterTheFirstSegment,
    With(&'static [u8]),
    WithStatus(u16),
    /// With a body of 10 MB.
    Hugely,
    /// With a body that never ends.
    Endlessly,
    Never,
}

/// The path of the request that a program makes after its first segment.
const FIRST_SEGMENT: &str = "/first-segment";

/// Tells the service at this address, if there is one, that the program has emitted its first segment.
pub(super) fn emitted_first_segment(address: &str) {
    let request = format!("POST {FIRST_SEGMENT} HTTP/1.1\r\nhost: {address}\r\ncontent-length: 0\r\n\r\n");
    if let Ok(mut connection) = TcpStream::connect(address) {
        let _ = connection.write_all(request.as_bytes());
        // Waits for the answer. Another server may close the connection instead.
        let _ = connection.read(&mut [0; 64]);
    }
}

/// A service that ends with the tokio runtime of the test.
pub(super) struct Service {
    pub(super) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Service {
    pub(super) async fn start(answers: Answers) -> Self {
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let router = Router::new().fallback(answer).with_state((answers, Arc::clone(&asked), Arc::default()));
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { address, asked }
    }

    /// Returns the environment variables that name this service.
    pub(super) fn variables(&self) -> [(&'static str, String); 2] {
        [
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", format!("http://{}", self.address)),
            ("ECS_CONTAINER_METADATA_URI_V4", format!("http://{}/v4/7c4d", self.address)),
        ]
    }

    /// Returns the requests since the last call, as `METHOD path`.
    pub(super) fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

/// Starts a server that answers with bytes that are not HTTP. It ends with the process.
pub(super) fn no_http() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.and_then(|mut stream| stream.write_all(b"\x16\x03\x01\x00\xff\xfe no HTTP\r\n\r\n"));
        }
    });
    address
}

type Asked = Arc<Mutex<Vec<String>>>;

async fn answer(
    State((answers, asked, first_segment)): State<(Answers, Asked, Arc<Notify>)>,
    request: Request,
) -> Response {
    if request.uri().path() == FIRST_SEGMENT {
        first_segment.notify_one();
        return StatusCode::OK.into_response();
    }
    asked.lock().unwrap().push(format!("{} {}", request.method(), request.uri().path()));
    let right = match right(&request) {
        Ok(Step::Last(right)) => right,
        Ok(Step::Before(right)) => return right.into_response(),
        Err(status) => return status.into_response(),
    };
    match answers {
        Answers::WithAllThereIs => right.into_response(),
        Answers::AfterTheFirstSegment => {
            first_segment.notified().await;
            right.into_response()
        }
        Answers::With(body) => body.into_response(),
        Answers::WithStatus(status) => (StatusCode::from_u16(status).unwrap(), right).into_response(),
        Answers::Hugely => " ".repeat(10_000_000).into_response(),
        Answers::Endlessly => {
            let spaces = futures::stream::repeat(" ").then(async |space| {
                tokio::time::sleep(Duration::from_millis(50)).await;
                Ok::<_, Infallible>(space)
            });
            Body::from_stream(spaces).into_response()
        }
        Answers::Never => std::future::pending().await,
    }
}

/// The right answer to a request of a detection.
enum Step {
    Before(&'static str),
    Last(&'static str),
}

fn right(request: &Request) -> Result<Step, StatusCode> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    match (request.method().as_str(), request.uri().path()) {
        ("PUT", "/latest/api/token") if header("x-aws-ec2-metadata-token-ttl-seconds").is_some() => {
            Ok(Step::Before("a-session=="))
        }
        ("GET", "/latest/dynamic/instance-identity/document")
            if header("x-aws-ec2-metadata-token") == Some("a-session==") =>
        {
            Ok(Step::Last(IDENTITY))
        }
        ("GET", "/v4/7c4d") => Ok(Step::Before(CONTAINER)),
        ("GET", "/v4/7c4d/task") => Ok(Step::Last(TASK)),
        _ => Err(StatusCode::UNAUTHORIZED),
    }
}

/// As in the EC2 user guide, "Instance identity documents".
const IDENTITY: &str = r#"{
    "devpayProductCodes": null,
    "marketplaceProductCodes": ["1abc2defghijklm3nopqrs4tu"],
    "availabilityZone": "us-west-2b",
    "privateIp": "10.158.112.84",
    "version": "2017-09-30",
    "instanceId": "i-1234567890abcdef0",
    "billingProducts": null,
    "instanceType": "t2.micro",
    "accountId": "123456789012",
    "imageId": "ami-5fb8c835",
    "pendingTime": "2016-11-19T16:32:11Z",
    "architecture": "x86_64",
    "kernelId": null,
    "ramdiskId": null,
    "region": "us-west-2"
}"#;

/// As in the ECS developer guide, "Task metadata endpoint version 4 examples", in part.
const CONTAINER: &str = r#"{
    "DockerId": "ea32192c8553fbff06c9340478a2ff089b2bb5646fb718b4ee206641c9086d66",
    "Name": "curl",
    "DockerName": "ecs-curltest-24-curl-cca48e8dcadd97805600",
    "Image": "111122223333.dkr.ecr.us-west-2.amazonaws.com/curltest:latest",
    "Labels": {"com.amazonaws.ecs.task-definition-version": "24"},
    "KnownStatus": "RUNNING",
    "Limits": {"CPU": 10, "Memory": 128},
    "Type": "NORMAL",
    "LogDriver": "awslogs",
    "LogOptions": {
        "awslogs-create-group": "true",
        "awslogs-group": "/ecs/metadata",
        "awslogs-region": "us-west-2",
        "awslogs-stream": "ecs/curl/8f03e41243824aea923aca126495f665"
    },
    "ContainerARN": "arn:aws:ecs:us-west-2:111122223333:container/0206b271-b33f-47ab-86c6-a0ba208a70a9"
}"#;

const TASK: &str = r#"{
    "Cluster": "default",
    "TaskARN": "arn:aws:ecs:us-west-2:111122223333:task/default/158d1c8083dd49d6b527399fd6414f5c",
    "Family": "curltest",
    "Revision": "26",
    "DesiredStatus": "RUNNING",
    "AvailabilityZone": "us-west-2d",
    "LaunchType": "EC2",
    "Containers": []
}"#;
