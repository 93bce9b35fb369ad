//! Damaged and foreign files, impossible prompts: said clearly, and the page goes on.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    app::{App, Fixture, IDS, QUESTION, fixture},
    chromium::WebGpu,
    patched,
};

/// Files that are no models, each with a part of what must be said.
fn damaged(fixture: &Fixture) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let whole = fixture.gguf_bytes();
    let with = |at: usize, bytes: &[u8]| {
        let mut copy = whole.clone();
        copy[at..at + bytes.len()].copy_from_slice(bytes);
        copy
    };
    vec![
        ("empty", "ends inside", Vec::new()),
        ("magic", "Not a GGUF", with(0, b"GGML")),
        ("version", "version 99", with(4, &99_u32.to_le_bytes())),
        (
            "n-tensors",
            "number of tensors",
            with(8, &u64::MAX.to_le_bytes()),
        ),
        (
            "n-metadata",
            "metadata keys",
            with(16, &u64::MAX.to_le_bytes()),
        ),
        ("cut-header", "ends inside", whole[..2000].to_vec()),
        (
            "cut-weights",
            "reach beyond",
            whole[..whole.len() / 2].to_vec(),
        ),
    ]
}

#[test]
fn broken_files_are_told_apart_and_the_next_one_loads() {
    let Some(fixture) = fixture() else { return };
    let folder = tempfile::tempdir().unwrap();
    let app = App::open(fixture, WebGpu::Software);
    for (name, part, bytes) in damaged(fixture) {
        let path = folder.path().join(format!("{name}.gguf"));
        fs::write(&path, bytes).unwrap();
        app.page.choose_files("model-file", &[&path]);
        app.take_error(part);
        app.wait_for("no-model");
    }
    app.page.choose_files("model-file", &[&fixture.gguf]);
    app.wait_for("ready");
    assert_eq!(app.generate(None, 8), fixture.native_ids(&IDS, false, 8));
}

#[test]
fn an_adapter_of_another_model_is_refused_and_the_base_goes_on() {
    let Some(fixture) = fixture() else { return };
    let app = App::with_demo(fixture);
    let foreign = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/merge/llama32");
    let files: [PathBuf; 2] =
        ["adapter_config.json", "adapter_model.safetensors"].map(|name| foreign.join(name));
    app.page
        .choose_files("adapter-file", &[&files[0], &files[1]]);
    let said = app.take_error("");
    assert!(said.contains(|c: char| c.is_ascii_digit()), "`{said}`");
    app.wait_for("ready");
    assert_eq!(app.generate(None, 8), fixture.native_ids(&IDS, false, 8));
}

#[test]
fn half_of_an_adapter_is_told_its_other_half() {
    let Some(fixture) = fixture() else { return };
    let app = App::with_demo(fixture);
    for file in fixture.adapter_files() {
        app.page.choose_files("adapter-file", &[&file]);
        let said = app.take_error("is missing");
        for name in ["adapter_config.json", "adapter_model.safetensors"] {
            assert!(said.contains(name), "`{said}`");
        }
        assert!(!said.contains("gguf"), "`{said}`");
    }
    app.wait_for("ready");
}

#[test]
fn a_prompt_longer_than_the_context_is_refused_in_numbers() {
    let Some(fixture) = fixture() else { return };
    let app = App::with_demo(fixture);
    app.page.fill("prompt", &"palabra ".repeat(6000));
    app.page.click("send");
    let said = app.take_error("");
    assert!(said.contains(|c: char| c.is_ascii_digit()), "`{said}`");
    app.wait_for("ready");

    let request = format!("{{ ids: Array({}).fill(5), maxNewTokens: 1 }}", 1 << 20);
    let refused = app
        .page
        .try_evaluate(&format!("window.veneer.generate({request})"));
    assert!(refused.is_err(), "{refused:?}");
    let unknown = "window.veneer.generate({ ids: [4000000000], maxNewTokens: 1 })";
    assert!(app.page.try_evaluate(unknown).is_err());
    app.ask(QUESTION);
    assert_eq!(app.answer("base"), fixture.native_text(QUESTION, false));
}

#[test]
fn a_template_that_raises_says_its_reason() {
    let Some(fixture) = fixture() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("raises.gguf");
    fs::write(&path, patched::raising(fixture.gguf_bytes(), "only poems")).unwrap();
    let app = App::open(fixture, WebGpu::Software);
    app.page.choose_files("model-file", &[&path]);
    app.wait_for("ready");
    app.page.fill("prompt", QUESTION);
    app.page.click("send");
    app.take_error("only poems");
    app.wait_for("ready");
}
