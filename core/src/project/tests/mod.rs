//! The project as a whole: histories of any kind, files that are not what they should be, and many
//! records at once.

mod bulk;
mod editing;
mod files;
mod imports;
mod late;
mod replay;
mod snapshots;
mod trash;
