//! Calls that are made in segments, and the time that they take.

use std::hint::black_box;
use std::ops::DerefMut;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use xray::TRACE_HEADER_NAME;

use crate::client::{Held, Response, request};

/// Returns how long `count` calls take in segments of `size` calls each.
///
/// `segment` opens a segment and makes the calls. Requests are made ready before the time starts and are dropped after
/// it.
// The median segment stands for all of them, because a mean would hold whatever else ran on the machine.
#[expect(clippy::cast_precision_loss, reason = "counts are small")]
pub fn time<R: Held>(count: u64, size: usize, mut segment: impl FnMut(&mut Calls<R>)) -> Duration {
    let mut calls = Calls::new(size);
    let mut elapsed: Vec<_> = (0..count.div_ceil(size as u64))
        .map(|_| {
            calls.make_ready();
            let started = Instant::now();
            segment(&mut calls);
            started.elapsed()
        })
        .collect();
    let middle = elapsed.len() / 2;
    let (_, median, _) = elapsed.select_nth_unstable(middle);
    median.mul_f64(count as f64 / size as f64)
}

/// The requests of the calls that are to be made, and of those that were made.
#[derive(Debug)]
pub struct Calls<R> {
    waiting: Vec<R>,
    done: Vec<R>,
}

impl<R: Held> Calls<R> {
    fn new(size: usize) -> Self {
        Self { waiting: Vec::with_capacity(size), done: (0..size).map(|_| R::from(request())).collect() }
    }

    /// Creates `size` requests, which are ready to be sent.
    #[must_use]
    pub fn ready(size: usize) -> Self {
        let mut calls = Self::new(size);
        calls.make_ready();
        calls
    }

    /// Makes the calls one after the other.
    pub fn make<F: Future<Output = Response<R>>>(&mut self, call: impl Fn(R) -> F) {
        while let Some(request) = self.waiting.pop() {
            // A black box, because the compiler could drop a call whose response nobody uses.
            let response = black_box(finish(pin!(call(request))));
            self.done.push(response.request);
        }
    }

    /// Makes the calls, `live` of them at a time.
    ///
    /// # Panics
    ///
    /// Panics if a call is ready at its first poll.
    pub fn make_together<F: Future<Output = Response<R>>>(&mut self, live: usize, call: impl Fn(R) -> F) {
        let mut task = Context::from_waker(Waker::noop());
        while !self.waiting.is_empty() {
            let requests = self.waiting.drain(self.waiting.len() - live..);
            let mut calls: Vec<_> = requests.map(|request| Box::pin(call(request))).collect();
            for call in &mut calls {
                // After this poll the call has started, so all of them are in flight when the first response is read.
                assert!(call.as_mut().poll(&mut task).is_pending());
            }
            self.done.extend(calls.into_iter().map(|call| finish(call).request));
        }
    }

    fn make_ready(&mut self) {
        // Without the header of the last call: to replace a header costs less than to insert one.
        self.waiting.extend(self.done.drain(..).map(|mut request| {
            request.borrow_mut().headers_mut().remove(TRACE_HEADER_NAME);
            request
        }));
    }
}

/// Returns the output of a future that is ready at this poll.
fn finish<F: Future>(mut future: Pin<impl DerefMut<Target = F>>) -> F::Output {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("the response is there"),
    }
}
