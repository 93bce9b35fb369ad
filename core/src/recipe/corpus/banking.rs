//! Spanish questions on the figures of invented banks, answered out of a text that is given, or not.
//!
//! Questions are put together from an opening, a name of the figure, a bank and a time, so that the
//! base meets thousands of ways to ask before a dataset brings the facts.

use super::{Chat, capitalized, fill, invent};
use crate::{
    recipe::{bank::Metric, spanish::format_number},
    rng::Rng,
};

/// One invented figure.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fact {
    pub(super) bank: String,
    pub(super) year: u16,
    pub(super) metric: Metric,
    pub(super) value: f64,
    pub(super) figure: String,
}

impl Fact {
    pub(super) fn draw(rng: &mut Rng, bank: &str, year: u16, metric: Metric) -> Self {
        let value = match metric {
            Metric::TotalAssets => invent::amount(rng, 3_000.0, 2_000_000.0),
            Metric::NetProfit => invent::amount(rng, 40.0, 15_000.0),
            Metric::CapitalRatio => invent::ratio(rng, 8.0, 22.0),
            Metric::Roe => invent::ratio(rng, 1.0, 22.0),
            Metric::NplRatio => invent::ratio(rng, 0.4, 14.0),
        };
        let figure = metric.figure(value, "millones", "EUR");
        Self {
            bank: bank.to_owned(),
            year,
            metric,
            value,
            figure,
        }
    }

    pub(super) fn answer(&self) -> String {
        self.metric
            .answer(&self.bank, self.year, self.value, &self.figure)
    }
}

/// Nouns with their article; `el`/`la` decides what follows.
fn nouns(metric: Metric) -> &'static [&'static str] {
    match metric {
        Metric::TotalAssets => &[
            "los activos totales",
            "el activo total",
            "el total de activos",
            "el volumen de activos",
            "el tamaño del balance",
            "el balance total",
            "la cifra de activos",
            "el total del activo",
        ],
        Metric::NetProfit => &[
            "el beneficio neto",
            "el beneficio",
            "el resultado neto",
            "la ganancia neta",
            "el beneficio atribuido",
            "el resultado del ejercicio",
            "la utilidad neta",
            "la cifra de beneficio neto",
            "el resultado atribuido",
        ],
        Metric::CapitalRatio => &[
            "la ratio de capital",
            "la ratio CET1",
            "el ratio de capital CET1",
            "el CET1",
            "la solvencia CET1",
            "el nivel de capital CET1",
            "la ratio de solvencia",
            "el capital de máxima calidad",
        ],
        Metric::Roe => &[
            "el ROE",
            "la rentabilidad sobre recursos propios",
            "la rentabilidad financiera",
            "el retorno sobre el capital",
            "la rentabilidad del capital",
            "la rentabilidad sobre fondos propios",
            "el dato de ROE",
            "el nivel de rentabilidad ROE",
        ],
        Metric::NplRatio => &[
            "la tasa de morosidad",
            "la morosidad",
            "la ratio de mora",
            "el ratio de morosidad",
            "la tasa de mora",
            "el nivel de morosidad",
            "la ratio de créditos dudosos",
            "el porcentaje de préstamos morosos",
        ],
    }
}

/// Whole questions that only fit one figure.
fn direct_questions(metric: Metric) -> &'static [&'static str] {
    match metric {
        Metric::TotalAssets => &[
            "¿Cuántos activos tenía {bank} {when}?",
            "¿Qué activos tenía {bank} {when}?",
            "¿Cómo de grande era el balance de {bank} {when}?",
            "¿Con cuántos activos contaba {bank} {when}?",
            "¿A cuánto sumaban los activos de {bank} {when}?",
            "¿Cuánto activo acumulaba {bank} {when}?",
        ],
        Metric::NetProfit => &[
            "¿Cuánto ganó {bank} {when}?",
            "¿Cuánto dinero ganó {bank} {when}?",
            "¿Qué ganó {bank} {when}?",
            "¿Qué beneficio obtuvo {bank} {when}?",
            "¿Cuántos millones ganó {bank} {when}?",
            "¿Qué resultado cosechó {bank} {when}?",
            "¿Con qué beneficio cerró {bank} {when}?",
        ],
        Metric::CapitalRatio => &[
            "¿Cómo estaba de capital {bank} {when}?",
            "¿Qué CET1 tenía {bank} {when}?",
            "¿Cómo era de solvente {bank} {when}?",
            "¿Con qué capital CET1 cerró {bank} {when}?",
            "¿Qué colchón de capital tenía {bank} {when}?",
            "¿Qué solvencia tenía {bank} {when}?",
        ],
        Metric::Roe => &[
            "¿Cómo de rentable fue {bank} {when}?",
            "¿Qué ROE logró {bank} {when}?",
            "¿Qué rentabilidad dio {bank} a sus accionistas {when}?",
            "¿Qué ROE tenía {bank} {when}?",
            "¿Qué rentabilidad sobre el capital obtuvo {bank} {when}?",
            "¿Con qué ROE cerró {bank} {when}?",
        ],
        Metric::NplRatio => &[
            "¿Qué parte de los créditos de {bank} era morosa {when}?",
            "¿Cuánta mora tenía {bank} {when}?",
            "¿Qué morosidad tenía {bank} {when}?",
            "¿Qué porcentaje de mora registró {bank} {when}?",
            "¿Cómo de alta era la mora de {bank} {when}?",
            "¿Con qué morosidad cerró {bank} {when}?",
        ],
    }
}

