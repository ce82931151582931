//! Sampling by local rules, from code or from a file, without the daemon.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::{error, fmt};

use super::manifest::{self, MAX_BYTES, Problem};
use super::reservoir::Seconds;
use super::rule::Rule;
use super::{Decision, Sampler, SamplingRequest};

/// The default rule of the X-Ray SDKs: the requests sampled in each second, and the share of the others.
const DEFAULT_RULE: (u32, f64) = (1, 0.05);

/// A sampler with rules from code or from a file. It does not ask X-Ray.
///
/// The first [`Rule`] that matches a request decides. If none matches, the default rule decides: one request in each
/// second and 5 % of the others, unless [`default_rule`](LocalBuilder::default_rule) sets it.
///
/// * A segment without a [request](crate::SegmentBuilder::request), such as that of a job or a consumer, matches only
///   rules that name neither host, method nor path. A property that a request does not have matches every pattern, as
///   in the X-Ray SDKs for Go, Node.js and Python.
/// * Each sampler counts on its own: ten processes with one request a second sample ten requests a second.
/// * A second begins with a second of the wall clock. A clock that is set back does not refill a reservoir.
/// * Recorded documents do not name the rule: `aws.xray.sampling_rule_name` is for rules of X-Ray.
///
/// ```
/// use xray::sampling::{Local, Rule};
///
/// let sampler = Local::builder().rule(Rule::new(0, 0.0).path("/health")).default_rule(10, 0.1).build();
/// let recorder = xray::Recorder::builder().sampler(sampler).build();
///
/// let segment = xray::Segment::builder("shop").request("GET", "https://shop.example.com/health");
/// assert!(!segment.recorder(&recorder).begin().is_sampled());
/// ```
#[derive(Debug)]
pub struct Local {
    rules: Vec<Rule>,
    default: Rule,
    seconds: Seconds,
}

impl Local {
    /// Creates a builder without rules.
    ///
    /// ```
    /// use xray::sampling::{Local, Rule};
    ///
    /// let sampler = Local::builder()
    ///     .rule(Rule::new(0, 0.0).path("/health"))
    ///     .rule(Rule::new(5, 1.0).method("POST").path("/pay/*"))
    ///     .default_rule(1, 0.01)
    ///     .build();
    /// # let _ = sampler;
    /// ```
    pub fn builder() -> LocalBuilder {
        let (fixed_target, rate) = DEFAULT_RULE;
        LocalBuilder { rules: Vec::new(), default: Rule::new(fixed_target, rate) }
    }

    /// Creates a sampler from the JSON format of the X-Ray SDKs, version 1 or 2.
    ///
    /// In version 1, the pattern for hosts is called `service_name`. A rule may have a `description`. (Developer guide,
    /// X-Ray SDK for Java, "Configuring sampling rules".)
    ///
    /// ```
    /// use xray::sampling::Local;
    ///
    /// let rules = r#"{
    ///   "version": 2,
    ///   "rules": [
    ///     { "host": "*", "http_method": "*", "url_path": "/api/move/*", "fixed_target": 0, "rate": 0.05 }
    ///   ],
    ///   "default": { "fixed_target": 1, "rate": 0.1 }
    /// }"#;
    /// assert!(Local::from_json(rules).is_ok());
    ///
    /// let error = Local::from_json(&rules.replace("0.05", "5")).unwrap_err();
    /// assert_eq!(error.to_string(), "line 4: rules[0].rate is 5, expected a number from 0 to 1");
    /// assert_eq!(error.line(), Some(4));
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not JSON or is longer than 1 MiB, if it has another version, or if a field is
    /// missing, unknown, present twice, of another type or out of range. `fixed_target` is a whole number from 0 to
    /// 4294967295, `rate` a number from 0 to 1.
    pub fn from_json(text: &str) -> Result<Self, ManifestError> {
        let manifest = manifest::read(text).map_err(|problem| ManifestError { file: None, reason: problem.into() })?;
        Ok(LocalBuilder { rules: manifest.rules, default: manifest.default }.build())
    }

