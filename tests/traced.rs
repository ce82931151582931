//! `#[traced]`: a subsegment around a function, whatever kind of function that is.

mod support;

use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Waker};
use std::time::Duration;

use futures::FutureExt as _;
use support::Server;
use support::documents::{capture, capture_blocking};
use tokio::time::sleep;
use xray::{Cause, Document, Exception, Instrument as _, Segment, TraceHeader};

/// The subsegments of a segment around a future.
async fn below<T>(work: impl Future<Output = T>) -> (T, Vec<Document>) {
    let (result, mut documents) = capture(work.in_segment("t")).await;
    assert_eq!(documents.len(), 1, "{documents:#?}");
    (result, documents.remove(0).subsegments)
}

fn below_blocking<T>(work: impl FnOnce() -> T) -> (T, Vec<Document>) {
    let (result, mut documents) = capture_blocking(|| Segment::builder("t").begin().in_scope(work));
    assert_eq!(documents.len(), 1, "{documents:#?}");
    (result, documents.remove(0).subsegments)
}

/// `a(b, c(d))`: names and nesting; what is not whole is marked.
fn tree(subsegments: &[Document]) -> String {
    let each = subsegments.iter().map(|subsegment| {
        let inner = tree(&subsegment.subsegments);
        let state = if subsegment.fault { "!" } else { "" };
        let inner = if inner.is_empty() { inner } else { format!("({inner})") };
        assert!(subsegment.end_time.unwrap() >= subsegment.start_time);
        assert_eq!(subsegment.namespace.is_none(), subsegment.http.is_none(), "what is no call is local");
        format!("{}{state}{inner}", subsegment.name)
    });
    each.collect::<Vec<_>>().join(", ")
}

fn seconds(subsegment: &Document) -> f64 {
    subsegment.end_time.unwrap() - subsegment.start_time
}

fn exceptions(subsegment: &Document) -> &[Exception] {
    match &subsegment.cause {
        Some(Cause::Exceptions(exceptions)) => &exceptions.exceptions,
        _ => &[],
    }
}

fn messages(subsegment: &Document) -> Vec<&str> {
    exceptions(subsegment).iter().map(|exception| exception.message.as_deref().unwrap_or_default()).collect()
}

#[derive(Default)]
struct Store {
    values: Vec<u32>,
}

#[xray::traced]
impl Store {
    const ONE: u32 = Self::one();

    const fn one() -> u32 {
        1
    }

    fn add(&mut self, value: u32) -> &mut u32 {
        self.values.push(value);
        let last = self.values.len() - 1;
        &mut self.values[last]
    }

    #[xray(skip)]
    fn count(&self) -> usize {
        self.values.len()
    }

    #[xray::traced(name = "find it")]
    fn find<'a, T: PartialEq<u32> + ?Sized>(&'a self, wanted: &T) -> Option<&'a u32> {
        let found = 'search: {
            for value in &self.values {
                if wanted == value {
                    break 'search Some(value);
                }
            }
            return None;
        };
        found.filter(|found| **found > 0)
    }

    fn into_iterator(self, factor: impl Fn(u32) -> u32) -> impl Iterator<Item = u32> {
        self.values.into_iter().map(factor)
    }

    async fn sum(&mut self, mut extra: u32) -> u32 {
        extra += self.add(1).to_owned();
        sleep(Duration::from_millis(20)).await;
        *self.add(2) += extra;
        self.values.iter().sum()
    }
}

#[xray::traced]
fn parse(text: &str) -> Result<u32, Box<dyn Error>> {
    if text.is_empty() {
        return Err("nothing".into());
    }
    let number = text.parse()?;
    Ok(halve(number)?)
}

#[xray::traced]
fn halve(number: u32) -> Result<u32, String> {
    struct String;
    let _ = String;
    if number % 2 == 0 { Ok(number / 2) } else { Err("odd".to_owned()) }
}

#[xray::traced]
fn length<const N: usize>(list: [u32; N]) -> u32
where
    [u32; N]: Sized,
{
    list.len().try_into().unwrap_or_default()
}

#[xray::traced]
fn endless() -> ! {
    panic!("no end")
}

#[xray::traced]
async fn endless_later() -> ! {
    panic!("no end")
}

#[xray::traced]
fn dynamic(is_display: bool) -> Box<dyn Debug> {
    if is_display {
        return Box::new(1);
    }
    Box::new("text")
}

