//! moto, a server in place of AWS.

use std::env;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// A server of moto, which ends when it is dropped.
///
/// It runs from the virtual environment `target/moto` with the packages of `requirements.txt`, which `.ci/run` creates.
pub struct Moto {
    process: Child,
    programs: PathBuf,
    url: String,
}

impl Moto {
    /// Starts a server. Returns `None` without the virtual environment.
    ///
    /// # Panics
    ///
    /// Panics in place of returning `None` if the environment variable `XRAY_REAL_PARTS` is set.
    pub fn start() -> Option<Self> {
        let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/moto/bin");
        let server = programs.join("moto_server");
        if !server.exists() {
            assert!(env::var_os("XRAY_REAL_PARTS").is_none(), "{} is missing", server.display());
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut process = Command::new(server)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(process.try_wait().unwrap().is_none(), "moto has ended");
            thread::sleep(Duration::from_millis(20));
        }
        Some(Self { process, programs, url: format!("http://127.0.0.1:{port}") })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the host and the port.
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Returns the Python of the virtual environment, which has boto3.
    pub fn python(&self) -> PathBuf {
        self.programs.join("python")
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
