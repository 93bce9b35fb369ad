//! What a kernel is to the host: source, needs, and the layout of its parameters.

use super::profile::GpuProfile;

/// A compute shader with the entry point `main`.
///
/// The source holds no `enable` lines: they follow from `needs` and differ between naga, which
/// wants none for subgroups, and browsers.
#[derive(Debug)]
pub struct Kernel {
    pub name: &'static str,
    pub source: &'static str,
    pub needs: GpuProfile,
    /// Of the WGSL struct `Params`.
    pub params: ParamsLayout,
}

/// Fields of a parameter struct with their offsets, as the compiler laid them out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParamsLayout {
    pub n_bytes: usize,
    pub fields: &'static [(&'static str, usize)],
}

/// Parameters of one dispatch: the uniform that is a kernel's last binding.
pub(super) trait Params: bytemuck::Pod {
    const LAYOUT: ParamsLayout;
}

/// Declares a parameter struct with the fields of the WGSL struct `Params`, in its order.
///
/// Fields are `u32`, `i32` or `f32`; the length must be a multiple of 16 bytes (add `pad0: u32`).
macro_rules! params {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Debug, Clone, Copy, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
        pub(in crate::gpu) struct $name {
            $($(#[$field_meta])* pub(in crate::gpu) $field: $type,)+
        }

        impl $crate::gpu::kernel::Params for $name {
            const LAYOUT: $crate::gpu::kernel::ParamsLayout = $crate::gpu::kernel::ParamsLayout {
                n_bytes: size_of::<$name>(),
                fields: &[$((stringify!($field), std::mem::offset_of!($name, $field)),)+],
            };
        }

        const _: () = assert!(size_of::<$name>() % 16 == 0, "pad the parameters to 16 bytes");
    };
}
pub(super) use params;
