//! Sampling by the rules of X-Ray, over TCP: real servers in place of the daemon, well-behaved and not.
//!
//! Where the X-Ray SDK for Python 2.15.0 was measured to go wrong, by section of that study, and what shows the other
//! behaviour:
//!
//! * 2.1 `configure`, the poller asks at another address than the emitter's:
//!   `daemon::the_daemon_is_asked_at_its_tcp_address`
//! * 2.11 sampling, only the first page of the rules is read: `daemon::all_pages_are_fetched`
//! * 2.11 sampling, what is borrowed does not count as sampled: `daemon::what_was_sampled_is_reported_once`
//! * 2.11 sampling, a decision fails while rules are fetched again:
//!   `a_thread_may_decide_while_rules_are_replaced` in `sampling/central/book.rs`, `daemon::a_changed_rule_is_followed`
//! * 2.11 sampling, work at the import: `daemon::nobody_is_asked_before_the_first_decision`
//! * 6.11, pages, resets, races, work at the import: the same
//!
//! And where it is right, the same: `daemon::the_fallback_decides_until_there_are_rules`,
//! `daemon::the_lowest_priority_goes_first_and_the_default_last`.

mod daemon;
mod failures;
mod local;
