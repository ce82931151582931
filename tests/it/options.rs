//! The options of the attribute, on functions, `impl` blocks and single calls.

use std::collections::BTreeMap;
use std::sync::Mutex;

use http::Request;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use reqwest::Client;
use support::Server;
use support::documents::capture;
use support::subsegments::names;
use xray::document::AnnotationValue;
use xray::http::{Call, CallParent, CallSite, DeferredCall, Sent, Traceable, methods};
use xray::{Document, Instrument as _, Segment, TraceHeader};

async fn subsegments(work: impl Future) -> Vec<Document> {
    let ((), mut documents) = capture(async { drop(work.await) }.in_segment("t")).await;
    assert_eq!(documents.len(), 1, "{documents:#?}");
    documents.remove(0).subsegments
}

struct Order {
    id: String,
    items: u32,
}

#[xray::traced_http(annotate(order = order.id, items = order.items, r#type = "book", tier = tier, free = tier.is_empty()))]
async fn annotated(client: &Client, url: &str, order: Order, tier: &str) -> String {
    client.get(url).send().await.unwrap();
    let first = client.post(url);
    let moved = vec![(client.clone(), url.to_owned()), (client.clone(), url.to_owned())];
    let tasks = moved.into_iter().map(|(client, url)| {
        let call = move || client.get(&url).send();
        let (first, second) = (call(), call);
        tokio::spawn(async move { first.await.unwrap().status().is_success() && second().await.is_ok() })
    });
    for task in tasks.collect::<Vec<_>>() {
        assert!(task.await.unwrap());
    }
    let (own, url) = (client.clone(), url.to_owned());
    tokio::spawn(async move { own.get(url).send().await.unwrap() }).await.unwrap();
    first.send().await.unwrap();
    order.id
}

