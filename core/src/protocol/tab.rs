//! What the page of the tab and its worker say to each other.
//!
//! The page sends [`ToWorker`], the worker answers with any number of [`FromWorker`] of the same id,
//! the last of which ends the request ([`Reply::ends`]). Both are JSON text; files that the user chose
//! travel beside it as browser objects, in the order in which [`Origin::Files`] names them.

use serde::{Deserialize, Serialize};

/// Tells requests apart; 0 is what the worker says unasked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(pub u64);

impl RequestId {
    /// What the worker says without being asked.
    pub const UNASKED: Self = Self(0);
}

/// A model that the worker holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModelKey(pub u32);

/// An adapter of a model that the worker holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AdapterKey(pub u32);

/// A message to the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToWorker {
    pub id: RequestId,
    pub request: Request,
}

/// A message to the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FromWorker {
    pub id: RequestId,
    pub reply: Reply,
}

/// Everything that the page can ask for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Opens device and store; ends with [`Outcome::Started`].
    Start { device: DeviceChoice },
    /// Puts a model on the device; ends with [`Outcome::Model`]. An adapter at an address is known
    /// as one only when it is there: it goes to the model that was opened last, and the request ends
    /// with [`Outcome::Adapter`].
    OpenModel {
        from: Origin,
        /// Format that matrices of a safetensors model are turned into on the way in.
        quantize: QuantizeTo,
        /// Tokens a conversation may have; `None` takes what model and device allow.
        context: Option<usize>,
    },
    /// Gives a model's memory back; ends with [`Outcome::Nothing`].
    CloseModel { model: ModelKey },
    /// Puts an adapter beside a model; ends with [`Outcome::Adapter`].
    AddAdapter { model: ModelKey, from: Origin },
    /// Ends with [`Outcome::Nothing`].
    RemoveAdapter {
        model: ModelKey,
        adapter: AdapterKey,
    },
    /// Continues a conversation; pieces, then [`Outcome::Answered`].
    Answer {
        by: Variant,
        messages: Vec<ChatMessage>,
        settings: AnswerSettings,
    },
    /// Continues token ids; pieces, then [`Outcome::Answered`].
    Continue {
        by: Variant,
        ids: Vec<u32>,
        settings: AnswerSettings,
    },
    /// Ends with [`Outcome::Store`].
    ListStore,
    /// Compares every byte of an entry with its hash; ends with [`Outcome::Checked`].
    VerifyStored { entry: String },
    /// Fetches damaged files of an entry again; ends with [`Outcome::Store`].
    RepairStored { entry: String },
    /// Ends with [`Outcome::Store`].
    DeleteStored { entry: String },
    /// Ends another request after its current step; has no reply of its own.
    Cancel { request: RequestId },
}

/// What computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceChoice {
    /// WebGPU where the browser has a real GPU for it, else the processor.
    Auto,
    /// WebGPU also where software plays the GPU, which is slower than the processor itself.
    WebGpu,
    Processor,
}

/// Block format of matrices that come unquantized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuantizeTo {
    #[default]
    AsStored,
    #[serde(rename = "q8_0")]
    Q8_0,
    #[serde(rename = "q4_0")]
    Q4_0,
}

/// Where a model or an adapter comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Files of the user, beside the message in this order; names may have folders before them.
    Files { names: Vec<String> },
    /// An entry of the store.
    Stored { entry: String },
    /// An address that the user typed: a GGUF file, or a folder with the files of a model or adapter.
    Address { url: String },
    /// Files whose addresses, sizes and hashes are known.
    Listed {
        name: String,
        files: Vec<RemoteFile>,
    },
}

/// A file to fetch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteFile {
    pub name: String,
    pub url: String,
    #[serde(default)]
    pub bytes: Option<u64>,
    #[serde(default)]
    pub sha256: Option<String>,
}

/// Who answers: a model, alone or with one of its adapters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Variant {
    pub model: ModelKey,
    pub adapter: Option<AdapterKey>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage {
    pub role: ChatRole,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatRole {
    System,
    User,
    Assistant,
}

/// How an answer is drawn. Names and meaning are those of transformers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerSettings {
    /// 0 takes the most probable token.
    pub temperature: f32,
    /// 0 is off.
    pub top_k: usize,
    /// 1 is off.
    pub top_p: f32,
    /// 0 is off.
    pub min_p: f32,
    /// 1 is off.
    pub repetition_penalty: f32,
    /// 0 is off.
    pub frequency_penalty: f32,
    pub seed: u64,
    pub max_new_tokens: usize,
    /// Alternatives told for every token.
    pub n_alternatives: usize,
}

