//! `config.json` to `Arch`; the only place that knows model families.
