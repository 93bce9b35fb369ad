//! The only file that talks to the engine: models, their adapters and their conversations.

mod loading;
mod prompt;

use std::ops::ControlFlow;

use veneer_core::{
    gpu::{Gpu, GpuOptions},
    infer::{AdapterId, Engine, GenerateRequest, NewToken, Place, Session, StopReason, TextStream},
    protocol::tab::{
        AdapterKey, AdapterView, AnswerSettings, AnswerSummary, ChatMessage, DeviceChoice,
        DeviceView, Fault, FaultKind, Finish, ModelKey, ModelView, Piece, QuantizeTo, Stage,
        Variant, WhyNotGpu,
    },
    sampling::Sampling,
    text::ModelText,
    weights::adapter::read_adapter,
};

use super::{faults, opening::Opened, voice::Voice};
use crate::browser::{self, blob::BlobSource};
use crate::state::files::Chosen;
use crate::texts::faults::Sentence;

/// Conversations that are kept on the device per model.
const MAX_SESSIONS: usize = 3;

/// Models on the device, and the device.
#[derive(Default)]
pub(super) struct Models {
    gpu: Option<Gpu>,
    models: Vec<Model>,
    last_key: u32,
}

/// How a model is opened.
pub(super) struct OpenModel {
    pub(super) quantize: QuantizeTo,
    pub(super) context: Option<usize>,
}

struct Model {
    view: ModelView,
    engine: Engine,
    text: ModelText,
    adapters: Vec<(AdapterKey, AdapterId)>,
    /// By adapter, least recently used first.
    sessions: Vec<(Option<AdapterKey>, Session)>,
}

impl Models {
    /// Opens the device. A browser without WebGPU computes on the processor.
    pub(super) async fn start(&mut self, choice: DeviceChoice) -> DeviceView {
        self.models.clear();
        self.gpu = None;
        let opened = match choice {
            DeviceChoice::Processor => return on_processor(None),
            DeviceChoice::Auto | DeviceChoice::WebGpu => Gpu::open(&GpuOptions::default()).await,
        };
        let gpu = match opened {
            Ok(gpu) => gpu,
            Err(error) => return on_processor(Some(WhyNotGpu::Missing(error.to_string()))),
        };
        let name = gpu.info().name.clone();
        if choice == DeviceChoice::Auto && gpu.info().is_software {
            gpu.close();
            return on_processor(Some(WhyNotGpu::Software(name)));
        }
        let features = vec![gpu.profile().name().to_owned()];
        self.gpu = Some(gpu);
        DeviceView {
            is_gpu: true,
            name,
            features,
            why_not_gpu: None,
        }
    }

    /// Whether the device is gone.
    pub(super) fn lost(&self) -> Option<Fault> {
        let error = self.gpu.as_ref()?.check().err()?;
        error.is_lost().then(|| faults::of_gpu(&error))
    }

    pub(super) async fn open(
        &mut self,
        opened: Opened,
        options: OpenModel,
        voice: &Voice,
    ) -> Result<ModelView, Fault> {
        let place = match &self.gpu {
            Some(gpu) => Place::Gpu(gpu.clone()),
            None => Place::Cpu,
        };
        self.last_key += 1;
        let key = ModelKey(self.last_key);
        let model = loading::load(key, place, opened, &options, voice).await?;
        let view = model.view.clone();
        self.models.push(model);
        Ok(view)
    }

    /// The model that was opened last.
    pub(super) fn last(&self) -> Option<ModelKey> {
        self.models.last().map(|model| model.view.key)
    }

    pub(super) fn close(&mut self, key: ModelKey) {
        self.models.retain(|model| model.view.key != key);
    }