const WITH_NOUN: [&str; 30] = [
    "¿Cuál fue {noun} de {bank} {when}?",
    "¿Cuál era {noun} de {bank} {when}?",
    "¿Cuál es {noun} de {bank} {when}?",
    "¿Cuánto fue {noun} de {bank} {when}?",
    "{When}, ¿cuál fue {noun} de {bank}?",
    "{When}, ¿a cuánto llegó {noun} de {bank}?",
    "¿A cuánto ascendió {noun} de {bank} {when}?",
    "¿En cuánto se situó {noun} de {bank} {when}?",
    "¿Qué valor tuvo {noun} de {bank} {when}?",
    "¿Qué cifra alcanzó {noun} de {bank} {when}?",
    "¿Cómo quedó {noun} de {bank} {when}?",
    "Dime {noun} de {bank} {when}.",
    "Indica {noun} de {bank} {when}.",
    "Dame {noun} de {bank} {when}.",
    "Quiero saber {noun} de {bank} {when}.",
    "Necesito {noun} de {bank} {when}.",
    "Busco {noun} de {bank} {when}.",
    "Recuérdame {noun} de {bank} {when}.",
    "¿Me dices {noun} de {bank} {when}?",
    "¿Puedes decirme {noun} de {bank} {when}?",
    "¿Sabes cuál fue {noun} de {bank} {when}?",
    "¿Podrías indicar {noun} que tuvo {bank} {when}?",
    "Para {bank}, ¿cuál fue {noun} {when}?",
    "Respecto a {bank}, indica {noun} {when}.",
    "{bank}: ¿cuál fue {noun} {when}?",
    "{Noun} de {bank} {when}",
    "{Noun} de {bank} {when}, por favor.",
    "{bank}, {noun} {when}",
    "¿Qué se sabe de {noun} de {bank} {when}?",
    "Según las cuentas, ¿cuál fue {noun} de {bank} {when}?",
];

const WHEN: [&str; 12] = [
    "en {year}",
    "en {year}",
    "en {year}",
    "en el año {year}",
    "durante {year}",
    "al cierre de {year}",
    "a finales de {year}",
    "en el ejercicio {year}",
    "a cierre del ejercicio {year}",
    "al final de {year}",
    "a 31 de diciembre de {year}",
    "en las cuentas de {year}",
];

/// One of the many ways to ask for a figure.
pub(super) fn question(rng: &mut Rng, bank: &str, year: u16, metric: Metric) -> String {
    let when = fill(invent::pick(rng, &WHEN), &[("year", &year.to_string())]);
    let noun = *rng.pick(nouns(metric));
    let pattern = if rng.below(3) == 0 {
        *rng.pick(direct_questions(metric))
    } else {
        *rng.pick(&WITH_NOUN)
    };
    let (upper_when, upper_noun) = (capitalized(&when), capitalized(noun));
    let values = [
        ("bank", bank),
        ("when", when.as_str()),
        ("When", upper_when.as_str()),
        ("noun", noun),
        ("Noun", upper_noun.as_str()),
    ];
    contracted(&fill(pattern, &values))
}

/// Spanish joins `de el` to `del` and `a el` to `al`.
fn contracted(text: &str) -> String {
    text.replace(" de el ", " del ").replace(" a el ", " al ")
}

/// Two or three banks or years with some figures each.
fn facts(rng: &mut Rng) -> Vec<Fact> {
    let n_banks = 1 + rng.below(3);
    let n_years = if n_banks == 1 {
        1 + rng.below(3)
    } else {
        1 + rng.below(2)
    };
    let n_metrics = 1 + rng.below(3);
    let banks = invent::distinct(rng, n_banks, invent::bank);
    let years = invent::distinct(rng, n_years, invent::year);
    let metrics = invent::distinct(rng, n_metrics, |rng| *rng.pick(&Metric::ALL));
    let mut facts = Vec::new();
    for bank in &banks {
        for &year in &years {
            for &metric in &metrics {
                facts.push(Fact::draw(rng, bank, year, metric));
            }
        }
    }
    rng.shuffle(&mut facts);
    facts.truncate(5);
    facts
}

