use super::studio_texts;

studio_texts! {
    ChecksTexts {
        title: "Check", "Revisar", "確認";
    }
}
