//! Loss traces, gradient norms and final adapters against PEFT.

use std::path::PathBuf;

use burn::tensor::Device;
use serde_json::Value;
use veneer_core::{
    model::{Decoder, match_targets},
    protocol::TrainJob,
    text::Encoded,
    train::{StepStats, Training, evaluate},
    weights::adapter::Adapter,
};
use veneer_tests::{adapter, assert_close, fixture, integers, json, json_lines, packed_model};

/// float64 is up to 9e-7 away (`trace.json`, `float64_delta`).
const LOSS: f64 = 1e-5;
const GRAD_NORM_RELATIVE: f64 = 2e-5;
/// float64 is up to 2e-6 away.
const ADAPTER: f64 = 5e-6;
const RATE: f64 = 1e-12;

/// One fixture folder.
pub(crate) struct Case {
    pub(crate) dir: PathBuf,
    pub(crate) trace: Value,
    pub(crate) job: TrainJob,
    pub(crate) examples: Vec<Encoded>,
}

impl Case {
    pub(crate) fn open(name: &str) -> Self {
        let dir = fixture("train").join(name);
        // Cases of a folder may share their rows.
        let own = dir.join("data.jsonl");
        let data = if own.exists() {
            own
        } else {
            dir.join("../data.jsonl")
        };
        let examples = json_lines(&data).into_iter().map(|line| Encoded {
            input_ids: integers(&line["input_ids"])
                .iter()
                .map(|&id| id as u32)
                .collect(),
            labels: integers(&line["labels"])
                .iter()
                .map(|&label| label as i32)
                .collect(),
        });
        Self {
            trace: json(&dir.join("trace.json")),
            job: serde_json::from_value(json(&dir.join("job.json"))).expect("a job"),
            examples: examples.collect(),
            dir,
        }
    }

    /// The folder of the base under `models`.
    pub(crate) fn model_name(&self) -> &str {
        let path = self.trace["model"].as_str().expect("a model");
        path.rsplit('/').next().expect("a name")
    }

    /// The adapter that the run starts from; cases may share one.
    pub(crate) fn init_adapter(&self) -> Adapter {
        let elsewhere = self.trace["init_adapter"].as_str();
        adapter(&self.dir.join(elsewhere.unwrap_or("init_adapter")))
    }

    pub(crate) fn model(&self, device: &Device) -> Decoder {
        let mut decoder = packed_model(self.model_name(), device, self.job.load_in);
        decoder.attach(&self.init_adapter()).expect("it fits");
        decoder
    }

    pub(crate) fn training(&self, job: TrainJob, device: &Device) -> Training {
        Training::new(job, self.model(device), self.examples.clone()).expect("the fixture is sound")
    }
}

pub(crate) fn run(training: &mut Training) -> Vec<StepStats> {
    let mut steps = Vec::new();
    while !training.is_done() {
        steps.push(training.step(&|| false).expect("a finite step"));
    }
    steps
}

#[track_caller]
pub(crate) fn check(name: &str) {
    let case = Case::open(name);
    let mut training = case.training(case.job.clone(), &Device::flex());
    let steps = run(&mut training);

    let want = case.trace["steps"].as_array().expect("steps");
    assert_eq!(steps.len(), want.len(), "{name}: steps");
    for (got, want) in steps.iter().zip(want) {
        let number = |key: &str| want[key].as_f64().expect("a number");
        let what = |key| format!("{name}, step {}, {key}", got.step);
        assert_eq!(
            Some(got.n_targets),
            want["n_tokens"].as_u64(),
            "{}",
            what("n_tokens")
        );
        assert_eq!(Some(got.n_input_tokens), want["n_input_tokens"].as_u64());
        assert_close(
            &[got.learning_rate],
            &[number("learning_rate")],
            RATE,
            &what("rate"),
        );
        assert_close(&[got.loss], &[number("loss")], LOSS, &what("loss"));
        let grad_norm = number("grad_norm");
        let tolerance = GRAD_NORM_RELATIVE * grad_norm;
        assert_close(
            &[got.grad_norm],
            &[grad_norm],
            tolerance,
            &what("grad_norm"),
        );
    }

    let want = adapter(&case.dir.join("final_adapter"));
    check_adapter(name, &training.model().adapter(&want.config), &want);
}

/// Every tensor of two adapters.
#[track_caller]
fn check_adapter(name: &str, got: &Adapter, want: &Adapter) {
    let check = |what: &str, got: &[f32], want: &[f32]| {
        let wide = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
        let what = format!("{name}, {what}");
        assert_close(&wide(got), &wide(want), ADAPTER, &what);
    };
    let pairs =
        |adapter: &Adapter| [adapter.pairs.clone(), adapter.extras.embeddings.clone()].concat();
    let (got_pairs, want_pairs) = (pairs(got), pairs(want));
    assert_eq!(got_pairs.len(), want_pairs.len(), "{name}: pairs");
    for (got, want) in got_pairs.iter().zip(&want_pairs) {
        assert_eq!(got.module, want.module);
        check(&format!("A of {}", got.module), &got.a, &want.a);
        check(&format!("B of {}", got.module), &got.b, &want.b);
    }
    let (got_lengths, want_lengths) = (&got.extras.magnitudes, &want.extras.magnitudes);
    assert!(
        got_lengths.keys().eq(want_lengths.keys()),
        "{name}: magnitudes"
    );
    for (module, got) in got_lengths {
        check(&format!("lengths of {module}"), got, &want_lengths[module]);
    }
    // PEFT keeps frozen embeddings too; what is trained must be there.
    for (tensor, got) in &got.extras.replaced {
        let want = want.extras.replaced.get(tensor);
        let want = want.unwrap_or_else(|| panic!("{name}: `{tensor}` is not in PEFT's adapter"));
        assert_eq!(got.shape, want.shape, "{name}: {tensor}");
        check(tensor, &got.values, &want.values);
    }
}

