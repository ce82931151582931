//! Records that have been sent, and wait for their next use.
//!
//! The thread of a call allocates its record, and another thread frees it after the segment has been sent. Allocators
//! are slow at that, because the two threads take turns at one lock: it takes about a third of the time of a sampled
//! call. So a thread keeps the records that it has finished with, and threads exchange them in batches.

use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Record, Records};

/// The number of records that threads exchange at a time. A thread keeps less than twice as many, in 30 KiB. That is
/// more than a segment of 100 calls needs.
const BATCH: usize = 64;
/// The number of batches that wait for a thread, in half a MiB.
const MAX_BATCHES: usize = 32;

thread_local! {
    static OWN: Cell<Records> = const { Cell::new(Vec::new()) };
}

static BATCHES: Mutex<Vec<Records>> = Mutex::new(Vec::new());
/// The length of `BATCHES`, so that a thread that finds no record does not lock an empty list for each call.
static BATCH_COUNT: AtomicUsize = AtomicUsize::new(0);

/// Returns a record without data.
#[inline]
pub(super) fn take() -> Box<Record> {
    take_own().unwrap_or_else(take_from_batch)
}

fn take_own() -> Option<Box<Record>> {
    // An error means that the thread is ending. Then it keeps no records.
    let take = |own: &Cell<Records>| {
        let mut records = own.take();
        let record = records.pop();
        own.set(records);
        record
    };
    OWN.try_with(take).ok().flatten()
}

#[cold]
fn take_from_batch() -> Box<Record> {
    if BATCH_COUNT.load(Ordering::Relaxed) > 0 {
        let _ = OWN.try_with(|own| own.set(take_batch().unwrap_or_default()));
    }
    take_own().unwrap_or_default()
}

/// Returns a batch. Returns `None` if another thread has the lock.
// Nobody waits for this lock. After a fork, a thread that no longer exists may hold it in the child process.
fn take_batch() -> Option<Records> {
    let mut batches = BATCHES.try_lock().ok()?;
    let batch = batches.pop();
    BATCH_COUNT.store(batches.len(), Ordering::Relaxed);
    batch
}

/// Removes the data of records, and keeps the records.
pub(super) fn keep(mut records: Records) {
    for record in &mut records {
        // The drop of the data calls this function for the subsegments that are embedded in the record.
        **record = Record::default();
    }
    // A segment may have a hundred thousand subsegments. The list of the thread stays short.
    while records.len() > 2 * BATCH {
        share(records.split_off(records.len() - BATCH));
    }
    let _ = OWN.try_with(|own| {
        let mut spare = own.take();
        spare.append(&mut records);
        while spare.len() >= 2 * BATCH {
            share(spare.split_off(spare.len() - BATCH));
        }
        own.set(spare);
    });
}

/// Leaves a batch to other threads. Frees it if enough batches wait, or if another thread has the lock; see
/// [`take_batch`].
fn share(batch: Records) {
    let surplus = match BATCHES.try_lock() {
        Ok(mut batches) if batches.len() < MAX_BATCHES => {
            batches.push(batch);
            BATCH_COUNT.store(batches.len(), Ordering::Relaxed);
            return;
        }
        _ => batch,
    };
    drop(surplus);
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use super::*;
    use crate::document::Exception;
    use crate::id::SegmentId;
    use crate::record::{Label, Time};
    use crate::support::lock::lock;

    fn empty() -> String {
        format!("{:?}", Record::default())
    }

    fn full(subsegments: usize) -> Box<Record> {
        let mut record = take();
        record.id = SegmentId::random();
        record.label = Label::named("shop");
        record.label.set_url(["https", "://", "example.com", "/todos"], "example.com");
        record.start = Time::from_micros(7);
        record.end = Some(record.start);
        record.record_response(429, Some(5));
        record.record_error(vec![Exception::opaque("Error")]);
        record.mark_cancelled();
        for _ in 0..subsegments {
            record.details_mut().subsegments.push(full(0));
        }
        record
    }

    #[test]
    fn a_spare_record_has_no_data_of_its_last_use() {
        let records: Vec<_> = (0..10).map(|_| full(10)).collect();
        let address = &raw const *records[9];
        keep(records);
        let spare: Vec<_> = (0..110).map(|_| take()).collect();
        for record in &spare {
            assert_eq!(format!("{record:?}"), empty());
        }
        assert!(spare.iter().any(|record| &raw const **record == address), "a record is used again");
    }

    #[test]
    fn a_thread_keeps_less_than_two_batches_and_leaves_whole_ones() {
        for (records, kept) in [(2 * BATCH - 1, 2 * BATCH - 1), (2 * BATCH, BATCH), (10 * BATCH + 1, BATCH + 1)] {
            let keep_new = move || {
                keep((0..records).map(|_| Box::default()).collect());
                OWN.with(Cell::take).len()
            };
            assert_eq!(thread::spawn(keep_new).join().unwrap(), kept, "{records} records");
        }
        assert!(lock(&BATCHES).iter().all(|batch| batch.len() == BATCH));
    }

    #[test]
    fn nobody_waits_for_the_lock() {
        let _held = BATCHES.lock();
        thread::spawn(|| keep((0..3 * BATCH).map(|_| take()).collect())).join().unwrap();
    }

    #[test]
    fn threads_exchange_records_and_keep_a_limited_number() {
        // Miri is a thousand times slower.
        const RECORDS: usize = if cfg!(miri) { 3 * BATCH } else { 2 * MAX_BATCHES * BATCH };

        let use_records = || {
            let mut records: Vec<_> = (0..RECORDS).map(|_| take()).collect();
            for record in &mut records {
                assert_eq!(record.id, SegmentId::UNSET, "nobody else has this record");
                record.id = SegmentId::random();
            }
            let addresses: HashSet<_> = records.iter().map(|record| &raw const **record as usize).collect();
            keep(records);
            assert!(BATCH_COUNT.load(Ordering::Relaxed) <= MAX_BATCHES);
            addresses
        };
        let used = thread::scope(|scope| {
            let threads = [scope.spawn(use_records), scope.spawn(use_records)];
            threads.map(|thread| thread.join().unwrap())
        });
        let mut taken = (0..RECORDS).map(|_| take()).collect::<Vec<_>>().into_iter();
        let is_used = |record: Box<Record>| used.iter().any(|used| used.contains(&(&raw const *record as usize)));
        assert!(taken.any(is_used), "this thread gets a record of another one");
    }
}
