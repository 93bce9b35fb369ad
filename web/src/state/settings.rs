//! Settings of an answer and of the device, as they stand in the form and as the worker gets them.

use veneer_core::protocol::tab::{AnswerSettings, DeviceChoice};

/// What can compute, with its name in addresses and in what the browser keeps.
pub const DEVICES: [(&str, DeviceChoice); 3] = [
    ("auto", DeviceChoice::Auto),
    ("webgpu", DeviceChoice::WebGpu),
    ("processor", DeviceChoice::Processor),
];

pub fn device_named(name: &str) -> Option<DeviceChoice> {
    let known = DEVICES.iter().find(|(known, _)| *known == name);
    known.map(|(_, choice)| *choice)
}

pub fn name_of_device(choice: DeviceChoice) -> &'static str {
    let known = DEVICES.iter().find(|(_, known)| *known == choice);
    known.map_or("auto", |(name, _)| *name)
}

/// A number that the user can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    Temperature,
    TopK,
    TopP,
    MinP,
    RepetitionPenalty,
    FrequencyPenalty,
    MaxNewTokens,
    Seed,
}

impl Setting {
    pub const ALL: [Self; 8] = [
        Self::Temperature,
        Self::TopK,
        Self::TopP,
        Self::MinP,
        Self::RepetitionPenalty,
        Self::FrequencyPenalty,
        Self::MaxNewTokens,
        Self::Seed,
    ];

    /// For element ids.
    pub fn id(self) -> &'static str {
        match self {
            Self::Temperature => "temperature",
            Self::TopK => "top-k",
            Self::TopP => "top-p",
            Self::MinP => "min-p",
            Self::RepetitionPenalty => "repetition-penalty",
            Self::FrequencyPenalty => "frequency-penalty",
            Self::MaxNewTokens => "max-new-tokens",
            Self::Seed => "seed",
        }
    }

    /// Lowest and highest value.
    pub fn range(self) -> (f64, f64) {
        match self {
            Self::Temperature => (0.0, 5.0),
            Self::TopK => (0.0, 1_000_000.0),
            Self::TopP | Self::MinP => (0.0, 1.0),
            Self::RepetitionPenalty => (0.1, 10.0),
            Self::FrequencyPenalty => (-2.0, 2.0),
            Self::MaxNewTokens => (1.0, 1_000_000.0),
            // What a number of a web page can hold exactly.
            Self::Seed => (0.0, 9_007_199_254_740_991.0),
        }
    }

    /// How far one press of an arrow key goes.
    pub fn step(self) -> f64 {
        match self {
            Self::TopK | Self::MaxNewTokens | Self::Seed => 1.0,
            _ => 0.05,
        }
    }

    /// The value that changes nothing, where there is one.
    pub fn off(self) -> Option<f64> {
        match self {
            Self::TopK | Self::MinP | Self::FrequencyPenalty => Some(0.0),
            Self::TopP | Self::RepetitionPenalty => Some(1.0),
            Self::Temperature | Self::MaxNewTokens | Self::Seed => None,
        }
    }

    pub fn get(self, settings: &AnswerSettings) -> f64 {
        match self {
            Self::Temperature => short(settings.temperature),
            Self::TopK => settings.top_k as f64,
            Self::TopP => short(settings.top_p),
            Self::MinP => short(settings.min_p),
            Self::RepetitionPenalty => short(settings.repetition_penalty),
            Self::FrequencyPenalty => short(settings.frequency_penalty),
            Self::MaxNewTokens => settings.max_new_tokens as f64,
            Self::Seed => settings.seed as f64,
        }
    }

    /// Takes over what the user typed.
    ///
    /// # Errors
    /// The text and what was expected; the settings stay as they were.
    pub fn set(self, settings: &mut AnswerSettings, typed: &str) -> Result<(), WrongSetting> {
        let (low, high) = self.range();
        let is_whole = self.step() == 1.0;
        let number = typed.trim().replace(',', ".").parse::<f64>().ok();
        let fits = |x: &f64| (low..=high).contains(x) && (!is_whole || x.fract() == 0.0);
        let Some(number) = number.filter(fits) else {
            return Err(WrongSetting {
                found: typed.trim().to_owned(),
                expected: format!("{low} – {high}"),
            });
        };
        match self {
            Self::Temperature => settings.temperature = number as f32,
            Self::TopK => settings.top_k = number as usize,
            Self::TopP => settings.top_p = number as f32,
            Self::MinP => settings.min_p = number as f32,
            Self::RepetitionPenalty => settings.repetition_penalty = number as f32,
            Self::FrequencyPenalty => settings.frequency_penalty = number as f32,
            Self::MaxNewTokens => settings.max_new_tokens = number as usize,
            Self::Seed => settings.seed = number as u64,
        }
        Ok(())
    }
}

/// What was typed instead of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongSetting {
    pub found: String,
    pub expected: String,
}

/// The numbers of the form: what holds, and what was typed last and cannot be.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SettingsForm {
    held: AnswerSettings,
    wrong: Vec<(Setting, WrongSetting)>,
}

