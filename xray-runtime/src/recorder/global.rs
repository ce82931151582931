//! The recorder of the process.

use std::fmt;

use once_cell::sync::OnceCell;

use super::builder::log_rejected;
use super::environment::Environment;
use super::{Recorder, RecorderBuilder};
use crate::support::stats::Stats;

// Two cells, because a segment or a thread may hold the `&'static` reference to the automatic recorder when the program
// installs its own. A cell cannot be written twice, so the installed recorder gets a cell that is looked at first.
/// The recorder that the program installed.
static INSTALLED: OnceCell<Recorder> = OnceCell::new();
/// The recorder that was built from the environment because a segment began and none was installed.
static FROM_ENVIRONMENT: OnceCell<Recorder> = OnceCell::new();

/// Returns the counters of the process-wide recorder. Builds that recorder from the environment if there is none.
#[must_use]
pub fn stats() -> Stats {
    Recorder::global().stats()
}

impl Recorder {
    /// Returns the process-wide recorder. Builds it from the environment if there is none.
    pub(crate) fn global() -> &'static Self {
        if let Some(recorder) = Self::existing_global() {
            return recorder;
        }
        // Built first and put in place afterwards, rather than inside `get_or_init`: rejected settings are logged, and
        // the program's logger may begin a segment or ask for `stats()`. Inside `get_or_init`, such a call would wait
        // forever for the cell that it is initialising. Threads that get here at once each build a recorder and all use
        // the first; the others have started no thread and are dropped.
        let (recorder, rejected) = Self::builder().build_with(Environment::of_process());
        match FROM_ENVIRONMENT.try_insert(recorder) {
            Ok(recorder) => {
                log_rejected(&rejected);
                recorder.log_settings_now();
                recorder.flush_at_process_end();
                recorder
            }
            Err((earlier, _)) => earlier,
        }
    }

    /// Returns whether the process has a recorder that records nothing. Builds no recorder to find out.
    #[cfg(feature = "tracing")]
    pub(crate) fn is_known_to_be_off() -> bool {
        Self::existing_global().is_some_and(|recorder| !recorder.is_enabled())
    }

    /// Returns whether the process-wide recorder records nothing, or would record nothing if there was one. Builds no
    /// recorder.
    pub(crate) fn is_global_off() -> bool {
        let of_environment = || Environment::of_process().0.enabled.unwrap_or(true);
        !Self::existing_global().map_or_else(of_environment, Self::is_enabled)
    }

    fn existing_global() -> Option<&'static Self> {
        INSTALLED.get().or_else(|| FROM_ENVIRONMENT.get())
    }
}

impl RecorderBuilder {
    /// Builds the recorder and makes it the recorder of the process, for all segments that begin later.
    ///
    /// A recorder installed on the main thread is flushed when that thread ends; see [`Recorder::flush`].
    ///
    /// ```
    /// let recorder = xray::Recorder::builder().service_name("todo-app").install()?;
    /// assert!(xray::Recorder::builder().install().is_err(), "the second one");
    /// # drop(recorder);
    /// # Ok::<(), xray::InstallError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the program has installed a recorder before. A recorder that was built from the environment
    /// is replaced; segments that have begun with it stay with it.
    pub fn install(self) -> Result<Recorder, InstallError> {
        let recorder = self.build();
        INSTALLED.set(recorder.clone()).map_err(|_| InstallError(()))?;
        recorder.log_settings_now();
        recorder.flush_at_process_end();
        Ok(recorder)
    }
}

/// The error of [`RecorderBuilder::install`]: the process has an installed recorder already.
///
/// ```
/// let first = xray::Recorder::builder().install();
/// let second = xray::Recorder::builder().install();
/// assert_eq!(second.unwrap_err().to_string(), "a recorder is already installed in this process");
/// # drop(first);
/// ```
pub struct InstallError(());

// `main` prints the `Debug` form of an error that it returns.
impl fmt::Debug for InstallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("InstallError").field(&self.to_string()).finish()
    }
}

impl fmt::Display for InstallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a recorder is already installed in this process")
    }
}

impl std::error::Error for InstallError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn main_prints_the_text_of_an_error_that_it_returns() {
        assert!(format!("{:?}", InstallError(())).contains(&InstallError(()).to_string()));
    }
}
