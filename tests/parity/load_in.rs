//! Training on a packed base: against PEFT with bitsandbytes, and against the same run on a plain
//! base that holds the unpacked values.

use burn::tensor::{DType, Device};
use veneer_core::{
    arch::LinearModule,
    model::{Decoder, base_bytes, packed_format},
    protocol::LoadIn,
    quant::PackedFormat,
    rng::Rng,
    train::{Gradients, MicroBatch, Training, evaluate, micro_backward},
    weights::{
        Dtype, LoadError, RawTensor, WeightSource,
        adapter::{Adapter, AdapterPair},
    },
};
use veneer_tests::{arch, assert_close, packed_model, with_weights};

use crate::training::{Case, check, check_resume, run};

const BOTH: [LoadIn; 2] = [LoadIn::EightBits, LoadIn::FourBits];
/// Both runs do the same operations on the same values.
const SAME: f64 = 1e-6;
/// Row-by-row losses against the library's, which sums in f64.
const EVALUATION: f64 = 1e-5;

/// Loss trace, gradient norms, final adapter and evaluation of a run by PEFT.
#[track_caller]
fn check_both(name: &str) {
    for bits in ["4bit", "8bit"] {
        let name = format!("quantized/{name}-{bits}");
        check(&name);
        let case = Case::open(&name);
        let mut training = case.training(case.job.clone(), &Device::flex());
        run(&mut training);
        let want = case.trace["eval"]["final_adapter"]["loss"].as_f64();
        let got = evaluate(training.model(), &case.examples, 4, &mut |_| true)
            .expect("the rows are sound");
        assert_close(
            &[got.loss],
            &[want.expect("a loss")],
            EVALUATION,
            &format!("{name}, evaluation"),
        );
    }
}

#[test]
fn llama_form_as_peft() {
    check_both("llama-biases");
}

#[test]
fn gemma2_as_peft() {
    check_both("gemma2");
}

#[test]
fn fused_projections_as_peft() {
    check_both("gpt-neox-sequential");
    check_both("phi3");
    check_both("falcon-40b");
    check_both("starcoder");
}

#[test]
fn dora_as_peft() {
    check_both("dora");
    check_both("dora-fused");
}

#[test]
fn beside_a_trained_head_and_a_pair_on_the_embedding_as_peft() {
    check_both("saved-head");
    check_both("embedding");
}

#[test]
fn a_restored_run_on_a_packed_base_goes_on_to_the_same_bits() {
    check_resume("quantized/gemma2-4bit", 3);
    check_resume("quantized/starcoder-8bit", 5);
}

/// The tensors of a checkpoint, linear layers rounded by the scalar code.
struct Rounded<'a> {
    source: &'a dyn WeightSource,
    linear: Vec<LinearModule>,
    format: PackedFormat,
}

impl WeightSource for Rounded<'_> {
    fn names(&self) -> Vec<String> {
        self.source.names()
    }

    fn tensor(&self, name: &str) -> Result<RawTensor<'_>, LoadError> {
        let tensor = self.source.tensor(name)?;
        let module = name.strip_suffix(".weight");
        if !self.linear.iter().any(|known| module == Some(&known.path)) {
            return Ok(tensor);
        }
        let blocks = self.format.quantize(&tensor.to_f32()).expect("finite");
        let values = blocks.dequantize();
        Ok(RawTensor::from_f32(&values, tensor.shape, Dtype::F32))
    }
}

fn rounded_model(name: &str, load_in: LoadIn) -> Decoder {
    with_weights(name, |arch, source| {
        let rounded = Rounded {
            source,
            linear: arch.linear_modules(),
            format: packed_format(load_in),
        };
        Decoder::load(arch, &rounded, &Device::flex(), DType::F32).expect("it is whole")
    })
}

