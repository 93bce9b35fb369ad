//! A command that a document quotes can be typed: its verb and its flags exist.
//!
//! Verbs are the variants of `enum Command` in `cli.rs`; a verb's own verbs are the variants of the
//! `Subcommand` enum in its file; flags are the fields with `#[arg(long)]`.

use std::collections::BTreeSet;

use crate::{
    rust_code::numbered,
    tree::{Tree, Violation},
};

const DOCUMENTS: [&str; 5] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "BENCHMARKS.md",
    "CHANGELOG.md",
];

/// Runs commands of `veneer` that it spells out.
const DEMO: &str = "xtask/src/demo.rs";

const COMMANDS: &str = "native-trainer/src/commands/";

/// Every `veneer …` and `cargo xtask …` in code blocks and code spans, and what the demo runs.
pub fn exist(tree: &Tree) -> Vec<Violation> {
    let cli = Cli::read(tree);
    let mut violations = Vec::new();
    for (line, command) in tree
        .file(DEMO)
        .map_or_else(Vec::new, |demo| run_by(&demo.text))
    {
        let words: Vec<&str> = command.split_whitespace().collect();
        violations.extend(
            cli.problem(&words)
                .map(|what| Violation::new(DEMO, line, what)),
        );
    }
    for document in DOCUMENTS.iter().filter_map(|path| tree.file(path)) {
        for (line, quoted) in quoted(&document.text) {
            let found = match quoted.split_whitespace().collect::<Vec<_>>()[..] {
                ["veneer", ref words @ ..] => cli.problem(words),
                ["cargo", "xtask", ref words @ ..] => xtask_problem(tree, words),
                _ => None,
            };
            if let Some(what) = found {
                violations.push(Violation::new(&document.path, line, what));
            }
        }
    }
    violations
}

/// Commands of a document, each with its line: lines of code blocks (without `$ `, joined where a
/// backslash ends them) and code spans.
fn quoted(document: &str) -> Vec<(usize, String)> {
    let mut commands = Vec::new();
    let mut in_block = false;
    let mut unfinished: Option<(usize, String)> = None;
    for (number, line) in numbered(document) {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
            continue;
        }
        if !in_block {
            commands.extend(
                line.split('`')
                    .skip(1)
                    .step_by(2)
                    .map(|code| (number, code.into())),
            );
            continue;
        }
        let text = line.trim().trim_start_matches("$ ");
        let (start, mut command) = unfinished.take().unwrap_or((number, String::new()));
        command.push_str(text.trim_end_matches('\\'));
        if text.ends_with('\\') {
            unfinished = Some((start, command));
        } else {
            commands.push((start, command));
        }
    }
    // `a && b` are two commands; what follows a `#` is a remark.
    commands
        .into_iter()
        .flat_map(|(number, command)| {
            let command = command.split(" #").next().unwrap_or_default().to_owned();
            command
                .split("&&")
                .map(|part| (number, part.trim().to_owned()))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The command lines in `self.veneer("…")` and `self.output("…")`.
fn run_by(source: &str) -> Vec<(usize, String)> {
    let calls = ["self.veneer(", "self.output("];
    let starts = calls.iter().flat_map(|call| source.match_indices(call));
    starts
        .filter_map(|(at, call)| {
            let argument = source[at + call.len()..].trim_start();
            let argument = argument.strip_prefix("&format!(").unwrap_or(argument);
            let (command, _) = argument.strip_prefix('"')?.split_once('"')?;
            let line = source[..at].matches('\n').count() + 1;
            Some((line, command.replace("\\\n", " ")))
        })
        .collect()
}

fn xtask_problem(tree: &Tree, words: &[&str]) -> Option<String> {
    let sources: Vec<&str> = tree
        .files()
        .iter()
        .filter(|file| file.is_rust_in("xtask/src/"))
        .map(|file| file.text.as_str())
        .collect();
    let named = |word: &str| {
        sources
            .iter()
            .any(|text| text.contains(&format!("\"{word}\"")))
    };
    let verb = words.first()?;
    let unknown = std::iter::once(verb)
        .chain(words.iter().filter(|word| word.starts_with("--")))
        .find(|word| !named(word))?;
    Some(format!("`cargo xtask` does not know `{unknown}`"))
}

/// What the command line understands, read from its source.
struct Cli {
    verbs: BTreeSet<String>,
    /// `(verb, its own verbs)`
    inner_verbs: Vec<(String, BTreeSet<String>)>,
    flags: BTreeSet<String>,
}

impl Cli {
    fn read(tree: &Tree) -> Self {
        let mut cli = Self {
            verbs: BTreeSet::new(),
            inner_verbs: Vec::new(),
            flags: ["help", "version"].map(String::from).into(),
        };
        for file in tree
            .files()
            .iter()
            .filter(|file| file.is_rust_in("native-trainer/src/"))
        {
            cli.flags.extend(long_flags(&file.text));
            let verbs = subcommands(&file.text);
            if file.path == "native-trainer/src/cli.rs" {
                cli.verbs = verbs;
            } else if let Some(inside) = file.path.strip_prefix(COMMANDS)
                && !verbs.is_empty()
            {
                let verb = inside.split(['/', '.']).next().unwrap_or_default();
                cli.inner_verbs.push((verb.replace('_', "-"), verbs));
            }
        }
        cli
    }

    fn problem(&self, words: &[&str]) -> Option<String> {
        let verb = words.first().filter(|word| is_verb(word))?;
        if !self.verbs.contains(*verb) && *verb != "help" {
            return Some(format!("`veneer` does not know the command `{verb}`"));
        }
        let inner = self.inner_verbs.iter().find(|(name, _)| name == verb);
        if let (Some((_, known)), Some(second)) = (inner, words.get(1))
            && is_verb(second)
            && !known.contains(*second)
        {
            return Some(format!(
                "`veneer {verb}` does not know the command `{second}`"
            ));
        }
        let flag = words.iter().filter_map(|word| flag_name(word));
        let unknown = flag.into_iter().find(|flag| !self.flags.contains(*flag))?;
        Some(format!("no command of `veneer` has the flag `--{unknown}`"))
    }
}

/// A plain lower-case word; not a flag, a placeholder or a file.
fn is_verb(word: &str) -> bool {
    !word.is_empty()
        && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
        && !word.starts_with('-')
}

/// `--lora-r=16` and `[--lora-r` are the flag `lora-r`.
fn flag_name(word: &str) -> Option<&str> {
    let name = word.trim_start_matches(['[', '(']).strip_prefix("--")?;
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    Some(&name[..end.unwrap_or(name.len())]).filter(|name| !name.is_empty())
}

/// Kebab-case names of the variants of each enum that derives `Subcommand`.
fn subcommands(source: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        if !(line.trim_start().starts_with("#[derive(") && line.contains("Subcommand")) {
            continue;
        }
        for line in lines.by_ref().take_while(|line| line.trim_end() != "}") {
            let indent = line.len() - line.trim_start().len();
            let name: String = line
                .trim()
                .chars()
                .take_while(|c| c.is_alphanumeric())
                .collect();
            if indent == 4 && name.starts_with(|c: char| c.is_ascii_uppercase()) {
                names.insert(kebab(&name));
            }
        }
    }
    names
}

/// Names of fields under `#[arg(… long …)]`.
fn long_flags(source: &str) -> Vec<String> {
    let mut flags = Vec::new();
    for (at, opening) in source.match_indices("#[arg(") {
        let rest = &source[at + opening.len()..];
        let Some((attribute, after)) = rest.split_once(")]") else {
            continue;
        };
        let options: Vec<&str> = attribute.split(',').map(str::trim).collect();
        for option in &options {
            if let Some(name) = option.strip_prefix("long = ") {
                flags.push(name.trim_matches('"').to_owned());
            }
            for alias in ["alias = ", "visible_alias = "] {
                flags.extend(
                    option
                        .strip_prefix(alias)
                        .map(|name| name.trim_matches('"').into()),
                );
            }
        }
        if options.contains(&"long") {
            flags.extend(field_name(after).map(|name| name.replace('_', "-")));
        }
    }
    flags
}

/// The first field after an attribute, past other attributes and comments.
fn field_name(after: &str) -> Option<String> {
    let line = after
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with("#[") && !line.starts_with("//"))?;
    let (name, _) = line.split_once(':')?;
    name.split_whitespace().last().map(String::from)
}