impl Default for AnswerSettings {
    /// The most probable tokens: two variants then differ by their weights only.
    fn default() -> Self {
        Self {
            temperature: 0.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            frequency_penalty: 0.0,
            seed: 42,
            max_new_tokens: 256,
            n_alternatives: 5,
        }
    }
}

/// Everything that the worker can say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Progress(Progress),
    /// New text of an answer.
    Piece(Piece),
    Done(Outcome),
    Failed(Fault),
    /// Unasked: the device is gone, and with it every model.
    DeviceLost(Fault),
}

impl Reply {
    /// Whether nothing follows for this request.
    pub fn ends(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Failed(_))
    }
}

/// How far a request is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub stage: Stage,
    /// The file or tensor at hand.
    pub what: String,
    pub done: u64,
    /// In the same unit as `done`; 0 where it is not known.
    pub total: u64,
}

/// What a request is busy with; `done` and `total` count bytes unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Waits for earlier requests; counts nothing.
    Waiting,
    Downloading,
    /// Copies a file of the user into the store and computes its hash.
    Copying,
    Verifying,
    /// Weights go to the device.
    Loading,
    /// Kernels are compiled; counts nothing.
    Preparing,
    /// Reads the prompt; counts tokens.
    Reading,
}

/// Text that an answer gained. Text and tokens may lag behind each other where a character has
/// several tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Piece {
    pub text: String,
    pub tokens: Vec<AnswerToken>,
}

/// A token of an answer with what else could have stood there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerToken {
    pub id: u32,
    pub text: String,
    /// Natural logarithm of its probability under the model, before sampling settings.
    pub logprob: f32,
    /// The most probable tokens in order, the chosen one among them where it is one of them.
    pub alternatives: Vec<Alternative>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alternative {
    pub id: u32,
    pub text: String,
    pub logprob: f32,
}

/// What a request ends with when it worked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Nothing,
    Started {
        device: DeviceView,
        store: StoreView,
    },
    Model(ModelView),
    Adapter(AdapterView),
    Answered(AnswerSummary),
    Store(StoreView),
    /// Names of files of the entry whose bytes are not what they were.
    Checked {
        entry: String,
        damaged: Vec<String>,
    },
}

/// What computes in this tab.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceView {
    pub is_gpu: bool,
    pub name: String,
    /// Features in use, such as `subgroups`, in words of WebGPU.
    pub features: Vec<String>,
    /// Why the processor computes although WebGPU was wanted.
    pub why_not_gpu: Option<WhyNotGpu>,
}

/// Why the processor computes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyNotGpu {
    /// The browser gives no device, for the reason told.
    Missing(String),
    /// The browser's device is played by software of this name.
    Software(String),
}

/// A model on the device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelView {
    pub key: ModelKey,
    pub name: String,
    /// Such as `llama`.
    pub family: String,
    pub n_parameters: u64,
    /// Format of most of its weights, such as `Q4_0`.
    pub format: String,
    /// Tokens a conversation may have.
    pub context: usize,
    /// Bytes on the device.
    pub memory_bytes: u64,
    /// Bytes of its files.
    pub file_bytes: u64,
    /// Where it came from, for people: an address or file names.
    pub source: String,
    /// Its entry in the store, if it was stored.
    pub entry: Option<String>,
    /// Whether it has a chat template; without one prompts are continued as text.
    pub has_template: bool,
    /// Things the user should know, such as why the model was not stored.
    pub notes: Vec<Fault>,
}

/// An adapter beside a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdapterView {
    pub key: AdapterKey,
    pub model: ModelKey,
    pub name: String,
    pub rank: usize,
    pub n_parameters: u64,
    pub memory_bytes: u64,
    pub source: String,
    pub notes: Vec<Fault>,
}

/// How an answer ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerSummary {
    pub ids: Vec<u32>,
    pub finish: Finish,
    pub n_prompt_tokens: usize,
    /// Tokens of the prompt that were still in memory from the turn before.
    pub n_reused_tokens: usize,
    pub time_to_first_token_ms: f64,
    /// After the first token; 0 where there was only one.
    pub decode_tokens_per_second: f64,
    /// Bytes on the device while it was written.
    pub memory_bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// The model ended its turn.
    Stop,
    /// `max_new_tokens`, or the context is full.
    Length,
    Cancelled,
}

