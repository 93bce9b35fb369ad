//! What an adapter offers, and which of it the kernels use.

/// Optional abilities of a device that kernels come in variants for.
///
/// Kernels fall back from both to one to none; [`GpuProfile::BASELINE`] is core WebGPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GpuProfile {
    /// Sums within a subgroup, without workgroup memory.
    pub subgroups: bool,
    /// 16-bit floats in shaders. Halves in memory are read without it as well.
    pub f16: bool,
}

impl GpuProfile {
    /// What every device can do.
    pub const BASELINE: Self = Self {
        subgroups: false,
        f16: false,
    };

    /// Whether a device with `self` runs what needs `needs`.
    pub fn covers(self, needs: Self) -> bool {
        (self.subgroups || !needs.subgroups) && (self.f16 || !needs.f16)
    }

    /// The abilities by name, for messages.
    pub fn name(self) -> &'static str {
        match (self.subgroups, self.f16) {
            (false, false) => "core WebGPU",
            (true, false) => "subgroups",
            (false, true) => "shader-f16",
            (true, true) => "subgroups and shader-f16",
        }
    }
}

/// How to choose and open a GPU.
#[derive(Debug, Clone, Default)]
pub struct GpuOptions {
    /// Use exactly this much, even where the adapter offers more.
    pub profile: Option<GpuProfile>,
    /// A part of the adapter's name, where there are several; ignored in a browser.
    pub adapter: Option<String>,
    /// Ask for no more than the limits that every WebGPU device has.
    pub core_limits: bool,
    /// Timestamps of passes. On some drivers merely having them costs most of the speed.
    pub timestamps: bool,
}

/// What a device holds in one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GpuLimits {
    pub max_buffer_bytes: u64,
    /// Largest part of a buffer that a kernel can see.
    pub max_binding_bytes: u64,
    /// Multiple at which a part may start.
    pub binding_alignment: u64,
    pub max_workgroups: u32,
    pub max_invocations: u32,
    pub max_workgroup_bytes: u32,
    pub max_storage_buffers: u32,
    /// Invocations that run in step; 0 where the device does not say.
    pub min_subgroup_size: u32,
    pub max_subgroup_size: u32,
}

/// The device that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuInfo {
    pub name: String,
    /// `Vulkan`, `Metal`, `Dx12` or `BrowserWebGpu`.
    pub backend: String,
    /// Computes on the processor: right, but slow.
    pub is_software: bool,
    pub profile: GpuProfile,
    pub limits: GpuLimits,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_covers_itself_and_less() {
        let subgroups = GpuProfile {
            subgroups: true,
            f16: false,
        };
        assert!(subgroups.covers(subgroups) && subgroups.covers(GpuProfile::BASELINE));
        assert!(!GpuProfile::BASELINE.covers(subgroups));
        let f16 = GpuProfile {
            subgroups: false,
            f16: true,
        };
        assert!(!subgroups.covers(f16) && !f16.covers(subgroups));
    }
}
