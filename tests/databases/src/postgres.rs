//! A real PostgreSQL server in a temporary directory.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sqlx::postgres::{PgPool, PgPoolOptions};

/// A PostgreSQL server, which is stopped when this value is dropped.
pub struct Postgres {
    server: Child,
    directory: PathBuf,
    port: u16,
}

impl Postgres {
    /// Starts a server. Returns `None` if PostgreSQL is not installed.
    ///
    /// # Panics
    ///
    /// Panics if the server does not start, or if it is not installed and the variable `XRAY_REAL_PARTS` is set.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            assert!(std::env::var_os("XRAY_REAL_PARTS").is_none(), "PostgreSQL is not installed");
            println!("skipped: PostgreSQL is not installed");
            return None;
        };
        let directory = std::env::temp_dir().join(format!("xray-postgres-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir(&directory).unwrap();
        let user = user(&directory);
        let data = directory.join("data");
        let created = user
            .command(&programs.join("initdb"))
            .args(["--auth=trust", "--username=app", "--no-sync", "--pgdata"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let server = user
            .command(&programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-F", "-h", "127.0.0.1", "-p", &port.to_string(), "-k"])
            .arg(&directory)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Some(Self { server, directory, port })
    }

    /// Returns the URL of a database, with a password.
    pub fn url(&self) -> String {
        format!("postgres://app:secret@127.0.0.1:{}/postgres", self.port)
    }

    /// Waits until the server accepts connections, and connects.
    ///
    /// # Panics
    ///
    /// Panics if the server does not accept connections within a minute.
    pub async fn pool(&self) -> PgPool {
        for _ in 0..600 {
            match PgPoolOptions::new().max_connections(2).connect(&self.url()).await {
                Ok(pool) => return pool,
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
        panic!("PostgreSQL does not start")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // After SIGINT the server closes its connections, frees its shared memory and ends.
        let _ = Command::new("kill").args(["-INT", &self.server.id().to_string()]).status();
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Returns the directory with the programs of the newest installed version. On Debian, the directory is not in `PATH`.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut programs: Vec<_> = versions.flatten().map(|version| version.path().join("bin")).collect();
    programs.sort();
    programs.into_iter().rfind(|programs| programs.join("initdb").exists() && programs.join("postgres").exists())
}

/// The user that runs the server. PostgreSQL refuses to run as root.
struct User {
    is_root: bool,
}

fn user(directory: &Path) -> User {
    let id = Command::new("id").arg("-u").output().unwrap();
    let is_root = id.stdout.starts_with(b"0\n");
    if is_root {
        let owned = Command::new("chown").arg("postgres").arg(directory).status().unwrap();
        assert!(owned.success(), "Debian's package has the user `postgres`");
    }
    User { is_root }
}

impl User {
    fn command(&self, program: &Path) -> Command {
        if !self.is_root {
            return Command::new(program);
        }
        // `setpriv` replaces its process by the program, so the child process is the server.
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
        command
    }
}
