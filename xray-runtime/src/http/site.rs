//! Where a call stands in the source of an annotated function, and what that says of it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::function::{Function, Run};
use crate::context;
use crate::document::AnnotationValue;
use crate::document::url::Url;
use crate::recorder::Recorder;
use crate::sampling::wildcard;

/// A call of an annotated function that is being made.
///
/// [`Traceable::traced`](super::Traceable::traced) gets one and hands it on when the call begins.
#[derive(Clone)]
pub struct Site {
    place: &'static Place,
    line: u32,
    annotations: Annotations,
}

impl Site {
    /// The source file.
    #[must_use]
    pub fn file(&self) -> &'static str {
        (self.place.function)().file()
    }

    /// The line, from 1.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.line
    }

    /// A call that no attribute knows of.
    pub(super) fn manual() -> Self {
        fn nobody() -> &'static Function {
            static NOBODY: Function = Function::new("", "", 0);
            &NOBODY
        }
        const NOWHERE: Place = Place::new(nobody);
        NOWHERE.at(0)
    }

    /// The name that its subsegment is to have in place of the host's.
    pub(super) fn name(&self) -> Option<&'static str> {
        self.place.name
    }

    /// Whether calls to some hosts are to be left alone.
    #[inline]
    pub(super) fn has_skip_hosts(&self) -> bool {
        !self.place.skip_hosts.is_empty()
    }

    /// Whether a call to this URL is.
    pub(super) fn skips(&self, url: &Url<'_>) -> bool {
        let skips = |host: &str| self.place.skip_hosts.iter().any(|pattern| wildcard::matches(pattern, host));
        self.has_skip_hosts() && url.host().is_some_and(|host| skips(&host))
    }

    /// Notes that its type is none that is traced.
    pub(crate) fn note_unknown(self) {
        (self.place.function)().note_unknown();
    }

    #[inline]
    pub(super) fn note_traced(&self) {
        (self.place.function)().note_traced();
    }

    pub(super) fn annotations(&self) -> BTreeMap<String, AnnotationValue> {
        // Mostly there are none, for which to collect takes longer than to look.
        if self.annotations.0.is_none() { BTreeMap::new() } else { self.annotations.pairs().collect() }
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Site").field("file", &self.file()).field("line", &self.line()).finish_non_exhaustive()
    }
}

/// What the source alone says of the calls in a function: a constant in the macro's output.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Place {
    function: fn() -> &'static Function,
    name: Option<&'static str>,
    skip_hosts: &'static [&'static str],
}

impl Place {
    /// (A pointer to the function itself would be one to memory that changes, which no constant may hold.)
    #[must_use]
    pub const fn new(function: fn() -> &'static Function) -> Self {
        Self { function, name: None, skip_hosts: &[] }
    }

    /// One run of the function, until it is dropped.
    #[inline]
    #[must_use]
    pub fn run(&self) -> Run {
        (self.function)().run()
    }

    /// The name for the subsegment.
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// A call on this line.
    #[must_use]
    pub const fn at(&'static self, line: u32) -> Site {
        Site { place: self, line, annotations: Annotations(None) }
    }

    /// The same in a run of a function that has annotations.
    #[must_use]
    pub fn at_with(&'static self, line: u32, annotations: &Annotations) -> Site {
        Site { place: self, line, annotations: annotations.clone() }
    }

    /// Hosts that are left alone.
    #[must_use]
    pub const fn skip_hosts(mut self, patterns: &'static [&'static str]) -> Self {
        self.skip_hosts = patterns;
        self
    }
}

/// What `annotate(..)` of the attribute adds to the subsegments of one run of a function.
#[derive(Debug, Clone)]
pub struct Annotations(Option<Arc<Vec<Annotation>>>);

type Annotation = (&'static str, AnnotationValue);

impl Annotations {
    /// The values are made only below a segment that is sampled.
    pub fn new(make: impl FnOnce() -> Vec<Annotation>) -> Self {
        let context = context::current();
        Self(context.is_sampled().then(|| Arc::new(accepted(make(), context.recorder()))))
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (String, AnnotationValue)> + use<'_> {
        let annotations = self.0.iter().flat_map(|annotations| annotations.iter());
        annotations.map(|(key, value)| ((*key).to_owned(), value.clone()))
    }
}

fn accepted(annotations: Vec<Annotation>, recorder: &Recorder) -> Vec<Annotation> {
    annotations.into_iter().filter_map(|(key, value)| Some((key, recorder.accept(key, value)?))).collect()
}
