//! `veneer generate` on the inference engine.

use std::{
    io::Write as _,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use veneer_core::{
    infer::{Engine, GenerateRequest, Generated, NewToken, Session, StopReason, TextStream},
    text::ModelText,
};

use super::{GenerateArgs, prompt_ids};
use crate::{
    engine_model::{EngineModel, NamedAdapter, add_adapters},
    interrupt,
};

pub(super) fn run(args: &GenerateArgs) -> Result<()> {
    if args.dtype.is_some() {
        bail!("--dtype is for the training code; the engine has --quant for a folder's weights");
    }
    let model = EngineModel::open(&args.model, args.engine.format(), args.template.as_deref())?;
    let ids = prompt_ids(args, &model.text)?;
    let sampling = args.engine_sampling.sampling(&args.sampling)?;
    let options = args.sampling.options(&model.text.end_token_ids)?;
    let (place, device) = args.device.open_engine()?;
    let mut engine = model.load(place, &args.engine.options()?)?;
    let adapters = add_adapters(&mut engine, &args.adapter)?;
    let mut session = engine.new_session()?;
    interrupt::listen();

    let who: Vec<Option<&NamedAdapter>> = if adapters.is_empty() {
        vec![None]
    } else {
        adapters.iter().map(Some).collect()
    };
    for adapter in &who {
        let request = GenerateRequest {
            adapter: adapter.map(|adapter| adapter.id),
            sampling: sampling.clone(),
            end_token_ids: options.end_token_ids.clone(),
            ..GenerateRequest::new(ids.clone(), options.max_new_tokens)
        };
        if let (Some(adapter), false, true) = (adapter, args.json, who.len() > 1) {
            println!("{}:", adapter.name);
        }
        let stops = &args.engine_sampling.stop;
        let answer = Answer::new(&engine, &mut session, &request, &model.text)
            .write(stops, &mut |piece| show(piece, args.json))?;
        if args.json {
            let mut object = answer.json(ids.len(), &device);
            if let Some(adapter) = adapter {
                object["adapter"] = adapter.name.clone().into();
            }
            if args.logits {
                object["logits"] = last_logits(&engine, &mut session, &request)?.into();
            }
            println!("{object}");
        } else if model.text.tokenizer.is_some() {
            println!();
        } else {
            println!("{:?}", answer.generated.ids);
        }
        if interrupt::asked() {
            break;
        }
    }
    Ok(())
}

fn show(piece: &str, quiet: bool) -> Result<()> {
    if !quiet {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(piece.as_bytes())?;
        stdout.flush()?;
    }
    Ok(())
}

fn last_logits(
    engine: &Engine,
    session: &mut Session,
    request: &GenerateRequest,
) -> Result<Vec<f32>> {
    let mut last = Vec::new();
    let mut keep = |logits: &[f32]| last = logits.to_vec();
    let scored = engine.score(session, &request.prompt_ids, request.adapter, &mut keep);
    pollster::block_on(scored)?;
    Ok(last)
}

/// An answer about to be written.
pub(crate) struct Answer<'a> {
    engine: &'a Engine,
    session: &'a mut Session,
    request: &'a GenerateRequest,
    text: &'a ModelText,
}

/// An answer with its text and times.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) generated: Generated,
    /// Absent without a tokenizer.
    pub(crate) text: Option<String>,
    /// Why it ended: `end`, `stop`, `length`, `context` or `interrupted`.
    pub(crate) ended: &'static str,
    pub(crate) first_token: Duration,
    decode: Duration,
}

impl<'a> Answer<'a> {
    pub(crate) fn new(
        engine: &'a Engine,
        session: &'a mut Session,
        request: &'a GenerateRequest,
        text: &'a ModelText,
    ) -> Self {
        Self {
            engine,
            session,
            request,
            text,
        }
    }

    /// Writes it, giving `show` text as it becomes certain. Ctrl-C ends it.
    pub(crate) fn write(
        self,
        stops: &[String],
        show: &mut dyn FnMut(&str) -> Result<()>,
    ) -> Result<Answered> {
        let tokenizer = self.text.tokenizer.as_ref();
        let mut stream = tokenizer.map(|tokenizer| TextStream::new(tokenizer, stops));
        let mut text = String::new();
        let mut failed = None;
        let mut stopped = false;
        let mut times = Times::start();
        let mut on_token = |token: &NewToken| {
            times.token();
            let is_end = self.request.end_token_ids.contains(&token.id);
            if let Some(stream) = stream.as_mut().filter(|_| !is_end) {
                let pushed = stream.push(token.id).map_err(anyhow::Error::from);
                let shown = pushed.and_then(|piece| {
                    stopped = piece.stopped;
                    text.push_str(&piece.text);
                    show(&piece.text)
                });
                failed = shown.err();
            }
            if failed.is_some() || stopped || interrupt::asked() {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        };
        let generated = self
            .engine
            .generate(self.session, self.request, &mut on_token);
        let generated = pollster::block_on(generated)?;
        if let Some(error) = failed {
            return Err(error).context("writing the answer");
        }
        if let Some(stream) = &mut stream {
            let rest = stream.finish();
            stopped |= rest.stopped;
            text.push_str(&rest.text);
            show(&rest.text)?;
        }
        Ok(Answered {
            ended: match generated.stop {
                StopReason::EndToken => "end",
                StopReason::Length => "length",
                StopReason::ContextFull => "context",
                StopReason::Cancelled if stopped => "stop",
                StopReason::Cancelled => "interrupted",
            },
            text: stream.is_some().then_some(text),
            first_token: times.first(),
            decode: times.decode(),
            generated,
        })
    }
}

impl Answered {
    /// Tokens after the first, a second; `None` where there was only one.
    pub(crate) fn tokens_per_second(&self) -> Option<f64> {
        let n_later = self.generated.ids.len().checked_sub(1).filter(|n| *n > 0)?;
        let seconds = self.decode.as_secs_f64();
        (seconds > 0.0).then(|| n_later as f64 / seconds)
    }

    fn json(&self, n_prompt_tokens: usize, device: &str) -> Value {
        let mut object = json!({
            "ids": self.generated.ids,
            "logprobs": self.generated.logprobs,
            "ended": matches!(self.ended, "end" | "stop"),
            "finish": self.ended,
            "n_prompt_tokens": n_prompt_tokens,
            "device": device,
            "time_to_first_token_ms": self.first_token.as_secs_f64() * 1e3,
            "decode_tokens_per_second": self.tokens_per_second(),
        });
        if let Some(text) = &self.text {
            object["text"] = text.clone().into();
        }
        object
    }
}

/// When tokens came.
struct Times {
    started: Instant,
    first: Option<Instant>,
    last: Option<Instant>,
}

impl Times {
    fn start() -> Self {
        Self {
            started: Instant::now(),
            first: None,
            last: None,
        }
    }

    fn token(&mut self) {
        let now = Instant::now();
        self.first.get_or_insert(now);
        self.last = Some(now);
    }

    fn first(&self) -> Duration {
        let first = self.first.unwrap_or(self.started);
        first - self.started
    }

    fn decode(&self) -> Duration {
        match (self.first, self.last) {
            (Some(first), Some(last)) => last - first,
            _ => Duration::ZERO,
        }
    }
}
