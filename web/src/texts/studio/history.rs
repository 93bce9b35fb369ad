use super::studio_texts;

studio_texts! {
    HistoryTexts {
        title: "History", "Historial", "履歴";
    }
}