#[track_caller]
fn check_same_as_unpacked(name: &str) {
    let case = Case::open(&format!("families/{name}"));
    for load_in in BOTH {
        let mut job = case.job.clone();
        job.load_in = Some(load_in);
        job.gradient_checkpointing = true;
        let start = |mut decoder: Decoder| {
            decoder.attach(&case.init_adapter()).expect("it fits");
            Training::new(job.clone(), decoder, case.examples.clone()).expect("sound")
        };
        let packed = packed_model(case.model_name(), &Device::flex(), Some(load_in));
        let mut got = start(packed);
        let mut want = start(rounded_model(case.model_name(), load_in));
        let steps = run(&mut got).into_iter().zip(run(&mut want));
        for (got, want) in steps {
            let what = format!("{name}, {load_in:?}, step {}", got.step);
            assert_close(&[got.loss], &[want.loss], SAME, &what);
            let norm = want.grad_norm;
            assert_close(&[got.grad_norm], &[norm], SAME * norm, &what);
        }
        let (got, want) = (got.state(), want.state());
        for (tensor, (_, values)) in want.tensors {
            let wide = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
            let what = format!("{name}, {load_in:?}, {tensor}");
            assert_close(&wide(&got.tensors[&tensor].1), &wide(&values), SAME, &what);
        }
    }
}

#[test]
fn a_packed_run_is_the_run_on_the_unpacked_base() {
    for name in [
        "llama-biases",
        "gemma2",
        "gemma3",
        "gpt-neox-parallel",
        "phi3",
        "phi4-mini",
        "falcon-7b",
        "falcon-40b",
        "starcoder",
        "starcoder2",
        "granite",
        "dora-fused",
    ] {
        check_same_as_unpacked(name);
    }
}

/// The slope of the loss along a direction, by differences, is that of the gradients; the base has
/// none.
#[test]
fn gradients_are_the_slopes_of_the_loss() {
    for name in ["llama-biases", "phi3", "gemma2", "starcoder"] {
        for bits in ["4bit", "8bit"] {
            check_slope(&format!("quantized/{name}-{bits}"));
        }
    }
}

#[track_caller]
fn check_slope(name: &str) {
    let case = Case::open(name);
    let decoder = case.model(&Device::flex());
    let rows: Vec<Vec<usize>> = (0..case.examples.len()).map(|i| vec![i]).collect();
    let batch = MicroBatch::new(&case.examples, &rows);
    let scale = 1.0 / batch.targets.len() as f64;
    let mut gradients = Gradients::new();
    micro_backward(&decoder, &batch, scale, true, None, &mut gradients);
    assert!(
        gradients.keys().all(|name| name.contains(".lora_")),
        "{name}: {:?}",
        gradients.keys()
    );

    let direction = direction(&case.init_adapter());
    let mut slope = 0.0;
    for pair in &direction.pairs {
        for (side, values) in [("A", &pair.a), ("B", &pair.b)] {
            let gradient = &gradients[&format!("{}.lora_{side}.weight", pair.module)];
            let gradient = gradient.clone().into_data();
            let gradient = gradient.try_into_vec_as::<f32>().expect("f32");
            let products = gradient.iter().zip(values);
            slope += products
                .map(|(&g, &d)| f64::from(g) * f64::from(d))
                .sum::<f64>();
        }
    }
    let loss_at = |step: f32| {
        let mut moved = case.model(&Device::flex());
        moved
            .attach(&along(&case.init_adapter(), &direction, step))
            .expect("it fits");
        let found = evaluate(&moved, &case.examples, 4, &mut |_| true);
        found.expect("the rows are sound").loss
    };
    // Smaller steps drown in the rounding of f32, larger ones in the curvature.
    let step = 4e-3;
    let want = (loss_at(step) - loss_at(-step)) / (2.0 * f64::from(step));
    assert_close(&[slope], &[want], 0.02 * want.abs().max(0.05), name);
}

/// A random direction of length 1 in the space of an adapter's pairs.
fn direction(adapter: &Adapter) -> Adapter {
    let mut rng = Rng::new(5, 5);
    let mut direction = adapter.clone();
    let draw = |values: &mut Vec<f32>, rng: &mut Rng| {
        values.iter_mut().for_each(|x| *x = rng.normal() as f32);
    };
    for AdapterPair { a, b, .. } in &mut direction.pairs {
        draw(a, &mut rng);
        draw(b, &mut rng);
    }
    let all = direction.pairs.iter().flat_map(|p| p.a.iter().chain(&p.b));
    let length = all.map(|x| x * x).sum::<f32>().sqrt();
    for AdapterPair { a, b, .. } in &mut direction.pairs {
        a.iter_mut().chain(b).for_each(|x| *x /= length);
    }
    direction
}