/// `GpuKit` → `gpu-kit`.
fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.push(c.to_ascii_lowercase());
    }
    kebab
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLI: &str = "\
#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Datasets.
    #[command(subcommand)]
    Data(DataCommand),
    Train(TrainArgs),
}
";
    const DATA: &str = "\
#[derive(Debug, clap::Subcommand)]
pub(crate) enum DataCommand {
    Check(CheckArgs),
}
";
    const TRAIN: &str = "\
struct TrainArgs {
    /// Rank.
    #[arg(long, value_name = \"N\")]
    lora_r: usize,
    #[arg(short, long = \"data\")]
    files: Vec<PathBuf>,
}
";

    fn problems(readme: &str) -> Vec<(usize, String)> {
        let tree = Tree::of(&[
            ("README.md", readme),
            ("native-trainer/src/cli.rs", CLI),
            ("native-trainer/src/commands/data.rs", DATA),
            ("native-trainer/src/commands/train.rs", TRAIN),
            (
                "xtask/src/main.rs",
                "match word { \"demo\" => demo(\"--out\") }",
            ),
        ]);
        exist(&tree)
            .into_iter()
            .map(|found| (found.line, found.what))
            .collect()
    }

    #[test]
    fn what_exists_may_be_quoted() {
        let readme = "Type `veneer data check my.jsonl`.\n```sh\n$ veneer train \\\n    --data a.csv --lora-r 8 # fine\n\
                      cargo xtask demo --out x && veneer help\n```\n`veneer` alone, `veneer DIR`.\n";
        assert_eq!(problems(readme), []);
    }

    #[test]
    fn what_the_demo_runs_is_checked() {
        let demo = "self.veneer(\"data check {out}/a\")?;\nself.veneer(\n    \"train --data x \\\n     --rank 3\",\n)";
        let tree = Tree::of(&[
            (DEMO, demo),
            ("native-trainer/src/cli.rs", CLI),
            ("native-trainer/src/commands/train.rs", TRAIN),
        ]);
        let found = exist(&tree);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].line == 2 && found[0].what.contains("`--rank`"),
            "{found:?}"
        );
    }

    #[test]
    fn what_does_not_exist_is_found() {
        let check = |readme: &str, line, word: &str| {
            let found = problems(readme);
            assert_eq!(found.len(), 1, "{readme}: {found:?}");
            assert!(found[0].0 == line && found[0].1.contains(word), "{found:?}");
        };
        check("a\n`veneer fly`\n", 2, "`fly`");
        check("`veneer data polish x`\n", 1, "`polish`");
        check("```\nveneer train \\\n  --rank 3\n```\n", 2, "`--rank`");
        check("`cargo xtask dance`\n", 1, "`dance`");
        check("`cargo xtask demo --fast`\n", 1, "`--fast`");
    }
}
