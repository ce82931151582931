//! Measures the time that tracing adds to a query of diesel, with SQLite in memory. `benches/integrations.rs` measures
//! sqlx.
//!
//! ```text
//! cargo bench --manifest-path benches/databases/Cargo.toml
//! ```
//!
//! With rustc 1.95.0, on two cores with a load of 10:
//!
//! | row | time | more |
//! |---|---|---|
//! | a query of diesel | 1.0 µs | |
//! | instrumented, outside any segment or unsampled | 1.1 µs | 0.1 µs |
//! | instrumented, sampled | 1.5 µs | 0.5 µs |
//! | instrumented, sampled, with statements | 1.9 µs | 0.9 µs |

use std::time::{Duration, Instant};

use diesel::prelude::*;
use xray::Segment;
use xray::diesel::QueryInstrumentation;
use xray::emitter::MemoryEmitter;

const QUERIES: u32 = 100;

/// Returns the time of one query in the shortest of many batches.
fn time(connection: &mut SqliteConnection, run: impl Fn(&mut dyn FnMut() -> Duration) -> Duration) -> Duration {
    let mut batch = || {
        let start = Instant::now();
        for _ in 0..QUERIES {
            diesel::sql_query("select 1").execute(connection).expect("a query");
        }
        start.elapsed() / QUERIES
    };
    (0..1_000).map(|_| run(&mut batch)).min().unwrap_or_default()
}

fn main() {
    let emitter = MemoryEmitter::new();
    let recorder = xray::Recorder::builder().emitter(emitter.clone()).build();
    let outside = |batch: &mut dyn FnMut() -> Duration| batch();
    let inside = |sampled: bool| {
        let (recorder, emitter) = (&recorder, &emitter);
        move |batch: &mut dyn FnMut() -> Duration| {
            let segment = Segment::builder("bench").recorder(recorder).sampled(sampled).begin();
            let time = segment.in_scope(batch);
            drop(segment);
            drop(emitter.take());
            time
        }
    };
    let mut connection = SqliteConnection::establish(":memory:").expect("a database");
    println!("a query of diesel                        {:>9.1?}", time(&mut connection, outside));
    connection.set_instrumentation(QueryInstrumentation::new());
    println!("instrumented, outside any segment        {:>9.1?}", time(&mut connection, outside));
    println!("instrumented, unsampled                  {:>9.1?}", time(&mut connection, inside(false)));
    println!("instrumented, sampled                    {:>9.1?}", time(&mut connection, inside(true)));
    connection.set_instrumentation(QueryInstrumentation::new().with_statements(true));
    println!("instrumented, sampled, with statements   {:>9.1?}", time(&mut connection, inside(true)));
}
