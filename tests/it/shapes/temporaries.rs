//! Temporaries around a call: they live as long and are created as often as without the attribute.

use std::cell::{Cell, RefCell};

use super::traced_http;
use crate::shapes::run::Run;
use crate::shapes::senders::{Log, Noisy, Shared};

/// The receiver's temporaries are dropped at the end of the statement, in reverse order of creation.
#[traced_http]
fn guards_in_a_statement(log: &Log) -> u32 {
    let sum = log.noisy("whole").guard("guard").send() + log.noisy("second").part("part").send();
    log.note("end");
    sum
}

/// The result borrows from a value that lives to the end of the statement.
#[traced_http]
fn a_borrow_of_a_temporary(log: &Log) -> usize {
    struct Parts(Noisy);
    impl Parts {
        fn send(&self) -> &Noisy {
            &self.0
        }
    }
    let make = || Parts(log.noisy("parts"));
    let parts = make();
    let length = make().send().log().take().len();
    parts.send().log().note("used");
    length
}

/// The guard in the scrutinee lives through the arms.
#[traced_http]
fn a_guard_in_a_scrutinee(log: &Log) {
    match log.noisy("whole").guard("guard").send() {
        7 => log.note("arm"),
        _ => unreachable!(),
    }
    if log.noisy("condition").send() == 7 {
        log.note("then");
    }
    if let 7 = log.noisy("let").guard("let guard").send() {
        log.note("let then");
    }
    let mut rounds = 0;
    while log.noisy("while").send() == 7 && rounds == 0 {
        rounds += 1;
        log.note("body");
    }
}

/// Temporaries of a tail expression are dropped before the variables in edition 2024, and after them in 2021.
#[traced_http]
fn a_guard_in_a_tail(log: &Log) -> u32 {
    let _variable = log.noisy("variable");
    log.noisy("temporary").send()
}

/// Its methods take what could be a request.
struct Executor;

impl Executor {
    fn execute(&self, length: usize) -> usize {
        length
    }
}

/// As above, where the request would be the argument.
#[traced_http]
fn a_guard_in_an_argument_at_the_end(log: &Log) -> usize {
    let _variable = log.noisy("variable");
    Executor.execute(log.noisy("temporary").length())
}

/// As above, in a function whose result is known at the end only.
#[traced_http]
fn a_guard_in_an_argument_of_a_future<'a>(log: &'a Log) -> impl std::future::Future<Output = usize> + 'a {
    async move {
        let _variable = log.noisy("variable");
        Executor.execute(log.noisy("temporary").length())
    }
}

/// Temporaries of the tail expression of a block.
#[traced_http]
fn a_guard_in_the_tail_of_a_block(log: &Log) -> u32 {
    let sum = 1 + {
        let _inner = log.noisy("inner");
        log.noisy("tail").send()
    };
    log.note("after");
    sum
}

/// The method is called through a lock guard, which holds the lock during the call.
#[traced_http]
fn a_borrow_through_a_guard(cell: &RefCell<Vec<Shared>>) -> (u32, bool) {
    let sent = cell.borrow_mut().last_mut().unwrap().send();
    let free = cell.try_borrow_mut().is_ok();
    (sent + cell.borrow().first().unwrap().send(), free)
}

/// A result that outlives its guard.
#[traced_http]
fn a_result_beyond_the_guard(log: &Log) -> u32 {
    struct Through<'a>(crate::shapes::senders::Guard<'a>);
    impl<'a> Through<'a> {
        fn send(&self) -> &'a Noisy {
            self.0.whole()
        }
    }
    let whole = log.noisy("whole");
    let inner = Through(whole.guard("guard")).send();
    log.note("between");
    let place = Through(whole.guard("second"));
    let again = place.send();
    drop(place);
    inner.send() + again.send()
}

/// The variable is dropped once, where it would be dropped without the attribute.
#[traced_http]
fn drops_of_variables(log: &Log) -> u32 {
    let first = log.noisy("first");
    let second = log.noisy("second");
    let pair = (log.noisy("left"), log.noisy("right"));
    drop(first);
    second.send() + pair.1.send()
}

/// The call consumes the value, so it is dropped once, in the call.
#[traced_http]
fn drops_of_consumed_values(log: &Log) -> usize {
    struct Consumed {
        _dropped: Noisy,
        kept: Noisy,
    }
    impl Consumed {
        fn send(self) -> Noisy {
            self.kept
        }
    }
    let consumed = Consumed { _dropped: log.noisy("dropped"), kept: log.noisy("kept") };
    let kept = consumed.send();
    log.note("between");
    let last = Some(Consumed { _dropped: log.noisy("dropped too"), kept: kept.part("last") });
    last.unwrap().send();
    log.note("end");
    drop(kept);
    log.take().len()
}

thread_local! {
    static DROPS: Cell<u32> = const { Cell::new(0) };
}