#[tokio::test]
async fn annotate_on_every_call() {
    let server = Server::start().await;
    let (client, url) = (Client::new(), server.url("/bytes/1"));
    let order = || Order { id: "a-1".to_owned(), items: 3 };
    let subsegments = subsegments(annotated(&client, &url, order(), "")).await;
    // `second` is called in a task and was created outside, so it has no annotations of the function.
    assert_eq!((subsegments.len(), server.take_seen().len()), (5, 7));
    let value = AnnotationValue::from;
    let expected: BTreeMap<_, _> = [
        ("order", "a-1".into()),
        ("items", 3.into()),
        ("type", "book".into()),
        ("tier", "".into()),
        ("free", value(true)),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into();
    for subsegment in subsegments {
        assert_eq!(subsegment.annotations.into_iter().collect::<BTreeMap<_, _>>(), expected);
    }
}

static EVALUATED: Mutex<u32> = Mutex::new(0);

fn counted() -> u32 {
    let mut evaluated = EVALUATED.lock().unwrap();
    *evaluated += 1;
    *evaluated
}

#[xray::traced_http(annotate(count = counted()))]
fn counts(client: &Client, url: &str) -> impl Future<Output = reqwest::Result<reqwest::Response>> + use<> {
    client.get(url).send()
}

#[tokio::test]
async fn annotations_are_made_only_where_they_are_recorded() {
    let server = Server::start().await;
    let (client, url) = (Client::new(), server.url("/bytes/1"));
    counts(&client, &url).await.unwrap();
    let unsampled = TraceHeader::parse("Sampled=0");
    let segment = Segment::builder("t").trace_header(&unsampled).begin();
    async { counts(&client, &url).await.unwrap() }.in_segment(segment).await;
    assert_eq!(*EVALUATED.lock().unwrap(), 0);
    let found = subsegments(async { counts(&client, &url).await.unwrap() }).await;
    assert_eq!(found[0].annotations["count"], 1.into());
}

#[xray::traced_http(skip_hosts("*.0.0.1", "example.?rg"))]
async fn skips(client: &Client, url: &str) {
    client.get(url).send().await.unwrap();
}

#[xray::traced_http(skip_hosts("LOCALHOST"), name = "local")]
async fn skips_another(client: &Client, url: &str) {
    client.get(url).send().await.unwrap();
    let named = client.get(url).send();
    #[xray(name = "other")]
    client.get(url).send().await.unwrap();
    named.await.unwrap();
}

#[tokio::test]
async fn skipped_hosts_get_neither_subsegment_nor_header() {
    let server = Server::start().await;
    let (client, url) = (Client::new(), server.url("/bytes/1"));
    assert!(subsegments(skips(&client, &url)).await.is_empty());
    assert!(server.take_seen()[0].trace_headers().is_empty());
    let found = subsegments(skips_another(&client, &url)).await;
    assert_eq!(names(&found), ["local", "other", "local"]);
    assert_eq!(server.take_seen().iter().filter(|seen| seen.trace_headers().len() == 1).count(), 3);
}

#[xray::traced_http]
async fn assigns(client: &Client, url: &str) -> u16 {
    let mut statuses = [0; 2];
    #[xray(skip)]
    statuses[0] += client.get(url).send().await.unwrap().status().as_u16();
    #[xray(name = "assigned")]
    statuses[1] = client.get(url).send().await.unwrap().status().as_u16();
    statuses.iter().sum()
}

#[cfg_attr(any(unix, windows), xray::traced_http)]
async fn behind_a_condition(client: &Client, url: &str) -> u16 {
    #[cfg_attr(any(unix, windows), xray(skip))]
    let first = client.get(url).send().await.unwrap();
    #[cfg_attr(any(unix, windows), xray(name = "named"))]
    let second = client.get(url).send().await.unwrap();
    first.status().as_u16() + second.status().as_u16()
}

#[tokio::test]
async fn options_may_have_the_condition_of_the_attribute() {
    let server = Server::start().await;
    let found = subsegments(behind_a_condition(&Client::new(), &server.url("/bytes/1"))).await;
    assert_eq!((names(&found), server.take_seen().len()), (vec!["named"], 2));
}

#[xray::traced_http]
async fn is_up(is_enabled: bool, client: &Client, url: &str) -> bool {
    client.get(url).send().await.unwrap();
    #[xray(skip)]
    is_enabled
        && client.get(url).send().await.is_ok()
}

#[tokio::test]
async fn the_option_of_a_statement_applies_to_all_its_operands() {
    let server = Server::start().await;
    let (client, url) = (Client::new(), server.url("/bytes/1"));
    let found = subsegments(async { assert!(is_up(true, &client, &url).await) }).await;
    assert_eq!((found.len(), server.take_seen().len()), (1, 2));
}

#[tokio::test]
async fn the_option_of_an_assignment_is_that_of_its_calls() {
    let server = Server::start().await;
    let (client, url) = (Client::new(), server.url("/bytes/1"));
    let found = subsegments(async { assert_eq!(assigns(&client, &url).await, 400) }).await;
    assert_eq!(names(&found), ["assigned"]);
}

struct Service {
    client: Client,
    url: String,
}

/// The attribute on an `impl` block holds for all functions in it, except for those with a mark of their own.
#[xray::traced_http(name = "todos")]
impl Service {
    const LIMIT: u32 = 10;

    const fn limit() -> u32 {
        Self::LIMIT
    }

    async fn get(&self) -> u16 {
        self.client.get(&self.url).send().await.unwrap().status().as_u16()
    }

    #[xray(skip)]
    async fn skipped(&self) -> u16 {
        self.client.get(&self.url).send().await.unwrap().status().as_u16()
    }

    #[xray::traced_http(name = "own")]
    async fn own(&self) -> u16 {
        self.client.get(&self.url).send().await.unwrap().status().as_u16()
    }

    fn no_call(&self) -> usize {
        self.url.len()
    }
}

trait Fetch {
    fn fetch(&self) -> impl Future<Output = u16>;
}

#[xray::traced_http]
impl Fetch for Service {
    async fn fetch(&self) -> u16 {
        self.client.put(&self.url).send().await.unwrap().status().as_u16()
    }
}

#[async_trait::async_trait]
trait Boxed {
    async fn boxed(&self) -> u16;
    async fn boxed_too(&self) -> u16;
}

/// `#[traced_http]` above `#[async_trait]`. The next block has it below.
#[xray::traced_http(name = "above")]
#[async_trait::async_trait]
impl Boxed for Service {
    async fn boxed(&self) -> u16 {
        self.client.put(&self.url).send().await.unwrap().status().as_u16()
    }

    async fn boxed_too(&self) -> u16 {
        let request = self.client.put(&self.url).build().unwrap();
        self.client.execute(request).await.unwrap().status().as_u16()
    }
}

#[async_trait::async_trait]
#[xray::traced_http(name = "below", annotate(tier = 1))]
impl Boxed for Mutex<Service> {
    async fn boxed(&self) -> u16 {
        let (client, url) = {
            let service = self.lock().unwrap();
            (service.client.clone(), service.url.clone())
        };
        client.put(&url).send().await.unwrap().status().as_u16()
    }

    async fn boxed_too(&self) -> u16 {
        self.boxed().await
    }
}

#[tokio::test]
async fn impl_blocks() {
    let server = Server::start().await;
    let service = Service { client: Client::new(), url: server.url("/bytes/1") };
    let found = subsegments(async {
        assert_eq!(service.get().await, 200);
        service.skipped().await;
        service.own().await;
        service.fetch().await;
        service.boxed().await;
        service.boxed_too().await;
        service.no_call() as u64 + u64::from(Service::limit())
    })
    .await;
    assert_eq!(names(&found), ["todos", "own", "127.0.0.1", "above", "above"]);
    let shared = Mutex::new(service);
    assert_eq!(names(&subsegments(shared.boxed_too()).await), ["below"]);
}

/// A request of the user's own client, sent by a method whose name the attribute does not know.
#[derive(Clone, Copy)]
struct Ping<'a> {
    client: &'a Client,
    url: &'a str,
}

