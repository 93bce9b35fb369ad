//! One file a verb.

pub(crate) mod bench;
pub(crate) mod chat;
pub(crate) mod data;
pub(crate) mod doctor;
pub(crate) mod eval;
pub(crate) mod export;
pub(crate) mod generate;
pub(crate) mod inspect;
pub(crate) mod merge;
pub(crate) mod pretrain;
pub(crate) mod recipe;
pub(crate) mod score;
pub(crate) mod serve;
pub(crate) mod tokenize;
pub(crate) mod train;
