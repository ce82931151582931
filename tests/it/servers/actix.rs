//! A server of actix-web with the middleware.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::thread;

use actix_web::dev::{ServerHandle, ServiceRequest};
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use futures::StreamExt as _;
use support::documents::capture;
use support::outer::Outer;
use support::subsegments::{exceptions, is_cancelled, messages, status};
use support::{Always, Server};
use xray::actix_web::SegmentMiddleware;
use xray::emitter::MemoryEmitter;
use xray::{Instrument as _, Recorder};

use super::checks::{self, Host, PARENT, ROOT, Reply};
use super::handler::handle;
use super::segments;
use super::tower::fetch;

/// An actix-web server, which is stopped when this value is dropped.
pub(super) struct Actix {
    address: SocketAddr,
    handle: ServerHandle,
}

impl Actix {
    /// Starts a server with one worker, on a separate thread with its own runtime. `configure` adds the routes.
    fn serve(
        middleware: &SegmentMiddleware,
        configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
    ) -> Self {
        let (started, starting) = mpsc::channel();
        let middleware = middleware.clone();
        thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let app = move || App::new().configure(configure.clone()).wrap(middleware.clone());
                // By default, a handler keeps running after its client has disconnected.
                let server = HttpServer::new(app).workers(1).disable_signals().h1_allow_half_closed(false);
                let server = server.bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
                let address = server.addrs()[0];
                let server = server.run();
                started.send(Self { address, handle: server.handle() }).unwrap();
                server.await
            })
        });
        starting.recv().unwrap()
    }
}

impl Drop for Actix {
    fn drop(&mut self) {
        // `stop` sends the command. The future only waits until the server has stopped.
        drop(self.handle.stop(false));
    }
}

impl Host for Actix {
    const SENDS_SEGMENTS: bool = true;

    async fn start(recorder: &Recorder, upstream: &Server) -> Self {
        let upstream = upstream.url("");
        Self::serve(&SegmentMiddleware::new("todo-app").recorder(recorder), move |app| {
            let upstream = upstream.clone();
            app.default_service(web::to(move |request: HttpRequest| {
                let work = handle(request.path().to_owned(), upstream.clone());
                async { HttpResponse::Ok().streaming(work.await) }
            }));
        })
    }

    async fn request(&self, path: &str, header: &str) -> Reply {
        fetch(self.address, path, header).await
    }
}

impl segments::Served for Actix {
    async fn start(recorder: &Recorder, settings: segments::Settings) -> Self {
        let middleware = match settings.pattern {
            Some((pattern, fallback)) => SegmentMiddleware::dynamic(pattern, fallback),
            None => SegmentMiddleware::new("todo-app"),
        };
        let address = |request: &ServiceRequest| request.headers().get("x-client")?.to_str().ok()?.parse().ok();
        let middleware = middleware.trust(settings.trust).forwarded_for(settings.forwarded_for).client_ip(address);
        Self::serve(&middleware.recorder(recorder), |app| {
            app.default_service(web::to(async |request: HttpRequest| match segments::code(request.path()) {
                Some(code) => HttpResponse::new(StatusCode::from_u16(code).unwrap()),
                None => HttpResponse::Ok().body(request.path().to_owned()),
            }));
        })
    }

