//! Bodies on one line. rustc and clippy report some lints, such as `unused_braces`, only on those.
//!
//! rustfmt leaves this file out: it would put each body on lines of its own.

use std::future::{Ready, ready};
use std::hint::black_box;
use std::num::ParseIntError;
use std::pin::Pin;
use std::process::exit;
use std::sync::Mutex;

use tokio::spawn;

struct Other(bool);

impl Other {
    #[xray::traced] fn new(value: bool) -> Self { Self(value) }
    #[xray::traced_http] fn again(&self) -> bool { black_box(self).send() }
    const fn send(&self) -> bool { self.0 }
    const fn value(self) -> bool { self.0 }
}

type Sent = reqwest::Result<reqwest::Response>;

#[xray::traced] fn number() -> u32 { 1 }
#[xray::traced] fn nothing() {}
#[xray::traced] async fn nothing_later() {}
#[xray::traced] fn unit() { nothing(); }
#[xray::traced] async fn unit_later() { nothing_later().await; }
#[xray::traced] async fn later(text: &str) -> usize { ready(text.len()).await }
#[xray::traced] async fn awaited(text: &str) -> impl Iterator<Item = char> { ready(text).await.chars() }
#[xray::traced] async fn yields() -> Ready<u32> { ready(1) }
#[xray::traced] async fn yields_opaque() -> impl Future<Output = u32> { ready(1) }
#[xray::traced(err)] async fn parsed(text: &str) -> Result<u32, ParseIntError> { ready(text.parse()).await }
#[xray::traced(err)] fn parsed_now(text: &str) -> Result<u32, ParseIntError> { text.parse() }
#[xray::traced] fn boxed(text: &str) -> Pin<Box<dyn Future<Output = usize> + '_>> { Box::pin(async move { text.len() }) }
#[xray::traced] fn opaque(text: &str) -> impl Future<Output = usize> + Send + use<> { ready(text.len()) }
#[xray::traced] fn in_block() -> usize { usize::from({ number() } == 1) }
#[xray::traced] fn closure() -> impl Fn(u32) -> u32 { |value| value + 1 }
#[xray::traced] fn parens() -> u32 { (number() + 1) * 2 }
#[xray::traced] fn structure() -> Other { Other(true) }
#[xray::traced] fn branch(value: bool) -> u32 { if value { 1 } else { number() } }
#[xray::traced] async fn branch_later(value: bool) -> u32 { if value { 1 } else { number() } }
#[xray::traced] async fn choice(value: Option<u32>) -> u32 { value.map_or(7, |some| some) }
#[xray::traced] fn forever(value: bool) -> ! { loop { assert!(value, "true"); } }
#[xray::traced] async fn forever_later(value: bool) -> ! { loop { assert!(ready(value).await, "true"); } }
#[xray::traced] fn unfinished() -> u32 { panic!("not yet") }
#[xray::traced] async fn unfinished_later() -> u32 { ready(()).await; panic!("not yet") }
#[xray::traced] async fn exits() -> u32 { ready(()).await; exit(7) }
#[xray::traced] fn counted(mut count: u32) -> u32 { count += 1; count }
#[xray::traced] async fn counted_later(mut count: u32) -> u32 { count += ready(1).await; count }
#[xray::traced] fn unused(_: u32, _value: &str) -> u32 { 1 }
#[xray::traced] fn guarded(text: String, (_first, second): (String, String), _guard: String) -> usize { drop(second); drop(text); 1 }
#[xray::traced] async fn guarded_later(text: String, _guard: String) -> usize { ready(()).await; drop(text); 1 }
#[xray::traced] fn early(value: bool) -> u32 { if value { return 3; } 4 }
#[xray::traced] async fn early_later(value: bool) -> u32 { if ready(value).await { return 3; } 4 }
#[must_use] #[xray::traced] fn must() -> u32 { number() }