#[test]
fn functions_keep_their_shape() {
    let ((), subsegments) = below_blocking(|| {
        let mut store = Store::default();
        *store.add(3) += 1;
        assert_eq!((store.find(&4), store.find(&9), store.count(), Store::ONE), (Some(&4), None, 1, 1));
        assert_eq!(store.into_iterator(|value| value * 2).collect::<Vec<_>>(), [8]);
        assert!(parse("").is_err() && parse("x").is_err() && parse("3").is_err());
        assert_eq!(parse("4").unwrap(), 2);
        assert_eq!(length([1, 2]), 2);
        assert_eq!(format!("{:?}{:?}", dynamic(true), dynamic(false)), "1\"text\"");
        assert!(catch_unwind(|| endless()).is_err());
    });
    assert_eq!(
        tree(&subsegments),
        "add, find it, find it, into_iterator, parse, parse, parse(halve), parse(halve), length, \
         dynamic, dynamic, endless!"
    );
}

#[tokio::test]
async fn async_functions_take_their_time() {
    let mut store = Store::default();
    let (sum, subsegments) = below(store.sum(4)).await;
    assert_eq!((sum, store.values.as_slice()), (8, [1, 7].as_slice()));
    assert_eq!(tree(&subsegments), "sum(add, add)");
    assert!(seconds(&subsegments[0]) >= 0.02 && seconds(&subsegments[0].subsegments[0]) < 0.02);
    let (_, subsegments) = below(AssertUnwindSafe(async { endless_later().await }).catch_unwind()).await;
    assert_eq!((tree(&subsegments).as_str(), messages(&subsegments[0])), ("endless_later!", vec!["no end"]));
}

#[xray::traced]
async fn waits(milliseconds: u64) -> Option<xray::SegmentId> {
    let before = xray::current().id();
    sleep(Duration::from_millis(milliseconds)).await;
    assert_eq!(xray::current().id(), before);
    before
}

#[tokio::test]
async fn it_is_current_and_begins_at_the_first_poll() {
    let outside = waits(0);
    let ((before, id), subsegments) = below(async {
        sleep(Duration::from_millis(20)).await;
        (xray::current().id(), outside.await)
    })
    .await;
    assert_eq!(id, Some(subsegments[0].id));
    assert_ne!(id, before);
    assert!(seconds(&subsegments[0]) < 0.02);
}

#[xray::traced]
fn panics(message: &str) -> u32 {
    panic!("{message}")
}

#[xray::traced]
async fn panics_later() -> u32 {
    sleep(Duration::from_millis(1)).await;
    panics("later")
}

#[tokio::test]
async fn a_panic_is_recorded_and_goes_on() {
    let (panic, subsegments) = below_blocking(|| catch_unwind(|| panics("boom")).unwrap_err());
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "boom");
    assert_eq!((tree(&subsegments).as_str(), messages(&subsegments[0])), ("panics!", vec!["boom"]));
    let (panic, subsegments) = below(AssertUnwindSafe(panics_later()).catch_unwind()).await;
    assert_eq!(panic.unwrap_err().downcast_ref::<String>().unwrap(), "later");
    assert_eq!(tree(&subsegments), "panics_later!(panics!)");
    assert!(subsegments[0].metadata.is_empty(), "it is not cancelled");
}

#[tokio::test]
async fn a_future_that_is_dropped_is_marked() {
    let ((), subsegments) = below(async {
        drop(waits(1));
        let mut waiting = Box::pin(waits(10_000));
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(waiting);
        assert!(tokio::time::timeout(Duration::from_millis(5), waits(10_000)).await.is_err());
    })
    .await;
    assert_eq!(tree(&subsegments), "waits, waits");
    for subsegment in subsegments {
        assert_eq!(subsegment.metadata["xray"]["cancelled"], true);
    }
}

#[derive(Debug)]
struct Wrong(std::num::ParseIntError);

impl Display for Wrong {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("wrong")
    }
}