    /// Like [`from_json`](Self::from_json), but reads the text from a file. Later changes to the file have no effect.
    ///
    /// ```
    /// use xray::sampling::Local;
    ///
    /// let error = Local::from_file("no/such/rules.json").unwrap_err();
    /// assert!(error.to_string().starts_with("no/such/rules.json: "));
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`from_json`](Self::from_json), and an error if the file cannot be read or is not UTF-8.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ManifestError> {
        let path = path.as_ref();
        let in_file = |error| ManifestError { file: Some(path.to_owned()), ..error };
        let text =
            read_file(path).map_err(|error| in_file(ManifestError { file: None, reason: Reason::File(error) }))?;
        Self::from_json(&text).map_err(in_file)
    }

    // `second` is a parameter so that tests need no clock.
    fn sample_at(&self, request: &SamplingRequest<'_>, second: u32) -> Decision {
        let found = self.rules.iter().position(|rule| rule.is_for(request));
        let rule = found.map_or(&self.default, |index| &self.rules[index]);
        if rule.is_sampled(second) {
            Decision::sampled()
        } else {
            Decision::not_sampled_by(|| match found {
                Some(index) => format!("Local rule {}", index + 1),
                None => "Local default rule".to_owned(),
            })
        }
    }
}

/// The default of the X-Ray SDKs: one request in each second and 5 % of the others.
impl Default for Local {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl Sampler for Local {
    fn sample(&self, request: &SamplingRequest<'_>) -> Decision {
        self.sample_at(request, self.seconds.now())
    }
}

/// A builder of a [`Local`] sampler; see there for an example.
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct LocalBuilder {
    rules: Vec<Rule>,
    default: Rule,
}

impl LocalBuilder {
    /// Adds a rule after the rules added so far.
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Sets the rule for requests that no other rule matches. The numbers are those of [`Rule::new`].
    pub fn default_rule(mut self, fixed_target: u32, rate: f64) -> Self {
        self.default = Rule::new(fixed_target, rate);
        self
    }

    /// Creates the sampler.
    #[must_use]
    pub fn build(self) -> Local {
        Local { rules: self.rules, default: self.default, seconds: Seconds::start() }
    }
}

/// The error of reading sampling rules. The message names the file, the line and the field.
///
/// ```
/// use xray::sampling::Local;
///
/// let error = Local::from_json(r#"{"version": 3}"#).unwrap_err();
/// assert_eq!(error.to_string(), "line 1: version is 3, expected 1 or 2");
/// ```
#[derive(Debug)]
pub struct ManifestError {
    file: Option<PathBuf>,
    reason: Reason,
}

#[derive(Debug)]
enum Reason {
    File(io::Error),
    Manifest(Problem),
}

impl From<Problem> for Reason {
    fn from(problem: Problem) -> Self {
        Self::Manifest(problem)
    }
}

impl ManifestError {
    /// Returns the line of the error, from 1; `None` if the file cannot be read.
    ///
    /// ```
    /// use xray::sampling::Local;
    ///
    /// assert_eq!(Local::from_json("{\n\"version\": 3\n}").unwrap_err().line(), Some(2));
    /// assert_eq!(Local::from_file("no/such/rules.json").unwrap_err().line(), None);
    /// ```
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        match &self.reason {
            Reason::File(_) => None,
            Reason::Manifest(problem) => Some(problem.line),
        }
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(formatter, "{}: ", file.display())?;
        }
        match &self.reason {
            Reason::File(error) => write!(formatter, "{error}"),
            Reason::Manifest(Problem { line, message }) => write!(formatter, "line {line}: {message}"),
        }
    }
}

// No `source`: the message contains the cause already, and a logger that prints the chain would print it twice.
impl error::Error for ManifestError {}

