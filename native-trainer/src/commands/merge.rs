//! `veneer merge`

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::{export_check::CheckArgs, merged_folder::MergeRequest};

/// Fold an adapter into its base: a model folder that needs no adapter any more
///
/// The weights keep the base's type. Before the folder gets its name it is read back and its
/// logits are compared with those of the base with the adapter beside it.
#[derive(Debug, clap::Args)]
pub(crate) struct MergeArgs {
    /// Base: a folder with config.json and *.safetensors, a Hub name, or `demo`
    #[arg(long, value_name = "MODEL")]
    model: String,

    /// Adapter folder, as `veneer train` or PEFT writes it
    #[arg(long, value_name = "DIR")]
    adapter: PathBuf,

    /// New folder for the merged model
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Largest weight file, such as 5GB or 200MB
    #[arg(long, value_name = "SIZE", default_value = "5GB", value_parser = parse_size)]
    max_shard_size: u64,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    check: CheckArgs,
}

pub(crate) fn run(args: MergeArgs) -> Result<()> {
    let request = MergeRequest {
        model: &args.model,
        adapter: Some(&args.adapter),
        out: &args.out,
        max_shard_bytes: args.max_shard_size,
        check: &args.check,
    };
    request.write()?.print(args.json);
    Ok(())
}

/// `5GB` is 5·10⁹ bytes, as in Hugging Face's `max_shard_size`; `GiB` and `MiB` are powers of two.
pub(crate) fn parse_size(text: &str) -> Result<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KIB" => 1 << 10,
        "MIB" => 1 << 20,
        "GIB" => 1 << 30,
        _ => bail!("`{text}` has no known unit; write it like 5GB, 200MB or 1GiB"),
    };
    let number: u64 = match digits.trim().parse() {
        Ok(number) if number > 0 => number,
        _ => bail!("`{text}` is no size; write it like 5GB, 200MB or 1GiB"),
    };
    match number.checked_mul(unit) {
        Some(n_bytes) => Ok(n_bytes),
        None => bail!("`{text}` is too large"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        assert_eq!(parse_size("5GB").unwrap(), 5_000_000_000);
        assert_eq!(parse_size("2gib").unwrap(), 2 << 30);
        assert_eq!(parse_size("700").unwrap(), 700);
        for wrong in ["", "GB", "0GB", "-1GB", "5XB", "99999999999GB", "1.5GB"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }
}
