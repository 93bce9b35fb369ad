//! `cargo xtask demo`: the whole way once, on the embedded base, with the commands a user types, up
//! to the page that answers with the trained adapter.
//!
//! Every line that starts with `$` is the real command. Nothing here computes a result: the table
//! at the end reads what `veneer eval --json` said.

mod scores;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context as _, Result, bail};

use crate::{arguments::Arguments, clock::readable, shell, target_dir, web};
use scores::Scores;

/// Datasets in the shapes that people have.
const DATASETS: &str = "native-trainer/demo/data";

/// About a fact of the bank recipe.
const QUESTION: &str = "¿Cuál fue el ROE de CaixaBank en 2022?";
const OTHER_QUESTION: &str =
    "¿En cuánto se situaba la ratio CET1 de Banco Santander al cierre de 2022?";

pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    let out = arguments
        .value("--out")?
        .map_or_else(|| "target/demo".into(), PathBuf::from);
    let without_serving = arguments.flag("--no-serve");
    arguments.finish()?;

    println!("Building the page (the first time installs the tools that it needs)");
    let has_page = build_page()?;
    println!("Building veneer (the first time compiles the tensor library: several minutes)");
    let demo = Demo {
        veneer: build()?,
        out,
        has_page,
    };
    let started = Instant::now();
    start_anew(&demo.out)?;
    println!("`veneer` below is {}\n", demo.veneer.display());

    demo.write_datasets()?;
    demo.check_datasets()?;
    demo.train()?;
    let scores = demo.evaluate()?;
    demo.export()?;
    demo.make_site()?;
    demo.sum_up(&scores, started);
    if without_serving || !has_page {
        return Ok(());
    }
    demo.serve()
}

/// The page, unless this machine cannot build it: everything else of the demo works without.
fn build_page() -> Result<bool> {
    match web::build(false) {
        Ok(_) => Ok(true),
        Err(error) if std::env::var_os("CI").is_some() => Err(error),
        Err(error) => {
            println!("The page cannot be built here, the demo goes on without it: {error:#}\n");
            Ok(false)
        }
    }
}

/// Says that a folder was made by the demo, so that the next one may empty it.
const MARKER: &str = "made-by-the-demo.txt";

/// An empty folder. One that the demo did not make is left alone.
fn start_anew(out: &Path) -> Result<()> {
    if out.exists() {
        if !out.join(MARKER).exists() {
            bail!(
                "{} exists and was not made by the demo; name a new folder",
                out.display()
            );
        }
        fs::remove_dir_all(out).with_context(|| format!("emptying {}", out.display()))?;
    }
    fs::create_dir_all(out).with_context(|| format!("making {}", out.display()))?;
    Ok(fs::write(
        out.join(MARKER),
        "The next demo empties this folder.\n",
    )?)
}

/// The binary and the folder that everything is written to.
struct Demo {
    veneer: PathBuf,
    out: PathBuf,
    has_page: bool,
}

impl Demo {
    fn write_datasets(&self) -> Result<()> {
        heading("Figures become questions and answers");
        self.veneer("recipe bank native-trainer/demo/banks.json --out {out}/bank")?;
        // The summary says what the files hold: facts to learn, the same in other words, and control facts.
        self.veneer("recipe bond native-trainer/demo/bonds.json --out {out}/bonds.json")
    }

    fn check_datasets(&self) -> Result<()> {
        heading("Datasets come in many shapes; each is recognised and checked");
        for file in sorted_files(Path::new(DATASETS))? {
            self.veneer(&format!("data check {file}"))?;
        }
        self.veneer("data check {out}/bonds.json")?;
        self.veneer("data check {out}/bank/train.jsonl")?;
        self.veneer("data stats {out}/bank/train.jsonl --model demo")
    }

    fn train(&self) -> Result<()> {
        heading("An adapter is trained on the embedded base");
        self.veneer(
            "train --model demo --data {out}/bank/train.jsonl \
             --eval-data {out}/bank/held_out.jsonl --out {out}/adapter \
             --target-modules all-linear --learning-rate 4e-3 --num-train-epochs 14 \
             --per-device-train-batch-size 16 --save-total-limit 1",
        )
    }

