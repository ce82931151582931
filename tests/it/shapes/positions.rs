//! Positions of a call: in operators, statements, tail expressions, match arms and conditions, and below attributes.

use std::ops::ControlFlow;

use reqwest::Client;

use super::traced_http;
use crate::shapes::run::{Run, recorded, unrecorded};
use crate::shapes::senders::{Answer, Counter, Once, Shared};

struct Two {
    first: Answer,
    second: Answer,
    shared: Shared,
}

impl Two {
    fn new(first: bool, second: bool) -> Self {
        Self { first: Answer(first), second: Answer(second), shared: Shared(4) }
    }

    #[traced_http]
    fn and(&self) -> bool {
        self.first.send() && self.second.send()
    }

    #[traced_http]
    fn sum(&self) -> u32 {
        self.shared.send() + self.shared.send() * 2
    }

    #[traced_http]
    fn cast_and_compare(&self) -> bool {
        self.shared.send() as u8 <= self.shared.send() as u8
    }

    #[traced_http]
    fn range(&self) -> std::ops::Range<u32> {
        self.shared.send()..self.shared.send() + 1
    }

    #[traced_http]
    fn negated(&self) -> bool {
        !self.first.send() | !self.second.send()
    }
}

/// Statements that begin with a call and continue after it.
#[traced_http]
#[allow(unused_must_use, reason = "the position is the point")]
fn statements(two: Two, make: impl Fn() -> Answer) -> u32 {
    struct Cells([u32; 2]);
    impl Cells {
        fn send(&mut self) -> &mut [u32; 2] {
            &mut self.0
        }
    }
    struct Calls;
    impl Calls {
        fn send(&self) -> impl Fn(u32) -> Option<u32> {
            |number| Some(number + 1)
        }
    }
    struct Rows(Box<u32>);
    impl Rows {
        fn send(&mut self) -> [&mut u32; 1] {
            [&mut self.0]
        }
    }
    struct Flags;
    impl Flags {
        fn send(&self) -> [bool; 1] {
            [true]
        }
    }
    let (mut slots, calls, mut rows, flags) = (Cells([0; 2]), Calls, Rows(Box::new(0)), Flags);
    two.first.send() && two.second.send();
    make().send() || make().send();
    two.first.send() == make().send();
    two.shared.send() as u8;
    slots.send()[0] = 5;
    slots.send()[1] += calls.send()(1).unwrap();
    !calls.send()(3).is_some() || two.first.send();
    -i64::from(slots.send()[0]) + 1;
    *rows.send()[0] += 1;
    !flags.send()[0];
    ..two.shared.send() + 1;
    *slots.send() = [slots.send()[1], 10];
    calls.send()(2).unwrap();
    two.shared.send();
    make().send();
    slots.0.iter().sum::<u32>() + *rows.0
}

#[traced_http]
fn arms(two: &Two, number: u8) -> bool {
    match number {
        0 => two.first.send() && two.second.send(),
        1 => two.first.send() == two.second.send(),
        2 => two.shared.send() as u8 == 4,
        3 => two.shared.send().checked_sub(4).is_some_and(|rest| rest == 0),
        4 if two.first.send() => two.second.send(),
        5 => two.first.send() & two.second.send(),
        _ => !two.first.send() || two.second.send(),
    }
}

#[traced_http]
fn conditions(two: &Two, mut counter: Counter) -> u32 {
    let mut rounds = if two.first.send() {
        0
    } else if two.second.send() {
        10
    } else {
        20
    };
    while counter.send() < 3 {
        rounds += 1;
    }
    while let 4..6 = counter.send() {
        rounds += 100;
    }
    for _ in 0..two.shared.send() {
        rounds += 1000;
    }
    if let (true, 4) = (two.first.send(), two.shared.send()) { rounds } else { 0 }
}

#[traced_http]
fn let_else(once: Once, make: impl Fn() -> Once) -> usize {
    struct Maybe(Option<u32>);
    impl Maybe {
        fn send(&self) -> Option<u32> {
            self.0
        }
    }
    let (some, none) = (Maybe(Some(2)), Maybe(None));
    let Some(two) = some.send() else { return 0 };
    let Some(_) = none.send() else {
        let text = once.send();
        let "abc" = make().send().as_str() else { return 1 };
        return text.len() + two as usize;
    };
    3
}

#[traced_http]
fn loops(mut counter: Counter, limit: u32) -> (u32, Option<u32>) {
    let found = 'outer: loop {
        for number in 0.. {
            if number == limit {
                break 'outer counter.send();
            }
            if counter.send() % 2 == 0 {
                continue 'outer;
            }
        }
    };
    let labelled = 'block: {
        if found > limit {
            break 'block Some(counter.send());
        }
        None
    };
    (found, labelled)
}

/// A `return`, `break` or `?` in an argument leaves the expression before the call.
#[traced_http]
fn leaving(values: &[Option<u32>], log: &mut Vec<u32>) -> Option<u32> {
    for value in values {
        let sent = Shared(match value {
            Some(0) => continue,
            Some(9) => break,
            Some(8) => return Shared(80).clone().send().into(),
            other => (*other)?,
        });
        log.push(sent.send());
        let make = |number| Some(Shared(number));
        log.push(make(value.unwrap())?.send());
    }
    Some(0)
}

