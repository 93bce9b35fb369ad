use super::studio_texts;

studio_texts! {
    FrameTexts {
        title: "Data", "Datos", "データ";
    }
}