fn along(adapter: &Adapter, direction: &Adapter, step: f32) -> Adapter {
    let mut moved = adapter.clone();
    let add = |to: &mut [f32], by: &[f32]| {
        to.iter_mut().zip(by).for_each(|(x, d)| *x += step * d);
    };
    for (pair, by) in moved.pairs.iter_mut().zip(&direction.pairs) {
        add(&mut pair.a, &by.a);
        add(&mut pair.b, &by.b);
    }
    moved
}

/// Every linear layer on a device is, bit for bit, what the scalar code makes of the checkpoint, and
/// everything else is the checkpoint's.
#[track_caller]
pub(crate) fn check_unpacked(name: &str, device: &Device) {
    for load_in in BOTH {
        let bits = |mut decoder: Decoder| {
            let mut found = Vec::new();
            decoder.visit(&mut |name, weight| {
                let values = weight.value().into_data();
                let values = values.try_into_vec_as::<f32>().expect("f32");
                let bits: Vec<u32> = values.iter().map(|x| x.to_bits()).collect();
                found.push((name.to_owned(), bits));
            });
            found
        };
        let mut packed = packed_model(name, device, Some(load_in));
        let mut n_packed = 0;
        packed.visit(&mut |_, weight| n_packed += usize::from(weight.is_packed()));
        assert_eq!(n_packed, packed.arch.linear_modules().len(), "{name}");
        assert!(
            bits(packed) == bits(rounded_model(name, load_in)),
            "{name}, {load_in:?}"
        );
    }
}

#[test]
fn what_is_unpacked_is_what_the_scalar_code_says() {
    for name in [
        "llama31",
        "gemma2",
        "phi3",
        "falcon-7b",
        "starcoder",
        "gpt-neox-sequential",
    ] {
        check_unpacked(name, &Device::flex());
    }
}

#[test]
fn bytes_are_those_that_were_planned() {
    for name in ["llama31", "gemma2", "starcoder", "phi2"] {
        for load_in in [None, Some(LoadIn::EightBits), Some(LoadIn::FourBits)] {
            let decoder = packed_model(name, &Device::flex(), load_in);
            let planned = base_bytes(&arch(name), 4, load_in);
            assert_eq!(
                decoder.weight_bytes(),
                planned.resident,
                "{name}, {load_in:?}"
            );
        }
    }
}

#[test]
fn a_packed_layer_is_never_trained_whole() {
    for entry in ["q_proj", "mlp", "self_attn.v_proj"] {
        let case = Case::open("quantized/llama-biases-4bit");
        let mut decoder = case.model(&Device::flex());
        let before = decoder.sequence_logits(&[3, 4, 5]);
        let mut adapter = case.init_adapter();
        adapter.config.modules_to_save = vec![entry.to_owned()];
        let error = decoder
            .attach(&adapter)
            .expect_err("it is refused")
            .to_string();
        assert!(
            error.contains("load_in") && error.contains("modules_to_save"),
            "{error}"
        );
        assert_eq!(decoder.sequence_logits(&[3, 4, 5]), before, "{entry}");
    }
}

#[test]
fn an_adapter_is_taken_off_a_packed_base_again() {
    for name in ["llama-biases", "saved-head"] {
        let case = Case::open(&format!("quantized/{name}-4bit"));
        let mut decoder = packed_model(case.model_name(), &Device::flex(), case.job.load_in);
        let before = decoder.sequence_logits(&[3, 4, 5]);
        decoder.attach(&case.init_adapter()).expect("it fits");
        assert_ne!(decoder.sequence_logits(&[3, 4, 5]), before, "{name}");
        decoder.detach_adapter();
        assert_eq!(decoder.sequence_logits(&[3, 4, 5]), before, "{name}");
    }
}
