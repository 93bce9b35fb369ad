use super::studio_texts;

studio_texts! {
    GridTexts {
        title: "Records", "Registros", "レコード";
    }
}
