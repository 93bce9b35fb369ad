//! The dataset and the figures as CSV for a spreadsheet program.
//!
//! Numbers keep the decimal point: LibreOffice and Excel read that in every locale when told the file
//! is English, and a comma would clash with the separator.

use super::{Figures, Metric};
use crate::data::{Body, Record};

/// `bank,year,currency,unit,total_assets,…`: a line a bank and year; nothing where a figure is not known.
pub fn financials_csv(figures: &Figures) -> String {
    let mut header = vec!["bank", "year", "currency", "unit"];
    header.extend(Metric::ALL.map(Metric::key));
    let rows = figures.rows.iter().map(|row| {
        let mut cells = vec![
            row.bank.clone(),
            row.year.to_string(),
            row.currency.clone(),
            row.unit.clone(),
        ];
        let cell = |metric| {
            row.figure(metric)
                .map(|value| value.to_string())
                .unwrap_or_default()
        };
        cells.extend(Metric::ALL.map(cell));
        cells
    });
    csv(&header, rows)
}

/// `question,answer,fact,phrasing,metric,bank,year`: a line a record.
pub fn qa_csv<'a>(records: impl Iterator<Item = &'a Record>) -> String {
    const EXTRA: [&str; 5] = ["fact", "phrasing", "metric", "bank", "year"];
    let mut header = vec!["question", "answer"];
    header.extend(EXTRA);
    let rows = records.filter_map(|record| {
        let Body::Chat(chat) = &record.body else {
            return None;
        };
        let text = |index: usize| {
            chat.messages
                .get(index)
                .map(|m| m.text().to_owned())
                .unwrap_or_default()
        };
        let mut cells = vec![text(0), text(1)];
        cells.extend(EXTRA.map(|key| record.extra.get(key).map(plain).unwrap_or_default()));
        Some(cells)
    });
    csv(&header, rows)
}

fn plain(value: &serde_json::Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// RFC 4180, with line feeds.
fn csv(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let header = header.iter().map(|&cell| cell.to_owned()).collect();
    let mut text = String::new();
    for row in std::iter::once(header).chain(rows) {
        let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    text
}

fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r', ';']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::bank::{BankDataset, BankSettings, read_figures};

    fn figures() -> Figures {
        let json = r#"{"bank": "Caja \"Sur\", S.A.", "year": 2023, "total_assets": 9000.5,
            "net_profit": 10, "capital_ratio": 12, "roe": null, "npl_ratio": 3}"#;
        read_figures(&[("f".to_owned(), json.into())]).unwrap()
    }

    #[test]
    fn figures_by_line() {
        let csv = financials_csv(&figures());
        let expected = "bank,year,currency,unit,total_assets,net_profit,capital_ratio,roe,npl_ratio\n\
            \"Caja \"\"Sur\"\", S.A.\",2023,EUR,millones,9000.5,10,12,,3\n";
        assert_eq!(csv, expected);
    }

    #[test]
    fn a_csv_reader_finds_every_record_again() {
        let settings = BankSettings {
            control_fraction: 0.0,
            ..BankSettings::default()
        };
        let data = BankDataset::new(&figures(), &settings).unwrap();
        let text = qa_csv(data.all());
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
        assert_eq!(rows.len(), data.all().count());
        assert!(rows.iter().all(|row| row.len() == 7));
        assert!(rows[0][1].starts_with("Caja \"Sur\", S.A. tenía"));
    }
}
