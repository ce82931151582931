//! The user's own methods named `send`: by reference, by value, through pointers, traits and type parameters.

use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use super::traced_http;
use crate::shapes::run::Run;
use crate::shapes::senders::{Counter, Once, Send0, Shared};

struct Owner {
    shared: Shared,
    counter: Counter,
    once: Once,
    pair: (u8, (Shared, Counter)),
    r#type: Shared,
}

impl Owner {
    fn new() -> Self {
        Self {
            shared: Shared(3),
            counter: Counter::default(),
            once: Once("once".into()),
            pair: (4, (Shared(5), Counter::default())),
            r#type: Shared(6),
        }
    }

    #[traced_http]
    fn by_reference(&self) -> u32 {
        self.shared.send() + self.pair.0.send() + self.pair.1.0.send() + self.r#type.send()
    }

    #[traced_http]
    fn by_exclusive_reference(&mut self) -> u32 {
        self.counter.send() + self.counter.send() + self.pair.1.1.send()
    }

    #[traced_http]
    fn by_value(self) -> String {
        let rest = self.shared;
        self.once.send() + &rest.send().to_string()
    }
}

#[traced_http]
fn variables() -> (u32, u32, String) {
    let shared = Shared(1);
    let mut counter = Counter::default();
    let once = Once("moved".into());
    counter.send();
    (shared.send() + shared.send(), counter.send(), once.send())
}

#[traced_http]
fn results_of_calls() -> (u32, u32, String) {
    let make = || Counter { count: 4 };
    (Shared(2).clone().send(), make().send(), Option::Some(Once("value".into())).unwrap().send())
}

#[traced_http]
fn references(shared: &Shared, counter: &mut Counter) -> u32 {
    let again = &shared;
    let more = &mut *counter;
    again.send() + more.send() + counter.send() + shared.send()
}

#[traced_http]
fn pointers() -> (u32, u32, u32, u32) {
    let rc = Rc::new(Shared(1));
    let arc = Arc::new(Shared(2));
    let mut boxed = Box::new(Counter::default());
    let owned = Box::new(Once("four".into()));
    boxed.send();
    let length = u32::try_from(owned.send().len()).unwrap();
    (rc.send(), Arc::clone(&arc).send() + arc.send(), boxed.send(), length)
}

/// Methods whose receiver is the smart pointer itself.
#[traced_http]
fn pointer_receivers() -> (usize, u32, u32, u32) {
    struct Unit(u32);
    impl Unit {
        fn send(self: Rc<Self>) -> usize {
            Rc::strong_count(&self)
        }
    }
    struct Pinned(u32);
    impl Pinned {
        fn send(self: Pin<&mut Self>) -> u32 {
            self.0 + 1
        }
    }
    trait Boxed {
        fn send(self: Box<Self>) -> u32;
    }
    impl Boxed for u32 {
        fn send(self: Box<Self>) -> u32 {
            *self
        }
    }
    let rc = Rc::new(Unit(1));
    let mut value = Pinned(rc.0);
    let pinned = Pin::new(&mut value);
    let dynamic: Box<dyn Boxed> = Box::new(8_u32);
    (rc.clone().send(), pinned.send(), Pin::new(&mut value).send(), dynamic.send())
}

#[traced_http]
fn dynamic(boxed: Box<dyn Send0>, borrowed: &dyn Send0, all: &[Box<dyn Send0>]) -> u32 {
    let sum: u32 = all.iter().map(|one| one.send()).sum();
    boxed.send() + borrowed.send() + sum + all.first().map_or(0, |first| first.as_ref().send())
}

#[traced_http]
fn impl_trait(one: impl Send0, make: impl Fn() -> u8) -> (u32, impl Send0) {
    (one.send() + make().send(), 3_u8)
}

#[traced_http]
fn generic<T>(one: T, many: Vec<T>) -> u32
where
    T: Send0 + Clone,
{
    let mut sum = one.send() + one.clone().send();
    for item in many {
        sum += item.send();
    }
    sum
}

struct Wide<T: ?Sized> {
    factor: u32,
    inner: T,
}

#[traced_http]
fn unsized_generic<'a, T>(wide: &'a Wide<T>, also: &'a T) -> u32
where
    T: Send0 + ?Sized + 'a,
{
    wide.factor * wide.inner.send() + also.send()
}

#[traced_http]
fn text(owned: String) -> u32 {
    let borrowed = "abc";
    borrowed.send() + owned.as_str().send() + owned.send()
}

