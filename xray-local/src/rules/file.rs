//! The file that keeps the rules. It has the form of a `GetSamplingRules` response, so
//! `aws xray get-sampling-rules > FILE` creates one.

use std::fs::{self, File};
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
        let text = match fs::read_to_string(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            read => read?,
        };
        let content: Content<_> = serde_json::from_str(&text)?;
        Ok(content.sampling_rule_records)
    }

    /// Writes the file. The target of a symbolic link is written, not the link.
    pub(super) fn write(&self, records: &[&SamplingRuleRecord]) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(&Content { sampling_rule_records: records })?;
        text.push(b'\n');
        let path = match fs::canonicalize(&self.0) {
            // The file does not exist, or a symbolic link leads to no file.
            Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::symlink_metadata(&self.0) {
                Ok(_) => return overwrite(&self.0, &text),
                Err(_) => self.0.clone(),
            },
            path => path?,
        };
        match replace(&path, &text) {
            Err(error) if needs_overwriting(&error) && path.exists() => overwrite(&path, &text),
            replaced => replaced,
        }
    }
}

/// Replaces a file and keeps its permissions. Renaming a complete temporary file means that a reader, or a restart
/// after a crash, sees either the old rules or the new ones.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut file = NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))?;
    if let Ok(metadata) = fs::metadata(path) {
        file.as_file().set_permissions(metadata.permissions())?;
    }
    file.write_all(text)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Returns whether an existing file may be written although it cannot be replaced: it is mounted into a container by
/// itself, or the program may not create files in its directory.
fn needs_overwriting(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, ReadOnlyFilesystem, ResourceBusy};

    matches!(error.kind(), ResourceBusy | CrossesDevices | PermissionDenied | ReadOnlyFilesystem)
}

/// Writes a file in its place. Creates it if it does not exist; only the user of the program can then read it.
fn overwrite(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = File::options();
    options.create(true).write(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::process::Command;

    use super::*;

    const NO_RULES: &str = "{\n  \"SamplingRuleRecords\": []\n}\n";

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn an_existing_file_keeps_its_permissions() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rules.json");
        RulesFile::new(&path).write(&[]).unwrap();
        assert_eq!(mode(&path), 0o600, "a new file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).unwrap();
        RulesFile::new(&path).write(&[]).unwrap();
        assert_eq!((mode(&path), fs::read_to_string(&path).unwrap().as_str()), (0o664, NO_RULES));
    }

    #[test]
    fn a_symbolic_link_stays_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let (target, link) = (directory.path().join("rules.json"), directory.path().join("link.json"));
        symlink("rules.json", &link).unwrap();
        // The first time, the target does not exist.
        for _ in 0..2 {
            RulesFile::new(&link).write(&[]).unwrap();
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert_eq!((mode(&target), fs::read_to_string(&target).unwrap().as_str()), (0o600, NO_RULES));
        }
    }

    /// `docker run --volume ./rules.json:/rules.json` mounts a single file, which cannot be replaced.
    #[test]
    fn a_mounted_file_is_written_in_its_place() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rules.json");
        fs::write(&path, "a longer text than that of no rules, which must not remain after it").unwrap();
        let mount = Command::new("mount").arg("--bind").args([&path, &path]).output();
        if !mount.is_ok_and(|mount| mount.status.success()) {
            println!("skipped: this user cannot mount a file");
            return;
        }
        let written = RulesFile::new(&path).write(&[]);
        let text = fs::read_to_string(&path);
        assert!(Command::new("umount").arg(&path).status().unwrap().success());
        written.unwrap();
        assert_eq!(text.unwrap(), NO_RULES);
    }
}
