//! Names in the user's scope that could collide with the attribute's output: traits for every type, types, modules,
//! variables and items.

use std::future::Future;

use reqwest::Client;

use super::traced_http;
use crate::shapes::run::{Run, recorded};
use crate::shapes::senders::Shared;

/// A trait with methods by value for every type. Method lookup finds these before any method that needs a reference.
mod blanket {
    use std::fmt::Debug;

    macro_rules! for_everything {
        ($($method:ident)*) => {
            #[expect(dead_code, reason = "decoys: the output of the attribute must not call them")]
            pub(super) trait ForEverything: Sized {
                $(fn $method(self) -> Option<Self> {
                    Some(self)
                })*

                fn at(self, _: u32) -> Option<Self> {
                    Some(self)
                }

                fn named(self, _: &str) -> Option<Self> {
                    Some(self)
                }

                fn with_name(self, _: &str) -> Option<Self> {
                    Some(self)
                }

                fn take<T>(self) -> Option<Self> {
                    Some(self)
                }

                fn at_with<T: Debug>(self, _: u32, _: T) -> Option<Self> {
                    Some(self)
                }
            }
        };
    }

    for_everything!(alive of open pass enter exit run start begin note read traced probe look into finish inspect reached);

    impl<T> ForEverything for T {}
}

mod below_blanket_traits {
    #[allow(unused_imports, reason = "nothing that the attribute adds may find them")]
    use super::blanket::ForEverything as _;
    use super::*;

    #[traced_http]
    pub(super) async fn calls(client: &Client, url: &str, shared: Shared) -> (u16, u32) {
        let request = client.post(url);
        let first = client.get(url).send().await.unwrap().status().as_u16();
        let second = request.send().await.unwrap().status().as_u16();
        let third = client.execute(client.put(url).build().unwrap()).await.unwrap().status().as_u16();
        (first + second + third, shared.send() + shared.clone().send())
    }

    #[traced_http(name = "127.0.0.1")]
    pub(super) async fn named(client: &Client, url: &str) -> u16 {
        let first = reqwest::get(url).await.unwrap().status().as_u16();
        #[xray(name = "127.0.0.1")]
        let second = client.post(url).send().await.unwrap().status().as_u16();
        let third = tokio::spawn({
            let (client, url) = (client.clone(), url.to_owned());
            async move { client.execute(client.put(url).build().unwrap()).await.unwrap().status().as_u16() }
        });
        first + second + third.await.unwrap()
    }
}

/// The user's own items with the names of `core`, `std`, the prelude and `xray`.
mod below_other_names {
    #![no_implicit_prelude]

    use ::reqwest::{Client, Response};
    use ::std::clone::Clone as _;
    use ::std::string::ToString as _;

    use super::traced_http;

    mod core {}
    mod std {}
    mod xray {}
    #[expect(dead_code, reason = "a decoy: the output of the attribute must not name it")]
    struct Result;
    #[expect(dead_code, reason = "a decoy: the output of the attribute must not name it")]
    struct Option;
    #[expect(dead_code, reason = "a decoy: the output of the attribute must not name it")]
    enum Ask {
        Some,
        None,
        Ok,
        Err,
        Yes,
        No,
    }
    #[allow(unused_imports, reason = "decoys")]
    use Ask::{Err, No, None, Ok, Some, Yes};
    #[expect(dead_code, reason = "a decoy: the output of the attribute must not name it")]
    struct Probe;
    #[expect(dead_code, non_camel_case_types, reason = "a decoy: the output of the attribute must not name it")]
    struct u32;
    #[allow(unused_macros, reason = "a decoy")]
    macro_rules! line {
        () => {
            compile_error!("another macro")
        };
    }

