//! What the checks found: the step, kinds of findings, fixes.

use super::studio_texts;

studio_texts! {
    ChecksTexts {
        title: "Check", "Revisar", "確認";
        about: "Every record is checked as it is. Nothing is changed unless you say so, and every change can be undone.", "Se revisa cada registro tal como está. Nada cambia sin que usted lo pida, y todo cambio se puede deshacer.", "すべてのレコードをそのまま検査します。指示しない限り何も変わらず、変更はすべて元に戻せます。";
        run: "Run the checks", "Ejecutar la revisión", "検査を実行";
        run_again: "Run the checks again", "Repetir la revisión", "もう一度検査";
        running: "Checking", "Revisando", "検査中";
        outdated: "Not every record was seen since the last change by {checks}", "No se han visto todos los registros desde el último cambio: {checks}", "最後の変更以降、未検査のレコードがあります（{checks}）";
        up_to_date: "Every record was checked as it is now.", "Todos los registros están revisados tal como están ahora.", "すべてのレコードが現在の内容で検査済みです。";
        nothing: "Nothing was found.", "No se encontró nada.", "問題は見つかりませんでした。";
        nothing_yet: "The checks have not run yet.", "La revisión aún no se ha ejecutado.", "まだ検査していません。";
        no_records: "There are no records yet. Import some first.", "Todavía no hay registros. Importe algunos primero.", "レコードがまだありません。先に取り込んでください。";
        n_with_errors: "{n} record(s) cannot be trained on as they stand", "{n} registro(s) no sirven para entrenar tal como están", "{n} 件はこのままでは学習に使えません";
        error: "Error", "Error", "エラー";
        warning: "Warning", "Aviso", "警告";
        accepted: "Accepted", "Aceptado", "承認済み";
        n_records: "{n} record(s)", "{n} registro(s)", "{n} 件";
        n_accepted: "{n} accepted", "{n} aceptado(s)", "承認済み {n} 件";
        show: "Show the records", "Ver los registros", "レコードを表示";
        show_one: "Show", "Ver", "表示";
        groups: "Show the groups", "Ver los grupos", "グループを表示";
        hide_groups: "Hide the groups", "Ocultar los grupos", "グループを隠す";
        group_n: "Group of {n} records", "Grupo de {n} registros", "{n} 件のグループ";
        more_in_group: "and {n} more", "y {n} más", "ほか {n} 件";
        more_groups: "More groups", "Más grupos", "続きを表示";
        keep_this: "Keep only this one", "Conservar solo este", "これだけ残す";
        same_text: "The same text", "El mismo texto", "同じ内容";
        record_n: "Record {n}", "Registro {n}", "レコード {n}";
        fix_all: "{fix} in all {n} record(s)?", "¿{fix} en los {n} registro(s)?", "{n} 件すべてに「{fix}」を行いますか？";
        fix_all_undo: "It can be undone.", "Se puede deshacer.", "元に戻せます。";
        do_it: "Do it", "Hacerlo", "実行";
        leave_it: "Leave it", "Dejarlo", "やめる";
        working: "Working", "Trabajando", "処理中";

        check_record: "faults of single records", "fallos de registros", "レコードの不備";
        check_duplicates: "duplicates", "duplicados", "重複";
        check_template: "tokens and template", "tokens y plantilla", "トークンとテンプレート";

        fix_trash: "Move to the trash", "Mover a la papelera", "ゴミ箱に移す";
        fix_keep_first: "Keep the first, trash the others", "Conservar el primero, descartar los demás", "最初の 1 件を残し、ほかをゴミ箱へ";
        fix_strip_controls: "Take out control characters", "Quitar caracteres de control", "制御文字を除く";
        fix_strip_tokens: "Take out the control tokens", "Quitar los tokens de control", "制御トークンを除く";
        fix_rename_role: "Rename the role", "Cambiar el nombre del rol", "役割名を直す";
        fix_accept: "Accept as it is", "Aceptar tal cual", "このまま承認";
        fix_unaccept: "Take the acceptance back", "Retirar la aceptación", "承認を取り消す";
        fix_repair_text: "Repair the characters", "Reparar los caracteres", "文字化けを直す";
        fix_drop_empty: "Take out empty messages", "Quitar mensajes vacíos", "空のメッセージを除く";
        fix_join_roles: "Join messages of one role", "Unir mensajes del mismo rol", "同じ役割のメッセージを結合";
        fix_system_first: "Move the system message to the front", "Poner primero el mensaje del sistema", "システムメッセージを先頭へ";
        fix_weight_one: "Set the weight to 1", "Poner el peso en 1", "weight を 1 にする";
        fix_cut_end: "Take off what follows the last answer", "Quitar lo que sigue a la última respuesta", "最後の回答より後を除く";

        kind_missing_field: "Missing field", "Falta un campo", "項目がありません";
        kind_wrong_type: "Wrong type", "Tipo equivocado", "型が違います";
        kind_unknown_role: "Unknown role", "Rol desconocido", "不明な役割";
        kind_unsupported_content: "Content that is not text", "Contenido que no es texto", "テキスト以外の内容";
        kind_empty_record: "Empty record", "Registro vacío", "空のレコード";
        kind_empty_answer: "Empty answer", "Respuesta vacía", "空の回答";
        kind_no_assistant: "No answer", "Sin respuesta", "回答がありません";
        kind_labels_length: "Labels of another length", "Etiquetas de otra longitud", "ラベルの長さが違います";
        kind_bad_tokens: "Token ids that cannot be", "Ids de token imposibles", "ありえないトークン ID";
        kind_mixed_formats: "Another format than the file's", "Otro formato que el del archivo", "ファイルと異なる形式";
        kind_unknown_field: "Field that looks misspelt", "Campo que parece mal escrito", "綴り間違いらしい項目";
        kind_empty_content: "Empty message", "Mensaje vacío", "空のメッセージ";
        kind_last_not_assistant: "The last message is no answer", "El último mensaje no es una respuesta", "最後が回答ではありません";
        kind_first_not_user: "Not opened by the user", "No la abre el usuario", "ユーザーから始まっていません";
        kind_repeated_role: "Same role twice in a row", "El mismo rol dos veces seguidas", "同じ役割が続いています";
        kind_system_not_first: "System message not first", "El mensaje del sistema no es el primero", "システムメッセージが先頭にありません";
        kind_nothing_trained: "Nothing to train on", "Nada que entrenar", "学習対象がありません";
        kind_odd_weight: "Weight other than 0 or 1", "Peso distinto de 0 o 1", "weight が 0 でも 1 でもありません";
        kind_shifted_labels: "Labels that differ from the ids", "Etiquetas distintas de los ids", "ラベルが ID と異なります";
        kind_control_token: "Control token inside text", "Token de control en el texto", "本文中の制御トークン";
        kind_mojibake: "Damaged characters", "Caracteres dañados", "文字化け";
        kind_nul_character: "Control characters", "Caracteres de control", "制御文字";
        kind_duplicate: "Exact duplicates", "Duplicados exactos", "完全な重複";
        kind_conflicting_answers: "Same question, other answer", "Misma pregunta, otra respuesta", "同じ質問に別の回答";
        kind_too_long: "Over-long record", "Registro demasiado largo", "長すぎるレコード";
        kind_not_encodable: "Cannot become tokens", "No se puede tokenizar", "トークンにできません";
        kind_template_rejects: "The template rejects it", "La plantilla lo rechaza", "テンプレートが受け付けません";
        kind_cut_away: "What is learned lies behind the limit", "Lo que se aprende queda tras el límite", "学習対象が上限の先にあります";
        kind_end_never_trained: "The end is never learned", "El final no se aprende", "終わりが学習されません";
        kind_control_tokens: "Control tokens inside text", "Tokens de control en el texto", "本文中の制御トークン";
        kind_end_masked_as_pad: "The end is masked as padding", "El final se enmascara como relleno", "終端がパディング扱いです";
    }
}

