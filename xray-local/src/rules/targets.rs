//! Divides a rule's reservoir among the clients that sample by the rule.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::boost::SamplingBoost;
use super::rule::SamplingRule;
use crate::optional::or_default;

/// After how many seconds a client should ask for its target again.
const INTERVAL: u32 = 10;

/// How many seconds a share is valid. A client that has not asked for this long counts as gone.
const TTL: f64 = 20.0;

/// The most clients that have a share of one rule; further clients get none.
const MAX_CLIENTS: usize = 10_000;

/// A client's statistics for one rule since its previous request.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SamplingStatistics {
    pub(super) rule_name: String,
    #[serde(rename = "ClientID")]
    pub(super) client_id: String,
    // The API's model requires this field, so a request without it is refused.
    #[serde(rename = "Timestamp")]
    _timestamp: f64,
    pub(super) request_count: u64,
    pub(super) sampled_count: u64,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) borrow_count: u64,
}

/// How much a client may sample by one rule until it asks again.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SamplingTarget {
    rule_name: String,
    fixed_rate: f64,
    reservoir_quota: u32,
    #[serde(rename = "ReservoirQuotaTTL")]
    reservoir_quota_ttl: f64,
    interval: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sampling_boost: Option<SamplingBoost>,
}

/// Statistics that were refused, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UnprocessedStatistics {
    rule_name: String,
    error_code: &'static str,
    message: String,
}

impl UnprocessedStatistics {
    /// Returns the response for statistics with an error. SDKs react to a code that starts with 4 by reading the rules
    /// again at once.
    pub(super) fn new(rule_name: &str, message: String) -> Self {
        Self { rule_name: rule_name.to_owned(), error_code: "400", message }
    }
}

/// The valid shares of one rule's reservoir, by client.
#[derive(Debug, Default)]
pub(super) struct Shares(BTreeMap<String, Share>);

#[derive(Debug)]
struct Share {
    quota: u32,
    until: f64,
}

impl Shares {
    /// Gives a client an equal part of the reservoir, as far as other clients' shares leave room.
    ///
    /// A share is never taken back before its owner asks again, so the sum of all shares never exceeds the reservoir. A
    /// new client therefore waits until the others have asked.
    pub(super) fn renew(&mut self, rule: &SamplingRule, client: &str, now: f64) -> SamplingTarget {
        self.0.retain(|_, share| share.until > now);
        let is_known = self.0.contains_key(client);
        if is_known || self.0.len() < MAX_CLIENTS {
            self.0.insert(client.to_owned(), Share { quota: 0, until: now + TTL });
        }
        let held: u32 = self.0.values().map(|share| share.quota).sum();
        let free = rule.reservoir_size.saturating_sub(held);
        let quota = self.equal_part(rule.reservoir_size, client).min(free);
        if let Some(share) = self.0.get_mut(client) {
            share.quota = quota;
        }
        SamplingTarget {
            rule_name: rule.rule_name.clone(),
            fixed_rate: rule.fixed_rate,
            reservoir_quota: quota,
            reservoir_quota_ttl: now + TTL,
            interval: INTERVAL,
            sampling_boost: None,
        }
    }

    /// Returns a client's equal part. The remainder of the division goes to the clients that are first in order.
    fn equal_part(&self, reservoir: u32, client: &str) -> u32 {
        let Some(rank) = self.0.keys().position(|key| key == client) else { return 0 };
        let (clients, rank) = (to_u32(self.0.len()), to_u32(rank));
        reservoir / clients + u32::from(rank < reservoir % clients)
    }
}

fn to_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quotas(shares: &mut Shares, reservoir: u32, clients: &[&str], now: f64) -> Vec<u32> {
        let rule = SamplingRule { reservoir_size: reservoir, ..SamplingRule::fallback() };
        clients.iter().map(|client| shares.renew(&rule, client, now).reservoir_quota).collect()
    }

    #[test]
    fn shares_are_equal_and_never_exceed_the_reservoir() {
        let mut shares = Shares::default();
        assert_eq!(quotas(&mut shares, 10, &["a"], 0.0), [10], "alone");
        assert_eq!(quotas(&mut shares, 10, &["b"], 1.0), [0], "the first client holds the whole reservoir");
        assert_eq!(quotas(&mut shares, 10, &["a", "b"], 10.0), [5, 5]);
        assert_eq!(quotas(&mut shares, 10, &["c"], 11.0), [0]);
        assert_eq!(quotas(&mut shares, 10, &["a", "b", "c"], 20.0), [4, 3, 3]);
        assert_eq!(quotas(&mut shares, 10, &["a"], 39.9), [4], "the shares of the others are still valid");
        assert_eq!(quotas(&mut shares, 10, &["a"], 40.1), [10], "the shares of the others have expired");
    }

    #[test]
    fn shares_follow_a_reservoir_that_shrinks() {
        let mut shares = Shares::default();
        assert_eq!(quotas(&mut shares, 10, &["a"], 0.0), [10]);
        assert_eq!(quotas(&mut shares, 4, &["b"], 1.0), [0]);
        assert_eq!(quotas(&mut shares, 4, &["a", "b"], 10.0), [2, 2]);
        assert_eq!(quotas(&mut shares, 0, &["a", "b"], 20.0), [0, 0]);
    }

    #[test]
    fn clients_beyond_the_limit_get_no_share() {
        let mut shares = Shares::default();
        let rule = SamplingRule { reservoir_size: u32::MAX, ..SamplingRule::fallback() };
        for client in 0..MAX_CLIENTS {
            shares.0.insert(format!("{client:024}"), Share { quota: 1, until: 5.0 });
        }
        assert_eq!(shares.renew(&rule, "one more", 1.0).reservoir_quota, 0);
        assert_eq!(shares.0.len(), MAX_CLIENTS);
        assert_eq!(shares.renew(&rule, "one more", 6.0).reservoir_quota, u32::MAX);
    }
}
