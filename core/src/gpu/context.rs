//! The device with its queue: memory, submissions, results.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    fmt,
    rc::Rc,
};

use super::{
    buffer::{Buffer, COPY_ALIGNMENT, CopyOut, Filled, Readback},
    device::{self, Opened},
    dispatch::Dispatch,
    error::GpuError,
    faults::Faults,
    kernel::Kernel,
    profile::{GpuInfo, GpuLimits, GpuOptions, GpuProfile},
    signal::signal,
};

/// Largest piece of an upload; the driver holds a second copy of each until it is done.
const UPLOAD_PIECE: usize = 16 << 20;

/// A kernel with the values of its constants.
type PipelineKey = (&'static str, Vec<(&'static str, u64)>);

/// An open GPU. Cheap to clone: clones are the same device.
#[derive(Clone)]
pub struct Gpu(Rc<Inner>);

struct Inner {
    device: wgpu::Device,
    queue: wgpu::Queue,
    info: GpuInfo,
    faults: Faults,
    pipelines: RefCell<BTreeMap<PipelineKey, wgpu::ComputePipeline>>,
    in_use: Rc<Cell<u64>>,
}

impl Gpu {
    /// Opens the best adapter that fits the options.
    ///
    /// # Errors
    /// Where there is none, or it lacks what was asked for.
    pub async fn open(options: &GpuOptions) -> Result<Self, GpuError> {
        let faults = Faults::default();
        let Opened {
            device,
            queue,
            info,
        } = device::open(options).await?;
        faults.watch(&device);
        Ok(Self(Rc::new(Inner {
            device,
            queue,
            info,
            faults,
            pipelines: RefCell::default(),
            in_use: Rc::default(),
        })))
    }

    pub fn info(&self) -> &GpuInfo {
        &self.0.info
    }

    pub fn limits(&self) -> &GpuLimits {
        &self.0.info.limits
    }

    pub fn profile(&self) -> GpuProfile {
        self.0.info.profile
    }

    /// Bytes of all buffers that are alive.
    pub fn n_bytes_in_use(&self) -> u64 {
        self.0.in_use.get()
    }

    /// A buffer of zeros for kernels to read and write.
    ///
    /// # Errors
    /// Where it is larger than the device allows, or empty.
    pub fn empty(&self, label: &str, n_bytes: u64) -> Result<Buffer, GpuError> {
        let usage = wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST;
        let raw = self.allocate(label, n_bytes, usage)?;
        Ok(Buffer::new(label, raw, &self.0.in_use))
    }

    /// A buffer with the given content, padded with zeros to whole words.
    ///
    /// # Errors
    /// As [`Gpu::empty`].
    pub fn upload(&self, label: &str, data: &[u8]) -> Result<Buffer, GpuError> {
        let buffer = self.empty(label, data.len() as u64)?;
        self.write(&buffer, 0, data)?;
        Ok(buffer)
    }

    /// Overwrites a part of a buffer before everything submitted later; a last broken word is
    /// filled with zeros.
    ///
    /// # Errors
    /// Where the part is not inside or does not start at a word.
    pub fn write(&self, buffer: &Buffer, at: u64, data: &[u8]) -> Result<(), GpuError> {
        let padded = (data.len() as u64).next_multiple_of(COPY_ALIGNMENT);
        buffer.check_range(at, padded, COPY_ALIGNMENT)?;
        let mut at = at;
        for piece in data.chunks(UPLOAD_PIECE) {
            let (words, rest) = piece.split_at(piece.len() - piece.len() % COPY_ALIGNMENT as usize);
            self.0.queue.write_buffer(buffer.raw(), at, words);
            if !rest.is_empty() {
                let mut word = [0; COPY_ALIGNMENT as usize];
                word[..rest.len()].copy_from_slice(rest);
                self.0
                    .queue
                    .write_buffer(buffer.raw(), at + words.len() as u64, &word);
            }
            if data.len() > UPLOAD_PIECE {
                // Sends the piece on its way, so that its second copy can be freed.
                self.0.queue.submit([]);
            }
            at += piece.len() as u64;
        }
        Ok(())
    }

