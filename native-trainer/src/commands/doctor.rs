//! `veneer doctor`: what this machine has, and what of Veneer works on it.

use std::{
    fs,
    future::Future as _,
    path::{Path, PathBuf},
    pin::pin,
    task::{Context, Poll, Waker},
};

use anyhow::Result;
use burn::tensor::wgpu::wgpu;
use indicatif::HumanBytes;
use serde::Serialize;

use crate::{
    commands::data::layout::wrapped,
    model_dir::{self, Hub},
};

/// Say what this machine has and what works on it
#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: DoctorArgs) -> Result<()> {
    let DoctorArgs { json } = args;
    let report = Report::collect()?;
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", report.text());
    }
    Ok(())
}

#[derive(Debug, Serialize)]
struct Report {
    version: &'static str,
    system: String,
    cpu: Cpu,
    memory: Option<Memory>,
    disks: Vec<Disk>,
    vulkan_adapters: Vec<Adapter>,
    hub: HubSettings,
    embedded_base: bool,
    advice: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Cpu {
    name: Option<String>,
    /// Threads that this process may use at once.
    threads: usize,
    features: Vec<&'static str>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Memory {
    total_bytes: u64,
    available_bytes: u64,
}

#[derive(Debug, Serialize)]
struct Disk {
    used_for: &'static str,
    path: PathBuf,
    free_bytes: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Adapter {
    name: String,
    driver: String,
    /// Runs on the CPU: right numbers, no speed.
    software: bool,
    f16: bool,
    largest_binding_bytes: u64,
}

#[derive(Debug, Serialize)]
struct HubSettings {
    endpoint: String,
    cache: PathBuf,
    offline: bool,
    has_token: bool,
}

impl Report {
    fn collect() -> Result<Self> {
        let hub = Hub::from_env()?;
        let here = std::env::current_dir()?;
        let disk = |used_for, path: &Path| Disk {
            used_for,
            path: path.into(),
            free_bytes: free_bytes(path),
        };
        let mut report = Self {
            version: env!("CARGO_PKG_VERSION"),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            cpu: Cpu {
                name: fs::read_to_string("/proc/cpuinfo")
                    .ok()
                    .as_deref()
                    .and_then(cpu_name),
                threads: std::thread::available_parallelism().map_or(1, usize::from),
                features: cpu_features(),
            },
            memory: fs::read_to_string("/proc/meminfo")
                .ok()
                .as_deref()
                .and_then(memory),
            disks: vec![
                disk("this folder", &here),
                disk("models of the Hub", &hub.cache),
            ],
            vulkan_adapters: vulkan_adapters(),
            hub: HubSettings {
                endpoint: hub.endpoint.clone(),
                cache: hub.cache.clone(),
                offline: hub.offline,
                has_token: hub.has_token(),
            },
            embedded_base: model_dir::has_embedded_base(),
            advice: Vec::new(),
        };
        report.advice = report.advice();
        Ok(report)
    }

    /// What works, and what would make more work.
    fn advice(&self) -> Vec<String> {
        let mut advice = vec!["Training on the CPU works.".to_owned()];
        if cfg!(target_arch = "x86_64") && !self.cpu.features.contains(&"avx2") {
            advice.push("This processor has no AVX2: training is several times slower.".into());
        }
        let real = self.vulkan_adapters.iter().any(|adapter| !adapter.software);
        advice.push(match (real, self.vulkan_adapters.is_empty()) {
            (true, _) => "Training on the GPU works: --device vulkan.".into(),
            (false, false) => "Vulkan works, but only on the CPU (a software adapter): \
                               for speed use --device cpu."
                .into(),
            (false, true) => "No Vulkan adapter was found; a GPU needs its Vulkan driver \
                              (on Debian: libvulkan1 and mesa-vulkan-drivers, or NVIDIA's)."
                .into(),
        });
        if self.embedded_base {
            advice.push("The embedded base works without a network: --model demo.".into());
        }
        advice.push(if self.hub.offline {
            "HF_HUB_OFFLINE is set: only models in the cache can be used by name.".into()
        } else if self.hub.has_token {
            format!(
                "Models are fetched from {} with your access token.",
                self.hub.endpoint
            )
        } else {
            format!(
                "Models are fetched from {}; gated ones need HF_TOKEN.",
                self.hub.endpoint
            )
        });
        advice
    }

