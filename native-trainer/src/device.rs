//! Where tensors live: the processor, or a GPU through Vulkan.

use anyhow::{Result, bail};
use burn::tensor::{DType, Device, DeviceKind, DeviceType};

/// `--device`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum DeviceChoice {
    /// A GPU with a Vulkan driver if there is one, else the processor
    #[default]
    Auto,
    Cpu,
    Vulkan,
}

/// `--dtype`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum DtypeChoice {
    /// 32-bit floats: slower than the others on a GPU, and exact
    #[default]
    F32,
    Bf16,
    F16,
}

/// `--device` and `--dtype`, wherever a model runs.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(crate) struct DeviceArgs {
    /// Where the model runs
    #[arg(long, value_enum, default_value_t)]
    device: DeviceChoice,

    /// Type of the base's weights and activations; adapters always train in 32 bits
    #[arg(long, value_enum, default_value_t)]
    dtype: DtypeChoice,
}

/// A device that was found, with the type its model takes.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) device: Device,
    pub(crate) dtype: DType,
    /// For people: `cpu`, or the GPU's name.
    pub(crate) name: String,
}

impl DeviceArgs {
    pub(crate) fn new(device: DeviceChoice, dtype: DtypeChoice) -> Self {
        Self { device, dtype }
    }

    /// # Errors
    /// Vulkan without a driver, and types that the device cannot compute with.
    pub(crate) fn open(self) -> Result<Place> {
        let gpu = match self.device {
            DeviceChoice::Cpu => None,
            DeviceChoice::Auto if !may_have_gpu() => None,
            DeviceChoice::Auto => vulkan_devices().into_iter().find(|gpu| gpu.is_hardware),
            DeviceChoice::Vulkan => match default_vulkan() {
                Some(gpu) => Some(gpu),
                None => bail!(
                    "no Vulkan device was found; install the GPU's Vulkan driver \
                     (`vulkaninfo --summary` lists what is there), or use --device cpu"
                ),
            },
        };
        let (device, name) = gpu.map_or_else(
            || (Device::flex(), "cpu".into()),
            |gpu| (gpu.device, gpu.name),
        );
        let dtype = match self.dtype {
            DtypeChoice::F32 => DType::F32,
            DtypeChoice::Bf16 => DType::BF16,
            DtypeChoice::F16 => DType::F16,
        };
        if dtype != DType::F32 && (name == "cpu" || !device.supports_dtype(dtype)) {
            bail!("--dtype {dtype:?} is not something `{name}` computes with; use --dtype f32");
        }
        Ok(Place {
            device,
            dtype,
            name,
        })
    }
}

/// Whether looking for a GPU is worth while: on Linux every GPU driver makes a device node, and
/// asking Vulkan without one costs a second and prints what its loader thinks of the machine.
pub(crate) fn may_have_gpu() -> bool {
    let nodes = ["/dev/dri", "/dev/nvidiactl", "/dev/kfd", "/dev/dxg"];
    !cfg!(target_os = "linux") || nodes.iter().any(|node| std::path::Path::new(node).exists())
}

/// A Vulkan device.
#[derive(Debug, Clone)]
pub(crate) struct Gpu {
    pub(crate) device: Device,
    pub(crate) name: String,
    /// False for drivers that compute on the processor (lavapipe, SwiftShader).
    pub(crate) is_hardware: bool,
}

/// Every Vulkan device of this machine.
pub(crate) fn vulkan_devices() -> Vec<Gpu> {
    Device::enumerate(DeviceType::Wgpu)
        .into_vec()
        .into_iter()
        .filter_map(|device| {
            let identity = device.identity()?;
            let name = identity.name.clone();
            let software = ["llvmpipe", "swiftshader"]
                .iter()
                .any(|s| name.to_lowercase().contains(s));
            Some(Gpu {
                is_hardware: identity.physical.is_some() && !software,
                name,
                device,
            })
        })
        .collect()
}

/// The device that Vulkan puts first, which `CUBECL_WGPU_DEFAULT_DEVICE` can change.
fn default_vulkan() -> Option<Gpu> {
    let all = vulkan_devices();
    let first = all.iter().position(|gpu| gpu.is_hardware).unwrap_or(0);
    let found = all.into_iter().nth(first)?;
    if std::env::var_os("CUBECL_WGPU_DEFAULT_DEVICE").is_some() {
        let device = Device::wgpu(DeviceKind::DefaultDevice);
        let name = device
            .identity()
            .map_or(found.name, |identity| identity.name);
        return Some(Gpu {
            device,
            name,
            is_hardware: found.is_hardware,
        });
    }
    Some(found)
}