impl ChecksTexts {
    /// The title of a kind of finding; `english` where it is not known here.
    pub fn title<'a>(&self, kind: &str, english: &'a str) -> &'a str
    where
        Self: 'a,
    {
        let known = match kind {
            "missing_field" => self.kind_missing_field,
            "wrong_type" => self.kind_wrong_type,
            "unknown_role" => self.kind_unknown_role,
            "unsupported_content" => self.kind_unsupported_content,
            "empty_record" => self.kind_empty_record,
            "empty_answer" => self.kind_empty_answer,
            "no_assistant" => self.kind_no_assistant,
            "labels_length" => self.kind_labels_length,
            "bad_tokens" => self.kind_bad_tokens,
            "mixed_formats" => self.kind_mixed_formats,
            "unknown_field" => self.kind_unknown_field,
            "empty_content" => self.kind_empty_content,
            "last_not_assistant" => self.kind_last_not_assistant,
            "first_not_user" => self.kind_first_not_user,
            "repeated_role" => self.kind_repeated_role,
            "system_not_first" => self.kind_system_not_first,
            "nothing_trained" => self.kind_nothing_trained,
            "odd_weight" => self.kind_odd_weight,
            "shifted_labels" => self.kind_shifted_labels,
            "control_token" => self.kind_control_token,
            "mojibake" => self.kind_mojibake,
            "nul_character" => self.kind_nul_character,
            "duplicate" => self.kind_duplicate,
            "conflicting_answers" => self.kind_conflicting_answers,
            "too_long" => self.kind_too_long,
            "not_encodable" => self.kind_not_encodable,
            "template_rejects" => self.kind_template_rejects,
            "cut_away" => self.kind_cut_away,
            "end_never_trained" => self.kind_end_never_trained,
            "control_tokens" => self.kind_control_tokens,
            "end_masked_as_pad" => self.kind_end_masked_as_pad,
            _ => english,
        };
        known
    }

    /// What a fix does; its name where it is not known here.
    pub fn fix(&self, name: &str) -> String {
        let known = match name {
            "trash" => self.fix_trash,
            "keep_first" => self.fix_keep_first,
            "strip_controls" => self.fix_strip_controls,
            "strip_tokens" => self.fix_strip_tokens,
            "rename_role" => self.fix_rename_role,
            "accept" => self.fix_accept,
            "unaccept" => self.fix_unaccept,
            "repair_text" => self.fix_repair_text,
            "drop_empty" => self.fix_drop_empty,
            "join_roles" => self.fix_join_roles,
            "system_first" => self.fix_system_first,
            "weight_one" => self.fix_weight_one,
            "cut_end" => self.fix_cut_end,
            other => return other.replace('_', " "),
        };
        known.to_owned()
    }

    /// A check in words; its name where it is not known here.
    pub fn check<'a>(&self, name: &'a str) -> &'a str {
        match name {
            "record" => self.check_record,
            "duplicates" => self.check_duplicates,
            "template" => self.check_template,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_keeps_its_own_words() {
        let texts = ChecksTexts::ES;
        assert_eq!(
            texts.title("empty_answer", "empty answer"),
            "Respuesta vacía"
        );
        assert_eq!(
            texts.title("near_duplicate", "near duplicate"),
            "near duplicate"
        );
        assert_eq!(texts.fix("trash"), "Mover a la papelera");
        assert_eq!(texts.fix("mask_names"), "mask names");
        assert_eq!(texts.check("duplicates"), "duplicados");
        assert_eq!(texts.check("pii"), "pii");
    }
}
