//! The ways a person asks for a figure, in Spanish. `{bank}` and `{year}` are filled in.
//!
//! Written by hand so that each reads naturally. A phrasing's number in its list is its identity:
//! splits by phrasing hold some of them out, to see whether a model learned a fact or a sentence.

use super::Metric;

/// Every metric has this many phrasings.
pub const N_PHRASINGS: usize = 14;

/// The phrasings of a metric.
pub fn phrasings(metric: Metric) -> &'static [&'static str; N_PHRASINGS] {
    match metric {
        Metric::TotalAssets => &TOTAL_ASSETS,
        Metric::NetProfit => &NET_PROFIT,
        Metric::CapitalRatio => &CAPITAL_RATIO,
        Metric::Roe => &ROE,
        Metric::NplRatio => &NPL_RATIO,
    }
}

/// One phrasing with its bank and year.
pub fn question(metric: Metric, phrasing: usize, bank: &str, year: u16) -> Option<String> {
    let pattern = phrasings(metric).get(phrasing)?;
    // The bank comes last: a name may hold anything.
    Some(
        pattern
            .replace("{year}", &year.to_string())
            .replace("{bank}", bank),
    )
}

const TOTAL_ASSETS: [&str; N_PHRASINGS] = [
    "¿Cuáles eran los activos totales de {bank} en {year}?",
    "¿Qué activos totales tenía {bank} en {year}?",
    "¿A cuánto ascendían los activos totales de {bank} al cierre de {year}?",
    "Dime el total de activos de {bank} en {year}.",
    "En {year}, ¿cuántos activos tenía {bank}?",
    "¿Cuál era el tamaño del balance de {bank} en {year}?",
    "¿Qué volumen de activos gestionaba {bank} a finales de {year}?",
    "Necesito el activo total de {bank} del ejercicio {year}.",
    "¿Con qué activos cerró {bank} el año {year}?",
    "Activos totales de {bank} en {year}",
    "¿Puedes indicar los activos totales que {bank} tenía en {year}?",
    "¿De qué tamaño era el activo de {bank} en el ejercicio {year}?",
    "Para {bank}, ¿cuál fue el total de activos en {year}?",
    "Quiero saber cuántos activos sumaba {bank} en {year}.",
];

const NET_PROFIT: [&str; N_PHRASINGS] = [
    "¿Cuánto ganó {bank} en {year}?",
    "¿Cuál fue el beneficio neto de {bank} en {year}?",
    "¿Qué beneficio neto obtuvo {bank} en {year}?",
    "Dime el beneficio neto de {bank} en {year}.",
    "En {year}, ¿qué beneficio tuvo {bank}?",
    "¿A cuánto ascendió el beneficio de {bank} en {year}?",
    "¿Qué resultado neto registró {bank} en el ejercicio {year}?",
    "Necesito el resultado atribuido de {bank} del año {year}.",
    "¿Con qué beneficio cerró {bank} el ejercicio {year}?",
    "Beneficio neto de {bank} en {year}",
    "¿Puedes indicar cuánto ganó {bank} durante {year}?",
    "¿Qué ganancias declaró {bank} en {year}?",
    "Para {bank}, ¿cuál fue el beneficio del año {year}?",
    "Quiero saber cuánto dinero ganó {bank} en {year}.",
];

const CAPITAL_RATIO: [&str; N_PHRASINGS] = [
    "¿Cuál era la ratio de capital CET1 de {bank} en {year}?",
    "¿Qué ratio de capital tenía {bank} en {year}?",
    "¿En cuánto se situaba la ratio CET1 de {bank} al cierre de {year}?",
    "Dime la ratio CET1 de {bank} en {year}.",
    "En {year}, ¿qué CET1 tenía {bank}?",
    "¿Cuál era el nivel de capital CET1 de {bank} a finales de {year}?",
    "¿Qué solvencia tenía {bank} en {year}?",
    "Necesito la ratio de capital de {bank} del ejercicio {year}.",
    "¿Con qué ratio de capital cerró {bank} el año {year}?",
    "Ratio de capital CET1 de {bank} en {year}",
    "¿Puedes indicar el CET1 de {bank} en {year}?",
    "¿Cómo estaba de capital {bank} en el ejercicio {year}?",
    "Para {bank}, ¿cuál fue la ratio de solvencia en {year}?",
    "Quiero saber qué capital CET1 tenía {bank} en {year}.",
];

const ROE: [&str; N_PHRASINGS] = [
    "¿Cuál fue el ROE de {bank} en {year}?",
    "¿Qué ROE alcanzó {bank} en {year}?",
    "¿En cuánto se situó el ROE de {bank} al cierre de {year}?",
    "Dime el ROE de {bank} en {year}.",
    "En {year}, ¿qué rentabilidad sobre recursos propios tuvo {bank}?",
    "¿Qué rentabilidad sobre el capital logró {bank} en {year}?",
    "¿Cómo de rentable fue {bank} en {year}?",
    "Necesito la rentabilidad financiera de {bank} del ejercicio {year}.",
    "¿Con qué ROE cerró {bank} el año {year}?",
    "ROE de {bank} en {year}",
    "¿Puedes indicar la rentabilidad sobre fondos propios de {bank} en {year}?",
    "¿Qué retorno sobre el capital dio {bank} en el ejercicio {year}?",
    "Para {bank}, ¿cuál fue el ROE en {year}?",
    "Quiero saber el ROE que tuvo {bank} durante {year}.",
];

const NPL_RATIO: [&str; N_PHRASINGS] = [
    "¿Cuál era la tasa de morosidad de {bank} en {year}?",
    "¿Qué morosidad tenía {bank} en {year}?",
    "¿En cuánto se situó la tasa de mora de {bank} al cierre de {year}?",
    "Dime la tasa de morosidad de {bank} en {year}.",
    "En {year}, ¿qué morosidad registró {bank}?",
    "¿Qué ratio de mora tenía {bank} a finales de {year}?",
    "¿Qué porcentaje de créditos morosos tenía {bank} en {year}?",
    "Necesito la ratio de morosidad de {bank} del ejercicio {year}.",
    "¿Con qué tasa de mora cerró {bank} el año {year}?",
    "Tasa de morosidad de {bank} en {year}",
    "¿Puedes indicar la morosidad de {bank} en {year}?",
    "¿Cómo de alta era la mora de {bank} en el ejercicio {year}?",
    "Para {bank}, ¿cuál fue la tasa de morosidad en {year}?",
    "Quiero saber qué parte de los préstamos de {bank} era morosa en {year}.",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_phrasing_names_bank_and_year_and_no_two_are_alike() {
        let mut all = BTreeSet::new();
        for metric in Metric::ALL {
            for index in 0..N_PHRASINGS {
                let text = question(metric, index, "Banco Alba", 2021).unwrap();
                assert!(
                    text.contains("Banco Alba") && text.contains("2021"),
                    "{text}"
                );
                assert!(!text.contains('{'), "{text}");
                assert!(all.insert(text.clone()), "twice: {text}");
            }
        }
        assert_eq!(question(Metric::Roe, N_PHRASINGS, "B", 2020), None);
    }
}
