//! Annotated code under every lint of rustc and clippy. The code that the attributes add causes no warning.
#![deny(
    warnings,
    let_underscore,
    nonstandard_style,
    rust_2018_idioms,
    unused,
    unused_qualifications,
    unused_lifetimes,
    unused_import_braces,
    unsafe_code,
    unreachable_pub,
    missing_docs,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    variant_size_differences,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::shadow_unrelated,
    clippy::shadow_same,
    clippy::shadow_reuse,
    clippy::wildcard_enum_match_arm,
    clippy::absolute_paths,
    clippy::pattern_type_mismatch,
    clippy::min_ident_chars,
    clippy::unused_trait_names,
    clippy::match_wildcard_for_single_variants
)]
#![forbid(unsafe_code)]

#[rustfmt::skip]
#[allow(dead_code, reason = "many of the functions are there only to be compiled")]
mod one_line;

use std::num::TryFromIntError;
use std::process;

use support::Always;
use tokio::task::{JoinSet, yield_now};
use xray::emitter::MemoryEmitter;
use xray::{Instrument as _, Recorder, Segment};

/// A request builder that no client provides.
struct Other(bool);

impl Other {
    const fn send(&self) -> bool {
        self.0
    }
}

struct Holder {
    request: reqwest::RequestBuilder,
    other: Other,
}

#[xray::traced_http]
async fn values(client: &reqwest::Client, url: &str) -> reqwest::Result<u16> {
    let response = client.get(url).send().await?;
    let make = || Other(true);
    assert!(make().send(), "a value of another type");
    let later = client.get(url).send();
    match client.post(url).send().await {
        Ok(second) if second.status().is_success() => drop(second),
        Ok(_) | Err(_) => drop(later.await?),
    }
    Ok(response.status().as_u16())
}

#[xray::traced_http]
async fn places(holder: Holder, request: reqwest::RequestBuilder) -> reqwest::Result<bool> {
    let sent = holder.other.send();
    let (first, second) = tokio::join!(holder.request.send(), request.send());
    first.and(second)?;
    let other = Other(true);
    Ok(sent && other.send())
}

#[xray::traced_http]
async fn chosen(client: &reqwest::Client, tries: u8) -> reqwest::Result<u16> {
    let request = client.put("no url");
    let first = match tries {
        0 => client.get("no url"),
        1 => client.head("no url"),
        _ => client.delete("no url"),
    }
    .send();
    let second = if tries == 0 { request } else { request.bearer_auth("token") }.send().await?;
    let third = { client.post("no url") }.send().await;
    #[cfg_attr(not(windows), expect(unused_variables, reason = "the expansion must not copy the expectation"))]
    let unread = client.execute(client.get("no url").build()?).await;
    let mut tasks = JoinSet::new();
    let owned = client.clone();
    drop(tasks.spawn(async move { owned.execute(owned.get("no url").build()?).await }));
    let fourth = client.execute(client.get("no url").build()?).await?;
    drop((first.await, third));
    Ok(second.status().as_u16() + fourth.status().as_u16())
}

#[xray::traced_http]
async fn ends(client: &reqwest::Client, tries: u8) -> reqwest::Result<u16> {
    let request = client.get("no url").build()?;
    if tries > 0 {
        return client.execute(request).await.map(|response| response.status().as_u16());
    }
    loop {
        let send = |next| client.execute(next);
        let response = send(client.get("no url").build()?).await?;
        if response.status().is_success() {
            break Ok(response.status().as_u16());
        }
    }
}

/// A body without an end: the code behind it would be unreachable.
#[xray::traced_http]
async fn loops(client: &reqwest::Client) -> reqwest::Result<u16> {
    loop {
        let response = client.execute(client.get("no url").build()?).await?;
        if response.status().is_success() {
            return Ok(response.status().as_u16());
        }
    }
}

#[xray::traced_http]
#[expect(dead_code, reason = "it would end the tests")]
fn exits(client: &reqwest::Client, request: reqwest::Request) -> ! {
    drop(client.execute(request));
    process::exit(1)
}

#[xray::traced_http]
fn executed_later(
    client: &reqwest::Client,
    request: reqwest::Request,
) -> impl Future<Output = reqwest::Result<reqwest::Response>> + Send + use<> {
    client.execute(request)
}

#[xray::traced_http]
async fn paths(request: reqwest::RequestBuilder, other: &Other) -> reqwest::Result<()> {
    if let Some(sent) = Some(request).map(reqwest::RequestBuilder::send) {
        sent.await?;
    }
    assert!(Some(other).is_some_and(Other::send));
    Ok(())
}

