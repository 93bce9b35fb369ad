//! What the device reported outside of any call: validation errors, lack of memory, its loss.
//!
//! WebGPU tells these by callback, long after the call that caused them returned something that
//! looks well. They are kept here until somebody asks, so that no wrong number is handed on.

use std::sync::{Arc, Mutex, PoisonError};

use super::error::GpuError;

/// More than a few say nothing new: an invalid pipeline is reported by every use of it.
const KEPT: usize = 4;

/// Shared with the callbacks of the device, which may come from another thread natively.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    errors: Vec<GpuError>,
    lost: Option<GpuError>,
}

impl Faults {
    /// Hears what the device has to say from now on.
    pub(super) fn watch(&self, device: &wgpu::Device) {
        let faults = self.clone();
        device.on_uncaptured_error(Arc::new(move |error| faults.keep(describe(&error))));
        let faults = self.clone();
        device.set_device_lost_callback(move |reason, message| {
            let detail = if message.is_empty() {
                format!("{reason:?}").to_lowercase()
            } else {
                message
            };
            faults.keep(GpuError::Lost { detail });
        });
    }

    fn keep(&self, error: GpuError) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if error.is_lost() {
            kept.lost.get_or_insert(error);
        } else if kept.errors.len() < KEPT {
            kept.errors.push(error);
        }
    }

    /// The first error since the last call. A loss is told every time.
    pub(super) fn take(&self) -> Result<(), GpuError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let errors = std::mem::take(&mut kept.errors);
        // Lack of memory is the cause of whatever else was refused.
        let first = errors
            .iter()
            .find(|error| matches!(error, GpuError::OutOfMemory { .. }))
            .or(errors.first());
        match kept.lost.as_ref().or(first) {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }
}

fn describe(error: &wgpu::Error) -> GpuError {
    match error {
        wgpu::Error::OutOfMemory { source } => GpuError::OutOfMemory {
            detail: source.to_string(),
        },
        wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => {
            GpuError::Refused {
                detail: description.trim().to_owned(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(detail: &str) -> GpuError {
        GpuError::Refused {
            detail: detail.to_owned(),
        }
    }

    #[test]
    fn the_first_error_is_told_once() {
        let faults = Faults::default();
        assert_eq!(faults.take(), Ok(()));
        for detail in ["a", "b", "c", "d", "e", "f"] {
            faults.keep(refused(detail));
        }
        assert_eq!(faults.take(), Err(refused("a")));
        assert_eq!(faults.take(), Ok(()));
    }

    #[test]
    fn lack_of_memory_comes_before_what_follows_from_it() {
        let faults = Faults::default();
        let memory = GpuError::OutOfMemory {
            detail: String::new(),
        };
        faults.keep(refused("a buffer that is none"));
        faults.keep(memory.clone());
        assert_eq!(faults.take(), Err(memory));
    }

    #[test]
    fn a_lost_device_stays_lost() {
        let faults = Faults::default();
        faults.keep(refused("a"));
        for detail in ["unplugged", "destroyed"] {
            faults.keep(GpuError::Lost {
                detail: detail.to_owned(),
            });
        }
        for _ in 0..2 {
            assert!(
                matches!(faults.take(), Err(GpuError::Lost { detail }) if detail == "unplugged")
            );
        }
    }
}
