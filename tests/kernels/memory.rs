//! Buffers, copies, and what happens when the device is gone.

use veneer_core::gpu::{CopyOut, GpuError};

use crate::devices::devices;

#[test]
fn bytes_come_back_and_broken_words_are_filled_with_zeros() {
    for gpu in devices() {
        let buffer = gpu.upload("a", &[1, 2, 3, 4, 5]).unwrap();
        assert_eq!(buffer.n_bytes(), 8);
        let read = |at, n| pollster::block_on(gpu.read(&buffer, at, n)).unwrap();
        assert_eq!(read(0, 8), [1, 2, 3, 4, 5, 0, 0, 0]);
        gpu.write(&buffer, 4, &[9]).unwrap();
        assert_eq!(read(4, 3), [9, 0, 0]);
    }
}

#[test]
fn an_upload_in_several_pieces_is_whole() {
    for gpu in devices().into_iter().take(1) {
        let data: Vec<u8> = (0..(33u32 << 20) + 3).map(|i| (i >> 7) as u8).collect();
        let buffer = gpu.upload("long", &data).unwrap();
        let back = pollster::block_on(gpu.read(&buffer, 0, data.len() as u64)).unwrap();
        assert!(back == data);
    }
}

#[test]
fn what_is_not_inside_is_refused() {
    for gpu in devices() {
        let buffer = gpu.empty("a", 16).unwrap();
        let range = |error| matches!(error, GpuError::Range { .. });
        assert!(range(gpu.write(&buffer, 12, &[0; 5]).unwrap_err()));
        assert!(range(gpu.write(&buffer, 2, &[0; 4]).unwrap_err()));
        assert!(range(gpu.write(&buffer, u64::MAX, &[0; 4]).unwrap_err()));
        assert!(range(
            pollster::block_on(gpu.read(&buffer, 8, 9)).unwrap_err()
        ));
        let empty = gpu.empty("nothing", 0).unwrap_err();
        assert!(matches!(empty, GpuError::Empty { .. }));
        let limit = gpu.limits().max_buffer_bytes;
        let large = gpu.empty("everything", limit + 1).unwrap_err();
        assert!(matches!(large, GpuError::TooLarge { label, .. } if label == "everything"));
    }
}

#[test]
fn memory_is_counted_and_freed_with_the_last_handle() {
    for gpu in devices() {
        let before = gpu.n_bytes_in_use();
        let buffer = gpu.empty("a", 100).unwrap();
        let same = buffer.clone();
        assert_eq!(gpu.n_bytes_in_use(), before + 100);
        drop(buffer);
        assert_eq!(gpu.n_bytes_in_use(), before + 100);
        drop(same);
        assert_eq!(gpu.n_bytes_in_use(), before);
    }
}

#[test]
fn a_readback_is_filled_before_it_is_taken() {
    for gpu in devices() {
        let buffer = gpu.upload("a", &[7; 8]).unwrap();
        let readback = gpu.readback("back", 8).unwrap();
        let copy = CopyOut {
            from: &buffer,
            at: 4,
            n_bytes: 4,
            to: &readback,
        };
        for _ in 0..2 {
            let early = pollster::block_on(gpu.take(&readback)).unwrap_err();
            assert!(matches!(early, GpuError::Read { .. }));
            gpu.submit(&[], &[copy]).unwrap();
            assert_eq!(pollster::block_on(gpu.take(&readback)).unwrap(), [7; 4]);
        }
        let too_long = CopyOut {
            at: 0,
            n_bytes: 12,
            ..copy
        };
        assert!(gpu.submit(&[], &[too_long]).is_err());
    }
}

#[test]
fn a_device_that_is_gone_fails_everything_and_panics_nowhere() {
    for gpu in devices() {
        let buffer = gpu.upload("a", &[7; 8]).unwrap();
        gpu.close();
        for _ in 0..2 {
            let error = pollster::block_on(gpu.read(&buffer, 0, 8)).unwrap_err();
            assert!(error.is_lost(), "{error}");
            assert!(error.hint().is_some());
        }
        assert!(gpu.upload("b", &[7; 8]).is_err());
    }
}
