//! How things stand with the checks, in a word and in words.

use veneer_core::protocol::studio::FindingsView;

use crate::{
    state::numbers,
    texts::{Language, fill},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// For tools: `unknown`, `outdated`, `nothing` or `found`.
    pub state: &'static str,
    pub said: String,
    /// How many records cannot be trained on, where there are such.
    pub errors: Option<String>,
}

impl Standing {
    pub fn of(findings: Option<&FindingsView>, language: Language) -> Self {
        let texts = &language.studio().checks;
        let Some(view) = findings else {
            return Self {
                state: "unknown",
                said: texts.nothing_yet.to_owned(),
                errors: None,
            };
        };
        let (state, said) = match (view.outdated.is_empty(), view.kinds.is_empty()) {
            (false, _) => {
                let names = view.outdated.iter().map(|name| texts.check(&name.0));
                let names = names.collect::<Vec<_>>().join(language.comma());
                ("outdated", fill(texts.outdated, &[("checks", &names)]))
            }
            (true, true) => ("nothing", format!("{} {}", texts.nothing, texts.up_to_date)),
            (true, false) => ("found", texts.up_to_date.to_owned()),
        };
        let n = view.n_records_with_errors;
        let errors = (n > 0).then(|| {
            let n = numbers::whole(n, language);
            fill(texts.n_with_errors, &[("n", &n)])
        });
        Self {
            state,
            said,
            errors,
        }
    }

    /// All of it in a breath.
    pub fn told(&self) -> String {
        match &self.errors {
            Some(errors) => format!("{} {errors}", self.said),
            None => self.said.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use veneer_core::protocol::studio::CheckName;

    use super::*;

    #[test]
    fn what_cannot_be_trained_on_is_told_with_the_rest() {
        let of = |view: Option<&FindingsView>| Standing::of(view, Language::English);
        assert_eq!(of(None).state, "unknown");
        let clean = FindingsView::default();
        assert_eq!(of(Some(&clean)).state, "nothing");
        assert!(of(Some(&clean)).told().starts_with("Nothing was found."));
        let old = FindingsView {
            outdated: vec![CheckName("duplicates".into())],
            n_records_with_errors: 2,
            ..clean
        };
        assert_eq!(of(Some(&old)).state, "outdated");
        let told = of(Some(&old)).told();
        assert!(told.contains("duplicates"), "{told}");
        assert!(
            told.ends_with("2 records cannot be trained on as they stand"),
            "{told}"
        );
    }
}