#[xray::traced_http] async fn value(client: &reqwest::Client) -> Sent { client.get("").send().await }
#[xray::traced_http] fn future(client: &reqwest::Client) -> impl Future<Output = Sent> + use<> { client.get("").send() }
#[xray::traced_http] async fn place(request: reqwest::RequestBuilder) -> Sent { request.send().await }
#[xray::traced_http] async fn argument(client: &reqwest::Client, request: reqwest::Request) -> Sent { client.execute(request).await }
#[xray::traced_http] fn argument_now(client: &reqwest::Client, request: reqwest::Request) -> impl Future<Output = Sent> + use<> { client.execute(request) }
#[xray::traced_http] async fn function() -> Sent { reqwest::get("").await }
#[xray::traced_http] fn function_now() -> impl Future<Output = Sent> { reqwest::get("") }
#[xray::traced_http] async fn closure_of(client: &reqwest::Client, request: reqwest::Request) -> Sent { let call = |it| { client.execute(it) }; call(request).await }
#[xray::traced_http] async fn closure_plain(client: &reqwest::Client, request: reqwest::Request) -> Sent { let call = |it| client.execute(it); call(request).await }
#[xray::traced_http] async fn closure_async(client: &reqwest::Client, request: reqwest::Request) -> Sent { let call = async |it| client.execute(it).await; call(request).await }
#[xray::traced_http] async fn block_of(client: &reqwest::Client, request: reqwest::Request) -> Sent { let call = async { client.execute(request).await }; call.await }
#[xray::traced_http] async fn lets(client: &reqwest::Client, request: reqwest::Request) -> Sent { let sent = client.execute(request); sent.await }
#[xray::traced_http] async fn drops(client: &reqwest::Client, request: reqwest::Request) { drop(client.execute(request)); drop(client.get("").send().await); }
#[xray::traced_http] async fn returns(client: &reqwest::Client, request: reqwest::Request, value: bool) -> Sent { if value { return client.execute(request).await; } client.get("").send().await }
#[xray::traced_http] fn conditions(other: &Other) -> u32 { if other.send() { 1 } else if Other::new(true).send() { 2 } else { 3 } }
#[xray::traced_http] fn loops(other: &Other) { while other.send() && Other::new(false).send() { nothing(); } }
#[xray::traced_http] fn matched(other: &Other) -> u32 { match other.send() { true if Other::new(true).send() => 1, true => 2, false => 3 } }
#[xray::traced_http] fn not(other: &Other) -> bool { !other.send() && !Other::new(true).send() }
#[xray::traced_http] async fn locked(client: &Mutex<reqwest::Client>) -> Sent { let sent = client.lock().unwrap().get("").send(); sent.await }
#[xray::traced_http] fn formatted(other: &Other) -> String { format!("{}{}", other.send(), Other::new(true).send()) }
#[xray::traced_http] fn in_parens(other: &Other) -> bool { (other.send() || other.again()) == Other::new(true).send() }
#[xray::traced_http] async fn spawned(client: reqwest::Client) -> Sent { spawn(async move { client.get("").send().await }).await.unwrap() }
#[xray::traced_http] async fn let_else(client: &reqwest::Client) -> Option<reqwest::Response> { let Ok(sent) = client.get("").send().await else { return None; }; Some(sent) }
#[xray::traced_http(annotate(number = 1))] async fn annotated(client: &reqwest::Client) -> Sent { client.get("").send().await }
#[xray::traced] #[xray::traced_http] async fn both(client: &reqwest::Client) -> Sent { client.get("").send().await }
#[xray::traced_http] #[xray::traced] async fn both_below(client: &reqwest::Client) -> Sent { client.get("").send().await }
#[xray::traced_http] #[xray::traced] fn both_sync(other: &Other) -> bool { other.send() }
#[xray::traced_http(strict)] async fn strict(client: &reqwest::Client) -> Sent { client.get("").send().await }

#[xray::traced]
#[xray::traced_http]
mod annotated {
    pub(super) async fn value(client: &reqwest::Client) -> super::Sent { client.get("").send().await }

    pub(super) mod inner {
        pub(in super::super) fn number() -> u32 { super::super::number() }
    }
}

#[tokio::test]
async fn bodies_on_one_line_do_what_they_did() {
    let client = reqwest::Client::new();
    let request = || client.get("no url");
    assert_eq!((number(), in_block(), closure()(1), parens(), structure().value()), (1, 1, 2, 4, true));
    assert_eq!((branch(false), counted(1), unused(1, ""), early(true), must(), annotated::inner::number()), (1, 2, 1, 3, 1, 1));
    assert_eq!((later("abc").await, awaited("ab").await.count(), boxed("ab").await, opaque("ab").await), (3, 2, 2, 2));
    assert_eq!((yields().await.await, yields_opaque().await.await, choice(None).await, branch_later(true).await), (1, 1, 7, 1));
    assert_eq!((counted_later(1).await, early_later(false).await, parsed("7").await, parsed_now("7")), (2, 4, Ok(7), Ok(7)));
    let other = Other::new(true);
    assert_eq!((conditions(&other), matched(&other), not(&other), both_sync(&other)), (1, 1, false, true));
    assert!(value(&client).await.is_err() && place(request()).await.is_err() && annotated::value(&client).await.is_err());
    assert!(both(&client).await.is_err() && both_below(&client).await.is_err() && spawned(client.clone()).await.is_err());
}