impl Error for Wrong {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// As `anyhow::Error` is: no error itself.
struct Wrapper(Box<dyn Error + Send + Sync>);

impl AsRef<dyn Error + Send + Sync> for Wrapper {
    fn as_ref(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.0
    }
}

impl AsRef<dyn Error> for Wrapper {
    fn as_ref(&self) -> &(dyn Error + 'static) {
        &*self.0
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Wrapper {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

#[derive(Debug)]
#[allow(dead_code)]
struct OnlyDebug(u32);

struct Nothing;

fn wrong() -> Wrong {
    Wrong("x".parse::<u32>().unwrap_err())
}

#[xray::traced(err)]
fn own_error(is_wrong: bool) -> Result<u32, Wrong> {
    if is_wrong {
        return Err(wrong());
    }
    Ok(1)
}

#[xray::traced(err)]
fn boxed_error() -> Result<u32, Box<dyn Error>> {
    Err(wrong())?
}

#[xray::traced(err)]
async fn shared_error() -> Result<u32, Box<dyn Error + Send + Sync>> {
    Ok("x".parse::<u32>()?)
}

#[xray::traced(err)]
async fn wrapped_error() -> Result<u32, Wrapper> {
    Err(wrong())?;
    Ok(1)
}

#[xray::traced(err)]
fn shown_error() -> Result<(), String> {
    Err("shown".to_owned())
}

#[xray::traced(err)]
fn debug_error<'a>(number: &'a u32, list: &'a mut [u32]) -> Result<&'a mut u32, OnlyDebug> {
    list.get_mut(9).ok_or(OnlyDebug(*number))
}

#[xray::traced(err)]
fn no_error() -> Result<impl Iterator<Item = u32>, Nothing> {
    if false {
        return Ok([1].into_iter());
    }
    Err(Nothing)
}

#[xray::traced(err)]
fn generic_error<E: Display>(error: E) -> Result<(), E> {
    Err(error)
}

#[xray::traced(err)]
fn boxed_future<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = Result<u32, Wrong>> + Send + 'a>> {
    Box::pin(async move { text.parse().map_err(Wrong) })
}

#[xray::traced(err)]
fn returned_future(text: &str) -> impl Future<Output = Result<u32, Wrong>> + use<> {
    let text = text.to_owned();
    async move {
        sleep(Duration::from_millis(1)).await;
        text.parse().map_err(Wrong)
    }
}

#[xray::traced(err)]
fn future_of_another(text: &str) -> impl Future<Output = Result<u32, Wrong>> {
    returned_future(text)
}

#[tokio::test]
async fn errors_are_recorded() {
    const SOURCE: &str = "invalid digit found in string";
    let ((), subsegments) = below(async {
        assert!(own_error(false).is_ok() && own_error(true).is_err());
        assert!(boxed_error().is_err() && shared_error().await.is_err() && wrapped_error().await.is_err());
        assert!(shown_error().is_err() && debug_error(&7, &mut []).is_err() && no_error().is_err());
        assert!(generic_error('c').is_err());
        assert!(boxed_future("x").await.is_err() && returned_future("x").await.is_err());
        assert!(future_of_another("x").await.is_err());
    })
    .await;
    let (first, failed) = subsegments.split_first().unwrap();
    assert!(!first.fault && first.cause.is_none());
    let expected: [(&str, &[&str], &str); 10] = [
        ("own_error", &["wrong", SOURCE], "traced::Wrong"),
        ("boxed_error", &["wrong", SOURCE], "alloc::boxed::Box<dyn core::error::Error>"),
        (
            "shared_error",
            &[SOURCE],
            "alloc::boxed::Box<dyn core::error::Error + core::marker::Send + core::marker::Sync>",
        ),
        ("wrapped_error", &["wrong", SOURCE], "traced::Wrapper"),
        ("shown_error", &["shown"], "alloc::string::String"),
        ("debug_error", &["OnlyDebug(7)"], "traced::OnlyDebug"),
        ("no_error", &[""], "traced::Nothing"),
        ("generic_error", &["c"], "char"),
        ("boxed_future", &["wrong", SOURCE], "traced::Wrong"),
        ("returned_future", &["wrong", SOURCE], "traced::Wrong"),
    ];
    assert_eq!(failed.len(), expected.len() + 1, "{}", tree(failed));
    for (subsegment, (name, texts, kind)) in failed.iter().zip(expected) {
        assert_eq!((subsegment.name.as_str(), messages(subsegment).as_slice(), subsegment.fault), (name, texts, true));
        let first = &exceptions(subsegment)[0];
        assert_eq!((first.kind.as_deref(), first.remote), (Some(kind), Some(false)), "{name}");
    }
    // What its child recorded already is not said again.
    assert_eq!(tree(&failed[10].subsegments), "returned_future!");
    let recorded = exceptions(&failed[10].subsegments[0])[0].id;
    assert_eq!((failed[10].fault, &failed[10].cause), (true, &Some(Cause::Reference(recorded))));
}

struct Order {
    id: String,
}

#[xray::traced(annotate(order = order.id, count = count(), fast = fast))]
fn annotated(order: Order, fast: bool) -> (String, bool) {
    (order.id, fast)
}

#[xray::traced(annotate(order = order.id))]
async fn annotated_later(order: Order) -> Order {
    order
}

#[xray::traced(annotate(order = order.id))]
fn annotated_future(order: Order) -> impl Future<Output = Order> {
    async move { order }
}

fn count() -> u32 {
    assert!(xray::current().is_sampled(), "it is asked only where it is recorded");
    3
}

#[tokio::test]
async fn annotations_are_made_at_entry() {
    let order = || Order { id: "a-1".to_owned() };
    assert_eq!(annotated(order(), true).0, "a-1");
    let unsampled = Segment::builder("t").trace_header(&TraceHeader::parse("Sampled=0")).begin();
    unsampled.in_scope(|| annotated(order(), true));
    let ((), subsegments) = below(async {
        annotated(order(), true);
        assert_eq!(annotated_later(order()).await.id, "a-1");
        assert_eq!(annotated_future(order()).await.id, "a-1");
    })
    .await;
    assert_eq!(subsegments[0].annotations["count"], 3.into());
    assert_eq!(subsegments[0].annotations["fast"], true.into());
    assert_eq!(subsegments.len(), 3);
    for subsegment in subsegments {
        assert_eq!(subsegment.annotations["order"], "a-1".into());
    }
}

#[async_trait::async_trait]
trait Work: Sync {
    async fn work(&self, text: &str) -> Result<u32, Wrong>;

    #[xray::traced(name = "provided")]
    async fn provided(&mut self, text: String) -> usize
    where
        Self: Send,
    {
        self.work(&text).await.is_ok().into()
    }
}

struct Above;
struct Below;
struct OnEach;

#[xray::traced(err)]
#[async_trait::async_trait]
impl Work for Above {
    async fn work(&self, text: &str) -> Result<u32, Wrong> {
        sleep(Duration::from_millis(10)).await;
        let number = text.parse().map_err(Wrong)?;
        Ok(number)
    }
}

#[async_trait::async_trait]
#[xray::traced(err)]
impl Work for Below {
    async fn work(&self, text: &str) -> Result<u32, Wrong> {
        sleep(Duration::from_millis(10)).await;
        let number = text.parse().map_err(Wrong)?;
        Ok(number)
    }
}

#[async_trait::async_trait]
impl Work for OnEach {
    #[xray::traced(err, annotate(text = text))]
    async fn work(&self, text: &str) -> Result<u32, Wrong> {
        sleep(Duration::from_millis(10)).await;
        let number = text.parse().map_err(Wrong)?;
        Ok(number)
    }
}

#[tokio::test]
async fn async_trait_above_and_below() {
    let works: [Box<dyn Work + Send>; 3] = [Box::new(Above), Box::new(Below), Box::new(OnEach)];
    for mut work in works {
        let (ok, subsegments) =
            below(async move { work.provided("1".to_owned()).await + work.provided("x".to_owned()).await }).await;
        assert_eq!((ok, tree(&subsegments).as_str()), (1, "provided(work), provided(work!)"));
        assert!(seconds(&subsegments[0].subsegments[0]) >= 0.01);
        assert_eq!(messages(&subsegments[1].subsegments[0])[0], "wrong");
    }
}

#[xray::traced]
#[xray::traced_http(annotate(id = id))]
async fn above(client: &reqwest::Client, url: &str, id: u32) -> reqwest::Result<u16> {
    Ok(client.get(url).send().await?.status().as_u16())
}

#[xray::traced_http(annotate(id = id))]
#[xray::traced(err, annotate(id = id))]
async fn beneath(client: &reqwest::Client, url: &str, id: u32) -> reqwest::Result<u16> {
    let request = client.get(url);
    Ok(request.send().await?.status().as_u16())
}

#[xray::traced]
#[xray::traced_http]
fn future_above(client: &reqwest::Client, url: &str) -> impl Future<Output = reqwest::Result<reqwest::Response>> {
    client.get(url).send()
}

#[xray::traced_http(annotate(id = id))]
#[xray::traced]
fn future_beneath(client: reqwest::Client, url: String, id: u32) -> impl Future<Output = reqwest::Result<u16>> {
    async move { Ok(client.get(url).send().await?.status().as_u16()) }
}

struct Api(reqwest::Client);

#[xray::traced]
#[xray::traced_http]
impl Api {
    async fn first(&self, url: &str) -> reqwest::Result<u16> {
        let status = self.skipped(url).await? + self.plain();
        Ok(status + self.0.get(url).send().await?.status().as_u16())
    }

    #[xray(skip)]
    async fn skipped(&self, url: &str) -> reqwest::Result<u16> {
        Ok(self.0.get(url).send().await?.status().as_u16())
    }

    fn plain(&self) -> u16 {
        self.0.get("no url").build().is_ok().into()
    }
}

struct OtherApi(reqwest::Client);

#[xray::traced_http]
#[xray::traced]
impl OtherApi {
    async fn first(&self, url: &str) -> reqwest::Result<u16> {
        let status = self.skipped(url).await?;
        Ok(status + self.0.get(url).send().await?.status().as_u16())
    }

    #[xray(skip)]
    async fn skipped(&self, url: &str) -> reqwest::Result<u16> {
        Ok(self.0.get(url).send().await?.status().as_u16())
    }
}

#[tokio::test]
async fn both_attributes_in_either_order() {
    let server = Server::start().await;
    let (client, url) = (reqwest::Client::new(), server.url("/bytes/1"));
    let ((), subsegments) = below(async {
        assert_eq!(above(&client, &url, 1).await.unwrap() + beneath(&client, &url, 2).await.unwrap(), 400);
        future_above(&client, &url).await.unwrap();
        future_beneath(client.clone(), url.clone(), 3).await.unwrap();
        assert_eq!(Api(client.clone()).first(&url).await.unwrap(), 400);
        assert_eq!(OtherApi(client.clone()).first(&url).await.unwrap(), 400);
    })
    .await;
    assert_eq!(
        tree(&subsegments).replace("127.0.0.1", "call"),
        "above(call), beneath(call), future_above(call), future_beneath(call), first(plain, call), first(call)"
    );
    assert_eq!(subsegments[0].subsegments[0].annotations["id"], 1.into());
    assert_eq!(subsegments[1].annotations["id"], 2.into());
    let seen = server.take_seen();
    let untraced = seen.iter().filter(|request| request.trace_headers().is_empty()).count();
    assert_eq!((seen.len(), untraced), (8, 2));
    assert_eq!(seen[0].trace_header().parent, Some(subsegments[0].subsegments[0].id));
}

#[xray::traced]
fn factorial(number: u64) -> u64 {
    if number < 2 { 1 } else { number * factorial(number - 1) }
}

#[xray::traced]
fn countdown(number: u32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
    Box::pin(async move { if number == 0 { 0 } else { 1 + countdown(number - 1).await } })
}

#[tokio::test]
async fn recursion_nests() {
    let (result, subsegments) = below_blocking(|| factorial(4));
    let expected = "factorial(factorial(factorial(factorial)))";
    assert_eq!((result, tree(&subsegments).as_str()), (24, expected));
    let (result, subsegments) = below(countdown(2)).await;
    assert_eq!((result, tree(&subsegments).as_str()), (2, "countdown(countdown(countdown))"));
}

#[xray::traced]
async fn generic<'a, T, U>(first: &'a T, second: impl Into<U> + Send) -> (&'a T, U)
where
    T: Sync + ?Sized,
    U: Send,
{
    tokio::task::yield_now().await;
    (first, second.into())
}

fn assert_send<F: Future + Send>(future: F) -> F {
    future
}

#[tokio::test]
async fn futures_stay_send() {
    let (result, subsegments) = below(assert_send(generic::<str, u64>("a", 1_u32))).await;
    assert_eq!((result, tree(&subsegments).as_str()), (("a", 1), "generic"));
    drop((assert_send(waits(1)), assert_send(wrapped_error()), assert_send(returned_future(""))));
}

#[xray::traced]
async fn outer(number: u64) -> u64 {
    sleep(Duration::from_micros(number % 7 * 100)).await;
    let (first, second) = tokio::join!(inner(number), inner(number + 1));
    first + second + leaf(number)
}

#[xray::traced(annotate(number = number))]
async fn inner(number: u64) -> u64 {
    tokio::task::yield_now().await;
    sleep(Duration::from_micros(number % 5 * 100)).await;
    leaf(number)
}

#[xray::traced(annotate(number = number))]
fn leaf(number: u64) -> u64 {
    number
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_tasks_have_their_own_trees() {
    let tasks = (0..1_000_u64).map(|number| {
        tokio::spawn(async move {
            let (result, subsegments) = below(outer(number)).await;
            assert_eq!(result, 3 * number + 1);
            assert_eq!(tree(&subsegments), "outer(inner(leaf), inner(leaf), leaf)");
            let parts = &subsegments[0].subsegments;
            let mut numbers: Vec<_> = parts.iter().map(|part| part.annotations["number"].clone()).collect();
            assert_eq!(numbers.pop(), Some(number.into()));
            for part in &parts[..2] {
                assert_eq!(part.subsegments[0].annotations["number"], part.annotations["number"]);
            }
            assert!(numbers.contains(&number.into()) && numbers.contains(&(number + 1).into()));
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

#[test]
fn without_a_segment_nothing_changes() {
    assert_eq!((factorial(4), own_error(true).is_err()), (24, true));
    let mut future = pin!(generic::<str, u64>("a", 1_u32));
    let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending() && xray::trace_id().is_none());
}
