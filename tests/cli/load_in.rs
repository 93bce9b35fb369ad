//! Runs on a packed base, and what comes after them: the adapter belongs to the full base.

use std::{fs, path::Path};

use serde_json::Value;
use veneer_core::weights::{SafetensorsSource, WeightSource as _};

use crate::{
    binary::{done, fixture, refused},
    interrupted::{ADAPTER, arguments, kill_after},
};

const CONFIG: &str = "adapter_config.json";

fn packed(out: &Path, load_in: &str) -> Vec<String> {
    let mut words = arguments(out);
    words.extend(["--load-in".to_owned(), load_in.to_owned()]);
    words
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_killed_run_on_a_packed_base_resumes_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    done(&arguments(&plain));
    for load_in in ["8bit", "4bit"] {
        let whole = folder.path().join(load_in);
        done(&packed(&whole, load_in));
        let expected = fs::read(whole.join(ADAPTER)).unwrap();
        assert!(
            expected != fs::read(plain.join(ADAPTER)).unwrap(),
            "{load_in}: nothing was rounded"
        );
        let job = &json(&whole.join("run.json"))["job"];
        assert_eq!(job["load_in"], load_in);
        assert_eq!(job["gradient_checkpointing"], true);
        // What PEFT reads says nothing of how the base was held.
        assert_eq!(json(&whole.join(CONFIG)), json(&plain.join(CONFIG)));

        let killed = folder.path().join(format!("{load_in}-killed"));
        kill_after(5, &packed(&killed, load_in));
        assert!(!killed.join(ADAPTER).exists());
        done(&["train", "--resume", text(&killed), "--device=cpu", "--json"]);
        let found = fs::read(killed.join(ADAPTER)).unwrap();
        assert!(found == expected, "{load_in}: the adapter differs");
    }
}

#[test]
fn the_adapter_is_merged_into_the_full_base() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    done(&packed(&run, "4bit"));
    let base = fixture("models/llama32");
    let merged = folder.path().join("merged");
    done(&[
        "merge",
        "--model",
        text(&base),
        "--adapter",
        text(&run),
        "--out",
        text(&merged),
        "--json",
    ]);

    let [base, merged, adapter] = [
        base.join("model.safetensors"),
        merged.join("model.safetensors"),
        run.join(ADAPTER),
    ]
    .map(|path| fs::read(path).unwrap());
    let [base, merged, adapter] = [&base, &merged, &adapter]
        .map(|bytes| SafetensorsSource::new(&[("a file", bytes.as_slice())]).unwrap());
    let mut n_changed = 0;
    for name in base.names() {
        let (before, after) = (base.tensor(&name).unwrap(), merged.tensor(&name).unwrap());
        let module = name.trim_end_matches(".weight");
        let side = |side: &str| {
            let name = format!("base_model.model.{module}.lora_{side}.weight");
            adapter.tensor(&name).ok()
        };
        let (Some(a), Some(b)) = (side("A"), side("B")) else {
            assert_eq!(before.bytes, after.bytes, "`{name}` has no pair");
            continue;
        };
        n_changed += 1;
        let (r, d_in) = (a.shape[0], a.shape[1]);
        let (a, b) = (a.to_f32(), b.to_f32());
        let (before, after) = (before.to_f32(), after.to_f32());
        for (at, (x, y)) in before.iter().zip(&after).enumerate() {
            let (row, column) = (at / d_in, at % d_in);
            let product = (0..r).map(|i| b[row * r + i] * a[i * d_in + column]);
            let scaling = 32.0 / r as f32;
            let want = x + scaling * product.sum::<f32>();
            assert!(
                (want - y).abs() <= 1e-5,
                "`{name}` at {at}: {y}, not {want}"
            );
        }
    }
    assert_eq!(n_changed, 3 * 4, "layers with pairs");
}

#[test]
fn what_cannot_be_packed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    refused(&packed(&out, "3bit"), &["--load-in", "8bit", "4bit"]);
    let mut whole = packed(&out, "8bit");
    whole.push("--modules-to-save=up_proj".into());
    refused(&whole, &["up_proj", "load_in", "modules_to_save"]);
    assert!(!out.join("run.json").exists());

    let job = folder.path().join("job.json");
    let settings = r#"{"load_in": "4bit", "gradient_checkpointing": false}"#;
    fs::write(&job, settings).unwrap();
    let mut by_file = arguments(&out);
    by_file.extend(["--job".to_owned(), text(&job).to_owned()]);
    refused(&by_file, &["gradient_checkpointing", "load_in"]);
}
