//! Results of a call whose type is inferred, generic or coerced.

use std::fmt::Display;

use super::traced_http;
use crate::shapes::run::Run;
use crate::shapes::senders::{Send0, Shared};

/// A method whose result type the caller chooses.
struct Any(&'static str);

impl Any {
    fn send<T: std::str::FromStr<Err: std::fmt::Debug>>(&self) -> T {
        self.0.parse().unwrap()
    }
}

#[traced_http]
fn generic_results(any: Any) -> (u64, i8, f32, usize) {
    fn takes(number: usize) -> usize {
        number
    }
    let make = || Any("2");
    let n: u64 = any.send();
    let later = any.send();
    let fraction = make().send::<f32>() + any.send::<f32>();
    let passed = takes(any.send()) + takes(make().send());
    let small: i8 = later;
    (n + make().send::<u64>(), small, fraction, passed)
}

/// The result is coerced to a trait object, a slice or a function pointer.
#[traced_http]
fn coercions(texts: Texts) -> Vec<Box<dyn Display>> {
    fn takes(one: &dyn Display) -> String {
        one.to_string()
    }
    let make = || Texts(["c", "d"]);
    let boxed: Box<dyn Display> = texts.send();
    let mut all = vec![boxed];
    all.push(texts.send());
    all.push(make().send());
    let numbers = Numbers([1, 2]);
    let slice: &[u8] = numbers.send();
    let reference: &dyn Send0 = if slice.is_empty() { &0_u8 } else { numbers.0.first().unwrap() };
    let function: fn(u8) -> u8 = Functions.send();
    let functions = Functions;
    let pointers: [fn(u8) -> u8; 2] = [functions.send(), |number| number * 2];
    all.push(Box::new(u32::from(function(1) + pointers[0](2) + pointers[1](4)) + reference.send()));
    all.push(Box::new(takes(&functions.send()(9)) + &takes(&texts.send())));
    all
}

struct Texts([&'static str; 2]);

impl Texts {
    fn send(&self) -> Box<String> {
        Box::new(self.0.concat())
    }
}

struct Numbers([u8; 2]);

impl Numbers {
    fn send(&self) -> &[u8; 2] {
        &self.0
    }
}

struct Functions;

impl Functions {
    fn send(&self) -> fn(u8) -> u8 {
        |number| number + 1
    }
}

#[traced_http]
fn returned_coercion(texts: Texts, early: bool) -> Box<dyn Display> {
    if early {
        return texts.send();
    }
    texts.send()
}

/// The receiver's type is inferred from the only implementation of the trait.
#[traced_http]
fn numbers() -> u32 {
    let number = 5;
    let list = [1, 2].map(|one| one + 1);
    number.send() + list[0].send() + list.into_iter().next().unwrap().send()
}

/// The receiver's type is inferred from an argument.
#[traced_http]
fn inferred_receivers() -> (usize, u32) {
    trait Length {
        fn send(&self) -> usize;
    }
    impl<T> Length for Vec<T> {
        fn send(&self) -> usize {
            self.len()
        }
    }
    let mut list = Vec::new();
    let empty = list.send();
    list.push(1_u16);
    let shared: Shared = Default::default();
    let cloned = vec![Shared(1); 3];
    (empty + list.send(), cloned.iter().map(|one| one.send()).sum::<u32>() + shared.send())
}

#[traced_http]
fn both_arms(flag: bool, first: Shared, second: Shared) -> (u32, u64) {
    let sent = if flag { first.send() } else { second.send() };
    let other = match sent {
        0 => second.send().into(),
        _ => u64::from(first.clone().send()),
    };
    (sent, other)
}

/// The result `()` in statements, tail expressions and match arms.
#[traced_http]
fn units(list: &mut Vec<u8>, flag: bool) {
    struct Pushes<'a>(&'a mut Vec<u8>);
    impl Pushes<'_> {
        fn send(&mut self) {
            self.0.push(1);
        }
    }
    let mut pushes = Pushes(list);
    pushes.send();
    Pushes(pushes.0).send();
    let nothing = pushes.send();
    if flag {
        pushes.send()
    } else {
        nothing
    }
    match flag {
        true => pushes.send(),
        false => return pushes.send(),
    }
    pushes.send()
}

/// Results that borrow from the receiver. Some live as long as the value that the receiver refers to.
#[traced_http]
fn borrowed_results<'a>(pair: &'a mut (Slots<'a>, u8)) -> (&'a mut u8, &'a str) {
    let text = pair.0.text.send();
    *pair.0.send() += 1;
    (pair.0.send(), text)
}

struct Slots<'a> {
    slot: u8,
    text: Text<'a>,
}

struct Text<'a>(&'a str);

impl<'a> Text<'a> {
    fn send(&self) -> &'a str {
        self.0
    }
}

impl Slots<'_> {
    fn send(&mut self) -> &mut u8 {
        &mut self.slot
    }
}

/// An opaque result, and a result with a higher-ranked signature.
#[traced_http]
fn opaque_results(source: Source) -> (usize, Vec<u8>) {
    let parse: Box<dyn for<'a> Fn(&'a str) -> &'a str> = source.send();
    let text = String::from(" text ");
    let other = Bytes(vec![1, 2]);
    let iterator = other.send();
    (parse(&text).len() + source.send()("a ").len(), iterator.chain(Bytes(vec![3]).send()).collect())
}

struct Source;

impl Source {
    fn send(&self) -> Box<dyn for<'a> Fn(&'a str) -> &'a str> {
        Box::new(str::trim)
    }
}

struct Bytes(Vec<u8>);

impl Bytes {
    fn send(self) -> impl Iterator<Item = u8> {
        self.0.into_iter()
    }
}

#[tokio::test]
async fn results() {
    let run = Run::start(super::IS_TRACED).await;
    run.check("generic_results", async { generic_results(Any("3")) }, (5, 3, 5.0, 5)).await;
    let work = async { coercions(Texts(["a", "b"])).iter().map(ToString::to_string).collect::<Vec<_>>() };
    let expected = ["ab", "ab", "cd", "15", "10ab"].map(str::to_owned);
    run.check("coercions", work, expected.into()).await;
    let work = async { [true, false].map(|early| returned_coercion(Texts(["a", "b"]), early).to_string()) };
    run.check("returned_coercion", work, ["ab".to_owned(), "ab".to_owned()]).await;
    run.check("numbers", async { numbers() }, 12).await;
    run.check("inferred_receivers", async { inferred_receivers() }, (1, 3)).await;
    run.check("both_arms", async { both_arms(false, Shared(1), Shared(2)) }, (2, 1)).await;
    let mut list = Vec::new();
    run.check("units", async { [true, false].map(|flag| units(&mut list, flag)).len() }, 2).await;
    assert_eq!(list.len(), 6 + 4);
    let pair = &mut (Slots { slot: 1, text: Text("text") }, 0);
    run.check("borrowed_results", async { borrowed_results(pair) }, (&mut 2, "text")).await;
    run.check("opaque_results", async { opaque_results(Source) }, (5, vec![1, 2, 3])).await;
}
