//! One launch of a kernel with everything it reads and writes, built once and replayed.

use super::{
    buffer::{Binding, Buffer},
    context::Gpu,
    error::GpuError,
    kernel::{Kernel, Params},
};

/// A kernel with its buffers, ready to run any number of times.
#[derive(Clone)]
pub struct Dispatch {
    pub(super) pipeline: wgpu::ComputePipeline,
    /// Buffers and parameters, then the weights where the kernel has some.
    pub(super) bind_groups: Vec<wgpu::BindGroup>,
    pub(super) groups: [u32; 3],
    /// What the bind group points to stays alive as long as the launch.
    _buffers: Vec<Buffer>,
    label: String,
}

/// What a launch is built from.
pub(super) struct Launch<'a, P> {
    /// Says which operation of the model this is, in messages.
    pub(super) label: &'a str,
    pub(super) kernel: &'static Kernel,
    /// Values of the kernel's `override` constants. Each set of values is a compilation.
    pub(super) constants: &'a [(&'static str, f64)],
    /// Bindings 0, 1, … of group 0; the parameters are the one after the last.
    pub(super) bindings: &'a [Binding<'a>],
    /// Bindings 0, 1, … of group 1: a shard of a matrix, or nothing.
    pub(super) weights: &'a [Binding<'a>],
    pub(super) params: P,
    pub(super) groups: [u32; 3],
}

impl Dispatch {
    pub fn label(&self) -> &str {
        &self.label
    }
}

impl Gpu {
    /// Compiles the kernel unless it is known, and binds its buffers.
    pub(super) fn launch<P: Params>(&self, launch: &Launch<'_, P>) -> Result<Dispatch, GpuError> {
        self.check_launch(launch)?;
        let pipeline = self.pipeline(launch.kernel, launch.constants)?;
        let params = self.uniform(launch.label, bytemuck::bytes_of(&launch.params))?;
        let mut bindings = launch.bindings.to_vec();
        bindings.push(params.whole());
        let groups = [bindings.as_slice(), launch.weights];
        let bind_groups = groups
            .into_iter()
            .zip(0..)
            .filter(|(bindings, _)| !bindings.is_empty())
            .map(|(bindings, number)| {
                let layout = pipeline.get_bind_group_layout(number);
                self.bind_group(launch.label, &layout, bindings)
            })
            .collect();
        self.check()?;
        Ok(Dispatch {
            pipeline,
            bind_groups,
            groups: launch.groups,
            _buffers: groups
                .into_iter()
                .flatten()
                .map(|binding| binding.buffer.clone())
                .collect(),
            label: launch.label.to_owned(),
        })
    }

    fn bind_group(
        &self,
        label: &str,
        layout: &wgpu::BindGroupLayout,
        bindings: &[Binding<'_>],
    ) -> wgpu::BindGroup {
        let entries: Vec<wgpu::BindGroupEntry<'_>> = bindings
            .iter()
            .zip(0..)
            .map(|(binding, number)| wgpu::BindGroupEntry {
                binding: number,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer: binding.buffer.raw(),
                    offset: binding.at,
                    size: wgpu::BufferSize::new(binding.n_bytes),
                }),
            })
            .collect();
        self.device().create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(label),
            layout,
            entries: &entries,
        })
    }

    fn check_launch<P>(&self, launch: &Launch<'_, P>) -> Result<(), GpuError> {
        let limits = self.limits();
        if !self.profile().covers(launch.kernel.needs) {
            return Err(GpuError::Profile {
                kernel: launch.kernel.name,
                needs: launch.kernel.needs.name(),
            });
        }
        for binding in launch.bindings.iter().chain(launch.weights) {
            binding
                .buffer
                .check_range(binding.at, binding.n_bytes, limits.binding_alignment)?;
            if binding.n_bytes > limits.max_binding_bytes {
                return Err(GpuError::TooLarge {
                    label: binding.buffer.label().to_owned(),
                    n_bytes: binding.n_bytes,
                    limit: limits.max_binding_bytes,
                    limit_name: "maxStorageBufferBindingSize",
                });
            }
        }
        for n_groups in launch.groups {
            if n_groups == 0 || n_groups > limits.max_workgroups {
                return Err(GpuError::Shape {
                    label: launch.label.to_owned(),
                    what: "a count of workgroups",
                    found: n_groups.into(),
                    expected: format!("1 to {}", limits.max_workgroups),
                });
            }
        }
        Ok(())
    }
}

/// `n` workgroups in as many rows as the limit of a dimension demands.
///
/// The kernel's number is `id.x + id.y * count.x`; numbers from `n` on have nothing to do.
pub(super) fn spread(n: u32, max_workgroups: u32) -> [u32; 3] {
    let rows = n.div_ceil(max_workgroups.max(1)).max(1);
    [n.div_ceil(rows).max(1), rows, 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_spread_over_rows_without_many_idle() {
        assert_eq!(spread(1, 65535), [1, 1, 1]);
        assert_eq!(spread(65535, 65535), [65535, 1, 1]);
        assert_eq!(spread(65536, 65535), [32768, 2, 1]);
        assert_eq!(spread(7, 3), [3, 3, 1]);
    }
}
