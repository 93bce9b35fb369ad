use super::studio_texts;

studio_texts! {
    EditorTexts {
        title: "Edit", "Editar", "編集";
    }
}
