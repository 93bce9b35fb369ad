use super::studio_texts;

studio_texts! {
    TokensTexts {
        title: "Tokens", "Tokens", "トークン";
    }
}
