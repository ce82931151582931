//! The place of a call in the source of an annotated function, and the options that hold there.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::function::Function;
use crate::document::AnnotationValue;
use crate::document::url::Url;
use crate::live::context;
use crate::live::missing::MissingContext;
use crate::recorder::Recorder;
use crate::support::wildcard;

/// The place in an annotated function where a call is made.
///
/// [`Traceable::traced`](super::Traceable::traced) gets one, and the traced twin keeps it until the call is made: see
/// [`parent`](Self::parent) and [`DeferredCall::new`](super::DeferredCall::new).
#[derive(Clone)]
pub struct CallSite {
    within: &'static FunctionSite,
    line: u32,
    annotations: Annotations,
}

impl CallSite {
    /// Returns the source file.
    #[must_use]
    pub fn file(&self) -> &'static str {
        self.within.function().file()
    }

    /// Returns the line, counted from 1.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.line
    }

    /// Returns the site of a call that no attribute knows of.
    pub(super) fn manual() -> Self {
        static NOWHERE: FunctionSite = FunctionSite::new("", "", 0);
        NOWHERE.at(0)
    }

    /// Returns the name that the source gives to the call's subsegment: `#[xray(name = "..")]`.
    pub(super) fn name(&self) -> Option<&'static str> {
        self.within.name
    }

    /// Returns whether `skip_hosts(..)` leaves calls to some hosts alone.
    #[inline]
    pub(super) fn has_skip_hosts(&self) -> bool {
        !self.skip_hosts().is_empty()
    }

    fn skip_hosts(&self) -> &'static [&'static str] {
        self.within.outermost().skip_hosts
    }

    /// Returns whether `skip_hosts(..)` leaves a call to this URL alone.
    pub(super) fn skips(&self, url: &Url<'_>) -> bool {
        let skips = |host: &str| self.skip_hosts().iter().any(|pattern| wildcard::matches(pattern, host));
        self.has_skip_hosts() && url.host().is_some_and(|host| skips(&host))
    }

    /// Notes that the call was reached, and that its type, of the name `type_name`, is not one that is traced.
    pub(crate) fn note_unknown(self, type_name: &'static str) {
        self.within.function().note_unknown(self.line, type_name);
    }

    /// Notes that the call is made where no segment is current. Returns what is to be logged, the first time.
    #[inline]
    pub(super) fn note_missing(&self) -> Option<MissingContext> {
        self.within.function().note_missing(self.line)
    }

    /// Notes that a call of the function was traced.
    #[inline]
    pub(super) fn note_traced(&self) {
        self.within.function().note_traced();
    }

    /// Returns the annotations for the subsegment.
    pub(super) fn annotations(&self) -> BTreeMap<String, AnnotationValue> {
        // Most functions have none. Collecting from an empty iterator takes longer than this test.
        if self.annotations.0.is_none() { BTreeMap::new() } else { self.annotations.pairs().collect() }
    }
}

impl fmt::Debug for CallSite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CallSite")
            .field("file", &self.file())
            .field("line", &self.line())
            .finish_non_exhaustive()
    }
}

/// The calls in an annotated function, or in a part of it, as the source describes them: a static in the macro's
/// output.
#[doc(hidden)]
#[derive(Debug)]
pub struct FunctionSite {
    within: Within,
    name: Option<&'static str>,
    skip_hosts: &'static [&'static str],
}

#[derive(Debug)]
enum Within {
    /// The site is the whole function.
    Function(Function),
    /// The site is an expression in this one, with a name of its own.
    Site(&'static FunctionSite),
}

impl FunctionSite {
    /// Describes a function that is defined at this position.
    #[must_use]
    pub const fn new(name: &'static str, file: &'static str, line: u32) -> Self {
        Self { within: Within::Function(Function::new(name, file, line)), name: None, skip_hosts: &[] }
    }

    /// Describes an expression in this function whose subsegments have a name of their own: `#[xray(name = "..")]`.
    #[must_use]
    pub const fn with_name(&'static self, name: &'static str) -> Self {
        Self { within: Within::Site(self), name: Some(name), skip_hosts: &[] }
    }

    #[inline]
    fn outermost(&'static self) -> &'static Self {
        match self.within {
            Within::Function(_) => self,
            Within::Site(site) => site.outermost(),
        }
    }

    #[inline]
    fn function(&'static self) -> &'static Function {
        match &self.within {
            Within::Function(function) => function,
            Within::Site(site) => site.function(),
        }
    }

    /// Sets the name of the function's subsegments: `#[traced_http(name = "..")]`.
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// Returns the call on this line.
    #[must_use]
    pub const fn at(&'static self, line: u32) -> CallSite {
        CallSite { within: self, line, annotations: Annotations(None) }
    }

    /// Returns the call on this line, in a run of the function that has annotations.
    #[must_use]
    pub fn at_with(&'static self, line: u32, annotations: &Annotations) -> CallSite {
        CallSite { within: self, line, annotations: annotations.clone() }
    }

    /// Sets the patterns of the hosts whose calls are left alone.
    #[must_use]
    pub const fn skip_hosts(mut self, patterns: &'static [&'static str]) -> Self {
        self.skip_hosts = patterns;
        self
    }
}

/// The annotations that `annotate(..)` of the attribute adds to the subsegments of one run of a function.
#[derive(Debug, Clone)]
pub struct Annotations(Option<Arc<Vec<Annotation>>>);

type Annotation = (&'static str, AnnotationValue);

impl Annotations {
    /// Creates the annotations. `make` runs only in a sampled segment, because its expressions are the user's and may be
    /// slow.
    pub fn new(make: impl FnOnce() -> Vec<Annotation>) -> Self {
        let context = context::current();
        Self(context.is_sampled().then(|| Arc::new(accepted(make(), context.recorder()))))
    }

    /// Returns keys and values.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (String, AnnotationValue)> + use<'_> {
        let annotations = self.0.iter().flat_map(|annotations| annotations.iter());
        annotations.map(|(key, value)| ((*key).to_owned(), value.clone()))
    }
}

/// Returns the annotations that X-Ray accepts. The recorder counts the others.
fn accepted(annotations: Vec<Annotation>, recorder: &Recorder) -> Vec<Annotation> {
    annotations.into_iter().filter_map(|(key, value)| Some((key, recorder.accept_annotation(key, value)?))).collect()
}
