//! The models and adapters at hand, and which of them answer side by side.

use veneer_core::protocol::tab::{AdapterKey, AdapterView, ModelKey, ModelView, Variant};

/// Columns that fit beside each other.
pub const MAX_COLUMNS: usize = 3;

/// Slug of the first model without an adapter, as in `answer-base`.
pub const BASE: &str = "base";

/// What the worker holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Loaded {
    pub models: Vec<ModelView>,
    pub adapters: Vec<AdapterView>,
}

/// Someone who can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speaker {
    pub by: Variant,
    /// Stable in test ids and in the chat: `base`, or the adapter's name.
    pub slug: String,
    /// `None` is the base of the only model, which every language names itself.
    pub title: Option<String>,
}

/// The chosen columns, by slug.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    pub chosen: Vec<String>,
}

impl Loaded {
    pub fn open(&mut self, model: ModelView) {
        self.models.retain(|other| other.key != model.key);
        self.models.push(model);
    }

    pub fn close(&mut self, model: ModelKey) {
        self.models.retain(|other| other.key != model);
        self.adapters.retain(|adapter| adapter.model != model);
    }

    pub fn add(&mut self, adapter: AdapterView) {
        self.remove(adapter.key);
        self.adapters.push(adapter);
    }

    pub fn remove(&mut self, adapter: AdapterKey) {
        self.adapters.retain(|other| other.key != adapter);
    }

    /// Everyone who can answer, with slugs that are told apart.
    pub fn speakers(&self) -> Vec<Speaker> {
        let mut speakers: Vec<Speaker> = Vec::new();
        let several = self.models.len() > 1;
        for (index, model) in self.models.iter().enumerate() {
            let wanted = if index == 0 {
                BASE.to_owned()
            } else {
                slug(&model.name)
            };
            speakers.push(Speaker {
                by: Variant {
                    model: model.key,
                    adapter: None,
                },
                slug: unique(wanted, &speakers),
                title: several.then(|| format!("{} ({})", model.name, model.format)),
            });
        }
        for adapter in &self.adapters {
            let model = self.models.iter().find(|model| model.key == adapter.model);
            let title = match model {
                Some(model) if several => format!("{}, {}", adapter.name, model.name),
                _ => adapter.name.clone(),
            };
            speakers.push(Speaker {
                by: Variant {
                    model: adapter.model,
                    adapter: Some(adapter.key),
                },
                slug: unique(slug(&adapter.name), &speakers),
                title: Some(title),
            });
        }
        speakers
    }

    /// A speaker by slug, or by the name that a person gave the adapter.
    pub fn speaker(&self, name: &str) -> Option<Speaker> {
        let speakers = self.speakers();
        let found = speakers.iter().find(|speaker| speaker.slug == name);
        let wanted = slug(name);
        found
            .or_else(|| speakers.iter().find(|speaker| speaker.slug == wanted))
            .cloned()
    }
}

impl Columns {
    /// Columns of what is still there; new speakers get a column while there is room.
    pub fn follow(&mut self, before: &Loaded, after: &Loaded) {
        let (old, new) = (before.speakers(), after.speakers());
        self.chosen
            .retain(|slug| new.iter().any(|speaker| speaker.slug == *slug));
        for speaker in &new {
            let is_new = old.iter().all(|other| other.by != speaker.by);
            let is_shown = self.chosen.contains(&speaker.slug);
            if is_new && !is_shown && self.chosen.len() < MAX_COLUMNS {
                self.chosen.push(speaker.slug.clone());
            }
        }
        if self.chosen.is_empty() {
            self.chosen
                .extend(new.first().map(|speaker| speaker.slug.clone()));
        }
    }

    /// The speakers of the columns.
    pub fn speakers(&self, loaded: &Loaded) -> Vec<Speaker> {
        let all = loaded.speakers();
        self.chosen
            .iter()
            .filter_map(|slug| all.iter().find(|speaker| speaker.slug == *slug).cloned())
            .collect()
    }

    /// Gives a column to someone else; a speaker that has a column changes places with it.
    pub fn choose(&mut self, index: usize, slug: &str) {
        let Some(old) = self.chosen.get(index).cloned() else {
            return;
        };
        if let Some(other) = self.chosen.iter().position(|chosen| chosen == slug) {
            self.chosen[other] = old;
        }
        self.chosen[index] = slug.to_owned();
    }

    /// The next speaker without a column, where there is room.
    pub fn next(&self, loaded: &Loaded) -> Option<Speaker> {
        if self.chosen.len() >= MAX_COLUMNS {
            return None;
        }
        let mut all = loaded.speakers().into_iter();
        all.find(|speaker| !self.chosen.contains(&speaker.slug))
    }

    pub fn add(&mut self, slug: String) {
        if self.chosen.len() < MAX_COLUMNS && !self.chosen.contains(&slug) {
            self.chosen.push(slug);
        }
    }

