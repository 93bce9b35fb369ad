use super::studio_texts;

studio_texts! {
    ExportTexts {
        title: "Export", "Exportar", "書き出し";
    }
}
