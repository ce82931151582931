//! The JSON of the requests to the daemon and of its responses. (X-Ray API, `GetSamplingRules` and
//! `GetSamplingTargets`.)
//!
//! Any program may listen at the daemon's address, and X-Ray adds fields without notice. So unknown fields are ignored,
//! and each rule and quota is read alone: an invalid one does not affect the others.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::rule_state::Counts;
use crate::sampling::patterns::Patterns;

/// Limit on the bytes of a name or pattern.
// X-Ray's own limit is 128 characters of up to four bytes. The time of a decision grows with the length of the
// patterns.
const MAX_TEXT_BYTES: usize = 512;

/// Returns the body of a request for the first page of rules, or for the page of a token.
pub(super) fn rules_request(next_token: Option<&str>) -> String {
    match next_token {
        Some(token) => serde_json::json!({ "NextToken": token }).to_string(),
        None => "{}".to_owned(),
    }
}

/// The report about one rule.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Statistics {
    pub(super) rule_name: String,
    #[serde(rename = "ClientID")]
    pub(super) client_id: String,
    /// The time of the report in seconds since the Unix epoch.
    pub(super) timestamp: u64,
    #[serde(flatten)]
    pub(super) counts: Counts,
}

/// The report about the failed traces of a rule with a boost.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BoostStatistics {
    pub(super) rule_name: String,
    pub(super) service_name: String,
    /// The time of the report in seconds since the Unix epoch.
    pub(super) timestamp: u64,
    pub(super) anomaly_count: u64,
    pub(super) total_count: u64,
    pub(super) sampled_anomaly_count: u64,
}

/// Returns the body of a report. Without boosts, the body has no field for them: X-Ray has known that field since 2025,
/// but another program at the daemon's address may refuse it.
pub(super) fn targets_request(statistics: &[Statistics], boosts: &[BoostStatistics]) -> serde_json::Result<String> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request<'a> {
        sampling_statistics_documents: &'a [Statistics],
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        sampling_boost_statistics_documents: &'a [BoostStatistics],
    }
    serde_json::to_string(&Request {
        sampling_statistics_documents: statistics,
        sampling_boost_statistics_documents: boosts,
    })
}

/// The definition of a rule in X-Ray.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Definition {
    pub(super) name: String,
    /// The priority. The rule with the lowest number is tried first.
    pub(super) priority: i64,
    pub(super) patterns: Patterns,
    /// The share of the requests beyond the reservoir that is sampled, from 0 to 1.
    pub(super) fixed_rate: f64,
    /// The requests sampled in each second by all hosts together.
    pub(super) reservoir_size: u32,
    /// `true` if X-Ray may raise the rate after something failed.
    pub(super) has_boost: bool,
}

/// A page of rules.
#[derive(Debug, Default)]
pub(super) struct RulesPage {
    pub(super) definitions: Vec<Definition>,
    /// The names of the rules that are not for SDKs.
    pub(super) ignored: Vec<String>,
    /// The number of rules that could not be read.
    pub(super) rejected: usize,
    /// The token of the next page; `None` on the last page.
    pub(super) next_token: Option<String>,
}