#[xray::traced_http(name = "named")]
async fn options(client: &reqwest::Client) -> reqwest::Result<()> {
    #[xray(skip)]
    let skipped = client.get("no url").send().await;
    #[xray(name = "one")]
    client.get("no url").send().await?;
    skipped.map(drop)
}

struct Service {
    client: reqwest::Client,
}

impl Service {
    #[xray::traced_http]
    async fn call(&self) -> reqwest::Result<reqwest::Response> {
        self.client.get("no url").send().await
    }

    #[xray::traced_http]
    fn call_later(&self) -> impl Future<Output = reqwest::Result<reqwest::Response>> + Send + use<> {
        self.client.get("no url").send()
    }
}

#[xray::traced(err, annotate(count = count))]
fn part(count: u32, list: &mut Vec<u32>) -> Result<&mut u32, String> {
    list.push(count);
    list.last_mut().ok_or_else(|| "none".to_owned())
}

#[xray::traced]
fn unit(mut count: u32) {
    while count > 0 {
        count -= 1;
    }
}

#[xray::traced(err)]
async fn later(count: u32) -> Result<impl Iterator<Item = u32>, String> {
    if count > 9 {
        return Err("many".to_owned());
    }
    yield_now().await;
    let mut list = Vec::new();
    unit(*part(count, &mut list)?);
    Ok(list.into_iter())
}

#[xray::traced]
async fn unit_later() {
    yield_now().await;
}

#[xray::traced(name = "made", annotate(text = text))]
fn made(text: &str) -> impl Future<Output = usize> + Send + use<> {
    let owned = text.to_owned();
    async move { owned.len() }
}

struct Parts(u32);

#[xray::traced(err)]
impl Parts {
    const fn get(&self) -> u32 {
        self.0
    }

    fn add(&mut self, count: u32) -> &mut Self {
        self.0 += count;
        self
    }

    async fn sum(self, other: Self) -> Result<u32, TryFromIntError> {
        yield_now().await;
        u32::try_from(u64::from(self.0) + u64::from(other.get()))
    }
}

#[xray::traced]
#[xray::traced_http]
async fn both(client: &reqwest::Client) -> reqwest::Result<reqwest::Response> {
    client.get("no url").send().await
}

#[xray::traced_http]
#[xray::traced]
async fn both_below(client: &reqwest::Client) -> reqwest::Result<reqwest::Response> {
    let request = client.get("no url");
    request.send().await
}

#[tokio::test]
async fn functions_in_subsegments() {
    assert_eq!(later(3).await.map(Iterator::count), Ok(1));
    assert!(later(10).await.is_err());
    unit_later().await;
    assert_eq!(made("abc").await, 3);
    let mut parts = Parts(1);
    _ = parts.add(2);
    assert_eq!(parts.sum(Parts(4)).await, Ok(7));
    let client = reqwest::Client::new();
    assert!(both(&client).await.is_err() && both_below(&client).await.is_err());
}

const fn assert_auto_traits<F: Send + Sync + Unpin>(future: F) -> F {
    future
}

#[tokio::test]
async fn futures_are_send_and_run_under_spawn() {
    let client = reqwest::Client::new();
    let recorder = Recorder::builder().sampler(Always).emitter(MemoryEmitter::new()).build();
    let spawned = tokio::spawn(
        async move {
            let request = || client.get("no url");
            let holder = Holder { request: request(), other: Other(true) };
            let refused = values(&client, "no url").await.is_err();
            let service = Service { client: client.clone() };
            refused
                && places(holder, request()).await.is_err()
                && chosen(&client, 0).await.is_err()
                && options(&client).await.is_err()
                && service.call().await.is_err()
                && service.call_later().await.is_err()
                && ends(&client, 0).await.is_err()
                && loops(&client).await.is_err()
                && paths(request(), &Other(true)).await.is_err()
                && match client.get("http://127.0.0.1:1/").build() {
                    Ok(built) => executed_later(&client, built).await.is_err(),
                    Err(_) => false,
                }
        }
        .in_segment(Segment::builder("lints").recorder(&recorder)),
    );
    assert!(spawned.await.is_ok_and(|all_refused| all_refused));
}

#[xray::traced_http]
#[test]
fn a_traced_future_is_what_the_clients_is() {
    let request = reqwest::Client::new().get("no url");
    drop(assert_auto_traits(request.send()));
    drop(assert_auto_traits(reqwest::Client::new().get("no url").send()));
}
