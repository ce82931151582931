//! The place of a call in an annotated function, and the attribute's options for it.

use std::fmt;
use std::sync::Arc;

use super::function::{Function, LeftAlone, Reason};
use crate::document::AnnotationValue;
#[cfg(feature = "aws-sdk")]
use crate::document::url::Url;
use crate::live::context;
use crate::live::missing::SourcePlace;
use crate::recorder::Recorder;

/// A call site: the place in an annotated function where a call is made.
///
/// [`Traceable::traced`](super::Traceable::traced) receives one. The traced twin keeps it until the call is made, and
/// passes it to [`DeferredCall::new`](super::DeferredCall::new), or calls [`parent`](Self::parent).
#[derive(Clone)]
pub struct CallSite {
    within: &'static CallSites,
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

    /// Returns the site of a call outside any annotated function, which is begun by [`call`](fn@super::call).
    pub(super) fn manual() -> Self {
        static NOWHERE: CallSites = CallSites::new("", "", 0);
        NOWHERE.at(0)
    }

    /// Returns the call sites of the function, or of the expression with its own name, that contains the call.
    #[inline]
    pub(super) fn within(&self) -> &'static CallSites {
        self.within
    }

    /// Notes that the call was reached, and that its type is not traceable. `type_name` is the name of the type.
    pub(crate) fn note_unknown(self, type_name: &'static str) {
        self.note_untraced(Reason::UnknownType, type_name);
    }

    /// Notes that the call was reached and is not traced. `type_name` is the type of its receiver or argument.
    pub(crate) fn note_untraced(self, reason: Reason, type_name: &'static str) {
        self.within.function().note_untraced(self.line, reason, type_name);
    }

    /// Returns whether [`log_missing`](Self::log_missing) has noted the call.
    #[inline]
    pub(super) fn is_missing_noted(&self) -> bool {
        self.within.function().is_missing_noted(self.line)
    }

    /// Notes that the call is made while no segment is current. The first time, passes the place to `log`.
    pub(super) fn log_missing(&self, log: impl FnOnce(SourcePlace)) {
        if let Some(place) = self.within.function().note_missing(self.line) {
            log(place);
        }
    }

    /// Returns the annotations that the attribute adds to the subsegment.
    #[inline]
    pub(crate) fn annotations(&self) -> &Annotations {
        &self.annotations
    }
}