impl RulesPage {
    /// Reads a response of `GetSamplingRules`.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not JSON or has no list of rules.
    pub(super) fn read(json: &[u8]) -> serde_json::Result<Self> {
        // The list is required: without it, any JSON object would pass for an account without rules.
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Response<'a> {
            #[serde(borrow)]
            sampling_rule_records: Vec<&'a RawValue>,
            next_token: Option<Value>,
        }
        let response: Response<'_> = serde_json::from_slice(json)?;
        // As a `Value`, because a token of another type must not discard the rules of this page.
        let next_token = match response.next_token {
            Some(Value::String(token)) if !token.is_empty() => Some(token),
            _ => None,
        };
        let mut page = Self { next_token, ..Self::default() };
        for record in response.sampling_rule_records {
            match Record::read(record) {
                Some(rule) => match rule.into_definition() {
                    Ok(definition) => page.definitions.push(definition),
                    Err(name) => page.ignored.push(name),
                },
                None => page.rejected += 1,
            }
        }
        Ok(page)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    sampling_rule: RuleFields,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RuleFields {
    rule_name: String,
    fixed_rate: f64,
    #[serde(default)]
    priority: Option<i64>,
    #[serde(default)]
    reservoir_size: Option<u32>,
    #[serde(default)]
    service_name: Option<String>,
    #[serde(default)]
    service_type: Option<String>,
    #[serde(default)]
    host: Option<String>,
    #[serde(default, rename = "HTTPMethod")]
    http_method: Option<String>,
    #[serde(default, rename = "URLPath")]
    url_path: Option<String>,
    #[serde(default)]
    version: Option<i64>,
    #[serde(default, rename = "ResourceARN")]
    resource_arn: Option<String>,
    #[serde(default)]
    attributes: Option<Map<String, Value>>,
    #[serde(default)]
    sampling_rate_boost: Option<Value>,
}

impl Record {
    /// Reads one rule; `None` if it is invalid.
    fn read(json: &RawValue) -> Option<RuleFields> {
        let Self { sampling_rule: rule } = serde_json::from_str(json.get()).ok()?;
        let patterns = [&rule.service_name, &rule.service_type, &rule.host, &rule.http_method, &rule.url_path];
        let is_short = |text: &String| text.len() <= MAX_TEXT_BYTES;
        let is_valid = !rule.rule_name.is_empty()
            && is_short(&rule.rule_name)
            && patterns.into_iter().flatten().all(is_short)
            && is_rate(rule.fixed_rate);
        is_valid.then_some(rule)
    }
}

impl RuleFields {
    /// Returns the definition of the rule, or the name of a rule that is not for SDKs.
    fn into_definition(self) -> Result<Definition, String> {
        const VERSION: i64 = 1;
        const ANY: &str = "*";
        /// The priority of the rule `Default`. The other rules have 1 to 9999.
        const LAST: i64 = 10_000;
        // The other X-Ray SDKs ignore these rules too. An SDK knows neither the ARN of the resource nor the attributes
        // of a request, and to match the rule without them would apply it to requests that it is not for.
        let is_for_sdks = self.version.unwrap_or(VERSION) == VERSION
            && self.resource_arn.as_deref().unwrap_or(ANY) == ANY
            && self.attributes.is_none_or(|attributes| attributes.is_empty());
        if !is_for_sdks {
            return Err(self.rule_name);
        }
        let pattern = |given: Option<String>| given.unwrap_or_else(|| ANY.to_owned());
        Ok(Definition {
            name: self.rule_name,
            priority: self.priority.unwrap_or(LAST),
            patterns: Patterns {
                service_name: pattern(self.service_name),
                service_type: pattern(self.service_type),
                host: pattern(self.host),
                method: pattern(self.http_method),
                path: pattern(self.url_path),
            },
            fixed_rate: self.fixed_rate,
            reservoir_size: self.reservoir_size.unwrap_or(0),
            has_boost: self.sampling_rate_boost.is_some(),
        })
    }
}

/// The quota and rate of a rule. An absent field leaves the previous value in force.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Target {
    pub(super) rule_name: String,
    /// The share of the requests beyond the quota that is sampled, from 0 to 1.
    pub(super) fixed_rate: Option<f64>,
    /// The requests that this host may sample in each second.
    pub(super) reservoir_quota: Option<u32>,
    /// The end of the quota in seconds since the Unix epoch.
    #[serde(rename = "ReservoirQuotaTTL")]
    pub(super) reservoir_quota_ttl: Option<f64>,
    /// The number of seconds until the next report about the rule.
    pub(super) interval: Option<u32>,
    /// The rate that temporarily replaces `fixed_rate`. An invalid boost is ignored, so that the quota is still read.
    #[serde(default, deserialize_with = "valid_boost")]
    pub(super) sampling_boost: Option<Boost>,
}

/// The rate of a boost, and its end.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Boost {
    /// The share of the requests beyond the quota that is sampled, from 0 to 1.
    pub(super) boost_rate: f64,
    /// The end of the boost in seconds since the Unix epoch.
    #[serde(rename = "BoostRateTTL")]
    pub(super) boost_rate_ttl: f64,
}