#[test]
fn lora() {
    check("lora");
}

#[test]
fn rslora_on_every_linear_layer() {
    check("rslora-all-linear");
}

#[test]
fn accumulation_with_a_short_last_group() {
    check("accumulation");
}

#[test]
fn a_pattern_as_target_and_a_run_cut_by_max_steps() {
    check("regex-max-steps");
}

#[test]
fn targets_are_peft_s() {
    for name in ["lora", "rslora-all-linear", "regex-max-steps"] {
        let case = Case::open(name);
        let want = adapter(&case.dir.join("final_adapter"));
        let arch = case.model(&Device::flex()).arch;
        let mut got = match_targets(&arch, &case.job.target_modules, None).expect("it matches");
        got.sort();
        let want: Vec<&String> = want.pairs.iter().map(|pair| &pair.module).collect();
        assert_eq!(got.iter().collect::<Vec<_>>(), want, "{name}");
    }
}

/// Runs a case with another job and compares its losses and norms with the case as it is.
#[track_caller]
pub(crate) fn check_same_trace(name: &str, change: impl Fn(&mut TrainJob)) {
    let case = Case::open(name);
    let mut job = case.job.clone();
    change(&mut job);
    let [want, got] =
        [case.job.clone(), job].map(|job| run(&mut case.training(job, &Device::flex())));
    assert_eq!(got.len(), want.len());
    for (got, want) in got.iter().zip(&want) {
        assert_eq!(got.n_targets, want.n_targets);
        assert_close(
            &[got.loss],
            &[want.loss],
            LOSS,
            &format!("{name}, step {}", got.step),
        );
        let tolerance = GRAD_NORM_RELATIVE * want.grad_norm;
        assert_close(
            &[got.grad_norm],
            &[want.grad_norm],
            tolerance,
            &format!("norm at {}", got.step),
        );
    }
}

#[test]
fn recompute_changes_nothing() {
    check_same_trace("accumulation", |job| job.gradient_checkpointing = true);
}

#[test]
fn accumulating_equals_one_large_batch() {
    check_same_trace("accumulation", |job| {
        job.per_device_train_batch_size = 8;
        job.gradient_accumulation_steps = 1;
    });
}

#[test]
fn packing_changes_no_loss() {
    for name in ["accumulation", "lora", "rslora-all-linear"] {
        check_packing(name);
    }
}

#[track_caller]
pub(crate) fn check_packing(name: &str) {
    let case = Case::open(name);
    // One step over the whole dataset, so that both ways train on the same examples.
    let whole = TrainJob {
        max_steps: Some(3),
        per_device_train_batch_size: case.examples.len(),
        gradient_accumulation_steps: 1,
        ..case.job.clone()
    };
    let packed = TrainJob {
        packing: true,
        ..whole.clone()
    };
    let [want, got] = [whole, packed].map(|job| run(&mut case.training(job, &Device::flex())));
    for (got, want) in got.iter().zip(&want) {
        assert_eq!(got.n_targets, want.n_targets);
        assert_close(
            &[got.loss],
            &[want.loss],
            LOSS,
            &format!("{name}, step {}", got.step),
        );
        let tolerance = GRAD_NORM_RELATIVE * want.grad_norm;
        assert_close(&[got.grad_norm], &[want.grad_norm], tolerance, name);
    }
}

#[test]
fn a_restored_run_goes_on_to_the_same_bits() {
    check_resume("accumulation", 7);
}

/// Stops a run at a step and goes on from its state.
#[track_caller]
pub(crate) fn check_resume(name: &str, step: u64) {
    for dropout in [0.0, 0.3] {
        let case = Case::open(name);
        let mut dropped = case.init_adapter();
        dropped.config.lora_dropout = dropout;
        let job = TrainJob {
            lora_dropout: dropout,
            shuffle: true,
            ..case.job.clone()
        };
        let start = || {
            let mut decoder = case.model(&Device::flex());
            decoder.attach(&dropped).expect("it fits");
            Training::new(job.clone(), decoder, case.examples.clone()).expect("sound")
        };
        let mut whole = start();
        let mut state = None;
        while !whole.is_done() {
            if whole.steps_done() == step {
                state = Some(whole.state());
            }
            whole.step(&|| false).expect("a finite step");
        }
        let mut resumed = start();
        resumed
            .restore(&state.expect("the step was passed"))
            .expect("it fits");
        run(&mut resumed);
        assert_eq!(resumed.state(), whole.state());
    }
}

#[test]
fn a_cancelled_step_leaves_the_run_as_it_was() {
    let case = Case::open("accumulation");
    let mut training = case.training(case.job.clone(), &Device::flex());
    training.step(&|| false).expect("a finite step");
    let before = training.state();
    let asked = std::cell::Cell::new(0);
    let result = training.step(&|| asked.replace(asked.get() + 1) == 2);
    assert!(result.is_err());
    assert_eq!(training.state(), before);
}

#[test]
fn evaluation_does_not_depend_on_the_batch_size() {
    let case = Case::open("lora");
    let decoder = case.model(&Device::flex());
    let [one, many] =
        [1, 5].map(|size| evaluate(&decoder, &case.examples, size, &mut |_| true).expect("sound"));
    assert_eq!(one.n_targets, many.n_targets);
    assert_close(&[many.loss], &[one.loss], LOSS, "evaluation");
}