#[traced_http]
fn control_flow(two: Two) -> Result<u32, String> {
    struct Fails(bool);
    impl Fails {
        fn send(&self) -> Result<u32, &'static str> {
            if self.0 { Err("failed") } else { Ok(5) }
        }
    }
    let (fine, fails) = (Fails(false), Fails(two.first.send()));
    fine.send()?;
    let make = || fine;
    let sum = make().send()? + fails.send()?;
    let flow = [1, 2].into_iter().try_for_each(|number| {
        if two.shared.send() == number { ControlFlow::Break(number) } else { ControlFlow::Continue(()) }
    });
    Ok(sum + u32::from(flow.is_continue()))
}

#[traced_http]
fn attributes(shared: Shared, mut counter: Counter) -> (u32, u32) {
    #[cfg(any())]
    there_is_no_such_variable.send();
    #[cfg(any())]
    there_is_no_such_function().send();
    #[cfg(not(any()))]
    counter.send();
    #[cfg(any())]
    let sent = nowhere.send();
    #[cfg(not(any()))]
    #[allow(clippy::let_and_return, reason = "an attribute")]
    let sent = shared.send();
    #[allow(unused_must_use, reason = "an attribute")]
    shared.send();
    #[expect(clippy::redundant_closure_call, reason = "an attribute")]
    (|| Shared(1))().send();
    #[allow(unused_must_use, clippy::no_effect, reason = "an attribute")]
    shared.clone().send();
    #[rustfmt::skip]
    counter . send( );
    let all = [
        #[cfg(any())]
        nowhere.send(),
        shared.send(),
        #[cfg(not(any()))]
        counter.send(),
    ];
    match sent {
        #[cfg(any())]
        1 => nowhere.send(),
        #[cfg(not(any()))]
        2 => (all.len().try_into().unwrap(), counter.send()),
        _ => (0, 0),
    }
}

/// The attribute leaves `const` blocks and nested items alone: the compiler evaluates the former, and the latter are
/// functions of their own.
#[traced_http]
async fn constants_and_items(client: &Client, url: &str) -> (u32, u16) {
    struct Constant(u32);
    impl Constant {
        const fn send(&self) -> u32 {
            self.0
        }
    }
    const LENGTH: u32 = Constant(2).send();
    async fn nested(client: &Client, url: &str) -> u16 {
        client.post(url).send().await.unwrap().status().as_u16()
    }
    let lengths = [0_u8; Constant(3).send() as usize];
    let block = const { Constant(4).send() };
    let status = client.get(url).send().await.unwrap().status().as_u16();
    (LENGTH + block + u32::try_from(lengths.len()).unwrap(), status + nested(client, url).await)
}

/// Receivers of other kinds.
#[traced_http]
#[allow(unused_parens, reason = "the parentheses are the point")]
fn receivers(two: Two, list: [Shared; 2], flag: bool) -> u32 {
    struct Made {
        number: u32,
    }
    impl Made {
        fn make(self) -> Shared {
            Shared(self.number)
        }

        fn send(&self) -> u32 {
            self.number
        }
    }
    let reference = &two;
    let dereferenced = (*reference).shared.send() + (&two.shared).send() + (two.shared).send();
    let indexed = list[0].send() + list[usize::from(flag)].send() + (list.clone())[1].send();
    let blocks = { Shared(1) }.send() + (if flag { Shared(2) } else { Shared(3) }).send();
    let literals = Made { number: 10 }.make().send() + (Made { number: 20 }).send() + Shared { 0: 30 }.send();
    if (Made { number: 1 }.make().send() == 1) {
        return dereferenced + indexed + blocks + literals + ((Made { number: 100 }).make()).send();
    }
    0
}

#[tokio::test]
async fn positions() {
    let run = Run::start(super::IS_TRACED).await;
    run.check("and", async { [Two::new(true, true).and(), Two::new(false, true).and()] }, [true, false]).await;
    run.check("sum", async { Two::new(true, true).sum() }, 12).await;
    run.check("cast_and_compare", async { Two::new(true, true).cast_and_compare() }, true).await;
    run.check("range", async { Two::new(true, true).range() }, 4..5).await;
    run.check("negated", async { Two::new(true, true).negated() }, false).await;
    run.check("statements", async { statements(Two::new(true, true), || Answer(true)) }, 13).await;
    let two = Two::new(true, false);
    let work = async { [0, 1, 2, 3, 4, 5, 6].map(|number| arms(&two, number)) };
    run.check("arms", work, [false, false, true, true, false, false, false]).await;
    run.check("conditions", async { conditions(&two, Counter::default()) }, 4202).await;
    let make = || Once("abc".to_owned());
    run.check("let_else", async { let_else(make(), make) }, 5).await;
    run.check("loops", async { loops(Counter { count: 1 }, 1) }, (4, Some(5))).await;
    let mut log = Vec::new();
    let work = async {
        let results = [&[Some(0), Some(1), Some(9), None][..], &[Some(8)], &[Some(2), None]]
            .map(|values| leaving(values, &mut log));
        (results, log)
    };
    run.check("leaving", work, ([Some(0), Some(80), None], vec![1, 1, 2, 2])).await;
    run.check("control_flow", async { control_flow(Two::new(false, true)) }, Ok(11)).await;
    run.check("control_flow", async { control_flow(Two::new(true, true)) }, Err("failed".to_owned())).await;
    run.check("attributes", async { attributes(Shared(2), Counter::default()) }, (2, 4)).await;
    let calls = [recorded("GET /bytes/3"), unrecorded("POST /bytes/3")];
    let url = run.url("/bytes/3");
    let work = constants_and_items(&run.client, &url);
    run.check_calls("constants_and_items", work, (2 + 4 + 3, 400), &calls).await;
    let work = async { receivers(Two::new(true, true), [Shared(1), Shared(2)], true) };
    run.check("receivers", work, 12 + 5 + 3 + 60 + 100).await;
}
