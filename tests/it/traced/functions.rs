//! Functions of every kind: results, times, panics and annotations.

use std::cell::RefCell;
use std::error::Error;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Waker};
use std::time::Duration;

use futures::FutureExt as _;
use tokio::time::sleep;
use xray::{Segment, TraceHeader};

use super::errors::{own_error, returned_future, wrapped_error};
use support::subsegments::{below, below_blocking, mark, messages, seconds, tree};

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
    let [first, second] = &subsegments[0].subsegments[..] else { panic!("{subsegments:#?}") };
    assert!(seconds(&subsegments[0]) >= 0.02, "{subsegments:#?}");
    assert!(second.start_time - first.end_time.unwrap() >= 0.02, "the sleep is between them: {subsegments:#?}");
    let (_, subsegments) = below(AssertUnwindSafe(async { endless_later().await }).catch_unwind()).await;
    assert_eq!((tree(&subsegments).as_str(), messages(&subsegments[0])), ("endless_later!", vec!["no end"]));
}

/// An hour in milliseconds, longer than any test takes.
const HOUR: u64 = 3_600_000;

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
        mark("before the first poll");
        (xray::current().id(), outside.await)
    })
    .await;
    let [mark, waits] = &subsegments[..] else { panic!("{subsegments:#?}") };
    assert_eq!(id, Some(waits.id));
    assert_ne!(id, before);
    assert!(mark.end_time < Some(waits.start_time), "{subsegments:#?}");
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
    assert!(subsegments[0].metadata.is_empty(), "a panic does not cancel the future");
}

#[tokio::test]
async fn a_future_that_is_dropped_is_marked() {
    let ((), subsegments) = below(async {
        drop(waits(1));
        let mut waiting = Box::pin(waits(HOUR));
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(waiting);
        assert!(tokio::time::timeout(Duration::from_millis(5), waits(HOUR)).await.is_err());
    })
    .await;
    assert_eq!(tree(&subsegments), "waits, waits");
    for subsegment in subsegments {
        assert_eq!(subsegment.metadata["xray"]["cancelled"], true);
    }
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
    assert!(xray::current().is_sampled(), "annotations are evaluated only below a sampled segment");
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

thread_local! {
    static DROPPED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

struct Noisy(&'static str);

impl Drop for Noisy {
    fn drop(&mut self) {
        DROPPED.with_borrow_mut(|dropped| dropped.push(self.0));
    }
}

struct Pair {
    left: Noisy,
    _right: Noisy,
}

#[xray::traced]
fn drops(first: Noisy, pair: Pair, (third, _fourth): (Noisy, Noisy), _guard: Noisy) -> usize {
    let _local = Noisy("local");
    third.0.len() + first.0.len() + { pair.left }.0.len()
}

#[xray::traced]
async fn drops_later(first: Noisy, pair: Pair, (third, _fourth): (Noisy, Noisy), _guard: Noisy) -> usize {
    let _local = Noisy("local");
    tokio::task::yield_now().await;
    format!("{third}").len() + first.0.len() + { pair.left }.0.len()
}

impl std::fmt::Display for Noisy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.0)
    }
}

#[tokio::test]
async fn parameters_are_dropped_as_before() {
    let pair = || Pair { left: Noisy("left"), _right: Noisy("right") };
    let others = || (Noisy("third"), Noisy("fourth"));
    let expected = ["left", "local", "guard", "fourth", "third", "right", "first"];
    let ((), _) = below(async {
        assert_eq!(drops(Noisy("first"), pair(), others(), Noisy("guard")), 14);
        assert_eq!(DROPPED.take(), expected);
        assert_eq!(drops_later(Noisy("first"), pair(), others(), Noisy("guard")).await, 14);
        assert_eq!(DROPPED.take(), expected);
        let mut dropped = Box::pin(drops_later(Noisy("first"), pair(), others(), Noisy("guard")));
        assert!(dropped.as_mut().now_or_never().is_none());
        drop(dropped);
        assert_eq!(DROPPED.take(), ["local", "guard", "fourth", "third", "left", "right", "first"]);
    })
    .await;
}

#[xray::traced]
fn cloned_future(number: u32) -> impl Future<Output = u32> + Clone + Debug {
    std::future::ready(number)
}

trait Tagged {
    fn tag(&self) -> u32;
}

impl<T> Tagged for std::future::Ready<T> {
    fn tag(&self) -> u32 {
        7
    }
}

#[xray::traced]
fn tagged_future(number: u32) -> impl Future<Output = u32> + Tagged {
    std::future::ready(number)
}

#[xray::traced]
fn unpinned_future(number: u32) -> impl Future<Output = u32> + Unpin + Send + Sync {
    std::future::ready(number)
}

#[tokio::test]
async fn a_future_keeps_its_traits() {
    let ((), subsegments) = below(async {
        let future = cloned_future(1);
        assert_eq!((format!("{future:?}").as_str(), future.clone().await, future.await), ("Ready(Some(1))", 1, 1));
        assert_eq!((tagged_future(3).tag(), tagged_future(3).await), (7, 3));
        assert_eq!(Pin::new(&mut unpinned_future(2)).await, 2);
    })
    .await;
    assert_eq!(tree(&subsegments), "cloned_future, tagged_future, tagged_future, unpinned_future");
}

#[xray::traced]
fn alternatives(number: u32) -> impl Future<Output = u32> {
    #[cfg(not(windows))]
    {
        async move { number }
    }
    #[cfg(windows)]
    {
        async move { number + 1 }
    }
}

#[xray::traced]
fn boxed_alternatives(number: u32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
    #[cfg(windows)]
    {
        Box::pin(async move { number + 1 })
    }
    #[cfg(not(windows))]
    Box::pin(async move {
        sleep(Duration::from_millis(1)).await;
        number
    })
}

#[tokio::test]
async fn alternatives_at_the_end() {
    let ((), subsegments) = below(async { assert_eq!(alternatives(1).await + boxed_alternatives(2).await, 3) }).await;
    assert_eq!(tree(&subsegments), "alternatives, boxed_alternatives");
    assert!(seconds(&subsegments[1]) > 0.0005);
}