fn valid_boost<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Boost>, D::Error> {
    let boost = serde_json::from_value(Value::deserialize(deserializer)?).ok();
    Ok(boost.filter(|boost: &Boost| is_rate(boost.boost_rate)))
}

/// The response to a report.
#[derive(Debug, Default)]
pub(super) struct Targets {
    pub(super) quotas: Vec<Target>,
    /// The number of quotas that could not be read.
    pub(super) rejected: usize,
    /// The time of the last change of a rule in X-Ray, in seconds since the Unix epoch.
    pub(super) last_rule_modification: Option<f64>,
    /// `true` if X-Ray refused a report because of its content, for example because it no longer has the rule.
    pub(super) is_refused: bool,
    /// The rules whose report X-Ray could not process, and may process later.
    unprocessed: Vec<String>,
}

impl Targets {
    /// Reads a response of `GetSamplingTargets`.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not a JSON object, or the quotas are not a list.
    pub(super) fn read(json: &[u8]) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Response<'a> {
            #[serde(borrow, default)]
            sampling_target_documents: Option<Vec<&'a RawValue>>,
            #[serde(default)]
            last_rule_modification: Option<Value>,
            #[serde(default)]
            unprocessed_statistics: Option<Value>,
        }
        let response: Response<'_> = serde_json::from_slice(json)?;
        let unprocessed = response.unprocessed_statistics.as_ref().and_then(Value::as_array);
        let mut targets = Self {
            last_rule_modification: response.last_rule_modification.and_then(|time| time.as_f64()),
            is_refused: unprocessed.is_some_and(|unprocessed| unprocessed.iter().any(is_callers_mistake)),
            unprocessed: unprocessed.into_iter().flatten().filter_map(rule_to_report_again).collect(),
            ..Self::default()
        };
        for document in response.sampling_target_documents.unwrap_or_default() {
            let target = serde_json::from_str(document.get()).ok();
            match target.filter(|target: &Target| target.fixed_rate.is_none_or(is_rate)) {
                Some(target) => targets.quotas.push(target),
                None => targets.rejected += 1,
            }
        }
        Ok(targets)
    }

    /// Returns whether X-Ray could not process the report about a rule, and may process it later.
    pub(super) fn is_unprocessed(&self, rule_name: &str) -> bool {
        self.unprocessed.iter().any(|name| name == rule_name)
    }
}

/// Returns whether X-Ray refused a report because of its content. The codes are those of HTTP: 4xx for a wrong report,
/// 5xx for a failure of X-Ray, after which the report may succeed.
fn is_callers_mistake(unprocessed: &Value) -> bool {
    unprocessed["ErrorCode"].as_str().is_some_and(|code| code.starts_with('4'))
}

/// Returns the name of the rule whose report X-Ray could not process because of a failure of its own.
fn rule_to_report_again(unprocessed: &Value) -> Option<String> {
    let is_failure = unprocessed["ErrorCode"].as_str().is_some_and(|code| code.starts_with('5'));
    unprocessed["RuleName"].as_str().filter(|_| is_failure).map(str::to_owned)
}