    pub(super) fn add_adapter(
        &mut self,
        key: ModelKey,
        opened: &Opened,
    ) -> Result<AdapterView, Fault> {
        let Chosen::Adapter { config, weights } = opened.chosen else {
            let names: Vec<&str> = opened.files.iter().map(|(name, _)| name.as_str()).collect();
            let detail = Sentence::ModelForAdapter.with(&[("found", &names.join(", "))]);
            return Err(Fault::new(FaultKind::NotAModel, detail));
        };
        self.last_key += 1;
        let adapter_key = AdapterKey(self.last_key);
        let model = self.model(key)?;
        let read = |index: usize| {
            let source = BlobSource::new(opened.files[index].1.clone());
            source
                .and_then(|source| source.whole())
                .map_err(|error| faults::of_load(&error))
        };
        let adapter = read_adapter(&read(config)?, &read(weights)?);
        let adapter = adapter.map_err(|error| faults::of_adapter(&error))?;
        let before = model.engine.memory().adapters;
        let id = model.engine.add_adapter(&adapter);
        let id = id.map_err(|error| faults::of_infer(&error))?;
        model.adapters.push((adapter_key, id));
        let n_parameters: usize = adapter.pairs.iter().map(|p| p.a.len() + p.b.len()).sum();
        Ok(AdapterView {
            key: adapter_key,
            model: key,
            name: opened.name.clone(),
            rank: adapter.pairs.iter().map(|pair| pair.r).max().unwrap_or(0),
            n_parameters: n_parameters as u64,
            memory_bytes: model.engine.memory().adapters.saturating_sub(before),
            source: opened.source.clone(),
            notes: opened.notes.clone(),
        })
    }

    pub(super) fn remove_adapter(&mut self, key: ModelKey, adapter: AdapterKey) {
        let Ok(model) = self.model(key) else {
            return;
        };
        if let Some(at) = model
            .adapters
            .iter()
            .position(|(other, _)| *other == adapter)
        {
            let (_, id) = model.adapters.remove(at);
            model.sessions.retain(|(of, _)| *of != Some(adapter));
            model.engine.remove_adapter(id);
        }
    }

    /// The tokens that a conversation is for a model.
    pub(super) fn prompt_ids(
        &mut self,
        by: Variant,
        messages: &[ChatMessage],
    ) -> Result<Vec<u32>, Fault> {
        prompt::ids(&self.model(by.model)?.text, messages)
    }

    pub(super) async fn answer(
        &mut self,
        by: Variant,
        prompt_ids: Vec<u32>,
        settings: &AnswerSettings,
        voice: &Voice,
    ) -> Result<AnswerSummary, Fault> {
        let summary = self
            .model(by.model)?
            .answer(by.adapter, prompt_ids, settings, voice)
            .await;
        // Faults that the browser told late belong to this request too.
        if let Some(gpu) = &self.gpu {
            gpu.check().map_err(|error| faults::of_gpu(&error))?;
        }
        summary
    }

    fn model(&mut self, key: ModelKey) -> Result<&mut Model, Fault> {
        let found = self.models.iter_mut().find(|model| model.view.key == key);
        found.ok_or_else(|| {
            Fault::new(
                FaultKind::Internal,
                "the model is not loaded any more; load it again",
            )
        })
    }
}

impl Model {
    async fn answer(
        &mut self,
        adapter: Option<AdapterKey>,
        prompt_ids: Vec<u32>,
        settings: &AnswerSettings,
        voice: &Voice,
    ) -> Result<AnswerSummary, Fault> {
        let began = browser::now_ms();
        voice.progress(Stage::Reading, "", 0, prompt_ids.len() as u64);
        let request = GenerateRequest {
            adapter: self.adapter_id(adapter)?,
            sampling: sampling(settings),
            max_new_tokens: settings.max_new_tokens,
            end_token_ids: self.text.end_token_ids.clone(),
            n_alternatives: settings.n_alternatives,
            cancel: voice.cancel(),
            prompt_ids,
        };
        let mut session = self.session(adapter)?;
        let mut writing = Writing::new(&self.text, &request.prompt_ids, voice)?;
        let generated = self
            .engine
            .generate(&mut session, &request, &mut |token| writing.token(token))
            .await;
        let writing = writing.finish();
        let fault = match generated {
            // What broke while writing is the reason why the engine was told to stop.
            Ok(generated) => match writing.fault {
                None => {
                    self.sessions.push((adapter, session));
                    return Ok(AnswerSummary {
                        finish: finish(generated.stop),
                        n_prompt_tokens: request.prompt_ids.len(),
                        n_reused_tokens: generated.n_reused,
                        time_to_first_token_ms: writing.first_ms.map_or(0.0, |at| at - began),
                        decode_tokens_per_second: writing.rate(generated.ids.len()),
                        memory_bytes: self.memory_bytes(),
                        ids: generated.ids,
                    });
                }
                Some(fault) => fault,
            },
            Err(error) => faults::of_infer(&error),
        };
        Err(fault)
    }

