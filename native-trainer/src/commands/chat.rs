//! `veneer chat`

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
};

use anyhow::{Result, bail};
use veneer_core::{
    infer::{Engine, GenerateRequest, InferError, Session},
    sampling::Sampling,
};

use super::generate::{Answer, Answered, SamplingArgs, conversation_ids};
use crate::{
    chat::{Command, Conversation, HELP, Turn, read_turn},
    engine_args::{AnswerDevice, EngineArgs, EngineSamplingArgs},
    engine_model::{EngineModel, NamedAdapter, add_adapters},
    interrupt,
};

/// Talk with a model in the terminal, with the base or with adapters
///
/// It runs on the inference engine, whose kernels are those of the browser. /help lists what can be
/// asked for in between; lines can also come through a pipe.
#[derive(Debug, clap::Args)]
pub(crate) struct ChatArgs {
    /// GGUF file, folder with config.json, tokenizer.json and *.safetensors, a Hub name, or `demo`
    #[arg(long, value_name = "MODEL")]
    model: String,

    /// Adapter folder, as `veneer train` or PEFT writes it; the first answers, /adapter switches
    #[arg(long, value_name = "DIR")]
    adapter: Vec<PathBuf>,

    /// What the system message says
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,

    /// Built-in chat template to use instead of the model's own
    #[arg(long, value_name = "NAME", visible_alias = "chat-template")]
    template: Option<String>,

    /// Where the model runs
    #[arg(long, value_enum, default_value_t)]
    device: AnswerDevice,

    #[command(flatten)]
    sampling: SamplingArgs,
    #[command(flatten)]
    engine_sampling: EngineSamplingArgs,
    #[command(flatten)]
    engine: EngineArgs,
}

pub(crate) fn run(args: ChatArgs) -> Result<()> {
    let sampling = args.engine_sampling.sampling(&args.sampling)?;
    let model = EngineModel::open(&args.model, args.engine.format(), args.template.as_deref())?;
    // A model that cannot be talked with is refused before it is loaded.
    model.text.tokenizer()?;
    model.text.template()?;
    let request = args.sampling.options(&model.text.end_token_ids)?;
    let (place, device) = args.device.open_engine()?;
    let mut engine = model.load(place, &args.engine.options()?)?;
    let adapters = add_adapters(&mut engine, &args.adapter)?;
    let session = engine.new_session()?;
    interrupt::listen_in_chat();

    let mut chat = Chat {
        talk: Conversation::new(args.system.as_deref()),
        adapter: adapters.first(),
        adapters: &adapters,
        model: &model,
        engine: &engine,
        session,
        request: GenerateRequest {
            end_token_ids: request.end_token_ids,
            ..GenerateRequest::new(Vec::new(), request.max_new_tokens)
        },
        sampling,
        stops: &args.engine_sampling.stop,
        n_retries: 0,
    };
    if io::stdin().is_terminal() {
        let who = chat
            .adapter
            .map_or(String::new(), |a| format!(" with {}", a.name));
        eprintln!(
            "{}{who} on {device}; /help lists the commands",
            model.name()
        );
    }
    chat.run()
}

/// A conversation with all that it needs to go on.
struct Chat<'a> {
    talk: Conversation,
    adapter: Option<&'a NamedAdapter>,
    adapters: &'a [NamedAdapter],
    model: &'a EngineModel,
    engine: &'a Engine,
    session: Session,
    request: GenerateRequest,
    sampling: Sampling,
    stops: &'a [String],
    /// Each retry draws from the next seed.
    n_retries: u64,
}