    fn address(&self) -> SocketAddr {
        self.address
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn actix_web_passes_the_checks_of_every_server() {
    checks::run::<Actix>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn actix_web_passes_the_checks_of_every_server_with_segments() {
    segments::run::<Actix>().await;
}

/// Starts a server that records in memory.
fn recording(configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static) -> (Actix, MemoryEmitter) {
    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().sampler(Always).emitter(emitter.clone()).build();
    (Actix::serve(&SegmentMiddleware::new("todo-app").recorder(&recorder), configure), emitter)
}

#[tokio::test]
async fn an_error_of_a_handler_is_the_cause_of_a_fault_and_not_of_an_error() {
    let (server, emitter) = recording(|app| {
        let failing = async || Err::<HttpResponse, _>(actix_web::error::ErrorInternalServerError("the disk is gone"));
        let refusing = async || Err::<HttpResponse, _>(actix_web::error::ErrorForbidden("not yours"));
        app.route("/failing", web::get().to(failing)).route("/refusing", web::get().to(refusing));
    });
    for (path, code, expected) in [("/failing", 500, &["the disk is gone"][..]), ("/refusing", 403, &[])] {
        let response = reqwest::get(format!("http://{}{path}", server.address)).await.unwrap();
        assert_eq!(response.status().as_u16(), code);
        let document = segments::only_document(&emitter).await;
        assert_eq!((status(&document), messages(&document)), (Some(code), expected.to_vec()));
        assert_eq!((document.fault, document.error), (code == 500, code == 403));
        assert!(!is_cancelled(&document));
    }
}

#[tokio::test]
async fn a_body_that_fails_is_a_fault_with_its_sources() {
    let (server, emitter) = recording(|app| {
        app.default_service(web::to(async || {
            let end = Err(Outer(std::io::Error::other("inner")));
            HttpResponse::Ok().streaming(futures::stream::iter([Ok(web::Bytes::from_static(b"abc")), end]))
        }));
    });
    // The server may close the connection before it has sent the head.
    let body = async { reqwest::get(format!("http://{}/", server.address)).await?.bytes().await };
    assert!(body.await.is_err());
    let document = segments::only_document(&emitter).await;
    assert!(document.fault && status(&document) == Some(200) && !is_cancelled(&document), "{document:#?}");
    let messages = messages(&document);
    assert!(messages.ends_with(&["inner"]) && messages.len() > 1, "{messages:?}");
}

/// A websocket is a response with the status 101, whose body is an endless stream.
#[tokio::test]
async fn a_request_that_switches_to_a_websocket_ends_with_the_head() {
    let (server, emitter) = recording(|app| {
        app.default_service(web::to(async || {
            let frames = futures::stream::iter([Ok(web::Bytes::from_static(b"\x81\x02hi"))]);
            let frames = frames.chain(futures::stream::pending::<std::io::Result<_>>());
            HttpResponse::SwitchingProtocols().upgrade("websocket").streaming(frames)
        }));
    });
    let call = reqwest::Client::new().get(format!("http://{}/", server.address));
    let response = call.header("connection", "upgrade").header("upgrade", "websocket").send().await.unwrap();
    assert_eq!(response.status().as_u16(), 101);
    let mut socket = response.upgrade().await.unwrap();
    let mut frame = [0; 4];
    tokio::io::AsyncReadExt::read_exact(&mut socket, &mut frame).await.unwrap();
    assert_eq!(&frame, b"\x81\x02hi");
    let document = segments::only_document(&emitter).await;
    assert_eq!((status(&document), is_cancelled(&document)), (Some(101), false), "the socket is open");
}

#[tokio::test]
async fn the_calls_of_awc_and_of_work_elsewhere_land_below() {
    #[xray::traced_http]
    async fn by_awc(url: &str) -> u16 {
        awc::Client::default().get(url).send().await.map_or(0, |response| response.status().as_u16())
    }

    let upstream = Server::start().await;
    let url = upstream.url("/bytes/3");
    let (server, emitter) = recording(move |app| {
        let url = url.clone();
        app.default_service(web::to(move || {
            let url = url.clone();
            async move {
                let status = by_awc(&url).await;
                let blocking = || xray::current().subsegment("blocking").end();
                web::block(xray::in_current_trace(blocking)).await.unwrap();
                let task = async { xray::current().subsegment("task").end() };
                actix_web::rt::spawn(task.in_current_trace()).await.unwrap();
                HttpResponse::Ok().body(status.to_string())
            }
        }));
    });
    let header = format!("Root={ROOT};Parent={PARENT};Sampled=1");
    let mut body = fetch(server.address, "/", &header).await.unwrap();
    assert_eq!(body.next().await.unwrap().unwrap(), "200");
    let document = segments::only_document(&emitter).await;
    let [call, blocking, task] = &document.subsegments[..] else { panic!("{document:#?}") };
    assert_eq!([&*call.name, &*blocking.name, &*task.name], ["127.0.0.1", "blocking", "task"]);
    let sent = upstream.take_seen()[0].trace_headers();
    assert_eq!(sent, [format!("Root={ROOT};Parent={};Sampled=1", call.id)]);
}

/// The middleware returns the error of an inner service, and the server converts it to a response.
#[tokio::test]
async fn an_error_of_another_middleware_is_recorded_and_passed_on() {
    use actix_web::dev::{Service as _, Transform as _, fn_service};

    for (error, code) in [
        (actix_web::error::ErrorServiceUnavailable as fn(&'static str) -> actix_web::Error, 503),
        (actix_web::error::ErrorTooManyRequests, 429),
    ] {
        let work = async {
            let inner = fn_service(move |_: ServiceRequest| {
                std::future::ready(Err::<actix_web::dev::ServiceResponse, _>(error("not now")))
            });
            let service = SegmentMiddleware::new("todo-app").new_transform(inner).await.unwrap();
            let request = actix_web::test::TestRequest::get().to_srv_request();
            service.call(request).await.map(drop).unwrap_err().to_string()
        };
        let (text, documents) = capture(work).await;
        assert_eq!((text.as_str(), documents.len()), ("not now", 1));
        assert_eq!((status(&documents[0]), documents[0].throttle), (Some(code), code == 429));
        assert_eq!(exceptions(&documents[0]).len(), usize::from(code == 503));
    }
}
