//! Functions for tests that change their own process and that the standard library lacks: forking, and setting limits.
//!
//! The tests themselves contain no `unsafe`: it is all in this crate, one call of the C library in each function.
#![cfg(unix)]

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use std::{fs, thread};

/// A child process that was forked.
#[derive(Debug)]
pub struct Child(libc::pid_t);

/// Forks this process and runs `work` in the child, which then exits. Returns in the parent.
///
/// The child has the thread of the caller and no other. Its exit code is 0, or 101 after a panic.
///
/// # Panics
///
/// Panics if the system cannot fork.
pub fn fork(work: impl FnOnce()) -> Child {
    // SAFETY: the child runs Rust code in a process that had other threads. The C library keeps its own locks usable in
    // the child. Locks of the tests that another thread may hold are not used by `work`.
    match unsafe { libc::fork() } {
        -1 => panic!("cannot fork: {}", std::io::Error::last_os_error()),
        0 => {
            let code = if catch_unwind(AssertUnwindSafe(work)).is_ok() { 0 } else { 101 };
            // SAFETY: ends the process at once, without the destructors and buffers that it shares with its parent.
            unsafe { libc::_exit(code) }
        }
        pid => Child(pid),
    }
}

impl Child {
    /// Waits until the child has exited and returns its exit code. Returns `None` if the child takes longer than
    /// `limit`, and kills it, or if a signal ended it.
    #[must_use]
    pub fn wait(self, limit: Duration) -> Option<i32> {
        let started = Instant::now();
        loop {
            let mut status = 0;
            // SAFETY: `status` is valid for the whole call.
            if unsafe { libc::waitpid(self.0, &mut status, libc::WNOHANG) } == self.0 {
                return libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status));
            }
            if started.elapsed() > limit {
                // SAFETY: the process is a child that has not been waited for, so the id is its own.
                unsafe { libc::kill(self.0, libc::SIGKILL) };
                let mut status = 0;
                // SAFETY: `status` is valid for the whole call.
                unsafe { libc::waitpid(self.0, &mut status, 0) };
                return None;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Returns whether this process has a thread whose name begins with `name`.
///
/// # Panics
///
/// Panics if the threads cannot be listed.
#[must_use]
pub fn has_thread(name: &str) -> bool {
    let mut threads = fs::read_dir("/proc/self/task").unwrap().map(|thread| thread.unwrap().path().join("comm"));
    // A thread that ends meanwhile has no name.
    threads.any(|thread| fs::read_to_string(thread).is_ok_and(|comm| comm.starts_with(name)))
}

/// Runs `work` while the process cannot start a thread: there is no room for the stack of one.
///
/// # Panics
///
/// Panics if the limit cannot be set, or if a thread can be started nevertheless.
pub fn without_threads<T>(work: impl FnOnce() -> T) -> T {
    /// Less than the stack of a thread, and enough for what `work` allocates.
    const ROOM: libc::rlim_t = 1 << 20;

    let status = fs::read_to_string("/proc/self/status").unwrap();
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
    let kilobytes: libc::rlim_t = size.trim().trim_end_matches(" kB").parse().unwrap();
    let unlimited = limit(kilobytes * 1024 + ROOM);
    assert!(thread::Builder::new().spawn(|| ()).is_err(), "a thread can be started");
    let result = work();
    limit(unlimited);
    result
}

/// Limits the address space of the process. Returns the limit before.
fn limit(bytes: libc::rlim_t) -> libc::rlim_t {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is valid for the whole call.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_AS, &mut limit) }, 0);
    let before = limit.rlim_cur;
    limit.rlim_cur = bytes;
    // SAFETY: `limit` is valid for the whole call.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
    before
}

/// Replaces open files of this process by `/dev/null`: those whose description, such as `socket:[7]` or a path,
/// `is_chosen` names.
///
/// # Panics
///
/// Panics if the files cannot be listed or replaced.
pub fn replace_files(is_chosen: impl Fn(&str) -> bool) {
    let null = File::open("/dev/null").unwrap();
    let files: Vec<_> = fs::read_dir("/proc/self/fd").unwrap().map(|file| file.unwrap().path()).collect();
    for file in files {
        let Ok(target) = fs::read_link(&file) else { continue };
        if is_chosen(&target.to_string_lossy()) {
            let number = file.file_name().and_then(|name| name.to_str()?.parse().ok()).unwrap();
            // SAFETY: both are files of this process, and the number stays that of an open file.
            assert_eq!(unsafe { libc::dup2(null.as_raw_fd(), number) }, number);
        }
    }
}