    /// Memory for results.
    ///
    /// # Errors
    /// As [`Gpu::empty`].
    pub fn readback(&self, label: &str, n_bytes: u64) -> Result<Readback, GpuError> {
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        Ok(Readback {
            label: label.to_owned(),
            raw: self.allocate(label, n_bytes, usage)?,
            filled_by: Cell::new(None),
        })
    }

    /// Runs launches in order, then the copies, as one command buffer.
    ///
    /// Each launch sees what the ones before it wrote. A readback that is filled must be taken
    /// before it is filled again.
    ///
    /// # Errors
    /// Where a copy does not fit.
    pub fn submit(&self, steps: &[&[Dispatch]], copies: &[CopyOut<'_>]) -> Result<(), GpuError> {
        for copy in copies {
            check_copy(copy)?;
        }
        let mut encoder = self.0.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            for dispatch in steps.iter().copied().flatten() {
                let [x, y, z] = dispatch.groups;
                pass.set_pipeline(&dispatch.pipeline);
                for (bind_group, number) in dispatch.bind_groups.iter().zip(0..) {
                    pass.set_bind_group(number, bind_group, &[]);
                }
                pass.dispatch_workgroups(x, y, z);
            }
        }
        for copy in copies {
            let n_bytes = copy.n_bytes.next_multiple_of(COPY_ALIGNMENT);
            encoder.copy_buffer_to_buffer(copy.from.raw(), copy.at, &copy.to.raw, 0, n_bytes);
        }
        let by = self.0.queue.submit([encoder.finish()]);
        for copy in copies {
            copy.to.filled_by.set(Some(Filled {
                by: by.clone(),
                n_bytes: copy.n_bytes,
            }));
        }
        Ok(())
    }

    /// Waits for the submission that filled a readback and returns what it holds.
    ///
    /// # Errors
    /// Where nothing filled it, or anything went wrong on the device since the last check: then
    /// what it holds is not to be trusted.
    pub async fn take(&self, readback: &Readback) -> Result<Vec<u8>, GpuError> {
        let Some(filled) = readback.filled_by.take() else {
            return Err(self.unreadable(readback, "nothing was copied to it"));
        };
        let slice = readback
            .raw
            .slice(..filled.n_bytes.next_multiple_of(COPY_ALIGNMENT));
        let (sender, receiver) = signal();
        slice.map_async(wgpu::MapMode::Read, move |result| sender.send(result));
        let mapped = Mapped(Some(&readback.raw));
        // Natively nothing happens unless somebody polls; a browser ignores it.
        let polled = self.0.device.poll(wgpu::PollType::Wait {
            submission_index: Some(filled.by),
            timeout: None,
        });
        if let Err(error) = polled {
            self.check()?;
            return Err(self.unreadable(readback, &error.to_string()));
        }
        if let Err(error) = receiver.await {
            mapped.never_was();
            self.check()?;
            return Err(self.unreadable(readback, &error.to_string()));
        }
        self.check()?;
        match slice.get_mapped_range() {
            Ok(view) => Ok(view[..filled.n_bytes as usize].to_vec()),
            Err(error) => Err(self.unreadable(readback, &error.to_string())),
        }
    }

    /// A part of a buffer as it is after everything submitted so far.
    ///
    /// # Errors
    /// As [`Gpu::take`].
    pub async fn read(&self, buffer: &Buffer, at: u64, n_bytes: u64) -> Result<Vec<u8>, GpuError> {
        let readback = self.readback(buffer.label(), n_bytes)?;
        self.submit(
            &[],
            &[CopyOut {
                from: buffer,
                at,
                n_bytes,
                to: &readback,
            }],
        )?;
        self.take(&readback).await
    }

    /// Whether something went wrong on the device since the last check.
    ///
    /// A browser tells it late: only after a readback it is sure that what came before was well.
    ///
    /// # Errors
    /// The first thing that went wrong; the loss of the device every time.
    pub fn check(&self) -> Result<(), GpuError> {
        self.0.faults.take().or_else(|error| {
            // Natively the loss behind a refused command is only told to who polls.
            self.0.device.poll(wgpu::PollType::Poll).ok();
            self.0.faults.take().and(Err(error))
        })
    }

    /// Frees everything on the device at once; whoever still uses it is told that it is lost.
    pub fn close(&self) {
        self.0.device.destroy();
    }

