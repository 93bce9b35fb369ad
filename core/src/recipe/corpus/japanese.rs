//! Japanese: profiles, proposals of insurance, and figures of invented companies.

use super::{Chat, fill, insurance::Profile, invent};
use crate::rng::Rng;

const KANA: [&str; 44] = [
    "ア", "イ", "ウ", "エ", "オ", "カ", "キ", "ク", "ケ", "コ", "サ", "シ", "ス", "セ", "ソ", "タ",
    "チ", "ツ", "テ", "ト", "ナ", "ニ", "ヌ", "ネ", "ノ", "ハ", "ヒ", "フ", "ヘ", "ホ", "マ", "ミ",
    "ム", "メ", "モ", "ヤ", "ユ", "ヨ", "ラ", "リ", "ル", "レ", "ロ", "ン",
];

const SURNAMES: [&str; 24] = [
    "佐藤",
    "鈴木",
    "高橋",
    "田中",
    "伊藤",
    "渡辺",
    "山本",
    "中村",
    "小林",
    "加藤",
    "吉田",
    "山田",
    "佐々木",
    "山口",
    "松本",
    "井上",
    "木村",
    "林",
    "清水",
    "山崎",
    "森",
    "池田",
    "橋本",
    "石川",
];

const PLACES: [&str; 20] = [
    "東京",
    "大阪",
    "京都",
    "名古屋",
    "札幌",
    "福岡",
    "仙台",
    "広島",
    "神戸",
    "横浜",
    "千葉",
    "新潟",
    "長野",
    "静岡",
    "金沢",
    "岡山",
    "熊本",
    "高松",
    "奈良",
    "沖縄",
];

const PRODUCTS: [(&str, &str); 4] = [
    ("シニア介護保険", "自宅と病院での介護"),
    ("家族生命保険", "子供の生活費"),
    ("夫婦医療保険", "二人の入院"),
    ("単身医療保険", "入院と収入の減少"),
];

/// One of the Japanese kinds of chat.
pub(super) fn spoken(rng: &mut Rng) -> Chat {
    match rng.below(4) {
        0 => company(rng),
        1 => proposal(rng),
        _ => profile(rng),
    }
}

fn katakana(rng: &mut Rng) -> String {
    (0..3 + rng.below(3)).map(|_| *rng.pick(&KANA)).collect()
}

fn company(rng: &mut Rng) -> Chat {
    let name = format!(
        "{}{}",
        katakana(rng),
        rng.pick(&["銀行", "保険", "電機", "製薬", "商事"])
    );
    let year = invent::year(rng).to_string();
    let items = ["売上高", "純利益", "総資産", "従業員数"];
    let item = *rng.pick(&items);
    let unit = if item == "従業員数" {
        "人"
    } else {
        "億円"
    };
    let figure = invent::comma_grouped(invent::amount(rng, 10.0, 90_000.0) as u64);
    let values = [
        ("n", name.as_str()),
        ("y", year.as_str()),
        ("k", item),
        ("f", figure.as_str()),
        ("u", unit),
    ];
    let questions = [
        "{n}の{y}年の{k}は？",
        "{y}年の{n}の{k}を教えてください。",
        "{n}の{k}は{y}年にいくらでしたか？",
        "{y}年、{n}の{k}はいくつですか？",
    ];
    let contexts = [
        "{n}、{y}年、{k}：{f}{u}",
        "{y}年の{n}の{k}は{f}{u}だった。",
        "{n} | {y} | {k} | {f}{u}",
    ];
    let question = fill(invent::pick(rng, &questions), &values);
    if rng.below(4) == 0 {
        return Chat::new(question, "わかりません。");
    }
    let context = fill(invent::pick(rng, &contexts), &values);
    Chat::new(
        format!("{context}\n{question}"),
        fill("{n}の{y}年の{k}は{f}{u}です。", &values),
    )
}

fn profile(rng: &mut Rng) -> Chat {
    let person = *rng.pick(&SURNAMES);
    let profile = Profile::draw(rng);
    let (age, income) = (
        profile.age.to_string(),
        (profile.income / 10_000).to_string(),
    );
    let (household, place) = (profile.household.to_string(), *rng.pick(&PLACES));
    let values = [
        ("n", person),
        ("a", age.as_str()),
        ("i", income.as_str()),
        ("h", household.as_str()),
        ("p", place),
    ];
    let questions = [
        ("{n}さんは何歳ですか？", "{n}さんは{a}歳です。"),
        ("{n}さんの年齢は？", "{n}さんは{a}歳です。"),
        (
            "{n}さんはどこに住んでいますか？",
            "{n}さんは{p}に住んでいます。",
        ),
        (
            "{n}さんの年収はいくらですか？",
            "{n}さんの年収は{i}万円です。",
        ),
        ("{n}さんの世帯人数は？", "{n}さんの世帯は{h}人です。"),
        ("{n}さんの趣味は？", "わかりません。"),
    ];
    let contexts = [
        "{n}さん、{a}歳、{p}在住、年収{i}万円、世帯{h}人",
        "氏名：{n}\n年齢：{a}歳\n住所：{p}\n年収：{i}万円\n世帯：{h}人",
        "{n}さんは{p}に住む{a}歳の会社員で、年収は{i}万円、{h}人家族です。",
    ];
    let (question, answer) = *rng.pick(&questions);
    let context = fill(invent::pick(rng, &contexts), &values);
    Chat::new(
        format!("{context}\n{}", fill(question, &values)),
        fill(answer, &values),
    )
}

fn proposal(rng: &mut Rng) -> Chat {
    let profile = Profile::draw(rng);
    let (age, income) = (
        profile.age.to_string(),
        (profile.income / 10_000).to_string(),
    );
    let household = profile.household.to_string();
    let premium = profile.premium();
    let (product, cover) = PRODUCTS[profile.product()];
    let values = [
        ("a", age.as_str()),
        ("i", income.as_str()),
        ("h", household.as_str()),
        ("p", *rng.pick(&PLACES)),
        ("product", product),
        ("cover", cover),
        ("premium", premium.as_str()),
    ];
    let questions = [
        "次の世帯に合う保険を提案してください。",
        "この顧客にはどの保険がよいですか？",
        "保険商品を設計してください。",
        "以下の条件で保険を提案してください。",
    ];
    let input = fill(
        "地域：{p}\n年齢：{a}歳\n年収：{i}万円\n世帯人数：{h}人",
        &values,
    );
    let answer = fill(
        "商品：{product}\n保障：{cover}\n保険料：月{premium}円\n理由：{p}の{h}人世帯、{a}歳のためです。",
        &values,
    );
    Chat::new(format!("{}\n\n{input}", rng.pick(&questions)), answer)
}