/// Methods for operations of the AWS SDK, which have no [`CallParent`](super::CallParent).
#[cfg(feature = "aws-sdk")]
impl CallSite {
    /// Returns the name that the source gives to the call's subsegment: `#[xray(name = "..")]`.
    pub(crate) fn name(&self) -> Option<&'static str> {
        self.within.name()
    }

    /// Returns whether the attribute has the option `skip_hosts(..)`.
    pub(crate) fn has_skip_hosts(&self) -> bool {
        self.within.function().has_skip_hosts()
    }

    /// Returns whether `skip_hosts(..)` excludes a call to this URL.
    pub(crate) fn skips(&self, url: &Url<'_>) -> bool {
        self.within.function().skips(url)
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

/// The call on a line. The expansion contains this tuple instead of a call to a constructor. Each call in the user's
/// function would add a path for unwinding, and such paths take much of the compile time.
impl From<(&'static CallSites, u32)> for CallSite {
    #[inline]
    fn from((within, line): (&'static CallSites, u32)) -> Self {
        within.at(line)
    }
}

/// The call on a line of a function with annotations.
impl From<(&'static CallSites, u32, &Annotations)> for CallSite {
    fn from((within, line, annotations): (&'static CallSites, u32, &Annotations)) -> Self {
        Self { within, line, annotations: annotations.clone() }
    }
}

/// The call sites of an annotated function, or of an expression in the function that names its subsegments
/// (`#[xray(name = "..")]`), and the options for these calls. The macro's output has a static of this type for each
/// such function and expression.
#[doc(hidden)]
#[derive(Debug)]
pub struct CallSites {
    within: Within,
    name: Option<&'static str>,
    left_alone: &'static [LeftAlone],
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "each is part of a static, and none is moved")]
enum Within {
    /// The call sites of a whole function.
    Function(Function),
    /// The site is an expression. The field is the site that contains it.
    Site(&'static CallSites),
}

impl CallSites {
    /// Describes a function at this position in the source.
    #[must_use]
    pub const fn new(name: &'static str, file: &'static str, line: u32) -> Self {
        Self { within: Within::Function(Function::new(name, file, line)), name: None, left_alone: &[] }
    }

    /// Describes an expression in this function that names its subsegments: `#[xray(name = "..")]`.
    #[must_use]
    pub const fn with_name(&'static self, name: &'static str) -> Self {
        Self { within: Within::Site(self), name: Some(name), left_alone: &[] }
    }

    /// Returns the function that contains the call sites.
    #[inline]
    pub(super) fn function(&'static self) -> &'static Function {
        let mut site = self;
        loop {
            match &site.within {
                Within::Function(function) => return function,
                Within::Site(outer) => site = outer,
            }
        }
    }

    /// Sets the name of the function's subsegments: `#[traced_http(name = "..")]`.
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// Returns the name that the source gives to the subsegments.
    pub(super) fn name(&self) -> Option<&'static str> {
        self.name
    }

    /// Returns the site of the call on this line.
    #[must_use]
    pub(crate) const fn at(&'static self, line: u32) -> CallSite {
        CallSite { within: self, line, annotations: Annotations::NONE }
    }

    /// Sets the patterns of the hosts whose calls are not traced.
    #[must_use]
    pub const fn skip_hosts(mut self, patterns: &'static [&'static str]) -> Self {
        if let Within::Function(function) = &mut self.within {
            function.skip_hosts(patterns);
        }
        self
    }

    /// Sets the calls that the attribute leaves alone. Given only if it leaves all calls of the function alone.
    #[must_use]
    pub const fn left_alone(mut self, calls: &'static [LeftAlone]) -> Self {
        self.left_alone = calls;
        self
    }

    /// Notes that the function runs, and that none of its calls can be traced.
    #[inline]
    pub fn note_left_alone(&'static self) {
        self.function().note_left_alone(self.left_alone);
    }
}

/// The annotations that `annotate(..)` of the attribute adds to the subsegments of one run of a function.
#[derive(Debug, Clone)]
pub struct Annotations(Option<Arc<Vec<Annotation>>>);

type Annotation = (&'static str, AnnotationValue);

impl Annotations {
    /// No annotations.
    pub(super) const NONE: Self = Self(None);

    /// Creates the annotations. `make` evaluates the user's expressions, which may be slow, so it runs only in a
    /// sampled segment.
    pub fn new(make: impl FnOnce() -> Vec<Annotation>) -> Self {
        let context = context::current();
        Self(context.is_sampled().then(|| Arc::new(accepted(make(), context.recorder()))))
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the keys and values.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (String, AnnotationValue)> + use<'_> {
        let annotations = self.0.iter().flat_map(|annotations| annotations.iter());
        annotations.map(|(key, value)| ((*key).to_owned(), value.clone()))
    }
}

/// Returns the annotations that X-Ray accepts. The recorder counts the others.
fn accepted(annotations: Vec<Annotation>, recorder: &Recorder) -> Vec<Annotation> {
    annotations.into_iter().filter_map(|(key, value)| Some((key, recorder.accept_annotation(key, value)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_site_has_the_file_of_its_function_and_its_own_line() {
        static FUNCTION: CallSites = CallSites::new("get", "src/main.rs", 7);
        static NAMED: CallSites = FUNCTION.with_name("prices");
        for sites in [&FUNCTION, &NAMED] {
            let site = CallSite::from((sites, 9));
            assert_eq!((site.file(), site.line()), ("src/main.rs", 9));
            assert!(format!("{site:?}").contains("src/main.rs"), "{site:?}");
        }
    }
}
