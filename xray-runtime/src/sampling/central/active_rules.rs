//! The rules in force, and the decisions by them.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use super::messages::{Definition, Target};
use super::rule_state::{Counts, RuleState};
use crate::header::tracestate::RuleHash;
use crate::id::TraceId;
use crate::sampling::boost::{BoostCounter, BoostCounts, Watch};
use crate::sampling::reservoir::Seconds;
use crate::sampling::{Decision, SamplingRequest};

/// The name of the rule that decides if no other matches.
const DEFAULT_RULE: &str = "Default";

/// The sampling rules in force.
///
/// All threads read it to decide; the polling task alone writes.
// `RwLock` and not `Mutex`: decisions on many threads must not wait for each other. What a decision changes, the
// counters of its rule, is atomic.
#[derive(Debug)]
pub(super) struct ActiveRules {
    rules: RwLock<Rules>,
    seconds: Seconds,
}

#[derive(Debug, Default)]
struct Rules {
    /// The rules in the order in which they are tried.
    rules: Vec<Rule>,
    /// The first second in which the rules are too old.
    void_from: u32,
}

#[derive(Debug)]
struct Rule {
    definition: Definition,
    hash: RuleHash,
    state: Arc<RuleState>,
}

impl Default for ActiveRules {
    fn default() -> Self {
        Self { rules: RwLock::default(), seconds: Seconds::start() }
    }
}

impl ActiveRules {
    /// The number of seconds after which fetched rules are too old. The other X-Ray SDKs use an hour too.
    const RULES_TTL: u32 = 3600;
    /// Limits on the times that X-Ray sends, in seconds. The response may come from anybody who listens at the daemon's
    /// address, and one wrong number must not switch off the reports forever.
    const MAX_QUOTA_TTL: f64 = 3600.0;
    const MAX_BOOST_HOLDS: f64 = 3600.0;
    const MAX_REPORT_INTERVAL: u32 = 3600;

    /// Returns the number of the current second.
    pub(super) fn now(&self) -> u32 {
        self.seconds.now()
    }

    /// Returns the decision of the first rule that matches a request.
    ///
    /// `None` if no rule matches or the rules are too old.
    pub(super) fn sample(&self, request: &SamplingRequest<'_>, second: u32) -> Option<Decision> {
        let rules = self.rules();
        if second >= rules.void_from {
            return None;
        }
        let rule = rules.rules.iter().find(|rule| rule.is_for(request))?;
        let is_sampled = rule.state.sample(second, rule.definition.reservoir_size > 0);
        let name = &rule.definition.name;
        let decision = if is_sampled {
            Decision::sampled().by_rule(&**name)
        } else {
            Decision::not_sampled_by(|| String::from(&**name))
        };
        let watch = rule.definition.has_boost.then(|| rule.state.boost().watch(request.service_name()));
        Some(decision.watched(rule.hash, watch))
    }

    /// Returns the watch for a trace that the rule `hash` of a caller decided about. Returns `None` if the rule is not
    /// known, has no boost, or is too old.
    pub(super) fn watch(&self, hash: RuleHash, trace: TraceId, service_name: &str, second: u32) -> Option<Arc<Watch>> {
        let rules = self.rules();
        let rule = rules.rules.iter().find(|rule| rule.hash == hash)?;
        let is_watched = rule.definition.has_boost && second < rules.void_from;
        is_watched.then(|| Arc::new(rule.state.boost().watch_called(trace, service_name)))
    }

    /// Replaces the rules. A rule that existed before, by its name, keeps its counters and its quota.
    pub(super) fn set_rules(&self, mut definitions: Vec<Definition>, now: u32) {
        // By priority and then by name, the default rule last. (Developer guide, "Using sampling rules with the X-Ray
        // API".)
        definitions.sort_by(|one, other| {
            let key = |definition: &Definition| (definition.name == DEFAULT_RULE, definition.priority);
            key(one).cmp(&key(other)).then_with(|| one.name.cmp(&other.name))
        });
        // X-Ray has no two rules with the same name. If two such rules had different priorities, both would stay, and
        // the second one would get a state of its own.
        definitions.dedup_by(|next, one| next.name == one.name);
        let rules = {
            let before = self.rules();
            let mut before: HashMap<_, _> =
                before.rules.iter().map(|rule| (rule.definition.name.as_str(), rule)).collect();
            let renewed = definitions.into_iter().map(|definition| match before.remove(definition.name.as_str()) {
                Some(rule) => rule.renewed(definition),
                None => Rule::new(definition),
            });
            renewed.collect()
        };
        // The new rules are complete before the lock for writing is taken, so that decisions wait only for the
        // exchange.
        let rules = Rules { rules, void_from: now.saturating_add(Self::RULES_TTL) };
        let mut held = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        let before = mem::replace(&mut *held, rules);
        // Freeing a thousand rules takes a while, so the lock is released first.
        drop(held);
        drop(before);
    }