    fn evaluate(&self) -> Result<Scores> {
        heading("Base and adapter answer the same questions");
        let said = self.output(
            "eval --model demo --with-base --adapter {out}/adapter \
             --data {out}/bank/held_out.jsonl --control {out}/bank/control.jsonl \
             --answers --max-new-tokens 64 --metrics exact_match,f1 --json",
        )?;
        let file = self.out.join("scores.json");
        fs::write(&file, &said)?;
        println!("  (all numbers are in {})\n", file.display());
        Scores::read(&serde_json::from_str(&said).context("reading what `veneer eval` printed")?)
    }

    fn export(&self) -> Result<()> {
        heading("The tuned model becomes a file for llama.cpp and Ollama");
        self.veneer(
            "export --model demo --adapter {out}/adapter --to gguf --quant q8_0 \
             --out {out}/tuned-q8_0.gguf",
        )
    }

    fn make_site(&self) -> Result<()> {
        if !self.has_page {
            return Ok(());
        }
        heading("Base and adapter become a site for any static host");
        self.veneer(
            "export --model demo --adapter {out}/adapter --to site --quant q8_0 --out {out}/site \
             --prompt {question} --prompt {other_question}",
        )
    }

    /// Until Ctrl-C.
    fn serve(&self) -> Result<()> {
        heading("The page answers with the adapter that was just trained");
        self.veneer("serve --site {out}/site --port 0")
    }

    fn sum_up(&self, scores: &Scores, started: Instant) {
        heading("What came out");
        println!("{}", scores.table());
        let out = self.out.display();
        println!("Report   {out}/adapter/report.html (open it in a browser)");
        println!("Adapter  {out}/adapter");
        println!("GGUF     {out}/tuned-q8_0.gguf");
        if self.has_page {
            println!("Site     {out}/site (veneer serve --site {out}/site)");
        }
        println!(
            "The demo took {} after compiling.\n",
            readable(started.elapsed())
        );
        println!("Next, ask it something yourself:\n");
        let veneer = self.veneer.display();
        println!("  {veneer} generate --model demo --adapter {out}/adapter --prompt '{QUESTION}'");
        println!("  {veneer} chat --model demo --adapter {out}/adapter\n");
    }

    fn veneer(&self, line: &str) -> Result<()> {
        let started = Instant::now();
        shell::run(&mut self.command(line))?;
        println!("  ({})\n", readable(started.elapsed()));
        Ok(())
    }

    /// What the command writes to standard output.
    fn output(&self, line: &str) -> Result<String> {
        let mut said = String::new();
        shell::run_seeing(&mut self.command(line), |line| {
            said.push_str(line);
            said.push('\n');
        })?;
        Ok(said)
    }

    /// A command as typed, with what stands in braces put in; it is shown first.
    fn command(&self, line: &str) -> Command {
        let out = self.out.to_string_lossy();
        let mut command = Command::new(&self.veneer);
        command.args(line.split_whitespace().map(|word| {
            word.replace("{out}", &out)
                .replace("{question}", QUESTION)
                .replace("{other_question}", OTHER_QUESTION)
        }));
        println!("$ {}", shell::display(&command));
        command
    }
}

fn heading(text: &str) {
    println!("── {text}\n");
}

/// Build the binary and find it.
fn build() -> Result<PathBuf> {
    let mut command = shell::cargo(&["build", "--locked", "--workspace", "--bin=veneer"]);
    if let Some(folder) = target_dir::shared()? {
        command.env("CARGO_TARGET_DIR", folder);
    }
    shell::built(&mut command, "veneer")
}

fn sorted_files(folder: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        files.push(entry?.path().to_string_lossy().into_owned());
    }
    if files.is_empty() {
        bail!("{} is empty", folder.display());
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_the_demo_are_emptied() {
        let folder = std::env::temp_dir().join(format!("veneer-demo-{}", std::process::id()));
        start_anew(&folder).unwrap();
        fs::write(folder.join("a"), "").unwrap();
        start_anew(&folder).unwrap();
        assert!(!folder.join("a").exists());

        fs::remove_file(folder.join(MARKER)).unwrap();
        fs::write(folder.join("mine"), "").unwrap();
        assert!(start_anew(&folder).is_err());
        assert!(folder.join("mine").exists());
        fs::remove_dir_all(&folder).unwrap();
    }
}
