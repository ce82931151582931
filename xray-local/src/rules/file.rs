//! The file that keeps the rules. It has the form of a `GetSamplingRules` response, so
//! `aws xray get-sampling-rules > FILE` creates one.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::SamplingRuleRecord;

#[derive(Debug)]
pub(super) struct RulesFile(PathBuf);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content<T> {
    sampling_rule_records: T,
}

impl RulesFile {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Reads the rules. Returns no rules if the file does not exist.
    pub(super) fn read(&self) -> io::Result<Vec<SamplingRuleRecord>> {
        let text = match std::fs::read_to_string(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            read => read?,
        };
        let content: Content<_> = serde_json::from_str(&text)?;
        Ok(content.sampling_rule_records)
    }

    /// Replaces the file. Renaming a complete temporary file means that a reader, or a restart after a crash, sees
    /// either the old rules or the new ones.
    pub(super) fn write(&self, records: &[&SamplingRuleRecord]) -> io::Result<()> {
        let directory = self.0.parent().filter(|parent| !parent.as_os_str().is_empty());
        let mut file = NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))?;
        serde_json::to_writer_pretty(&mut file, &Content { sampling_rule_records: records })?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(&self.0)?;
        Ok(())
    }
}