    pub(super) fn device(&self) -> &wgpu::Device {
        &self.0.device
    }

    /// Parameters of a launch.
    pub(super) fn uniform(&self, label: &str, data: &[u8]) -> Result<Buffer, GpuError> {
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let raw = self.allocate(label, data.len() as u64, usage)?;
        let buffer = Buffer::new(label, raw, &self.0.in_use);
        self.write(&buffer, 0, data)?;
        Ok(buffer)
    }

    /// The compiled kernel for these values of its constants.
    pub(super) fn pipeline(
        &self,
        kernel: &'static Kernel,
        constants: &[(&'static str, f64)],
    ) -> Result<wgpu::ComputePipeline, GpuError> {
        let values = constants
            .iter()
            .map(|(name, value)| (*name, value.to_bits()));
        let key = (kernel.name, values.collect());
        if let Some(pipeline) = self.0.pipelines.borrow().get(&key) {
            return Ok(pipeline.clone());
        }
        let module = self
            .0
            .device
            .create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(kernel.name),
                source: wgpu::ShaderSource::Wgsl(device::wgsl(kernel).into()),
            });
        let pipeline = self
            .0
            .device
            .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(kernel.name),
                layout: None,
                module: &module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants,
                    ..Default::default()
                },
                cache: None,
            });
        self.check()?;
        self.0.pipelines.borrow_mut().insert(key, pipeline.clone());
        Ok(pipeline)
    }

    fn allocate(
        &self,
        label: &str,
        n_bytes: u64,
        usage: wgpu::BufferUsages,
    ) -> Result<wgpu::Buffer, GpuError> {
        let limit = self.limits().max_buffer_bytes;
        if n_bytes == 0 {
            return Err(GpuError::Empty {
                label: label.to_owned(),
            });
        }
        if n_bytes > limit {
            return Err(GpuError::TooLarge {
                label: label.to_owned(),
                n_bytes,
                limit,
                limit_name: "maxBufferSize",
            });
        }
        let raw = self.0.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: n_bytes.next_multiple_of(COPY_ALIGNMENT),
            usage,
            mapped_at_creation: false,
        });
        self.check()?;
        Ok(raw)
    }

    fn unreadable(&self, readback: &Readback, detail: &str) -> GpuError {
        GpuError::Read {
            label: readback.label.clone(),
            detail: detail.to_owned(),
        }
    }
}

impl fmt::Debug for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gpu({})", self.info().name)
    }
}

/// Gives a readback to the device again, also where the future that waits for it is dropped.
struct Mapped<'a>(Option<&'a wgpu::Buffer>);

impl Mapped<'_> {
    fn never_was(mut self) {
        self.0 = None;
    }
}

impl Drop for Mapped<'_> {
    fn drop(&mut self) {
        if let Some(buffer) = self.0 {
            buffer.unmap();
        }
    }
}

fn check_copy(copy: &CopyOut<'_>) -> Result<(), GpuError> {
    let n_bytes = copy.n_bytes.next_multiple_of(COPY_ALIGNMENT);
    copy.from.check_range(copy.at, n_bytes, COPY_ALIGNMENT)?;
    if n_bytes == 0 || n_bytes > copy.to.n_bytes() {
        return Err(GpuError::Range {
            label: copy.to.label.clone(),
            at: 0,
            end: n_bytes,
            len: copy.to.n_bytes(),
            alignment: COPY_ALIGNMENT,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_device_refuses_is_told_by_the_next_read() {
        let Ok(gpu) = pollster::block_on(Gpu::open(&GpuOptions::default())) else {
            // The tests of the kernels decide whether a missing adapter is a failure.
            eprintln!("skipped, no GPU");
            return;
        };
        let buffer = gpu.upload("words", &[1; 8]).unwrap();
        drop(gpu.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some("usages that do not go together"),
            size: 4,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        }));
        let error = pollster::block_on(gpu.read(&buffer, 0, 8)).unwrap_err();
        assert!(matches!(&error, GpuError::Refused { detail } if detail.contains("usage")));
        assert_eq!(pollster::block_on(gpu.read(&buffer, 0, 8)).unwrap(), [1; 8]);
    }
}
