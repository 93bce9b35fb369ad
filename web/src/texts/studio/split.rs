use super::studio_texts;

studio_texts! {
    SplitTexts {
        title: "Split", "Dividir", "分割";
    }
}