    fn text(&self) -> String {
        let mut lines = vec![("Veneer", format!("{} on {}", self.version, self.system))];
        let cpu = self.cpu.name.as_deref().unwrap_or("unknown");
        lines.push(("Processor", format!("{cpu}, {} threads", self.cpu.threads)));
        lines.push(("", self.cpu.features.join(" ")));
        if let Some(memory) = &self.memory {
            let [total, free] = [memory.total_bytes, memory.available_bytes].map(HumanBytes);
            lines.push(("Memory", format!("{total}, {free} available")));
        }
        for disk in &self.disks {
            let free = disk
                .free_bytes
                .map_or("unknown".into(), |free| HumanBytes(free).to_string());
            lines.push((
                "Disk",
                format!(
                    "{free} free for {} ({})",
                    disk.used_for,
                    disk.path.display()
                ),
            ));
        }
        for adapter in &self.vulkan_adapters {
            let kind = if adapter.software { "software" } else { "GPU" };
            let f16 = if adapter.f16 { ", f16" } else { "" };
            let binding = HumanBytes(adapter.largest_binding_bytes);
            lines.push((
                "Vulkan",
                format!("{} ({kind}{f16}, {})", adapter.name, adapter.driver),
            ));
            lines.push(("", format!("buffers of up to {binding} at once")));
        }
        let mut text = String::new();
        for (label, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
            text.push_str(&wrapped(&format!("{label:<10} "), value));
        }
        text.push('\n');
        for line in &self.advice {
            text.push_str(&wrapped("", line));
        }
        text
    }
}

fn cpu_name(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo
        .lines()
        .find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The vector extensions that decide how fast products of matrices are.
#[cfg(target_arch = "x86_64")]
fn cpu_features() -> Vec<&'static str> {
    let found = [
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("fma", std::arch::is_x86_feature_detected!("fma")),
        ("f16c", std::arch::is_x86_feature_detected!("f16c")),
        ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
        (
            "avx512bf16",
            std::arch::is_x86_feature_detected!("avx512bf16"),
        ),
    ];
    found
        .iter()
        .filter(|(_, here)| *here)
        .map(|(name, _)| *name)
        .collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn cpu_features() -> Vec<&'static str> {
    if cfg!(target_feature = "neon") {
        vec!["neon"]
    } else {
        Vec::new()
    }
}

fn memory(meminfo: &str) -> Option<Memory> {
    let bytes = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        let kib = line
            .trim_start_matches(':')
            .trim()
            .trim_end_matches("kB")
            .trim();
        Some(kib.parse::<u64>().ok()? * 1024)
    };
    Some(Memory {
        total_bytes: bytes("MemTotal")?,
        available_bytes: bytes("MemAvailable")?,
    })
}

/// Free space of the disk under the nearest folder that exists.
#[cfg(unix)]
fn free_bytes(path: &Path) -> Option<u64> {
    let there = path.ancestors().find(|folder| folder.exists())?;
    let disk = rustix::fs::statvfs(there).ok()?;
    Some(disk.f_bavail * disk.f_frsize)
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

fn vulkan_adapters() -> Vec<Adapter> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: wgpu::Backends::VULKAN,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let listing = pin!(instance.enumerate_adapters(wgpu::Backends::VULKAN));
    // Outside the browser the list is ready at once.
    let Poll::Ready(adapters) = listing.poll(&mut Context::from_waker(Waker::noop())) else {
        return Vec::new();
    };
    adapters.iter().map(describe).collect()
}

fn describe(adapter: &wgpu::Adapter) -> Adapter {
    let info = adapter.get_info();
    Adapter {
        software: info.device_type == wgpu::DeviceType::Cpu,
        driver: format!("{} {}", info.driver, info.driver_info)
            .trim()
            .to_owned(),
        name: info.name,
        f16: adapter.features().contains(wgpu::Features::SHADER_F16),
        largest_binding_bytes: adapter.limits().max_storage_buffer_binding_size,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_linux_says() {
        let meminfo = "MemTotal:       16000 kB\nMemFree: 1 kB\nMemAvailable:    8000 kB\n";
        let expected = Memory {
            total_bytes: 16_384_000,
            available_bytes: 8_192_000,
        };
        assert_eq!(memory(meminfo), Some(expected));
        assert_eq!(memory("nothing"), None);
        let cpuinfo = "processor\t: 0\nmodel name\t: Fast 3000\n";
        assert_eq!(cpu_name(cpuinfo).as_deref(), Some("Fast 3000"));
    }

    #[test]
    fn a_folder_that_is_not_there_yet_has_the_disk_of_its_parent() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free_bytes(&folder.path().join("a/b")).is_some());
    }
}