    /// Returns the reports of the rules that are due for one, and resets the counters of these rules.
    pub(super) fn report(&self, now: u32) -> Vec<Report> {
        let due = |rule: &Rule| {
            let counts = rule.state.report(now)?;
            Some(Report { name: rule.definition.name.clone(), counts, state: Some(Arc::clone(&rule.state)) })
        };
        self.rules().rules.iter().filter_map(due).collect()
    }

    /// Returns the reports about failed traces of the rules with a boost, and resets the counters of these rules.
    pub(super) fn report_boosts(&self) -> Vec<BoostReport> {
        let report = |rule: &Rule| {
            let counts = rule.state.boost().report()?;
            let (name, counter) = (rule.definition.name.clone(), Arc::clone(rule.state.boost()));
            Some(BoostReport { name, counts, counter: Some(counter) })
        };
        self.rules().rules.iter().filter(|rule| rule.definition.has_boost).filter_map(report).collect()
    }

    /// Sets the quota and the rates that X-Ray sent for a rule.
    ///
    /// `now` is the number of the current second, and `epoch` the same moment in seconds since the Unix epoch.
    pub(super) fn set_target(&self, target: &Target, now: u32, epoch: f64) {
        let rules = self.rules();
        // The rules may have been replaced between the report and its response.
        let Some(rule) = rules.rules.iter().find(|rule| rule.definition.name == target.rule_name) else { return };
        if let Some(rate) = target.fixed_rate {
            rule.state.set_rate(rate);
        }
        if let (Some(quota), Some(ttl)) = (target.reservoir_quota, target.reservoir_quota_ttl) {
            // X-Ray names the end by the wall clock. The quota still holds in the second that contains the end, so it
            // is void from the next one on: a `ttl` of `epoch + 10.9` and one of `epoch + 10.0` both hold for 11
            // seconds.
            let seconds = (ttl - epoch).clamp(-1.0, Self::MAX_QUOTA_TTL).floor() + 1.0;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 3601")]
            rule.state.set_quota(quota, now.saturating_add(seconds as u32));
        }
        if let Some(boost) = &target.sampling_boost {
            // The second that contains the end is no longer boosted.
            let seconds = (boost.boost_rate_ttl - epoch).clamp(0.0, Self::MAX_BOOST_HOLDS).ceil();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 3600")]
            rule.state.set_boost(boost.boost_rate, now.saturating_add(seconds as u32));
        }
        if let Some(interval) = target.interval {
            rule.state.set_report_interval(interval.min(Self::MAX_REPORT_INTERVAL), now);
        }
    }

    fn rules(&self) -> RwLockReadGuard<'_, Rules> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The counts of a rule for a report. If the report is not [done](Self::done), the rule counts them again.
#[derive(Debug)]
pub(super) struct Report {
    name: String,
    counts: Counts,
    /// Takes the counts back. `None` once the report is done.
    state: Option<Arc<RuleState>>,
}

impl Report {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// Notes that X-Ray has received the counts.
    pub(super) fn done(mut self) {
        self.state = None;
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if let Some(state) = &self.state {
            state.take_back(self.counts);
        }
    }
}

/// The counts of failed traces of a rule for a report. If the report is not [done](Self::done), the rule counts them
/// again.
#[derive(Debug)]
pub(super) struct BoostReport {
    name: String,
    counts: BoostCounts,
    /// Takes the counts back. `None` once the report is done.
    counter: Option<Arc<BoostCounter>>,
}

impl BoostReport {
    /// Returns the name of the rule, the name of the service, and the counts.
    pub(super) fn parts(&self) -> (&str, &str, BoostCounts) {
        (&self.name, self.counter.as_ref().map_or("", |counter| counter.service_name()), self.counts)
    }

