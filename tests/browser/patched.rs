//! The demo's GGUF file with one thing in it changed, everything else where it was.

/// A file whose answers go on until they are stopped: another token ends them.
pub(crate) fn endless(mut file: Vec<u8>) -> Vec<u8> {
    let at = value_at(&file, "tokenizer.ggml.eos_token_id");
    file[at..at + 4].copy_from_slice(&7_u32.to_le_bytes());
    file
}

/// A file whose chat template raises this text, which holds no quotes.
pub(crate) fn raising(mut file: Vec<u8>, reason: &str) -> Vec<u8> {
    let at = value_at(&file, "tokenizer.chat_template");
    let length = u64::from_le_bytes(file[at..at + 8].try_into().unwrap()) as usize;
    let (start, end) = (format!("{{{{ raise_exception('{reason}') }}}}{{#"), "#}");
    let filling = length - start.len() - end.len();
    let template = format!("{start}{}{end}", " ".repeat(filling));
    file[at + 8..][..length].copy_from_slice(template.as_bytes());
    file
}

/// Where the value of a metadata key begins: behind the key and the four bytes of its type.
fn value_at(file: &[u8], key: &str) -> usize {
    let mut windows = file.windows(key.len());
    let found = windows.position(|window| window == key.as_bytes());
    found.expect("the demo's file has the key") + key.len() + 4
}
