//! Central sampling over TCP, against servers in place of the daemon. Some of them misbehave.
//!
//! The X-Ray SDK for Python 2.15.0 fails in these cases. Each line names the case, and the test that shows what this
//! SDK does instead:
//!
//! * `configure` changes the address of the emitter but not of the poller:
//!   `daemon::the_daemon_is_asked_at_its_tcp_address`.
//! * Only the first page of the rules is read: `daemon::all_pages_are_fetched`.
//! * A borrowed request does not count as sampled: `daemon::what_was_sampled_is_reported_once`.
//! * A decision fails while the rules are replaced: `daemon::a_changed_rule_is_followed`, and
//!   `a_thread_may_decide_while_rules_are_replaced` in `sampling/central/active_rules.rs`.
//! * The import of the SDK starts the poller: `daemon::the_daemon_is_not_asked_before_the_first_decision`.
//!
//! The SDK for Python is right in these cases, which have a test here too:
//! `daemon::the_fallback_decides_until_there_are_rules`, `daemon::the_lowest_priority_goes_first_and_the_default_last`.

mod boost;
mod daemon;
mod failures;
mod local;
