//! What memory the process takes and the machine has, where the system says so (Linux).

/// Most bytes that this process ever held.
pub(crate) fn peak_bytes() -> u64 {
    field("/proc/self/status", "VmHWM:").unwrap_or_default()
}

/// Bytes that a new allocation can take without pushing others out.
pub(crate) fn available_bytes() -> Option<u64> {
    field("/proc/meminfo", "MemAvailable:")
}

fn field(file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// `1.4 GB`, `320 MB`
pub(crate) fn human(bytes: u64) -> String {
    let bytes = bytes as f64;
    for (unit, size) in [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)] {
        if bytes >= size {
            let digits = usize::from(bytes / size < 10.0);
            return format!("{:.digits$} {unit}", bytes / size);
        }
    }
    format!("{bytes} B")
}

/// `2 h 5 min`, `3 min 20 s`, `12 s`
pub(crate) fn human_seconds(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_read_well() {
        assert_eq!(
            [human(512), human(1_400_000_000), human(320_000_000)],
            ["512 B", "1.4 GB", "320 MB"]
        );
        assert_eq!(human_seconds(7505.0), "2 h 5 min");
        assert_eq!(human_seconds(200.2), "3 min 20 s");
    }

    #[test]
    fn this_process_holds_memory() {
        if cfg!(target_os = "linux") {
            assert!(peak_bytes() > 0 && available_bytes().is_some());
        }
    }
}
