//! The training loop: batches, loss, gradients, AdamW, schedules, exact resume.
//!
//! Numbers equal PEFT's with transformers' Trainer in f32 (`tests/parity`). Everything random is a
//! pure function of the job's seed and a step number, so a run resumes to the same bits.

mod backward;
mod batch;
mod loss;
mod optimizer;
mod order;
mod plan;
mod schedule;
mod training;

pub use backward::{Gradients, evaluate_batch, micro_backward};
pub use batch::MicroBatch;
pub use loss::{HeadLoss, Wanted, head_loss};
pub use optimizer::{AdamW, clip_coefficient, global_norm};
pub use order::{Group, Order, Row, pack};
pub use plan::{Plan, PlanInput, plan};
pub use schedule::{learning_rate, warmup_steps};
pub use training::{Evaluation, StepStats, TrainError, TrainState, Training, evaluate};
