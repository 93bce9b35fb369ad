//! General small skills: repeat, extract, reckon, translate, greet; in three languages.

use super::{Chat, fill, invent};
use crate::{recipe::spanish::format_number, rng::Rng};

/// Something worth repeating: a name, a number, an amount, a code, a short phrase.
fn thing(rng: &mut Rng) -> String {
    match rng.below(7) {
        0 => invent::bank(rng),
        1 => format_number(invent::amount(rng, 1.0, 3_000_000.0)),
        2 => format!("{} %", format_number(invent::ratio(rng, 0.1, 60.0))),
        3 => format!("{} {}", invent::person(rng), invent::word(rng)),
        4 => format!("{}-{}", invent::acronym(rng), rng.below(10_000)),
        5 => invent::comma_grouped(invent::amount(rng, 100.0, 9_000_000.0) as u64),
        _ => format!(
            "{} {} {}",
            invent::word(rng),
            rng.below(100),
            invent::word(rng)
        ),
    }
}

/// Say it again, exactly.
pub(super) fn copied(rng: &mut Rng) -> Chat {
    const PATTERNS: [&str; 12] = [
        "Repite: {x}",
        "Repite esto: {x}",
        "Copia: {x}",
        "Copia exactamente lo siguiente: {x}",
        "Escribe {x}",
        "Di: {x}",
        "Repeat: {x}",
        "Repeat after me: {x}",
        "Copy this: {x}",
        "Write {x}",
        "繰り返してください：{x}",
        "次を書いてください：{x}",
    ];
    let x = thing(rng);
    let question = fill(invent::pick(rng, &PATTERNS), &[("x", &x)]);
    Chat::new(question, x)
}

/// A sentence with a name, a figure, a place and a year, and a question on one of them.
pub(super) fn extracted(rng: &mut Rng) -> Chat {
    let (name, place) = (
        format!("{} {}", invent::person(rng), invent::word(rng)),
        invent::word(rng),
    );
    let (figure, year) = (
        invent::amount(rng, 10.0, 90_000.0),
        invent::year(rng).to_string(),
    );
    let spanish = rng.below(3) < 2;
    let number = if spanish {
        format_number(figure)
    } else {
        invent::comma_grouped(figure as u64)
    };
    let values = [
        ("n", name.as_str()),
        ("p", place.as_str()),
        ("y", year.as_str()),
        ("f", number.as_str()),
    ];
    let (sentences, questions): (&[&str], &[(&str, &str)]) = if spanish {
        (&SENTENCES_ES, &QUESTIONS_ES)
    } else {
        (&SENTENCES_EN, &QUESTIONS_EN)
    };
    let sentence = fill(invent::pick(rng, sentences), &values);
    let (question, answer) = *rng.pick(questions);
    let asked = format!("{sentence}\n{}", fill(question, &values));
    Chat::new(asked, fill(answer, &values))
}

const SENTENCES_ES: [&str; 6] = [
    "{n} compró una casa en {p} por {f} euros en {y}.",
    "En {y}, {n} abrió una tienda en {p} con {f} euros.",
    "{n} vive en {p} desde {y} y gana {f} euros al año.",
    "La empresa de {n}, con sede en {p}, vendió {f} unidades en {y}.",
    "En {p} se contaron {f} viviendas en {y}, según {n}.",
    "{n} firmó en {p} un préstamo de {f} euros en {y}.",
];

const QUESTIONS_ES: [(&str, &str); 10] = [
    ("¿De quién se habla?", "De {n}."),
    ("Extrae el nombre.", "{n}"),
    ("¿En qué lugar?", "En {p}."),
    ("Extrae el lugar.", "{p}"),
    ("¿En qué año?", "En {y}."),
    ("Extrae el año.", "{y}"),
    ("Extrae la cifra.", "{f}"),
    ("¿Qué cifra aparece?", "Aparece la cifra {f}."),
    ("Resume: quién, dónde y cuándo.", "{n}, {p}, {y}."),
    (
        "¿Cuántos años tiene el alcalde?",
        "No lo sé: ese dato no está en el texto.",
    ),
];

const SENTENCES_EN: [&str; 5] = [
    "{n} bought a house in {p} for {f} dollars in {y}.",
    "In {y}, {n} opened a shop in {p} with {f} dollars.",
    "{n} has lived in {p} since {y} and earns {f} dollars a year.",
    "The company of {n}, based in {p}, sold {f} units in {y}.",
    "{n} signed a loan of {f} dollars in {p} in {y}.",
];

const QUESTIONS_EN: [(&str, &str); 9] = [
    ("Who is it about?", "It is about {n}."),
    ("Extract the name.", "{n}"),
    ("Where?", "In {p}."),
    ("Extract the place.", "{p}"),
    ("In which year?", "In {y}."),
    ("Extract the number.", "{f}"),
    ("Which figure is given?", "The figure {f} is given."),
    ("Summarize: who, where and when.", "{n}, {p}, {y}."),
    (
        "How old is the mayor?",
        "I do not know: the text does not say.",
    ),
];

