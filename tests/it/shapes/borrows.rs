//! Borrows and moves around a call: every variable that was usable after the call still is.

use std::collections::HashMap;

use super::traced_http;
use crate::shapes::run::Run;
use crate::shapes::senders::{Counter, Once, Shared};

/// A `Copy` type whose `send` takes it by value. The call does not move it.
#[derive(Clone, Copy)]
struct Small(u32);

impl Small {
    fn send(self) -> u32 {
        self.0
    }
}

#[traced_http]
fn copies(small: Small, pair: (Small, Small)) -> u32 {
    let behind = &pair;
    small.send() + small.send() + behind.0.send() + pair.1.send() + small.0
}

/// One field is moved out, then the other field's method is called.
#[traced_http]
fn partly_moved(pair: (Once, Once, Shared)) -> (String, u32) {
    let first = pair.0;
    let text = pair.1.send() + &first.0;
    (text, pair.2.send())
}

/// A type that borrows, implements `Drop`, and is consumed by its `send`.
struct Holding<'a>(&'a mut Vec<u32>);

impl Holding<'_> {
    fn send(self) -> usize {
        self.0.len()
    }
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        self.0.push(1);
    }
}

/// The call consumes the value, so the borrow in it has ended.
#[traced_http]
fn gone(mut list: Vec<u32>) -> (usize, Vec<u32>) {
    let holding = Holding(&mut list);
    let length = holding.send();
    list.push(2);
    (length, list)
}

/// Each result is used in the argument of the next call.
#[traced_http]
fn one_in_the_other(mut counter: Counter, shared: Shared) -> Vec<u32> {
    let mut list = vec![counter.send()];
    list.push(counter.send() + shared.send());
    list.extend_from_slice(&[counter.send(), list.len().try_into().unwrap()]);
    list.insert(list.len() - 1, counter.send());
    list
}

/// A reborrow through an exclusive reference ends with the call.
#[traced_http]
fn reborrows(counter: &mut Counter) -> u32 {
    fn inner(counter: &mut Counter) -> u32 {
        counter.count
    }
    let again = &mut *counter;
    again.send();
    let other = again;
    other.send();
    inner(other) + counter.send()
}

/// A shared borrow of the struct lives while a method of a field is called.
#[traced_http]
fn shared_borrows(pair: &mut (Shared, Counter)) -> (u32, u32) {
    let (shared, counter) = pair;
    let kept = &*shared;
    let sent = shared.send();
    counter.send();
    (sent + kept.send(), counter.send())
}

/// The exclusive reference comes from a lookup, and is used again after the call.
#[traced_http]
fn entries(map: &mut HashMap<&'static str, Counter>) -> u32 {
    let entry = map.entry("a").or_default();
    entry.send();
    entry.count += 10;
    let sent = entry.send();
    map.entry("b").or_default().send() + sent + map.get_mut("a").unwrap().send()
}

/// Patterns that bind by reference, by exclusive reference and by value.
#[traced_http]
fn patterns(mut option: Option<(Shared, Counter)>, result: Result<Once, Shared>) -> (u32, String) {
    let mut sum = 0;
    if let Some((shared, counter)) = &mut option {
        sum += shared.send() + counter.send();
    }
    if let Some((ref shared, ref mut counter)) = option {
        sum += shared.send() + counter.send();
    }
    while let Some((shared, mut counter)) = option.take() {
        sum += shared.send() + counter.send();
    }
    match result {
        Ok(once) if sum > 0 => (sum, once.send()),
        Ok(Once(text)) => (0, text),
        Err(shared @ Shared(_)) => (shared.send(), String::new()),
    }
}

/// A variable that is declared without a value, assigned in two branches, used, and assigned again.
#[traced_http]
fn late_initialisation(flag: bool) -> (String, u32) {
    let once;
    let mut counter;
    if flag {
        once = Once("yes".into());
        counter = Counter { count: 1 };
    } else {
        once = Once("no".into());
        counter = Counter { count: 2 };
    }
    let mut sum = counter.send();
    let text = once.send();
    counter = Counter { count: 100 };
    sum += counter.send();
    (text, sum)
}

/// A variable that is moved in one iteration and replaced for the next.
#[traced_http]
fn moved_in_a_loop(mut once: Once) -> String {
    let mut text = String::new();
    for _ in 0..3 {
        text += &once.send();
        once = Once(format!("{text}."));
    }
    text
}

/// A variable that is moved in one branch only.
#[traced_http]
fn moved_on_one_way(once: Once, flag: bool) -> Result<String, Once> {
    if flag {
        return Ok(once.send());
    }
    Err(once)
}

/// Parameters and variables that shadow others.
#[traced_http]
fn shadowed(shared: &Shared) -> u32 {
    let sum = shared.send();
    let shared = Once("four".into());
    let inner = {
        let shared = Counter { count: sum };
        { shared }.send()
    };
    let each = |shared: &Shared| shared.send();
    u32::try_from(shared.send().len()).unwrap() + inner + each(&Shared(1))
}

/// Generic parameters of every kind: types, lifetimes, constants and `where` clauses.
#[traced_http]
#[inline]
#[must_use]
pub(crate) fn parameters<'a, 'b: 'a, T, const N: usize>(many: [&'a mut T; N], last: &'b mut T) -> [u32; N]
where
    T: Sends<'a> + ?Sized,
    for<'c> &'c T: Copy,
{
    let sent = last.send();
    many.map(|one| one.send() + sent)
}

pub(crate) trait Sends<'a> {
    fn send(&mut self) -> u32;
}

impl Sends<'_> for u32 {
    fn send(&mut self) -> u32 {
        *self += 1;
        *self
    }
}

#[tokio::test]
async fn borrows() {
    let run = Run::start(super::IS_TRACED).await;
    run.check("copies", async { copies(Small(1), (Small(2), Small(3))) }, 8).await;
    let work = async { partly_moved((Once("a".into()), Once("b".into()), Shared(3))) };
    run.check("partly_moved", work, ("ba".to_owned(), 3)).await;
    run.check("gone", async { gone(vec![0]) }, (1, vec![0, 1, 2])).await;
    let work = async { one_in_the_other(Counter::default(), Shared(10)) };
    run.check("one_in_the_other", work, vec![1, 12, 3, 4, 2]).await;
    run.check("reborrows", async { reborrows(&mut Counter::default()) }, 5).await;
    run.check("shared_borrows", async { shared_borrows(&mut (Shared(2), Counter::default())) }, (4, 2)).await;
    run.check("entries", async { entries(&mut HashMap::new()) }, 1 + 12 + 13).await;
    let work = async { patterns(Some((Shared(1), Counter::default())), Ok(Once("ok".into()))) };
    run.check("patterns", work, (3 + 6, "ok".to_owned())).await;
    run.check("late_initialisation", async { late_initialisation(false) }, ("no".to_owned(), 3 + 101)).await;
    run.check("moved_in_a_loop", async { moved_in_a_loop(Once("a".into())) }, "aa.aa..".to_owned()).await;
    run.check("moved_on_one_way", async { moved_on_one_way(Once("a".into()), true).ok() }, Some("a".to_owned())).await;
    run.check("shadowed", async { shadowed(&Shared(2)) }, 4 + 3 + 1).await;
    let work = async { parameters([&mut 1, &mut 2], &mut 9) };
    run.check("parameters", work, [12, 13]).await;
}
