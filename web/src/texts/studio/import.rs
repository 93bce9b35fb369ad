use super::studio_texts;

studio_texts! {
    ImportTexts {
        title: "Import", "Importar", "取り込み";
    }
}
