//! How large each module is where it is sent, and whether that is small enough.

use std::{env, path::Path, process::Command};

use anyhow::{Context as _, Result, bail};

use super::Module;
use crate::shell;

/// Bytes of a file, as it is and as hosts send it.
struct Size {
    name: String,
    raw: u64,
    gzip: u64,
    brotli: u64,
}

/// Node compresses: it is there for wasm-opt, and its zlib takes a second where ours, built for
/// tests, would take a minute.
const COMPRESS: &str = "const z = require('zlib'), b = require('fs').readFileSync(process.argv[1]);
console.log(b.length, z.gzipSync(b, { level: 9 }).length, z.brotliCompressSync(b).length)";

/// List what `dist` has of each module; too large is an error where `CI` is set.
pub(super) fn check(dist: &Path, modules: &[Module]) -> Result<()> {
    println!(
        "{:<22} {:>10} {:>10} {:>10}",
        "", "bytes", "gzip -9", "brotli"
    );
    let mut faults = Vec::new();
    for module in modules {
        let mut total = 0;
        for ending in ["_bg.wasm", ".js"] {
            let size = measure(dist, format!("{}{ending}", module.name))?;
            let Size {
                name,
                raw,
                gzip,
                brotli,
            } = size;
            println!("{name:<22} {raw:>10} {gzip:>10} {brotli:>10}");
            total += brotli;
        }
        faults.extend(too_large(module, total));
    }
    if faults.is_empty() {
        return Ok(());
    }
    let text = faults.join("; ");
    if env::var_os("CI").is_some() {
        bail!(text);
    }
    println!("warning: {text}");
    Ok(())
}

fn too_large(module: &Module, total: u64) -> Option<String> {
    let Module {
        what, limit_bytes, ..
    } = module;
    (total > *limit_bytes)
        .then(|| format!("{what} takes {total} bytes compressed, at most {limit_bytes} are wanted"))
}

fn measure(dist: &Path, name: String) -> Result<Size> {
    let mut node = Command::new("node");
    let said = shell::output(node.args(["-e", COMPRESS]).arg(dist.join(&name)))?;
    read_size(name, &said).with_context(|| format!("node said `{said}`"))
}

fn read_size(name: String, said: &str) -> Option<Size> {
    let mut numbers = said.split_whitespace().map(|word| word.parse::<u64>().ok());
    Some(Size {
        name,
        raw: numbers.next()??,
        gzip: numbers.next()??,
        brotli: numbers.next()??,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_node_says_them() {
        let size = read_size("a".into(), "300 200 100\n").unwrap();
        assert_eq!((size.raw, size.gzip, size.brotli), (300, 200, 100));
        assert!(read_size("a".into(), "300 x 100").is_none());
    }

    #[test]
    fn each_module_has_its_own_limit() {
        let module = Module {
            name: "a",
            what: "the thing",
            feature: "",
            optimized: "",
            quick: &[],
            limit_bytes: 100,
        };
        assert_eq!(too_large(&module, 100), None);
        let said = too_large(&module, 101).unwrap();
        assert!(
            said.contains("the thing takes 101") && said.contains("100"),
            "{said}"
        );
    }
}