/// The store of this browser.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StoreView {
    /// Why nothing can be kept, if so.
    pub unavailable: Option<String>,
    pub used_bytes: u64,
    /// What the browser allows at most; 0 where it does not say.
    pub quota_bytes: u64,
    /// Whether the browser promised not to clear it by itself.
    pub persistent: bool,
    pub entries: Vec<StoredEntry>,
    /// Bytes of downloads that were cut off and can go on.
    pub partial_bytes: u64,
}

/// A model or adapter in the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredEntry {
    /// Hash over the hashes of its files.
    pub entry: String,
    pub name: String,
    pub is_adapter: bool,
    pub bytes: u64,
    pub source: String,
    /// Whether its files have addresses, so that it can be fetched again.
    pub can_repair: bool,
}

/// What went wrong, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub kind: FaultKind,
    /// What, where, expected and found.
    pub detail: String,
    /// What to do, beyond what the kind says; may be empty.
    #[serde(default)]
    pub hint: String,
}

impl Fault {
    pub fn new(kind: FaultKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            hint: String::new(),
        }
    }
}

/// Kinds of faults; the page has a title and a hint for each in every language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// None of the chosen files is a model or adapter that can be read.
    NotAModel,
    /// A file contradicts itself or ends early.
    BrokenFile,
    /// A kind of model or format that Veneer does not run.
    Unsupported,
    /// Does not fit the device.
    TooLarge,
    /// An adapter of another model.
    OtherModel,
    /// The chat template rejects the conversation.
    Template,
    PromptTooLong,
    /// A note: the GPU does not run this model, the processor does.
    OnProcessor,
    /// The device refused work.
    Gpu,
    DeviceLost,
    Network,
    /// Bytes are not those that the hash or size promised.
    Checksum,
    StorageFull,
    /// Another tab works on the same entry.
    StoreBusy,
    /// The browser keeps nothing for this page.
    StoreUnavailable,
    /// Not in the store any more, or damaged there.
    StoreDamaged,
    Cancelled,
    /// A file that holds no dataset, document or project that can be read.
    NotData,
    /// A project file that is damaged.
    ProjectBroken,
    /// A project file of a later version of Veneer.
    ProjectNewer,
    /// Another tab has the project open.
    ProjectBusy,
    /// Files of a project that were deleted, or that cannot be read.
    ProjectMissing,
    /// What was asked for cannot be done with these records; the detail says why.
    CannotDo,
    /// A fault of Veneer.
    Internal,
}

impl FaultKind {
    pub const ALL: [Self; 24] = [
        Self::NotAModel,
        Self::BrokenFile,
        Self::Unsupported,
        Self::TooLarge,
        Self::OtherModel,
        Self::Template,
        Self::PromptTooLong,
        Self::OnProcessor,
        Self::Gpu,
        Self::DeviceLost,
        Self::Network,
        Self::Checksum,
        Self::StorageFull,
        Self::StoreBusy,
        Self::StoreUnavailable,
        Self::StoreDamaged,
        Self::Cancelled,
        Self::NotData,
        Self::ProjectBroken,
        Self::ProjectNewer,
        Self::ProjectBusy,
        Self::ProjectMissing,
        Self::CannotDo,
        Self::Internal,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_the_way() {
        let sent = ToWorker {
            id: RequestId(7),
            request: Request::Answer {
                by: Variant {
                    model: ModelKey(1),
                    adapter: Some(AdapterKey(2)),
                },
                messages: vec![ChatMessage {
                    role: ChatRole::User,
                    text: "¿Qué? 何".into(),
                }],
                settings: AnswerSettings::default(),
            },
        };
        let text = serde_json::to_string(&sent).unwrap();
        assert_eq!(serde_json::from_str::<ToWorker>(&text).unwrap(), sent);

        let said = FromWorker {
            id: RequestId::UNASKED,
            reply: Reply::DeviceLost(Fault::new(FaultKind::DeviceLost, "reset")),
        };
        let text = serde_json::to_string(&said).unwrap();
        assert_eq!(serde_json::from_str::<FromWorker>(&text).unwrap(), said);
    }

    #[test]
    fn only_done_and_failed_end_a_request() {
        assert!(Reply::Done(Outcome::Nothing).ends());
        assert!(Reply::Failed(Fault::new(FaultKind::Gpu, "")).ends());
        let piece = Piece {
            text: String::new(),
            tokens: Vec::new(),
        };
        assert!(!Reply::Piece(piece).ends());
    }

    #[test]
    fn a_request_that_nobody_knows_is_refused() {
        let text = r#"{"id":1,"request":{"format_disk":{}}}"#;
        assert!(serde_json::from_str::<ToWorker>(text).is_err());
    }
}