    fn adapter_id(&self, key: Option<AdapterKey>) -> Result<Option<AdapterId>, Fault> {
        let Some(key) = key else {
            return Ok(None);
        };
        let found = self.adapters.iter().find(|(other, _)| *other == key);
        found.map(|(_, id)| Some(*id)).ok_or_else(|| {
            Fault::new(
                FaultKind::Internal,
                "the adapter is not loaded any more; add it again",
            )
        })
    }

    /// Takes the conversation of a speaker out, or begins one in the place of the oldest.
    fn session(&mut self, adapter: Option<AdapterKey>) -> Result<Session, Fault> {
        if let Some(at) = self.sessions.iter().position(|(of, _)| *of == adapter) {
            return Ok(self.sessions.remove(at).1);
        }
        while self.sessions.len() >= MAX_SESSIONS {
            self.sessions.remove(0);
        }
        self.engine
            .new_session()
            .map_err(|error| faults::of_infer(&error))
    }

    fn memory_bytes(&self) -> u64 {
        let memory = self.engine.memory();
        let sessions = memory.per_session * self.sessions.len() as u64;
        memory.weights + memory.adapters + memory.activations + sessions
    }
}

/// Sends tokens to the page as they come.
struct Writing<'a> {
    text: &'a ModelText,
    stream: Option<TextStream<'a>>,
    voice: &'a Voice,
    first_ms: Option<f64>,
    last_ms: f64,
    fault: Option<Fault>,
}

impl<'a> Writing<'a> {
    fn new(text: &'a ModelText, prompt_ids: &[u32], voice: &'a Voice) -> Result<Self, Fault> {
        let stream = text.tokenizer.as_ref();
        let stream = stream.map(|tokenizer| TextStream::new(tokenizer, &[]).after(prompt_ids));
        Ok(Self {
            text,
            stream: stream
                .transpose()
                .map_err(|error| faults::of_text(&error))?,
            voice,
            first_ms: None,
            last_ms: 0.0,
            fault: None,
        })
    }

    fn token(&mut self, token: &NewToken) -> ControlFlow<()> {
        self.last_ms = browser::now_ms();
        self.first_ms.get_or_insert(self.last_ms);
        let text = match &mut self.stream {
            Some(stream) => stream.push(token.id).map(|piece| piece.text),
            None => Ok(format!("{} ", token.id)),
        };
        match text {
            Ok(text) => {
                let tokens = vec![prompt::view(self.text, token)];
                self.voice.piece(Piece { text, tokens });
                ControlFlow::Continue(())
            }
            Err(error) => {
                self.fault = Some(faults::of_text(&error));
                ControlFlow::Break(())
            }
        }
    }

    /// Sends what was held back.
    fn finish(mut self) -> Self {
        if let Some(piece) = self.stream.as_mut().map(TextStream::finish)
            && !piece.text.is_empty()
        {
            self.voice.piece(Piece {
                text: piece.text,
                tokens: Vec::new(),
            });
        }
        self
    }

    /// Tokens a second after the first one.
    fn rate(&self, n_tokens: usize) -> f64 {
        let Some(first) = self.first_ms.filter(|_| n_tokens > 1) else {
            return 0.0;
        };
        let seconds = (self.last_ms - first) / 1000.0;
        if seconds > 0.0 {
            (n_tokens - 1) as f64 / seconds
        } else {
            0.0
        }
    }
}

fn sampling(settings: &AnswerSettings) -> Sampling {
    // 0.7 and not 0.699999988079071: the command line takes the same numbers in f64.
    let wide = |x: f32| x.to_string().parse().unwrap_or_else(|_| f64::from(x));
    Sampling {
        temperature: wide(settings.temperature),
        top_k: settings.top_k,
        top_p: wide(settings.top_p),
        min_p: wide(settings.min_p),
        repetition_penalty: wide(settings.repetition_penalty),
        frequency_penalty: wide(settings.frequency_penalty),
        presence_penalty: 0.0,
        seed: settings.seed,
    }
}

fn finish(stop: StopReason) -> Finish {
    match stop {
        StopReason::EndToken => Finish::Stop,
        StopReason::Length | StopReason::ContextFull => Finish::Length,
        StopReason::Cancelled => Finish::Cancelled,
    }
}

fn on_processor(why_not_gpu: Option<WhyNotGpu>) -> DeviceView {
    DeviceView {
        is_gpu: false,
        name: String::new(),
        features: Vec::new(),
        why_not_gpu,
    }
}