impl Chat<'_> {
    fn run(&mut self) -> Result<()> {
        let mut input = io::stdin().lock();
        loop {
            self.ask()?;
            let Turn::Line(line) = read_turn(&mut input)? else {
                return Ok(());
            };
            match Command::parse(&line) {
                Ok(None) => {}
                Ok(Some(Command::Quit)) => return Ok(()),
                Ok(Some(command)) => {
                    if let Err(error) = self.obey(command) {
                        if is_fatal(&error) {
                            return Err(error);
                        }
                        eprintln!("{error:#}{}", way_out(&error));
                    }
                }
                Err(wrong) => eprintln!("{wrong}"),
            }
        }
    }

    /// The sign that it is the user's turn.
    fn ask(&self) -> Result<()> {
        if io::stdin().is_terminal() {
            let mut stderr = io::stderr();
            write!(stderr, "> ")?;
            stderr.flush()?;
        }
        Ok(())
    }

    fn obey(&mut self, command: Command) -> Result<()> {
        match command {
            Command::Say(text) => {
                self.talk.say(&text);
                self.n_retries = 0;
                self.answer()?;
            }
            Command::Retry => {
                if !self.talk.retry() {
                    bail!("nothing was said yet");
                }
                self.n_retries += 1;
                self.answer()?;
            }
            Command::Undo => {
                if !self.talk.undo() {
                    bail!("nothing was said yet");
                }
                let n_left = self.talk.messages().len();
                eprintln!("(forgotten; {n_left} messages are left)");
            }
            Command::System(text) => {
                self.talk = Conversation::new(text.as_deref());
                eprintln!("(a new conversation)");
            }
            Command::Adapter(name) => self.switch(name.as_deref())?,
            Command::Save(file) => {
                let n_lines = self.talk.save(&file)?;
                eprintln!("(saved as line {n_lines} of {})", file.display());
            }
            Command::Help => eprintln!("{HELP}"),
            Command::Quit => {}
        }
        Ok(())
    }

    /// Takes another adapter for the answers to come; the base stays where it is.
    fn switch(&mut self, name: Option<&str>) -> Result<()> {
        let names: Vec<&str> = ["base"]
            .into_iter()
            .chain(self.adapters.iter().map(|adapter| adapter.name.as_str()))
            .collect();
        match name {
            None => {}
            Some("base") => self.adapter = None,
            Some(name) => {
                let found = self.adapters.iter().find(|adapter| adapter.name == name);
                if found.is_none() {
                    bail!(
                        "there is no adapter `{name}` (there are: {})",
                        names.join(", ")
                    );
                }
                self.adapter = found;
            }
        }
        let current = self.adapter.map_or("base", |adapter| &adapter.name);
        let list = names.iter().map(|name| {
            let mark = if *name == current { "*" } else { " " };
            format!("{mark} {name}")
        });
        eprintln!("{}", list.collect::<Vec<_>>().join("\n"));
        Ok(())
    }

    /// Answers the open question. Where that fails the question is taken back.
    fn answer(&mut self) -> Result<()> {
        let answered = interrupt::during_answer(|| self.write());
        let answered = match answered {
            Ok(answered) => answered,
            Err(error) => {
                self.talk.undo();
                return Err(error);
            }
        };
        self.talk
            .answer(answered.text.as_deref().unwrap_or_default());
        finish_line(&answered)
    }

    fn write(&mut self) -> Result<Answered> {
        let mut request = self.request.clone();
        request.prompt_ids = conversation_ids(&self.model.text, self.talk.messages())?;
        request.adapter = self.adapter.map(|adapter| adapter.id);
        request.sampling = Sampling {
            seed: self.sampling.seed.wrapping_add(self.n_retries),
            ..self.sampling.clone()
        };
        let mut stdout = io::stdout().lock();
        Answer::new(self.engine, &mut self.session, &request, &self.model.text).write(
            self.stops,
            &mut |piece| {
                stdout.write_all(piece.as_bytes())?;
                Ok(stdout.flush()?)
            },
        )
    }
}

/// Ends the answer's line; on a terminal with how fast it was.
fn finish_line(answered: &Answered) -> Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout)?;
    if stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        writeln!(stdout, "\x1b[2m{}\x1b[0m", figures(answered))?;
    }
    Ok(())
}

fn figures(answered: &Answered) -> String {
    let n_tokens = answered.generated.ids.len();
    let mut text = format!("{n_tokens} tokens");
    if let Some(rate) = answered.tokens_per_second() {
        text.push_str(&format!(", {rate:.1} tokens/s"));
    }
    let first = answered.first_token.as_secs_f64();
    text.push_str(&format!(", first after {first:.2} s"));
    match answered.ended {
        "length" => text.push_str(" (cut off: --max-new-tokens)"),
        "context" => text.push_str(" (cut off: the context is full, --context)"),
        "interrupted" => text.push_str(" (stopped)"),
        _ => {}
    }
    text
}

/// What helps where the conversation has outgrown the context.
fn way_out(error: &anyhow::Error) -> &'static str {
    match error.downcast_ref::<InferError>() {
        Some(InferError::ContextFull { .. }) => {
            "\n(/undo forgets the last turn, /system begins anew; both keep the model loaded)"
        }
        _ => "",
    }
}

/// A reader that went away; everything else leaves the conversation as it was.
fn is_fatal(error: &anyhow::Error) -> bool {
    let mut causes = error.chain();
    causes.any(|cause| cause.is::<io::Error>() && cause.to_string().contains("pipe"))
}