impl SettingsForm {
    /// What the browser kept of an earlier visit; the usual settings where that cannot be used.
    pub fn of_kept(text: Option<&str>) -> Self {
        let kept = text.and_then(|text| serde_json::from_str(text).ok());
        let fits = |settings: &AnswerSettings| {
            let again = |setting: Setting| {
                let typed = setting.get(settings).to_string();
                setting.set(&mut settings.clone(), &typed).is_ok()
            };
            Setting::ALL.into_iter().all(again)
        };
        Self {
            held: kept.filter(fits).unwrap_or_default(),
            wrong: Vec::new(),
        }
    }

    /// For the browser to keep.
    pub fn to_kept(&self) -> String {
        // Numbers in their ranges can always be written.
        serde_json::to_string(&self.held).unwrap_or_default()
    }

    pub fn type_in(&mut self, setting: Setting, typed: &str) {
        self.wrong.retain(|(other, _)| *other != setting);
        if let Err(wrong) = setting.set(&mut self.held, typed) {
            self.wrong.push((setting, wrong));
        }
    }

    pub fn wrong(&self, setting: Setting) -> Option<&WrongSetting> {
        let found = self.wrong.iter().find(|(other, _)| *other == setting);
        found.map(|(_, wrong)| wrong)
    }

    /// What stands in the field.
    pub fn shown(&self, setting: Setting) -> String {
        match self.wrong(setting) {
            Some(wrong) => wrong.found.clone(),
            None => setting.get(&self.held).to_string(),
        }
    }

    /// What answers are drawn with.
    ///
    /// # Errors
    /// The uppermost field that holds something else than what would be taken.
    pub fn settings(&self) -> Result<AnswerSettings, Setting> {
        let mut all = Setting::ALL.into_iter();
        match all.find(|setting| self.wrong(*setting).is_some()) {
            Some(wrong) => Err(wrong),
            None => Ok(self.held.clone()),
        }
    }
}

/// 0.7 and not 0.699999988079071.
fn short(x: f32) -> f64 {
    x.to_string().parse().unwrap_or_else(|_| f64::from(x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_found_by_their_own_names() {
        for (name, choice) in DEVICES {
            assert_eq!(name_of_device(choice), name);
            assert_eq!(device_named(name), Some(choice));
        }
        assert_eq!(device_named("vulkan"), None);
    }

    #[test]
    fn what_is_set_is_read() {
        for setting in Setting::ALL {
            let mut settings = AnswerSettings::default();
            let typed = if setting.step() == 1.0 { "7" } else { "0.7" };
            setting.set(&mut settings, typed).unwrap();
            assert_eq!(setting.get(&settings).to_string(), typed, "{setting:?}");
        }
    }

    #[test]
    fn a_comma_is_a_point() {
        let mut settings = AnswerSettings::default();
        Setting::Temperature.set(&mut settings, " 0,8 ").unwrap();
        assert_eq!(settings.temperature, 0.8);
    }

    #[test]
    fn what_cannot_be_is_refused_and_changes_nothing() {
        let mut settings = AnswerSettings::default();
        for (setting, typed) in [
            (Setting::Temperature, "-1"),
            (Setting::Temperature, "warm"),
            (Setting::Temperature, "NaN"),
            (Setting::TopP, "1.1"),
            (Setting::TopK, "2.5"),
            (Setting::MaxNewTokens, "0"),
            (Setting::Seed, ""),
        ] {
            let wrong = setting.set(&mut settings, typed).unwrap_err();
            assert_eq!(wrong.found, typed);
        }
        assert_eq!(settings, AnswerSettings::default());
    }

    #[test]
    fn nothing_is_sent_while_a_field_holds_what_cannot_be() {
        let mut form = SettingsForm::default();
        form.type_in(Setting::Temperature, "1.5");
        form.type_in(Setting::TopP, "2");
        form.type_in(Setting::Temperature, "20");
        assert_eq!(form.settings(), Err(Setting::Temperature));
        assert_eq!(form.shown(Setting::Temperature), "20");
        form.type_in(Setting::Temperature, "1.25");
        assert_eq!(form.settings(), Err(Setting::TopP));
        form.type_in(Setting::TopP, "0.5");
        let settings = form.settings().unwrap();
        assert_eq!((settings.temperature, settings.top_p), (1.25, 0.5));
    }

    #[test]
    fn what_was_set_is_kept_and_nothing_else() {
        let mut form = SettingsForm::default();
        form.type_in(Setting::Temperature, "0.7");
        form.type_in(Setting::Seed, "9007199254740991");
        form.type_in(Setting::TopK, "-1");
        let again = SettingsForm::of_kept(Some(&form.to_kept()));
        assert_eq!(again.shown(Setting::Temperature), "0.7");
        assert_eq!(again.shown(Setting::Seed), "9007199254740991");
        assert_eq!(again.shown(Setting::TopK), "0");
        let hot = form.to_kept().replace("0.7", "70.0");
        for unusable in [None, Some(""), Some("{}"), Some(hot.as_str())] {
            assert_eq!(SettingsForm::of_kept(unusable), SettingsForm::default());
        }
    }

    #[test]
    fn what_is_off_by_default_is_off() {
        let settings = AnswerSettings::default();
        for setting in Setting::ALL {
            if let Some(off) = setting.off() {
                assert_eq!(setting.get(&settings), off, "{setting:?}");
            }
        }
    }
}
