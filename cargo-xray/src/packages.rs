//! The packages of a workspace and their targets, as `cargo metadata` reports them.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

/// The packages of the workspace.
#[derive(Debug, Deserialize)]
pub(crate) struct Packages {
    #[serde(rename = "packages")]
    members: Vec<Package>,
    workspace_root: PathBuf,
    #[serde(default)]
    workspace_default_members: Vec<String>,
    /// The manifest of the directory in which the program runs, or that of `--manifest-path`.
    #[serde(skip)]
    manifest: PathBuf,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    id: String,
    pub(crate) name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    rename: Option<String>,
    /// `dev` or `build`. `None` for a dependency of the package itself.
    kind: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Target {
    kind: Vec<String>,
    src_path: PathBuf,
}

/// The kinds of targets that are not read. Tests and build scripts do not run in production.
const LEFT_OUT: &[&str] = &["test", "bench", "custom-build"];

impl Packages {
    /// Runs `cargo metadata`, which reads the manifests only.
    pub(crate) fn read(manifest: Option<&Path>) -> Result<Self, String> {
        let manifest = match manifest {
            Some(manifest) => manifest.to_owned(),
            None => nearest_manifest()?,
        };
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["metadata", "--no-deps", "--format-version=1", "--manifest-path"])
            .arg(&manifest)
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| format!("`cargo metadata` cannot be run: {error}"))?;
        if !output.status.success() {
            return Err("`cargo metadata` failed".to_owned());
        }
        let packages: Self = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("the output of `cargo metadata` cannot be read: {error}"))?;
        let manifest = manifest.canonicalize().unwrap_or(manifest);
        Ok(Self { manifest, ..packages })
    }

    /// Returns the packages with these names. Without a name, these are the packages that `cargo build` would build:
    /// that of the current directory, or the default members of the workspace.
    pub(crate) fn choose(&self, names: &[String], is_all: bool) -> Result<Vec<&Package>, String> {
        if is_all {
            return Ok(self.members.iter().collect());
        }
        if !names.is_empty() {
            let is_absent = |name: &&String| self.members.iter().all(|package| package.name != **name);
            if let Some(absent) = names.iter().find(is_absent) {
                return Err(format!("the workspace has no package `{absent}`"));
            }
            return Ok(self.members.iter().filter(|package| names.contains(&package.name)).collect());
        }
        let is_current = |package: &&Package| is_same(&package.manifest_path, &self.manifest);
        let is_root = is_same(&self.workspace_root.join("Cargo.toml"), &self.manifest);
        match self.members.iter().find(is_current) {
            Some(current) if !is_root => Ok(vec![current]),
            _ => {
                let is_default = |package: &&Package| self.workspace_default_members.contains(&package.id);
                Ok(self.members.iter().filter(is_default).collect())
            }
        }
    }
}

impl Package {
    /// Returns the path of the package's `Cargo.toml`.
    pub(crate) fn manifest(&self) -> &Path {
        &self.manifest_path
    }

    /// Returns the source files in which the package's library, programs and examples begin.
    pub(crate) fn roots(&self) -> impl Iterator<Item = &Path> {
        let is_read = |target: &&Target| !target.kind.iter().any(|kind| LEFT_OUT.contains(&kind.as_str()));
        self.targets.iter().filter(is_read).map(|target| target.src_path.as_path())
    }

    /// Returns the name by which the package's code names the crate `xray`, if the package depends on it.
    pub(crate) fn runtime(&self) -> Option<String> {
        let is_runtime = |dependency: &&Dependency| dependency.name == "xray-sdk" && dependency.kind.is_none();
        let runtime = self.dependencies.iter().find(is_runtime)?;
        Some(runtime.rename.as_deref().unwrap_or("xray").replace('-', "_"))
    }
}

fn nearest_manifest() -> Result<PathBuf, String> {
    let current = env::current_dir().map_err(|error| format!("the current directory cannot be read: {error}"))?;
    let mut manifests = current.ancestors().map(|folder| folder.join("Cargo.toml"));
    manifests.find(|manifest| manifest.is_file()).ok_or_else(|| "there is no `Cargo.toml` here or above".to_owned())
}

fn is_same(one: &Path, other: &Path) -> bool {
    one == other || one.canonicalize().is_ok_and(|one| one == other)
}