    /// Notes that X-Ray has received the counts.
    pub(super) fn done(mut self) {
        self.counter = None;
    }
}

impl Drop for BoostReport {
    fn drop(&mut self) {
        if let Some(counter) = &self.counter {
            counter.take_back(self.counts);
        }
    }
}

impl Rule {
    fn new(definition: Definition) -> Self {
        let state = Arc::new(RuleState::new(definition.fixed_rate));
        Self { hash: RuleHash::of(&definition.name), definition, state }
    }

    /// Returns this rule with a new definition, and with its counters and quota.
    fn renewed(&self, definition: Definition) -> Self {
        // The rate in the state may be the one that X-Ray sent with the quota. It stays until somebody changes the
        // rule.
        #[expect(clippy::float_cmp, reason = "the same number comes in the same form")]
        if definition.fixed_rate != self.definition.fixed_rate {
            self.state.set_rate(definition.fixed_rate);
        }
        // Shared, because a thread may be deciding by the old rule at this moment; its counts must not be lost.
        Self { definition, hash: self.hash, state: Arc::clone(&self.state) }
    }

    /// Returns whether the rule matches a request. The default rule matches every one, whatever its patterns are.
    fn is_for(&self, request: &SamplingRequest<'_>) -> bool {
        self.definition.name == DEFAULT_RULE || self.definition.patterns.are_for(request)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    use super::*;
    use crate::sampling::central::messages::Boost;
    use crate::sampling::patterns::Patterns;

    fn definition(name: &str, priority: i64, path: &str) -> Definition {
        let patterns = Patterns { path: path.to_owned(), ..Patterns::default() };
        Definition { name: name.to_owned(), priority, patterns, fixed_rate: 1.0, reservoir_size: 0, has_boost: false }
    }

    fn active_rules(definitions: Vec<Definition>) -> ActiveRules {
        let active_rules = ActiveRules::default();
        active_rules.set_rules(definitions, 0);
        active_rules
    }

    fn target(rule_name: &str, quota: u32, ttl: f64) -> Target {
        Target {
            rule_name: rule_name.to_owned(),
            fixed_rate: None,
            reservoir_quota: Some(quota),
            reservoir_quota_ttl: Some(ttl),
            interval: None,
            sampling_boost: None,
        }
    }

    /// Makes a report that X-Ray receives, and returns its names and counts.
    fn reported(active_rules: &ActiveRules, now: u32) -> Vec<(String, Counts)> {
        let report = |report: Report| {
            let (name, counts) = (report.name().to_owned(), report.counts());
            report.done();
            (name, counts)
        };
        active_rules.report(now).into_iter().map(report).collect()
    }

    fn rule_of(active_rules: &ActiveRules, path: &str) -> Option<String> {
        active_rules.sample(&SamplingRequest::new("s").with_path(path), 1)?.rule_name
    }

    #[test]
    fn rules_are_tried_by_priority_then_name_and_the_default_last() {
        let active_rules = active_rules(vec![
            definition("Default", 1, "/never"),
            definition("b", 10, "/a*"),
            definition("a", 10, "/a*"),
            definition("last", 9999, "*b"),
            definition("first", 2, "/a/b"),
            definition("a", 10, "/twice"),
        ]);
        for (path, name) in [("/a/b", "first"), ("/a", "a"), ("/b", "last"), ("/twice", "Default"), ("/", "Default")] {
            assert_eq!(rule_of(&active_rules, path).as_deref(), Some(name), "{path}");
        }
    }

    #[test]
    fn there_is_no_decision_if_no_rule_matches_or_the_rules_are_too_old() {
        assert_eq!(ActiveRules::default().sample(&SamplingRequest::new("s"), 0), None);
        let active_rules = active_rules(vec![definition("a", 1, "/a")]);
        assert_eq!(rule_of(&active_rules, "/b"), None);
        let request = SamplingRequest::new("s").with_path("/a");
        assert!(active_rules.sample(&request, 3599).is_some());
        assert_eq!(active_rules.sample(&request, 3600), None);
        active_rules.set_rules(vec![definition("a", 1, "/a")], 3600);
        assert!(active_rules.sample(&request, 7199).is_some());
    }

    #[test]
    fn a_boost_holds_until_its_end_and_then_the_rate_of_the_rule() {
        let active_rules =
            active_rules(vec![Definition { fixed_rate: 0.0, has_boost: true, ..definition("a", 1, "*") }]);
        let is_sampled = |second| active_rules.sample(&SamplingRequest::new("s"), second).unwrap().is_sampled();
        assert!(!is_sampled(1));
        let boost = Boost { boost_rate: 1.0, boost_rate_ttl: 1010.0 };
        active_rules.set_target(&Target { sampling_boost: Some(boost), ..target("a", 0, 2000.0) }, 50, 1000.0);
        assert_eq!([50, 59, 60].map(is_sampled), [true, true, false]);
        active_rules.set_rules(vec![Definition { fixed_rate: 0.0, has_boost: true, ..definition("a", 1, "*") }], 3000);
        let boost = Boost { boost_rate: 1.0, boost_rate_ttl: 1e300 };
        active_rules.set_target(&Target { sampling_boost: Some(boost), ..target("a", 0, 2000.0) }, 100, 1000.0);
        assert_eq!([100, 3699, 3700].map(is_sampled), [true, true, false], "no boost lasts longer than an hour");
    }

    #[test]
    fn failures_are_counted_by_rules_with_a_boost_only() {
        let with_boost = Definition { has_boost: true, ..definition("a", 1, "/a") };
        let active_rules = active_rules(vec![with_boost.clone(), definition("b", 2, "*")]);
        let sample = |path| active_rules.sample(&SamplingRequest::new("shop").with_path(path), 1).unwrap();
        assert!(sample("/b").watch.is_none());
        let decision = sample("/a");
        decision.watch.as_ref().unwrap().note_failure(decision.is_sampled());
        drop(sample("/a"));
        let counts = BoostCounts { traces: 2, failed: 1, failed_and_sampled: 1 };
        let failed_report = active_rules.report_boosts();
        assert_eq!(failed_report[0].parts(), ("a", "shop", counts));
        active_rules.set_rules(vec![with_boost], 1);
        drop(failed_report);
        let mut reports = active_rules.report_boosts();
        assert_eq!(reports[0].parts(), ("a", "shop", counts));
        reports.remove(0).done();
        assert!(active_rules.report_boosts().is_empty());
    }

    #[test]
    fn a_trace_of_a_caller_is_watched_if_its_rule_has_a_boost_and_the_rules_are_not_too_old() {
        let with_boost = Definition { has_boost: true, ..definition("a", 1, "/a") };
        let active_rules = active_rules(vec![with_boost, definition("b", 2, "*")]);
        let is_watched =
            |rule: &str, second| active_rules.watch(RuleHash::of(rule), TraceId::random(), "shop", second).is_some();
        assert_eq!(["a", "b", "unknown"].map(|rule| is_watched(rule, 1)), [true, false, false]);
        assert_eq!([3599, 3600].map(|second| is_watched("a", second)), [true, false]);
    }

    #[test]
    fn counts_and_rates_stay_when_the_rules_are_fetched_again() {
        let active_rules = active_rules(vec![definition("a", 1, "/a"), definition("gone", 2, "*")]);
        rule_of(&active_rules, "/a");
        rule_of(&active_rules, "/b");
        let rate = |rate| Target { fixed_rate: Some(rate), ..target("a", 0, 100.0) };
        active_rules.set_target(&rate(0.0), 1, 0.0);
        active_rules.set_rules(vec![definition("a", 1, "/a"), definition("new", 2, "*")], 2);
        assert_eq!(reported(&active_rules, 2), [("a".to_owned(), Counts { requests: 1, sampled: 1, borrowed: 0 })]);
        assert_eq!(rule_of(&active_rules, "/a"), None, "the rate that X-Ray sent stays");
        active_rules.set_rules(vec![Definition { fixed_rate: 0.999_999_999, ..definition("a", 1, "/a") }], 3);
        assert_eq!(rule_of(&active_rules, "/a").as_deref(), Some("a"), "the rule was changed");
    }

    #[test]
    fn the_counts_of_a_report_that_failed_are_part_of_the_next() {
        let active_rules = active_rules(vec![definition("a", 1, "/a")]);
        rule_of(&active_rules, "/a");
        let report = active_rules.report(1);
        assert_eq!(rule_of(&active_rules, "/a").as_deref(), Some("a"));
        active_rules.set_rules(vec![definition("a", 1, "/a")], 1);
        drop(report);
        assert_eq!(reported(&active_rules, 2), [("a".to_owned(), Counts { requests: 2, sampled: 2, borrowed: 0 })]);
        assert_eq!(reported(&active_rules, 2), []);
    }

    #[test]
    fn a_thread_may_decide_while_rules_are_replaced() {
        let definitions = || (0..100).map(|number| definition(&number.to_string(), number, "/a")).collect::<Vec<_>>();
        let active_rules = active_rules(definitions());
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..2_000).for_each(|_| assert_eq!(rule_of(&active_rules, "/a").as_deref(), Some("0"))));
            }
            for _ in 0..200 {
                active_rules.set_rules(definitions(), 0);
            }
        });
        let [(name, counts)] = &reported(&active_rules, 0)[..] else { panic!() };
        assert_eq!((name.as_str(), counts.requests, counts.sampled), ("0", 8_000, 8_000));
    }

    #[test]
    fn a_quota_ends_at_the_time_of_the_wall_clock_that_x_ray_sent() {
        let request = SamplingRequest::new("s");
        for (ttl, first, void_from) in [
            (1010.0, 50, 61),
            (1010.9, 50, 61),
            (1000.0, 50, 51),
            (999.9, 50, 50),
            (0.0, 50, 50),
            (-1e300, 50, 50),
            (1e300, 50, 3651),
        ] {
            let active_rules = active_rules(vec![Definition { fixed_rate: 0.0, ..definition("a", 1, "*") }]);
            active_rules.set_rules(vec![Definition { fixed_rate: 0.0, ..definition("a", 1, "*") }], 3000);
            active_rules.set_target(&target("a", 1, ttl), first, 1000.0);
            let is_sampled = |second| active_rules.sample(&request, second).unwrap().is_sampled();
            assert!((first..void_from).all(is_sampled), "{ttl}");
            assert!(!is_sampled(void_from), "{ttl}");
        }
        active_rules(Vec::new()).set_target(&target("unknown", 1, 1e9), 0, 0.0);
    }

    /// Returns how many of a million requests are sampled, and the counts: a thousand in each of a thousand seconds, by
    /// eight threads.
    fn sampled_of_a_million(rate: f64, set_up: impl Fn(&ActiveRules)) -> (u64, Counts) {
        let definition = Definition { fixed_rate: rate, reservoir_size: 1, ..definition("one a second", 1, "*") };
        let active_rules = active_rules(vec![definition]);
        set_up(&active_rules);
        let (next, request) = (AtomicU32::new(0), SamplingRequest::new("s"));
        let sample_next = || {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let decide = || active_rules.sample(&request, 1 + number / 1000).unwrap();
            (number < 1_000_000).then(|| u64::from(decide().is_sampled()))
        };
        let sampled = thread::scope(|scope| {
            let count = || std::iter::from_fn(sample_next).sum::<u64>();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(count)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        let [(_, counts)] = reported(&active_rules, 0)[..] else { panic!() };
        (sampled, counts)
    }

    #[test]
    fn one_a_second_is_exactly_one_a_second_borrowed_or_allowed() {
        let (sampled, counts) = sampled_of_a_million(0.0, |_| {});
        assert_eq!(sampled, 1000);
        assert_eq!(counts, Counts { requests: 1_000_000, sampled: 1000, borrowed: 1000 });

        let (sampled, counts) =
            sampled_of_a_million(0.0, |rules| rules.set_target(&target("one a second", 1, 2e3), 0, 0.0));
        assert_eq!(sampled, 1000);
        assert_eq!(counts, Counts { requests: 1_000_000, sampled: 1000, borrowed: 0 });

        let (sampled, counts) =
            sampled_of_a_million(0.0, |rules| rules.set_target(&target("one a second", 3, 500.0), 0, 0.0));
        assert_eq!(sampled, 3 * 500 + 500, "a quota of three for the first half, then one borrowed");
        assert_eq!(counts.borrowed, 500);
    }

    #[test]
    fn one_a_second_and_five_percent_of_the_others() {
        // As in the test of `Local`: by chance, one run of 5 * 10^8 is further away than six standard deviations.
        for set_up in [
            |_: &ActiveRules| {},
            |active_rules: &ActiveRules| active_rules.set_target(&target("one a second", 1, 2e3), 0, 0.0),
        ] {
            let (sampled, counts) = sampled_of_a_million(0.05, set_up);
            assert!((sampled - 1000).abs_diff(49_950) <= 1307, "{sampled}");
            assert_eq!((counts.requests, counts.sampled), (1_000_000, sampled));
        }
    }
}