impl Ping<'_> {
    #[expect(dead_code, reason = "the twin's stands in for it")]
    fn fire(self) -> impl Future<Output = reqwest::Result<reqwest::Response>> {
        self.client.get(self.url).send()
    }
}

impl<'a> Traceable<methods::any> for Ping<'a> {
    type Traced = TracedPing<'a>;

    fn traced(self, site: CallSite) -> TracedPing<'a> {
        TracedPing(self, site)
    }
}

struct TracedPing<'a>(Ping<'a>, CallSite);

impl TracedPing<'_> {
    fn fire(self) -> impl Future<Output = reqwest::Result<reqwest::Response>> {
        fn start(
            ping: Ping<'_>,
            parent: Option<CallParent>,
        ) -> Sent<impl Future<Output = reqwest::Result<reqwest::Response>>> {
            let mut request = ping.client.get(ping.url).build().unwrap();
            let call = parent.map(|parent| parent.begin("GET", ping.url).inject(request.headers_mut()));
            Sent::new(ping.client.execute(request), call)
        }
        fn read(answer: &reqwest::Result<reqwest::Response>, call: &mut Call) {
            call.response(answer.as_ref().unwrap().status().as_u16(), None);
        }
        let Self(ping, site) = self;
        DeferredCall::new(site, move |parent| start(ping, parent), read)
    }
}

async fn deliver(client: &HyperClient<HttpConnector, Empty<Bytes>>, request: Request<Empty<Bytes>>) -> u16 {
    client.request(request).await.unwrap().status().as_u16()
}

struct Courier(HyperClient<HttpConnector, Empty<Bytes>>);

impl Courier {
    async fn carry(&self, request: Request<Empty<Bytes>>, _: u32) -> hyper::Response<hyper::body::Incoming> {
        self.0.request(request).await.unwrap()
    }
}

macro_rules! either {
    ($first:expr, $second:expr) => {
        if true { $first } else { $second }
    };
}

#[xray::traced_http]
async fn marked(client: &Client, courier: &Courier, url: &str) -> reqwest::Result<u16> {
    let ping = Ping { client, url };
    let first = #[xray(trace, name = "marked")]
    ping.fire().await?;
    #[xray(trace)]
    let request = either!(client.put(url).send(), client.get(url).send()).await?;
    let second = #[xray(trace)]
    courier.carry(Request::get(url).body(Empty::new()).unwrap(), 1).await;
    // Without the mark, the attribute does not know the name `carry`.
    courier.carry(Request::get(url).body(Empty::new()).unwrap(), 1).await;
    Ok(first.status().as_u16() + request.status().as_u16() + second.status().as_u16())
}

#[xray::traced_http]
async fn marked_function(client: &HyperClient<HttpConnector, Empty<Bytes>>, url: &str) -> u16 {
    let request = Request::get(url).body(Empty::new()).unwrap();
    #[xray(trace)]
    deliver_first(request, client).await
}

async fn deliver_first(request: Request<Empty<Bytes>>, client: &HyperClient<HttpConnector, Empty<Bytes>>) -> u16 {
    deliver(client, request).await
}

#[tokio::test]
async fn marked_calls() {
    let server = Server::start().await;
    let (client, url) = (Client::new(), server.url("/bytes/1"));
    let hyper = HyperClient::builder(TokioExecutor::new()).build_http();
    let courier = Courier(hyper.clone());
    let found = subsegments(async { assert_eq!(marked(&client, &courier, &url).await.unwrap(), 600) }).await;
    assert_eq!(names(&found), ["marked", "127.0.0.1", "127.0.0.1"]);
    assert_eq!(server.take_seen().iter().filter(|seen| seen.trace_headers().len() == 1).count(), 3);
    let found = subsegments(async { assert_eq!(marked_function(&hyper, &url).await, 200) }).await;
    assert_eq!(names(&found), ["127.0.0.1"]);
    // The function returns a number, so only the time of the call is known.
    assert_eq!(found[0].http.as_ref().unwrap().response, None);
}

#[xray::traced_http(strict)]
async fn strict(client: &Client, url: &str) -> reqwest::Result<u16> {
    let request = client.get(url);
    let (sender, receiver) = std::sync::mpsc::channel();
    // A `send` with arguments on a variable is not a candidate.
    sender.send(1).unwrap();
    #[xray(skip)]
    client.get(url).send().await?;
    client.execute(client.get(url).build()?).await?;
    let status = request.send().await?.status().as_u16();
    Ok(status + receiver.recv().unwrap())
}

#[tokio::test]
async fn strict_functions() {
    let server = Server::start().await;
    let (client, url) = (Client::new(), server.url("/bytes/1"));
    assert_eq!(subsegments(async { assert_eq!(strict(&client, &url).await.unwrap(), 201) }).await.len(), 2);
    assert_eq!(server.take_seen().len(), 3);
}
