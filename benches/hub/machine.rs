//! What the kernel tells about processes and sockets, and which core does what.

use std::fs;
use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The core of the server under test.
pub const SERVER_CORE: usize = 0;
/// The core of the load.
pub const LOAD_CORE: usize = 1;
/// Ten thousand sockets to the hub, as many to the baseline, and room.
const FILES_WANTED: u64 = 32_768;
/// Bytes of a page, for `/proc` files that count in pages.
const PAGE_BYTES: u64 = 4_096;

/// Binds this thread, and the processes that it starts from now on, to these cores.
pub fn pin(cores: &[usize]) -> io::Result<()> {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core);
    }
    Ok(sched_setaffinity(None, &set)?)
}

/// True where server and load can have a core each.
pub fn has_two_cores() -> io::Result<bool> {
    let set = sched_getaffinity(None)?;
    Ok(set.is_set(SERVER_CORE) && set.is_set(LOAD_CORE))
}

/// Nanoseconds that all threads of a process have run. `/proc/PID/stat` would say it in steps of 10 ms.
///
/// Threads that ended are missing, so take differences only while none ends.
pub fn cpu_nanos(pid: u32) -> io::Result<u64> {
    let mut nanos = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        let run: u64 =
            text.split(' ').next().and_then(|word| word.parse().ok()).ok_or_else(|| odd("schedstat"))?;
        nanos += run;
    }
    Ok(nanos)
}

/// Resident bytes of a process.
pub fn resident_bytes(pid: u32) -> io::Result<u64> {
    Ok(field(&format!("/proc/{pid}/status"), "VmRSS:")? * 1_024)
}

/// Bytes in the buffers of all TCP sockets of the machine, both ends of loopback connections included.
pub fn tcp_buffer_bytes() -> io::Result<u64> {
    let text = fs::read_to_string("/proc/net/sockstat")?;
    let line = text.lines().find(|line| line.starts_with("TCP:")).ok_or_else(|| odd("sockstat"))?;
    let pages: u64 = line
        .split(" mem ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next()?.parse().ok())
        .ok_or_else(|| odd("sockstat"))?;
    Ok(pages * PAGE_BYTES)
}

/// Bytes of the kernel's own objects (sockets, files, epoll entries and all others) on the whole machine.
pub fn slab_bytes() -> io::Result<u64> {
    Ok(field("/proc/meminfo", "Slab:")? * 1_024)
}

/// Raises the limit of open files as far as it may: one socket is one file.
pub fn raise_file_limit() -> io::Result<u64> {
    // Whoever may raise the hard limit does; everybody may raise the soft one up to it.
    if rlimit::Resource::NOFILE.set(FILES_WANTED, FILES_WANTED).is_ok() {
        return Ok(FILES_WANTED);
    }
    rlimit::increase_nofile_limit(FILES_WANTED)
}

/// How busy the machine is, as the kernel says it.
pub fn load_average() -> String {
    fs::read_to_string("/proc/loadavg").map_or_else(|_| "unknown".into(), |text| text.trim().to_owned())
}

/// The processor's name and the kernel's version.
pub fn describe() -> String {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut names = processors.lines().filter_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let count = names.clone().count();
    let name = names.next().unwrap_or("unknown processor");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{count} x {name}, Linux {}", kernel.trim())
}

fn field(path: &str, name: &str) -> io::Result<u64> {
    let text = fs::read_to_string(path)?;
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok())
        .ok_or_else(|| odd(path))
}

fn odd(what: &str) -> io::Error {
    io::Error::other(format!("{what} does not read as expected"))
}