/// Reads a text file of at most `MAX_BYTES`.
fn read_file(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    // A file may have no end, such as `/dev/zero`. One byte more than the limit shows that it is longer.
    File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, manifest::TOO_LONG));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    use super::*;

    /// Returns how many of a million requests are sampled: a thousand in each of a thousand seconds, by eight threads.
    fn sampled_of_a_million(sampler: &Local) -> u32 {
        let (next, request) = (AtomicU32::new(0), SamplingRequest::new("s"));
        let sample_next = || {
            let number = next.fetch_add(1, Ordering::Relaxed);
            (number < 1_000_000).then(|| u32::from(sampler.sample_at(&request, 1 + number / 1000).is_sampled()))
        };
        thread::scope(|scope| {
            let count = || std::iter::from_fn(sample_next).sum::<u32>();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(count)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        })
    }

    #[test]
    fn one_a_second_is_exactly_one_a_second() {
        // At most seven threads lag behind with one request each, so the first request of a second is never too late.
        assert_eq!(sampled_of_a_million(&Local::builder().default_rule(1, 0.0).build()), 1000);
        assert_eq!(sampled_of_a_million(&Local::builder().default_rule(0, 0.0).build()), 0);
    }

    #[test]
    fn one_a_second_and_five_percent_of_the_others() {
        // 5 % of the other 999,000 requests are 49,950, with a standard deviation of 217.8. By chance, one run of 5 *
        // 10^8 is further away than six standard deviations, 1,307.
        let share = sampled_of_a_million(&Local::default()) - 1000;
        assert!(share.abs_diff(49_950) <= 1307, "{share}");
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        let sampler = Local::builder()
            .rule(Rule::new(0, 0.0).path("/pay/health"))
            .rule(Rule::new(0, 1.0).path("/pay/*"))
            .rule(Rule::new(0, 0.0))
            .default_rule(0, 1.0)
            .build();
        let request = SamplingRequest::new("s");
        for (path, is_sampled) in [("/pay/health", false), ("/pay/7", true), ("/cart", false)] {
            assert_eq!(sampler.sample_at(&request.with_path(path), 1).is_sampled(), is_sampled, "{path}");
        }
    }

    #[test]
    fn a_manifest_may_be_as_long_as_its_limit() {
        let path = std::env::temp_dir().join(format!("xray-long-manifest-{}", std::process::id()));
        for (bytes, expected) in [(MAX_BYTES, None), (MAX_BYTES + 1, Some(manifest::TOO_LONG))] {
            let mut text = r#"{"version": 2, "default": {"fixed_target": 1, "rate": 0}}"#.to_owned();
            text.extend(std::iter::repeat_n(' ', bytes - text.len()));
            std::fs::write(&path, &text).unwrap();
            for read in [Local::from_json(&text), Local::from_file(&path)] {
                let problem = read.err().map(|error| error.to_string());
                assert_eq!(problem.as_deref().and_then(|problem| problem.rsplit(": ").next()), expected);
            }
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn each_rule_has_its_own_reservoir() {
        let sampler = Local::builder().rule(Rule::new(2, 0.0).path("/a")).default_rule(1, 0.0).build();
        let decisions = |path: &str, second| {
            let request = SamplingRequest::new("s").with_path(path);
            (0..5).map(|_| sampler.sample_at(&request, second).is_sampled()).collect::<Vec<_>>()
        };
        for second in [1, 2, 7] {
            assert_eq!(decisions("/a", second), [true, true, false, false, false]);
            assert_eq!(decisions("/b", second), [true, false, false, false, false]);
        }
        assert_eq!(decisions("/a", 3), [false; 5], "a clock that goes back refills nothing");
    }

    #[test]
    fn local_decisions_name_no_rule() {
        assert_eq!(Local::default().sample_at(&SamplingRequest::new("s"), 1), Decision::sampled());
    }
}
