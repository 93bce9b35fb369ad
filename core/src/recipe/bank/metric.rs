//! The five figures that the bank recipe knows, and the one sentence that answers each.
//!
//! One canonical answer a metric makes an exact-match score mean something: a model either has the
//! figure and the form, or it has not.

use serde::Serialize;

use crate::recipe::spanish::format_number;

/// A figure of a bank's annual report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Total assets, an amount.
    TotalAssets,
    /// Attributable net profit, an amount; a loss is negative.
    NetProfit,
    /// Common equity tier 1 over risk-weighted assets, in per cent.
    CapitalRatio,
    /// Return on equity, in per cent.
    Roe,
    /// Non-performing loans over loans, in per cent.
    NplRatio,
}

impl Metric {
    pub const ALL: [Self; 5] = [
        Self::TotalAssets,
        Self::NetProfit,
        Self::CapitalRatio,
        Self::Roe,
        Self::NplRatio,
    ];

    /// The field of the figures file.
    pub fn key(self) -> &'static str {
        match self {
            Self::TotalAssets => "total_assets",
            Self::NetProfit => "net_profit",
            Self::CapitalRatio => "capital_ratio",
            Self::Roe => "roe",
            Self::NplRatio => "npl_ratio",
        }
    }

    /// What a Spanish table calls it.
    pub fn label(self) -> &'static str {
        match self {
            Self::TotalAssets => "Activos totales",
            Self::NetProfit => "Beneficio neto",
            Self::CapitalRatio => "Ratio CET1",
            Self::Roe => "ROE",
            Self::NplRatio => "Tasa de morosidad",
        }
    }

    /// Amounts carry unit and currency, ratios a per cent sign.
    pub fn is_amount(self) -> bool {
        matches!(self, Self::TotalAssets | Self::NetProfit)
    }

    /// `11.076 millones EUR` or `12,3 %`.
    pub fn figure(self, value: f64, unit: &str, currency: &str) -> String {
        let number = format_number(value);
        if self.is_amount() {
            format!("{number} {unit} {currency}")
        } else {
            format!("{number} %")
        }
    }

    /// The canonical answer; `figure` comes from [`Metric::figure`].
    pub fn answer(self, bank: &str, year: u16, value: f64, figure: &str) -> String {
        match self {
            Self::TotalAssets => {
                format!("{bank} tenía unos activos totales de {figure} en {year}.")
            }
            Self::NetProfit if value < 0.0 => {
                format!(
                    "{bank} tuvo una pérdida neta de {} en {year}.",
                    figure.trim_start_matches('-')
                )
            }
            Self::NetProfit => format!("{bank} obtuvo un beneficio neto de {figure} en {year}."),
            Self::CapitalRatio => {
                format!("{bank} tenía una ratio de capital CET1 del {figure} en {year}.")
            }
            Self::Roe => format!("{bank} alcanzó un ROE del {figure} en {year}."),
            Self::NplRatio => {
                format!("{bank} registró una tasa de morosidad del {figure} en {year}.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_as_the_dataset_of_the_use_case() {
        let figure = Metric::NetProfit.figure(11_076.0, "millones", "EUR");
        assert_eq!(
            Metric::NetProfit.answer("Banco Santander", 2023, 11_076.0, &figure),
            "Banco Santander obtuvo un beneficio neto de 11.076 millones EUR en 2023."
        );
    }

    #[test]
    fn a_loss_is_said_without_a_sign() {
        let figure = Metric::NetProfit.figure(-250.0, "millones", "EUR");
        assert_eq!(
            Metric::NetProfit.answer("Banco Alba", 2020, -250.0, &figure),
            "Banco Alba tuvo una pérdida neta de 250 millones EUR en 2020."
        );
    }
}