/// Larger, smaller, sums, order.
pub(super) fn reckoned(rng: &mut Rng) -> Chat {
    match rng.below(5) {
        0 => larger(rng),
        1 => {
            let (a, b) = (rng.below(50), rng.below(50));
            Chat::new(
                format!("¿Cuánto es {a} + {b}?"),
                format!("{a} + {b} = {}", a + b),
            )
        }
        2 => {
            let (a, b) = (rng.below(10), rng.below(10));
            Chat::new(
                format!("What is {a} times {b}?"),
                format!("{a} × {b} = {}", a * b),
            )
        }
        3 => {
            let mut numbers = invent::distinct(rng, 3, |rng| rng.below(100));
            let listed = comma_list(&numbers);
            numbers.sort_unstable();
            Chat::new(
                format!("Ordena de menor a mayor: {listed}"),
                comma_list(&numbers),
            )
        }
        _ => {
            let year = invent::year(rng);
            let (word, answer) = if rng.below(2) == 0 {
                ("después", year + 1)
            } else {
                ("antes", year - 1)
            };
            Chat::new(format!("¿Qué año va {word} de {year}?"), answer.to_string())
        }
    }
}

fn larger(rng: &mut Rng) -> Chat {
    let pair = invent::distinct(rng, 2, |rng| invent::ratio(rng, 1.0, 30.0));
    let (a, b) = (format_number(pair[0]), format_number(pair[1]));
    let (word, first) = if rng.below(2) == 0 {
        ("mayor", pair[0] > pair[1])
    } else {
        ("menor", pair[0] < pair[1])
    };
    Chat::new(
        format!("¿Qué número es {word}, {a} o {b}?"),
        if first { a } else { b },
    )
}

fn comma_list(numbers: &[usize]) -> String {
    numbers
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Spanish, English and Japanese words that mean the same.
const WORDS: [(&str, &str, &str); 30] = [
    ("banco", "bank", "銀行"),
    ("seguro", "insurance", "保険"),
    ("beneficio", "profit", "利益"),
    ("deuda", "debt", "負債"),
    ("bono", "bond", "債券"),
    ("cupón", "coupon", "クーポン"),
    ("precio", "price", "価格"),
    ("año", "year", "年"),
    ("casa", "house", "家"),
    ("agua", "water", "水"),
    ("ciudad", "city", "都市"),
    ("trabajo", "work", "仕事"),
    ("salud", "health", "健康"),
    ("dinero", "money", "お金"),
    ("cliente", "customer", "顧客"),
    ("riesgo", "risk", "リスク"),
    ("capital", "capital", "資本"),
    ("interés", "interest", "利息"),
    ("hijo", "child", "子供"),
    ("coche", "car", "車"),
    ("tren", "train", "電車"),
    ("mes", "month", "月"),
    ("día", "day", "日"),
    ("nombre", "name", "名前"),
    ("pregunta", "question", "質問"),
    ("respuesta", "answer", "答え"),
    ("número", "number", "数字"),
    ("libro", "book", "本"),
    ("familia", "family", "家族"),
    ("mañana", "morning", "朝"),
];

/// Greetings, thanks, identity, single words across languages.
pub(super) fn small_talk(rng: &mut Rng) -> Chat {
    const TALK: [(&str, &str); 21] = [
        ("Hola", "Hola. ¿En qué puedo ayudarte?"),
        ("Buenos días", "Buenos días. ¿En qué puedo ayudarte?"),
        ("¿Qué tal?", "Bien, gracias. ¿En qué puedo ayudarte?"),
        ("Gracias", "De nada."),
        ("Muchas gracias por tu ayuda.", "De nada."),
        ("Adiós", "Hasta pronto."),
        (
            "¿Quién eres?",
            "Soy un modelo de lenguaje pequeño, hecho para aprender de tus datos.",
        ),
        (
            "¿Qué sabes hacer?",
            "Puedo responder preguntas cortas sobre los datos que me des.",
        ),
        ("¿Hablas español?", "Sí, hablo español, inglés y japonés."),
        ("Hello", "Hello. How can I help you?"),
        ("Good morning", "Good morning. How can I help you?"),
        ("Thank you", "You are welcome."),
        ("Goodbye", "See you soon."),
        (
            "Who are you?",
            "I am a small language model, made to learn from your data.",
        ),
        (
            "What can you do?",
            "I can answer short questions about the data that you give me.",
        ),
        ("What is the weather like?", "I do not know."),
        ("¿Qué hora es?", "No lo sé."),
        ("こんにちは", "こんにちは。何かお手伝いできますか？"),
        ("ありがとうございます", "どういたしまして。"),
        (
            "あなたは誰ですか？",
            "あなたのデータから学ぶための小さな言語モデルです。",
        ),
        ("今日の天気は？", "わかりません。"),
    ];
    if rng.below(2) == 0 {
        let (question, answer) = *rng.pick(&TALK);
        return Chat::new(question, answer);
    }
    let (spanish, english, japanese) = *rng.pick(&WORDS);
    let (pattern, word, answer) = match rng.below(6) {
        0 => ("¿Cómo se dice {w} en inglés?", spanish, english),
        1 => ("Traduce al japonés: {w}", spanish, japanese),
        2 => ("How do you say {w} in Spanish?", english, spanish),
        3 => ("Translate into Japanese: {w}", english, japanese),
        4 => ("{w}はスペイン語で何ですか？", japanese, spanish),
        _ => ("{w}を英語にしてください。", japanese, english),
    };
    Chat::new(fill(pattern, &[("w", word)]), answer)
}
