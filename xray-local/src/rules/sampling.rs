//! The choice of requests that the default rule records.

use super::rule::SamplingRule;

/// The choice of requests that the default rule of a server without a rules file records.
///
/// ```
/// use xray_local::{Sampling, Server};
///
/// let server = Server::builder().address("127.0.0.1:0").sampling(Sampling::Aws).start()?;
/// # Ok::<(), xray_local::StartError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sampling {
    /// Every request.
    #[default]
    Everything,
    /// One request per second and 5 % of the others, like the default rule of X-Ray. (X-Ray developer guide,
    /// "Configuring sampling rules".)
    Aws,
}

impl Sampling {
    /// Returns the default rule.
    pub(super) fn rule(self) -> SamplingRule {
        let aws = SamplingRule::fallback();
        match self {
            Self::Aws => aws,
            // The reservoir stays at 1: with a rate of 1, a larger reservoir would record no more requests.
            Self::Everything => SamplingRule { fixed_rate: 1.0, ..aws },
        }
    }
}