    /// The last column stays.
    pub fn remove(&mut self, index: usize) {
        if self.chosen.len() > 1 && index < self.chosen.len() {
            self.chosen.remove(index);
        }
    }
}

/// Letters and digits in lower case, everything else one hyphen.
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_alphanumeric() {
            slug.extend(c.to_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    match slug {
        "" => "adapter".to_owned(),
        slug => slug.to_owned(),
    }
}

fn unique(wanted: String, taken: &[Speaker]) -> String {
    let is_free = |slug: &str| taken.iter().all(|speaker| speaker.slug != slug);
    if is_free(&wanted) {
        return wanted;
    }
    (2..)
        .map(|n| format!("{wanted}-{n}"))
        .find(|slug| is_free(slug))
        .unwrap_or(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(key: u32, name: &str) -> ModelView {
        ModelView {
            key: ModelKey(key),
            name: name.into(),
            family: "llama".into(),
            n_parameters: 1,
            format: "Q4_0".into(),
            context: 128,
            memory_bytes: 1,
            file_bytes: 1,
            source: String::new(),
            entry: None,
            has_template: true,
            notes: Vec::new(),
        }
    }

    fn adapter(key: u32, model: u32, name: &str) -> AdapterView {
        AdapterView {
            key: AdapterKey(key),
            model: ModelKey(model),
            name: name.into(),
            rank: 4,
            n_parameters: 1,
            memory_bytes: 1,
            source: String::new(),
            notes: Vec::new(),
        }
    }

    /// Applies a change and lets the columns follow.
    fn change(loaded: &mut Loaded, columns: &mut Columns, how: impl FnOnce(&mut Loaded)) {
        let before = loaded.clone();
        how(loaded);
        columns.follow(&before, loaded);
    }

    #[test]
    fn base_and_adapter_stand_side_by_side() {
        let (mut loaded, mut columns) = (Loaded::default(), Columns::default());
        change(&mut loaded, &mut columns, |l| l.open(model(1, "small")));
        assert_eq!(columns.chosen, ["base"]);
        change(&mut loaded, &mut columns, |l| {
            l.add(adapter(1, 1, "Bonds v2"))
        });
        assert_eq!(columns.chosen, ["base", "bonds-v2"]);
        assert_eq!(columns.speakers(&loaded)[1].by.adapter, Some(AdapterKey(1)));
        change(&mut loaded, &mut columns, |l| l.remove(AdapterKey(1)));
        assert_eq!(columns.chosen, ["base"]);
    }

    #[test]
    fn there_are_three_columns_at_most() {
        let (mut loaded, mut columns) = (Loaded::default(), Columns::default());
        change(&mut loaded, &mut columns, |l| l.open(model(1, "small")));
        for key in 1..=4 {
            change(&mut loaded, &mut columns, |l| {
                l.add(adapter(key, 1, &format!("a{key}")))
            });
        }
        assert_eq!(columns.chosen, ["base", "a1", "a2"]);
        assert_eq!(columns.next(&loaded), None);
        columns.choose(0, "a4");
        columns.choose(1, "a2");
        assert_eq!(columns.chosen, ["a4", "a2", "a1"]);
        columns.remove(0);
        assert_eq!(columns.next(&loaded).unwrap().slug, "base");
    }

    #[test]
    fn the_last_column_stays() {
        let mut columns = Columns {
            chosen: vec!["base".into()],
        };
        columns.remove(0);
        assert_eq!(columns.chosen, ["base"]);
    }

    #[test]
    fn equal_names_are_told_apart() {
        let loaded = Loaded {
            models: vec![model(1, "small"), model(2, "small")],
            adapters: vec![
                adapter(1, 1, "Base"),
                adapter(2, 1, "日本"),
                adapter(3, 1, "!!"),
            ],
        };
        let slugs: Vec<String> = loaded.speakers().into_iter().map(|s| s.slug).collect();
        assert_eq!(slugs, ["base", "small", "base-2", "日本", "adapter"]);
        assert_eq!(
            loaded.speaker("日本").unwrap().by.adapter,
            Some(AdapterKey(2))
        );
        assert_eq!(loaded.speaker("Small").unwrap().by.model, ModelKey(2));
        assert_eq!(loaded.speaker("nobody"), None);
    }

    #[test]
    fn a_new_model_takes_the_place_of_the_old_one() {
        let (mut loaded, mut columns) = (Loaded::default(), Columns::default());
        change(&mut loaded, &mut columns, |l| l.open(model(1, "one")));
        change(&mut loaded, &mut columns, |l| l.add(adapter(1, 1, "a")));
        change(&mut loaded, &mut columns, |l| {
            l.close(ModelKey(1));
            l.open(model(2, "two"));
        });
        assert_eq!(columns.chosen, ["base"]);
        assert_eq!(columns.speakers(&loaded)[0].by.model, ModelKey(2));
    }
}
