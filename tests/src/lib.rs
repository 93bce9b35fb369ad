//! What the test binaries share: fixtures and comparisons.

use std::path::{Path, PathBuf};

use burn::tensor::{DType, Device};
use serde_json::Value;
use veneer_core::{
    arch::Arch,
    model::Decoder,
    protocol::LoadIn,
    weights::{
        SafetensorsSource, WeightSource,
        adapter::{Adapter, CONFIG_FILE, WEIGHTS_FILE, read_adapter},
    },
};

/// A file or folder under `tests/fixtures`, or where `VENEER_FIXTURES` says that they lie.
pub fn fixture(path: &str) -> PathBuf {
    let built_from = || Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    std::env::var_os("VENEER_FIXTURES")
        .map_or_else(built_from, PathBuf::from)
        .join(path)
}

pub fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&read(path))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// One JSON value a line.
pub fn json_lines(path: &Path) -> Vec<Value> {
    let text = String::from_utf8(read(path)).expect("fixtures are UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("fixture lines are JSON"))
        .collect()
}

/// Reads `tests/fixtures/models/<name>/config.json`.
pub fn arch(name: &str) -> Arch {
    let path = fixture("models").join(name).join("config.json");
    Arch::from_json(&read(&path)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Loads `tests/fixtures/models/<name>` in f32.
pub fn model(name: &str, device: &Device) -> Decoder {
    packed_model(name, device, None)
}

/// Loads `tests/fixtures/models/<name>` in f32, its linear layers packed.
pub fn packed_model(name: &str, device: &Device, load_in: Option<LoadIn>) -> Decoder {
    with_weights(name, |arch, source| {
        Decoder::load_in(arch, source, (device, DType::F32), load_in)
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    })
}

/// Calls `use_them` with the architecture and the weights of `tests/fixtures/models/<name>`.
pub fn with_weights<T>(name: &str, use_them: impl FnOnce(&Arch, &dyn WeightSource) -> T) -> T {
    let dir = fixture("models").join(name);
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(&dir)
        .expect("the fixture folder exists")
        .map(|entry| entry.expect("a folder entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "safetensors")
        })
        .map(|path| (path.display().to_string(), read(&path)))
        .collect();
    files.sort();
    let borrowed: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    let source = SafetensorsSource::new(&borrowed).expect("the fixture is safetensors");
    use_them(&arch(name), &source)
}

/// Reads an adapter directory.
pub fn adapter(dir: &Path) -> Adapter {
    read_adapter(
        &read(&dir.join(CONFIG_FILE)),
        &read(&dir.join(WEIGHTS_FILE)),
    )
    .expect("a PEFT adapter")
}

/// Numbers of a JSON array.
pub fn numbers(value: &Value) -> Vec<f64> {
    let array = value.as_array().expect("an array of numbers");
    array
        .iter()
        .map(|x| x.as_f64().expect("a number"))
        .collect()
}

/// Whole numbers of a JSON array.
pub fn integers(value: &Value) -> Vec<i64> {
    let array = value.as_array().expect("an array of integers");
    array
        .iter()
        .map(|x| x.as_i64().expect("an integer"))
        .collect()
}

/// Fails with the worst element where any differs by more than `tolerance` (absolute).
#[track_caller]
pub fn assert_close(got: &[f64], want: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}: length");
    // NaN is off.
    let off = |i: &usize| {
        let distance = (got[*i] - want[*i]).abs();
        distance > tolerance || distance.is_nan()
    };
    let n_off = (0..got.len()).filter(off).count();
    let worst = (0..got.len()).max_by(|&i, &j| {
        (got[i] - want[i])
            .abs()
            .total_cmp(&(got[j] - want[j]).abs())
    });
    if let Some(i) = worst.filter(|_| n_off > 0) {
        panic!(
            "{what}: {n_off} of {} elements off by more than {tolerance:e}; worst is {i}: found {}, expected {}",
            got.len(),
            got[i],
            want[i],
        );
    }
}
