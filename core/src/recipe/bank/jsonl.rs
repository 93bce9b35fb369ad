//! Records as OpenAI messages, one JSON object a line, with what is known about each beside them.

use serde_json::{Map, Value};

use crate::data::{Body, Record};

/// `{"messages": [...], "fact": "…", "phrasing": "…", …}` a line; records without messages are left out.
pub fn messages_jsonl<'a>(records: impl IntoIterator<Item = &'a Record>) -> String {
    let line = |record: &Record| {
        let Body::Chat(chat) = &record.body else {
            return None;
        };
        let messages = serde_json::to_value(&chat.messages).ok()?;
        let mut object = Map::from_iter([("messages".to_owned(), messages)]);
        object.extend(record.extra.clone());
        Some(format!("{}\n", Value::Object(object)))
    };
    records.into_iter().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        data::{ReadOptions, read},
        recipe::bank::{BankDataset, BankSettings, read_figures},
    };

    #[test]
    fn the_datasets_reader_finds_every_record_again() {
        let json = include_bytes!("../../../../native-trainer/demo/banks.json");
        let figures = read_figures(&[("banks.json".to_owned(), json.to_vec())]).unwrap();
        let data = BankDataset::new(&figures, &BankSettings::default()).unwrap();
        let text = messages_jsonl(data.all());
        let loaded = read(text.as_bytes(), &ReadOptions::default()).unwrap();
        let sent: Vec<_> = data
            .all()
            .map(|record| (&record.body, &record.extra))
            .collect();
        let got: Vec<_> = loaded
            .records
            .iter()
            .map(|record| (&record.body, &record.extra))
            .collect();
        assert_eq!(got, sent);
    }
}