/// A unit struct: each mention of its name creates a value.
struct Unit;

impl Unit {
    fn send(&self) -> u32 {
        DROPS.get()
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        DROPS.set(DROPS.get() + 1);
    }
}

const CONSTANT: (Unit, u8) = (Unit, 0);

static STATIC: Shared = Shared(3);

#[traced_http]
fn constants() -> [u32; 3] {
    let before = DROPS.get();
    let first = Unit.send();
    let second = CONSTANT.0.send();
    let bound = Unit;
    bound.send();
    drop(bound);
    [first, second, DROPS.get()].map(|drops| drops - before)
}

#[traced_http]
fn statics() -> &'static u32 {
    struct Of(&'static Shared);
    impl Of {
        fn send(&self) -> &'static u32 {
            &self.0.0
        }
    }
    STATIC.send();
    Of(&STATIC).send()
}

/// The compiler promotes a value of constants to `'static`, so its borrow outlives the statement.
#[traced_http]
fn promoted() -> &'static u8 {
    struct Word(u8);
    impl Word {
        fn send(&self) -> &u8 {
            &self.0
        }
    }
    let word = Word(7).send();
    let parenthesised: &'static u8 = (Word(1 + 2)).send();
    if *parenthesised == 3 { word } else { &0 }
}

/// A temporary whose lifetime a `let` extends.
#[traced_http]
fn extended(log: &Log) -> u32 {
    struct Maker(Log);
    impl Maker {
        fn send(&self) -> Noisy {
            self.0.noisy("made")
        }
    }
    let maker = Maker(log.clone());
    let make = || Maker(log.clone());
    let place = &maker.send();
    let value = &make().send();
    let _ = maker.send();
    log.note("kept");
    place.send() + value.send()
}

#[tokio::test]
async fn temporaries() {
    let run = Run::start(super::IS_TRACED).await;
    let is_2021 = env!("CARGO_PKG_NAME") == "shapes-2021";
    let log = &Log::default();

    let expected = ["send", "send", "part", "second", "guard", "whole", "end"];
    run.check("guards_in_a_statement", async { (guards_in_a_statement(log), log.take()) }, (14, expected.into())).await;
    let work = async { (a_borrow_of_a_temporary(log), log.take()) };
    run.check("a_borrow_of_a_temporary", work, (0, ["parts", "used", "parts"].into())).await;

    let work = async {
        a_guard_in_a_scrutinee(log);
        log.take()
    };
    let expected = [
        ["send", "arm", "guard", "whole"].as_slice(),
        &["send", "condition", "then"],
        &["send", "let then", "let guard", "let"],
        &["send", "while", "body", "send", "while"],
    ];
    run.check("a_guard_in_a_scrutinee", work, expected.concat()).await;

    let work = async { (a_guard_in_a_tail(log), log.take()) };
    let expected = if is_2021 { ["send", "variable", "temporary"] } else { ["send", "temporary", "variable"] };
    run.check("a_guard_in_a_tail", work, (7, expected.into())).await;
    let expected = if is_2021 { ["variable", "temporary"] } else { ["temporary", "variable"] };
    let work = async { (a_guard_in_an_argument_at_the_end(log), log.take()) };
    run.check("a_guard_in_an_argument_at_the_end", work, (9, expected.into())).await;
    let work = async { (a_guard_in_an_argument_of_a_future(log).await, log.take()) };
    run.check("a_guard_in_an_argument_of_a_future", work, (9, expected.into())).await;
    let work = async { (a_guard_in_the_tail_of_a_block(log), log.take()) };
    let expected = if is_2021 { ["send", "inner", "tail", "after"] } else { ["send", "tail", "inner", "after"] };
    run.check("a_guard_in_the_tail_of_a_block", work, (8, expected.into())).await;

    let cell = RefCell::new(vec![Shared(1), Shared(2)]);
    run.check("a_borrow_through_a_guard", async { a_borrow_through_a_guard(&cell) }, (3, true)).await;
    let work = async { (a_result_beyond_the_guard(log), log.take()) };
    let expected = ["guard", "between", "second", "send", "send", "whole"];
    run.check("a_result_beyond_the_guard", work, (14, expected.into())).await;

    let work = async { (drops_of_variables(log), log.take()) };
    run.check("drops_of_variables", work, (14, ["first", "send", "send", "left", "right", "second"].into())).await;
    run.check("drops_of_consumed_values", async { drops_of_consumed_values(log) }, 6).await;
    run.check("constants", async { constants() }, [0, 1, 3]).await;
    run.check("statics", async { *statics() }, 3).await;
    run.check("promoted", async { *promoted() }, 7).await;
    let work = async { (extended(log), log.take()) };
    run.check("extended", work, (14, ["made", "kept", "send", "send", "made", "made"].into())).await;
}
