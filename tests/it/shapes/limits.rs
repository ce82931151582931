//! Known limits of the attribute, with their workarounds: `#[xray(skip)]` on a call, or `move` on a closure.

use reqwest::{Client, RequestBuilder};

use super::traced_http;
use crate::shapes::run::{Run, recorded, unrecorded};
use crate::shapes::senders::{Counter, Shared};

/// A closure without `move` that calls a method through an exclusive reference captures the value behind the reference.
/// The attribute's type test borrows the variable, so the closure captures the reference itself and cannot outlive the
/// variable. Variables that the attribute can recognize as references from their declaration are exempt.
#[traced_http]
fn an_exclusive_reference_out_of_a_function(counter: &mut Counter) -> impl FnMut() -> u32 + '_ {
    fn same(counter: &mut Counter) -> &mut Counter {
        counter
    }
    let found = same(counter);
    || {
        #[xray(skip)]
        found.send()
    }
}

type Exclusive<'a> = &'a mut Counter;

#[traced_http]
fn an_exclusive_reference_behind_an_alias<'a>(counter: Exclusive<'a>) -> impl FnMut() -> u32 + 'a {
    || {
        #[xray(skip)]
        counter.send()
    }
}

struct Holder<'a> {
    counter: &'a mut Counter,
}

#[traced_http]
fn an_exclusive_reference_in_a_field<'a>(holder: Holder<'a>) -> impl FnMut() -> u32 + 'a {
    || {
        #[xray(skip)]
        holder.counter.send()
    }
}

/// From `for counter in counters` the attribute cannot tell whether the items are references.
#[traced_http]
fn an_exclusive_reference_out_of_a_loop(counters: &mut [Counter]) -> Vec<Box<dyn FnMut() -> u32 + '_>> {
    let mut closures: Vec<Box<dyn FnMut() -> u32 + '_>> = Vec::new();
    for counter in counters {
        closures.push(Box::new(|| {
            #[xray(skip)]
            counter.send()
        }));
    }
    closures
}

/// For shared references, the limit applies only to a reference to a longer-lived reference.
#[traced_http]
fn a_reference_to_a_reference<'a>(list: &[&'a Shared]) -> impl Fn() -> u32 + use<'a> {
    let found = list.iter().next().unwrap();
    || {
        #[xray(skip)]
        found.send()
    }
}

/// Two futures must have the same type, but only one of them can be traced.
#[traced_http]
async fn one_type_for_two(client: &Client, url: &str, boxed: Box<RequestBuilder>, flag: bool) -> [u16; 2] {
    let first = if flag {
        #[xray(skip)]
        client.get(url).send()
    } else {
        boxed.send()
    };
    let mut futures = vec![RequestBuilder::send(client.post(url))];
    #[xray(skip)]
    futures.push(client.put(url).send());
    client.head(url).send().await.unwrap();
    let all = futures::future::try_join_all(futures).await.unwrap();
    [first.await.unwrap().status().as_u16(), all.len().try_into().unwrap()]
}

#[derive(Clone, Copy)]
struct Small(u32);

impl Small {
    fn send(self) -> u32 {
        self.0
    }
}

/// The attribute's type test borrows the field. A field of a packed struct cannot be borrowed.
#[traced_http]
fn a_packed_field() -> u32 {
    #[repr(packed)]
    struct Packed {
        _flag: u8,
        small: Small,
    }
    let packed = Packed { _flag: 1, small: Small(5) };
    #[xray(skip)]
    let sent = packed.small.send();
    sent
}

struct Exit;

impl Exit {
    fn send(&self) -> ! {
        panic!("left")
    }
}

/// A call that never returns can end a function only if the compiler sees its type `!`.
#[traced_http]
fn a_call_that_never_returns(exit: Exit, leave: bool) -> u32 {
    if leave {
        #[xray(skip)]
        exit.send();
    } else {
        Some(7).map_or(0, |number| Small(number).send())
    }
}

/// A smart pointer that counts its dereferences.
struct Counting {
    small: Small,
    count: std::cell::Cell<u32>,
}

impl std::ops::Deref for Counting {
    type Target = Small;

    fn deref(&self) -> &Small {
        self.count.set(self.count.get() + 1);
        &self.small
    }
}

/// The attribute's type test dereferences the variable once, in addition to the call.
#[traced_http]
fn a_deref_with_side_effects(counting: Counting) -> (u32, u32) {
    #[xray(skip)]
    let sent = counting.send();
    (sent + Small(1).send() + vec![Small(0)].remove(0).send(), counting.count.get())
}

/// A closure that outlives the function records the annotations of the function only if it is `move`.
#[traced_http(annotate(number = number))]
fn an_annotated_closure_that_escapes(number: u32) -> impl Fn() -> u32 {
    move || vec![Small(number)].remove(0).send()
}

#[tokio::test]
async fn limits() {
    let run = Run::start(super::IS_TRACED).await;
    let (client, url) = (&run.client, &run.url("/bytes/1"));
    let counter = &mut Counter::default();
    let work = async {
        let first = an_exclusive_reference_out_of_a_function(counter)();
        let second = an_exclusive_reference_behind_an_alias(counter)();
        [first, second, an_exclusive_reference_in_a_field(Holder { counter })()]
    };
    run.check("exclusive references", work, [1, 2, 3]).await;
    let mut counters = [Counter::default(), Counter { count: 5 }];
    let closures = an_exclusive_reference_out_of_a_loop(&mut counters).into_iter();
    let work = async { closures.map(|mut count| count()).collect::<Vec<_>>() };
    run.check("an_exclusive_reference_out_of_a_loop", work, vec![1, 6]).await;
    run.check("a_reference_to_a_reference", async { a_reference_to_a_reference(&[&Shared(4)])() }, 4).await;
    let calls = ["GET /bytes/1", "POST /bytes/1", "PUT /bytes/1"].map(unrecorded);
    let work = one_type_for_two(client, url, Box::new(client.put(url)), true);
    run.check_calls("one_type_for_two", work, [200, 2], &[&calls[..], &[recorded("HEAD /bytes/1")]].concat()).await;
    run.check("a_packed_field", async { a_packed_field() }, 5).await;
    run.check("a_call_that_never_returns", async { a_call_that_never_returns(Exit, false) }, 7).await;
    assert!(std::panic::catch_unwind(|| a_call_that_never_returns(Exit, true)).is_err());
    let counting = Counting { small: Small(3), count: std::cell::Cell::new(0) };
    run.check("a_deref_with_side_effects", async { a_deref_with_side_effects(counting) }, (4, 1)).await;
    run.check("an_annotated_closure_that_escapes", async { an_annotated_closure_that_escapes(8)() }, 8).await;
}
