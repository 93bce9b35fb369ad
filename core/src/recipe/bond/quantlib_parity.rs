//! The numbers of the bond recipe against QuantLib's, for bonds on, off and between coupon days.

use serde::Deserialize;

use super::{Bond, Quote, analyse};

#[derive(Deserialize)]
struct Golden {
    coupon: f64,
    frequency: u32,
    day_count: String,
    maturity: String,
    settlement: String,
    #[serde(rename = "yield")]
    percent: f64,
    clean_price: f64,
    accrued_interest: f64,
    macaulay_duration: f64,
    modified_duration: f64,
    convexity: f64,
}

fn bond(golden: &Golden, quote: Quote) -> Bond {
    Bond {
        isin: "XS0000000009".into(),
        name: "Golden".into(),
        currency: "EUR".into(),
        coupon: golden.coupon,
        frequency: golden.frequency,
        day_count: golden.day_count.parse().unwrap(),
        issue: None,
        maturity: golden.maturity.parse().unwrap(),
        settlement: golden.settlement.parse().unwrap(),
        face: 100.0,
        quote,
    }
}

#[test]
fn numbers_are_quantlibs() {
    let json = include_str!("../../../../tests/fixtures/bond/quantlib.json");
    let goldens: Vec<Golden> = serde_json::from_str(json).unwrap();
    assert_eq!(goldens.len(), 10);
    for golden in &goldens {
        let found = analyse(&bond(golden, Quote::Yield(golden.percent))).unwrap();
        let solved = analyse(&bond(golden, Quote::CleanPrice(golden.clean_price))).unwrap();
        let pairs = [
            ("clean price", found.clean_price, golden.clean_price),
            ("accrued", found.accrued_interest, golden.accrued_interest),
            (
                "Macaulay",
                found.macaulay_duration,
                golden.macaulay_duration,
            ),
            (
                "modified",
                found.modified_duration,
                golden.modified_duration,
            ),
            ("convexity", found.convexity, golden.convexity),
            ("yield", solved.ytm, golden.percent),
        ];
        for (what, ours, theirs) in pairs {
            let tolerance = 1e-9 * theirs.abs().max(1.0);
            let case = format!(
                "{} {} {}",
                golden.day_count, golden.settlement, golden.maturity
            );
            assert!(
                (ours - theirs).abs() <= tolerance,
                "{case} {what}: {ours} against {theirs}"
            );
        }
    }
}