    #[traced_http(annotate(length = url.len()))]
    pub(super) async fn calls(client: &Client, url: &str) -> ::std::result::Result<u16, ::reqwest::Error> {
        let first: Response = client.get(url.to_string()).send().await?;
        let request = client.post(url);
        let second = request.send().await?;
        let third = client.execute(client.put(url).build()?).await?;
        let own = Own(1);
        ::std::result::Result::Ok(
            first.status().as_u16()
                + second.status().as_u16()
                + third.status().as_u16()
                + own.send()
                + own.clone().send(),
        )
    }

    #[derive(::std::clone::Clone)]
    struct Own(u16);

    impl Own {
        fn send(&self) -> u16 {
            self.0
        }
    }
}

/// Variables, parameters and items with names that the attribute could use.
#[traced_http]
async fn colliding_names(client: &Client, it: &str, site: Shared, slot: Shared, place: Shared) -> u32 {
    const PLACE: u32 = 1;
    static SITE: u32 = 2;
    fn open() -> u32 {
        3
    }
    let (probe, kind, ask, look) = (4, 5, 6, open);
    let xray = client.get(it).send().await.unwrap();
    let core = client.execute(client.post(it).build().unwrap()).await.unwrap();
    let sum = site.send() + slot.send() + place.send() + PLACE + SITE + look() + probe + kind + ask;
    sum + u32::from(xray.status().as_u16() + core.status().as_u16())
}

/// Parameters with raw names, `mut`, shadowing and patterns, and one that `#[cfg]` removes.
#[traced_http]
async fn parameters(
    (r#async, mut r#type): (&Client, String),
    [first, .., last]: [u32; 3],
    mut r#match: Shared,
    #[cfg(any())] gone: Nothing,
    #[allow(unused_variables)] r#fn: &str,
    _: Shared,
) -> u32 {
    r#type.push_str("bytes/1");
    let r#async = r#async.get(&r#type);
    r#match.0 += first;
    let r#match = r#match;
    let status = r#async.send().await.unwrap().status().as_u16();
    r#match.send() + last + u32::from(status)
}

trait Scoped<'a> {
    type Output<'b>
    where
        Self: 'b;
    const NAME: &'static str;

    fn fetch<'b, const N: usize>(&'b self, urls: [&'a str; N]) -> impl Future<Output = Vec<(Self::Output<'b>, u16)>>;
}

/// Generic associated types, constant parameters, and lifetimes of every kind.
impl<'a> Scoped<'a> for Client {
    type Output<'b> = &'b Client;
    const NAME: &'static str = "client";

    #[traced_http]
    async fn fetch<'b, const N: usize>(&'b self, urls: [&'a str; N]) -> Vec<(Self::Output<'b>, u16)> {
        let mut all = Vec::with_capacity(N);
        'urls: for url in urls {
            let answer = 'answer: {
                if url.is_empty() {
                    continue 'urls;
                }
                break 'answer self.get(url).send().await;
            };
            all.push((self, answer.unwrap().status().as_u16()));
        }
        all
    }
}

#[tokio::test]
async fn scopes() {
    let run = Run::start(super::IS_TRACED).await;
    let (client, url) = (&run.client, &run.url("/bytes/1"));
    let calls = ["GET /bytes/1", "POST /bytes/1", "PUT /bytes/1"].map(recorded);
    run.check_calls("calls", below_blanket_traits::calls(client, url, Shared(2)), (600, 4), &calls).await;
    run.check_calls("named", below_blanket_traits::named(client, url), 600, &calls).await;
    let work = async { below_other_names::calls(client, url).await.unwrap() };
    run.check_calls("below_other_names", work, 602, &calls).await;
    let work = colliding_names(client, url, Shared(10), Shared(20), Shared(30));
    run.check_calls("colliding_names", work, 481, &calls[..2]).await;
    let work = parameters((client, run.url("/")), [1, 2, 3], Shared(4), "", Shared(0));
    run.check_calls("parameters", work, 208, &calls[..1]).await;
    assert_eq!(<Client as Scoped<'_>>::NAME, "client");
    let work = async { Scoped::fetch(client, [url, "", url]).await.len() };
    run.check_calls("fetch", work, 2, &[calls[0]; 2]).await;
}