fn is_rate(rate: f64) -> bool {
    (0.0..=1.0).contains(&rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(rules: &[&str]) -> RulesPage {
        let records: Vec<_> = rules.iter().map(|rule| format!(r#"{{"SamplingRule":{rule}}}"#)).collect();
        RulesPage::read(format!(r#"{{"SamplingRuleRecords":[{}]}}"#, records.join(",")).as_bytes()).unwrap()
    }

    #[test]
    fn another_page_follows_if_there_is_a_token_for_it() {
        let of = |token: &str| {
            let json = format!(r#"{{"SamplingRuleRecords":[]{token}}}"#);
            RulesPage::read(json.as_bytes()).unwrap().next_token
        };
        assert_eq!(of(r#","NextToken":"a""#).as_deref(), Some("a"));
        for none in ["", r#","NextToken":"""#, r#","NextToken":null"#, r#","NextToken":7"#] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn a_rule_with_all_fields_of_x_ray_is_read() {
        let page = page(&[r#"{
            "Attributes": {}, "FixedRate": 0.5, "HTTPMethod": "GET", "Host": "*.example.com", "Priority": 7,
            "ReservoirSize": 3, "ResourceARN": "*", "RuleARN": "arn:aws:xray:::sampling-rule/pay", "RuleName": "pay",
            "ServiceName": "shop", "ServiceType": "AWS::ECS::Container", "URLPath": "/pay/*", "Version": 1,
            "SamplingRateBoost": { "MaxRate": 0.2, "CooldownWindowMinutes": 5 }
        }"#]);
        let patterns = Patterns {
            service_name: "shop".to_owned(),
            service_type: "AWS::ECS::Container".to_owned(),
            host: "*.example.com".to_owned(),
            method: "GET".to_owned(),
            path: "/pay/*".to_owned(),
        };
        let expected = Definition {
            name: "pay".to_owned(),
            priority: 7,
            patterns,
            fixed_rate: 0.5,
            reservoir_size: 3,
            has_boost: true,
        };
        assert_eq!((page.definitions, page.rejected), (vec![expected], 0));
    }

    #[test]
    fn rules_that_are_not_for_sdks_are_ignored() {
        let page = page(&[
            r#"{"RuleName":"a","FixedRate":1,"Version":2}"#,
            r#"{"RuleName":"b","FixedRate":1,"ResourceARN":"arn:aws:ecs"}"#,
            r#"{"RuleName":"c","FixedRate":1,"Attributes":{"tier":"gold"}}"#,
            r#"{"RuleName":"d","FixedRate":1,"Attributes":null}"#,
        ]);
        assert_eq!(page.definitions.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["d"]);
        assert_eq!(page.ignored, ["a", "b", "c"]);
        assert_eq!((page.definitions[0].priority, page.rejected), (10_000, 0));
    }

    #[test]
    fn an_invalid_rule_does_not_cost_the_valid_ones() {
        let long = format!(r#"{{"RuleName":"long","FixedRate":1,"URLPath":"{}"}}"#, "*a".repeat(500));
        let page = page(&[
            "7",
            "{}",
            "null",
            r#"{"RuleName":"","FixedRate":1}"#,
            r#"{"RuleName":"rate","FixedRate":1.5}"#,
            r#"{"RuleName":"rate","FixedRate":-0.1}"#,
            r#"{"RuleName":"rate","FixedRate":"all"}"#,
            r#"{"RuleName":"reservoir","FixedRate":1,"ReservoirSize":-1}"#,
            r#"{"RuleName":"reservoir","FixedRate":1,"ReservoirSize":1e99}"#,
            r#"{"RuleName":"host","FixedRate":1,"Host":["h"]}"#,
            &long,
            r#"{"RuleName":"good","FixedRate":1}"#,
        ]);
        assert_eq!(page.definitions.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["good"]);
        assert_eq!(page.rejected, 11);
    }

    #[test]
    fn a_page_has_a_list_of_rules_and_may_have_a_token() {
        let token = |json: &str| RulesPage::read(json.as_bytes()).map(|page| page.next_token);
        assert_eq!(token(r#"{"SamplingRuleRecords":[],"NextToken":"next"}"#).unwrap().as_deref(), Some("next"));
        for last in [r#"{"SamplingRuleRecords":[],"NextToken":null}"#, r#"{"NextToken":7,"SamplingRuleRecords":[]}"#] {
            assert_eq!(token(last).unwrap(), None, "{last}");
        }
        for json in ["", "<html>", "[]", "{}", r#"{"SamplingRuleRecords":{}}"#, r#"{"SamplingRuleRecords":null}"#] {
            assert!(token(json).is_err(), "{json}");
        }
        assert!(token(&"[".repeat(1_000_000)).is_err());
        assert!(RulesPage::read(&[0xff, 0, 0xfe]).is_err());
        assert_eq!(rules_request(None), "{}");
        assert_eq!(rules_request(Some("a\"b")), r#"{"NextToken":"a\"b"}"#);
    }

    #[test]
    fn a_report_has_the_names_of_the_x_ray_api() {
        let statistics = Statistics {
            rule_name: "pay".to_owned(),
            client_id: "0123456789abcdef01234567".to_owned(),
            timestamp: 1_795_339_362,
            counts: Counts { requests: 6, sampled: 5, borrowed: 1 },
        };
        let expected = serde_json::json!({ "SamplingStatisticsDocuments": [{
            "RuleName": "pay", "ClientID": "0123456789abcdef01234567", "Timestamp": 1_795_339_362,
            "RequestCount": 6, "SampledCount": 5, "BorrowCount": 1,
        }]});
        let request: Value = serde_json::from_str(&targets_request(&[statistics], &[]).unwrap()).unwrap();
        assert_eq!(request, expected);
        let boost = BoostStatistics {
            rule_name: "pay".to_owned(),
            service_name: "shop".to_owned(),
            timestamp: 1_795_339_362,
            anomaly_count: 2,
            total_count: 6,
            sampled_anomaly_count: 1,
        };
        let expected = serde_json::json!({ "SamplingStatisticsDocuments": [], "SamplingBoostStatisticsDocuments": [{
            "RuleName": "pay", "ServiceName": "shop", "Timestamp": 1_795_339_362,
            "AnomalyCount": 2, "TotalCount": 6, "SampledAnomalyCount": 1,
        }]});
        let request: Value = serde_json::from_str(&targets_request(&[], &[boost]).unwrap()).unwrap();
        assert_eq!(request, expected);
    }

    #[test]
    fn an_invalid_boost_does_not_cost_the_quota() {
        for (boost, expected) in [
            (
                r#"{"BoostRate":0.5,"BoostRateTTL":1795339362.0}"#,
                Some(Boost { boost_rate: 0.5, boost_rate_ttl: 1_795_339_362.0 }),
            ),
            (r#"{"BoostRate":1.5,"BoostRateTTL":1795339362.0}"#, None),
            (r#"{"BoostRate":0.5}"#, None),
            ("null", None),
            ("7", None),
        ] {
            let json = format!(
                r#"{{"SamplingTargetDocuments":[{{"RuleName":"a","ReservoirQuota":2,"SamplingBoost":{boost}}}]}}"#
            );
            let targets = Targets::read(json.as_bytes()).unwrap();
            assert_eq!(
                (&targets.quotas[0].sampling_boost, targets.quotas[0].reservoir_quota),
                (&expected, Some(2)),
                "{boost}"
            );
        }
    }

    #[test]
    fn an_invalid_quota_does_not_cost_the_valid_ones() {
        let targets = Targets::read(
            br#"{
            "SamplingTargetDocuments": [
                {"RuleName":"a","FixedRate":0.1,"ReservoirQuota":2,"ReservoirQuotaTTL":1795339362.0,"Interval":10,
                 "SamplingBoost":{"BoostRate":0.5}},
                {"RuleName":"b","FixedRate":0,"ReservoirQuota":null,"ReservoirQuotaTTL":null,"Interval":null},
                {"RuleName":"c","FixedRate":2},
                {"FixedRate":1},
                "d"
            ],
            "LastRuleModification": 1795339000.5,
            "UnprocessedStatistics": [{"RuleName":"x","ErrorCode":"500","Message":"later"}],
            "UnprocessedBoostStatistics": 7
        }"#,
        )
        .unwrap();
        let names: Vec<_> = targets.quotas.iter().map(|target| target.rule_name.as_str()).collect();
        assert_eq!((names, targets.rejected, targets.is_refused), (vec!["a", "b"], 3, false));
        assert_eq!(["x", "a"].map(|name| targets.is_unprocessed(name)), [true, false]);
        assert_eq!(targets.last_rule_modification, Some(1_795_339_000.5));
        assert_eq!((targets.quotas[0].reservoir_quota, targets.quotas[1].reservoir_quota), (Some(2), None));
        assert_eq!(
            (targets.quotas[0].reservoir_quota_ttl, targets.quotas[0].interval),
            (Some(1_795_339_362.0), Some(10))
        );

        let unknown = Targets::read(br#"{"UnprocessedStatistics":[7,{"ErrorCode":"400"}],"LastRuleModification":"?"}"#);
        let unknown = unknown.unwrap();
        assert!(unknown.is_refused && unknown.last_rule_modification.is_none());
        assert!(Targets::read(b"<html>").is_err());
    }
}