trait Twice: Send0 {
    #[traced_http]
    fn twice(&self) -> u32 {
        self.send() * 2
    }

    #[traced_http]
    fn consumed(self) -> u32
    where
        Self: Sized,
    {
        self.send() * 3
    }
}

impl Twice for u8 {}

/// Nothing but its bounds is known of an associated type, as of a type parameter.
trait Pool {
    type Connection: Send0;

    fn connection(&self) -> Self::Connection;

    #[traced_http]
    fn through(&self) -> u32 {
        let connection = self.connection();
        connection.send() + self.connection().send()
    }
}

impl Pool for u8 {
    type Connection = Self;

    fn connection(&self) -> Self {
        *self
    }
}

/// A smart pointer whose target has the method.
struct Wrapper(Shared);

impl Deref for Wrapper {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

struct Holder {
    wrapper: Wrapper,
    behind: Box<Owner>,
}

#[traced_http]
fn through_deref(holder: &Holder) -> u32 {
    holder.wrapper.send() + holder.behind.shared.send() + Wrapper(Shared(1)).send()
}

#[traced_http]
fn through_cells() -> (u32, u32, u32) {
    let cell = RefCell::new(Counter::default());
    let mutex = Mutex::new(Counter::default());
    let number = Cell::new(Some(Once("x".into())));
    cell.borrow_mut().send();
    mutex.lock().unwrap_or_else(PoisonError::into_inner).send();
    number.take().unwrap().send();
    let mut guard = mutex.lock().unwrap();
    let second = cell.borrow_mut().send();
    (second, guard.send(), u32::from(number.take().is_none()))
}

/// The location that a `#[track_caller]` function reports is the location of the user's call.
struct Tracked;

impl Tracked {
    #[track_caller]
    fn send(&self) -> &'static Location<'static> {
        Location::caller()
    }
}

#[traced_http]
fn locations() -> [&'static Location<'static>; 2] {
    let tracked = Tracked;
    let make = || Tracked;
    #[rustfmt::skip]
    let both = [
        tracked.send(),
        make().send(),
    ];
    both
}

fn located() -> [(bool, u32); 2] {
    let locations = locations();
    let first = locations[0].line();
    locations.map(|location| (location.file() == file!(), location.line() - first + location.column()))
}

#[tokio::test]
async fn methods() {
    let run = Run::start(super::IS_TRACED).await;
    run.check("by_reference", async { Owner::new().by_reference() }, 3 + 5 + 5 + 6).await;
    run.check("by_exclusive_reference", async { Owner::new().by_exclusive_reference() }, 1 + 2 + 1).await;
    run.check("by_value", async { Owner::new().by_value() }, "once3".to_owned()).await;
    run.check("variables", async { variables() }, (2, 2, "moved".to_owned())).await;
    run.check("results_of_calls", async { results_of_calls() }, (2, 5, "value".to_owned())).await;
    run.check("references", async { references(&Shared(10), &mut Counter::default()) }, 10 + 1 + 2 + 10).await;
    run.check("pointers", async { pointers() }, (1, 4, 2, 4)).await;
    run.check("pointer_receivers", async { pointer_receivers() }, (2, 2, 2, 8)).await;
    let work = async { dynamic(Box::new(1), &4, &[Box::new(2), Box::new(3)]) };
    run.check("dynamic", work, 2 + 5 + 7 + 3).await;
    let work = async {
        let (sum, more) = impl_trait(1, || 2);
        sum + more.send()
    };
    run.check("impl_trait", work, 2 + 3 + 4).await;
    run.check("generic", async { generic(1_u8, vec![1, 2]) }, 2 + 2 + 2 + 3).await;
    let wide: &Wide<dyn Send0> = &Wide { factor: 2, inner: 4_u8 };
    run.check("unsized_generic", async { unsized_generic(wide, &1_u8) }, 2 * 5 + 2).await;
    run.check("text", async { text("abcd".to_owned()) }, 3 + 4 + 4).await;
    run.check("twice", async { 4.twice() + 4.consumed() }, 25).await;
    run.check("through", async { 4.through() }, 10).await;
    let holder = Holder { wrapper: Wrapper(Shared(5)), behind: Box::new(Owner::new()) };
    run.check("through_deref", async { through_deref(&holder) }, 5 + 3 + 1).await;
    run.check("through_cells", async { through_cells() }, (2, 2, 1)).await;
    // The calls are at columns 17 and 16, one line apart.
    run.check("locations", async { located() }, [(true, 17), (true, 17)]).await;
}
