//! One wgpu device, the table of kernels, buffers and read-back.