/// The facts as sentences, lines or a table.
fn context(rng: &mut Rng, facts: &[Fact]) -> String {
    match rng.below(4) {
        0 => facts.iter().map(Fact::answer).collect::<Vec<_>>().join(" "),
        1 => lines(facts, |f| {
            format!(
                "{} | {} | {} | {}",
                f.bank,
                f.year,
                f.metric.label(),
                f.figure
            )
        }),
        2 => lines(facts, |f| {
            format!(
                "- {} de {} en {}: {}",
                f.metric.label(),
                f.bank,
                f.year,
                f.figure
            )
        }),
        _ => {
            let rows = lines(facts, |f| {
                format!(
                    "{};{};{};{}",
                    f.bank,
                    f.year,
                    f.metric.key(),
                    format_number(f.value)
                )
            });
            format!("banco;año;dato;valor\n{rows}")
        }
    }
}

fn lines(facts: &[Fact], line: impl Fn(&Fact) -> String) -> String {
    facts.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The context before or after the question, with or without a word of introduction.
fn joined(rng: &mut Rng, context: &str, question: &str) -> String {
    match rng.below(4) {
        0 => format!("{context}\n{question}"),
        1 => format!("{question}\n\n{context}"),
        2 => format!("Datos:\n{context}\n\nPregunta: {question}"),
        _ => format!("Lee estos datos.\n{context}\n{question}"),
    }
}

/// The figure stands in the text.
pub(super) fn with_context(rng: &mut Rng) -> Chat {
    let facts = facts(rng);
    let context = context(rng, &facts);
    let asked = rng.pick(&facts).clone();
    let question = question(rng, &asked.bank, asked.year, asked.metric);
    Chat::new(joined(rng, &context, &question), asked.answer())
}

/// Another bank, year or figure is asked for than the text has.
pub(super) fn not_in_context(rng: &mut Rng) -> Chat {
    let facts = facts(rng);
    let context = context(rng, &facts);
    let near = rng.pick(&facts).clone();
    let (bank, year, metric) = match rng.below(3) {
        0 => (invent::bank(rng), near.year, near.metric),
        1 => (near.bank.clone(), invent::year(rng), near.metric),
        _ => (near.bank.clone(), near.year, *rng.pick(&Metric::ALL)),
    };
    let question = question(rng, &bank, year, metric);
    let known = facts
        .iter()
        .find(|f| f.bank == bank && f.year == year && f.metric == metric);
    let answer = known.map_or_else(
        || "No lo sé: ese dato no está en el texto.".to_owned(),
        Fact::answer,
    );
    Chat::new(joined(rng, &context, &question), answer)
}

/// No text and a name never heard.
pub(super) fn unknown_bank(rng: &mut Rng) -> Chat {
    let (bank, year) = (invent::bank(rng), invent::year(rng));
    let metric = *rng.pick(&Metric::ALL);
    Chat::new(question(rng, &bank, year, metric), "No lo sé.")
}

/// `¿Y en 2021?` after a first answer.
pub(super) fn follow_up(rng: &mut Rng) -> Chat {
    let bank = invent::bank(rng);
    let metric = *rng.pick(&Metric::ALL);
    let years = invent::distinct(rng, 2, invent::year);
    let facts: Vec<Fact> = years
        .iter()
        .map(|&year| Fact::draw(rng, &bank, year, metric))
        .collect();
    let context = context(rng, &facts);
    let (first, second) = if rng.below(2) == 0 { (0, 1) } else { (1, 0) };
    let question = question(rng, &bank, years[first], metric);
    let year = years[second].to_string();
    let again = [
        "¿Y en {year}?",
        "¿Y en el año {year}?",
        "¿Y al cierre de {year}?",
        "Ahora {year}.",
    ];
    Chat::new(joined(rng, &context, &question), facts[first].answer()).then(
        fill(invent::pick(rng, &again), &[("year", &year)]),
        facts[second].answer(),
    )
}

/// Which of two is larger, out of a text.
pub(super) fn compared(rng: &mut Rng) -> Chat {
    let metric = *rng.pick(&Metric::ALL);
    let year = invent::year(rng);
    let banks = invent::distinct(rng, 2, invent::bank);
    let facts: Vec<Fact> = banks
        .iter()
        .map(|bank| Fact::draw(rng, bank, year, metric))
        .collect();
    let (noun, when) = (*rng.pick(nouns(metric)), year.to_string());
    let bare = noun.split_once(' ').map_or(noun, |(_, bare)| bare);
    let values = [
        ("a", banks[0].as_str()),
        ("b", banks[1].as_str()),
        ("n", bare),
        ("y", when.as_str()),
    ];
    let patterns = [
        "¿Quién tuvo más {n} en {y}, {a} o {b}?",
        "¿Qué banco tuvo mayor {n} en {y}: {a} o {b}?",
        "Compara {n} de {a} y {b} en {y}.",
    ];
    let question = fill(invent::pick(rng, &patterns), &values);
    let context = context(rng, &facts);
    let answer = match facts[0].value.total_cmp(&facts[1].value) {
        std::cmp::Ordering::Equal => "Son iguales.".to_owned(),
        order => {
            let (more, less) = if order.is_gt() { (0, 1) } else { (1, 0) };
            format!(
                "{}: {} frente a {}.",
                facts[more].bank, facts[more].figure, facts[less].figure
            )
        }
    };
    Chat::new(joined(rng, &context, &question), answer)
}
