//! What the checks found: the step, kinds of findings, fixes.

use super::{super::Language, studio_texts};

/// What to do about kinds of findings, in Spanish and Japanese; the English words come with the
/// finding.
const ADVICE: [(&str, &str, &str); 35] = [
    (
        "wrong_type",
        "corrija el valor en el original y vuelva a importarlo, o descarte el registro",
        "元のデータを直して取り込み直すか、レコードを外してください",
    ),
    (
        "unsupported_content",
        "solo se puede aprender texto; descarte el registro",
        "学習できるのはテキストだけです。レコードを外してください",
    ),
    (
        "empty_record",
        "no hay nada que aprender; descarte el registro",
        "学習する内容がありません。レコードを外してください",
    ),
    (
        "empty_answer",
        "escriba la respuesta o descarte el registro",
        "回答を書くか、レコードを外してください",
    ),
    (
        "no_assistant",
        "añada la respuesta o descarte el registro",
        "回答を追加するか、レコードを外してください",
    ),
    (
        "labels_length",
        "cada id de token necesita una etiqueta; vuelva a crear el registro",
        "トークン ID ごとにラベルが必要です。作り直してください",
    ),
    (
        "bad_tokens",
        "los ids son números enteros desde 0; vuelva a crear el registro",
        "トークン ID は 0 以上の整数です。作り直してください",
    ),
    (
        "unknown_role",
        "dé al mensaje un rol que las plantillas conozcan",
        "テンプレートが対応する役割に変えてください",
    ),
    (
        "unread_key",
        "si esa parte tiene registros, impórtela por separado",
        "レコードを含む場合は、その部分だけを別に取り込んでください",
    ),
    (
        "odd_rows",
        "compruebe esas filas en el archivo y vuelva a importarlo si no eran así",
        "ファイルのその行を確かめ、意図と違えば取り込み直してください",
    ),
    (
        "mixed_formats",
        "compruebe que se leyó como debía",
        "意図どおりに読まれたか確かめてください",
    ),
    (
        "unknown_field",
        "si era texto, cambie la columna en la asignación y vuelva a importar",
        "本文なら、列の対応を直して取り込み直してください",
    ),
    (
        "empty_content",
        "rellene el mensaje o quítelo",
        "メッセージを埋めるか、取り除いてください",
    ),
    (
        "last_not_assistant",
        "lo que sigue a la última respuesta no se entrena; termine con la respuesta",
        "最後の回答より後は学習されません。回答で終えてください",
    ),
    (
        "first_not_user",
        "muchas plantillas lo rechazan; añada la pregunta",
        "受け付けないテンプレートが多いため、質問を追加してください",
    ),
    (
        "repeated_role",
        "muchas plantillas lo rechazan; una los mensajes",
        "受け付けないテンプレートが多いため、結合してください",
    ),
    (
        "system_not_first",
        "muchas plantillas lo rechazan; póngalo primero",
        "受け付けないテンプレートが多いため、先頭に移してください",
    ),
    (
        "nothing_trained",
        "dé a una respuesta un peso mayor que 0 o descarte el registro",
        "回答の weight を 0 より大きくするか、レコードを外してください",
    ),
    (
        "odd_weight",
        "0 excluye el mensaje y 1 lo entrena; casi nadie admite valores intermedios",
        "0 は除外、1 は学習です。中間の値はほとんどのツールで使えません",
    ),
    (
        "shifted_labels",
        "las etiquetas son los propios ids o -100: el entrenamiento las desplaza; vuelva a crear el registro",
        "ラベルは ID そのものか -100 です（ずらす処理は学習時に行われます）。作り直してください",
    ),
    (
        "control_token",
        "al entrenar actuaría como marca; quítelo salvo que sea texto",
        "学習時に記号として働きます。本文でなければ除いてください",
    ),
    (
        "mojibake",
        "se leyó con otra codificación; importe de nuevo el original o repare lo que sea seguro",
        "別の文字コードで読まれています。元を読み直すか、確実な部分だけ直してください",
    ),
    (
        "nul_character",
        "ningún texto necesita estos caracteres; quítelos",
        "文章に不要な文字です。除いてください",
    ),
    (
        "duplicate",
        "se entrena más de una vez; conserve el primero",
        "同じものが何度も学習されます。最初の 1 件を残してください",
    ),
    (
        "conflicting_answers",
        "si ambas respuestas valen, no hay problema; si no, conserve una",
        "どちらも正しければ問題ありません。そうでなければ一方を残してください",
    ),
    (
        "leak",
        "los resultados de validación y prueba saldrían mejores de lo que son: páselo a entrenamiento, \
         descártelo o divida de nuevo dejando juntas las preguntas iguales",
        "検証・テストの成績が実際より良く出ます。学習に移すか、除くか、同じ質問を同じ区分に入れて\
         分割し直してください",
    ),
    (
        "template_rejects",
        "cambie el orden o los roles, o elija otra plantilla",
        "順序や役割を直すか、別のテンプレートを選んでください",
    ),
    (
        "cut_away",
        "suba el límite o acorte la pregunta",
        "上限を上げるか、質問を短くしてください",
    ),
    (
        "control_tokens",
        "terminarían o falsearían un turno; quítelos del texto",
        "メッセージを途中で終わらせたり偽ったりします。本文から除いてください",
    ),
    (
        "not_encodable",
        "la vista de tokens del registro dice por qué; un modelo sin plantilla de chat necesita una para los mensajes",
        "理由はレコードのトークン表示にあります。チャットテンプレートのないモデルでは、先にチャットテンプレートを選んでください",
    ),
    (
        "message_left_out",
        "la plantilla pasa por alto su rol o su posición; pase el texto a la primera pregunta, cambie el rol o elija otra plantilla",
        "テンプレートがその役割や位置を読み飛ばします。最初の質問に本文を移すか、役割を変えるか、別のテンプレートを選んでください",
    ),
    (
        "no_trained_tokens",
        "dé a una respuesta un peso mayor que 0 o entrene todo el texto",
        "回答の weight を 0 より大きくするか、全文を学習してください",
    ),
    (
        "end_never_trained",
        "el modelo no sabría parar; elija una plantilla que cierre los turnos con el token de fin del modelo, o suba el límite si corta el final",
        "モデルが止まらなくなります。終端トークンでメッセージを閉じるテンプレートを選ぶか、終わりが切れるなら上限を上げてください",
    ),
    (
        "end_masked_as_pad",
        "vuelva a crear las etiquetas con un token de relleno propio, o enmascare por posición",
        "専用のパディングトークンでラベルを作り直すか、位置でマスクしてください",
    ),
    (
        "too_long",
        "el entrenamiento lo corta en el límite; suba el límite o divida el registro",
        "上限で切られます。上限を上げるか、レコードを分けてください",
    ),
];

studio_texts! {
    ChecksTexts {
        title: "Check", "Revisar", "検査";
        about: "Every record is checked as it is. Nothing is changed unless you say so, and every change can be undone.", "Se revisa cada registro tal como está. Nada cambia sin que usted lo pida, y todo cambio se puede deshacer.", "すべてのレコードをそのまま検査します。指示しない限り何も変わらず、変更はすべて元に戻せます。";
        run: "Run the checks", "Ejecutar la revisión", "検査を実行";
        run_again: "Run the checks again", "Repetir la revisión", "もう一度検査";
        running: "Checking", "Revisando", "検査中";
        outdated: "Since the last change, not every record was checked for: {checks}", "No se han visto todos los registros desde el último cambio: {checks}", "最後の変更以降、未検査のレコードがあります（{checks}）";
        up_to_date: "Every record was checked as it is now.", "Todos los registros están revisados tal como están ahora.", "すべてのレコードが現在の内容で検査済みです。";
        nothing: "Nothing was found.", "No se encontró nada.", "問題は見つかりませんでした。";
        nothing_yet: "The checks have not run yet.", "La revisión aún no se ha ejecutado.", "まだ検査していません。";
        no_records: "There are no records yet. Import some first.", "Todavía no hay registros. Importe algunos primero.", "レコードがまだありません。先に取り込んでください。";
        n_with_errors: "{n} record[|s] cannot be trained on as [it stands|they stand]", "{n} registro[|s] no [sirve|sirven] para entrenar tal como [está|están]", "{n} 件はこのままでは学習に使えません";
        error: "Error", "Error", "エラー";
        warning: "Warning", "Aviso", "警告";
        accepted: "Accepted", "Aceptado", "承認済み";
        n_records: "{n} record[|s]", "{n} registro[|s]", "{n} 件";
        n_accepted: "{n} accepted", "{n} aceptado[|s]", "承認済み {n} 件";
        show: "Show the records", "Ver los registros", "レコードを表示";
        show_one: "Show", "Ver", "表示";
        groups: "Show the groups", "Ver los grupos", "グループを表示";
        hide_groups: "Hide the groups", "Ocultar los grupos", "グループを隠す";
        group_n: "Group of {n} record[|s]", "Grupo de {n} registro[|s]", "{n} 件のグループ";
        more_in_group: "and {n} more", "y {n} más", "ほか {n} 件";
        more_groups: "More groups", "Más grupos", "続きを表示";
        keep_this: "Keep only this one", "Conservar solo este", "これだけ残す";
        same_text: "The same text", "El mismo texto", "同じ内容";
        record_n: "Record {n}", "Registro {n}", "レコード {n}";
        fix_all: "“{fix}” for {n} record[|s]?", "«{fix}»: ¿hacerlo con {n} registro[|s]?", "{n} 件すべてに「{fix}」を行いますか？";
        fix_all_undo: "It can be undone.", "Se puede deshacer.", "元に戻せます。";
        do_it: "Do it", "Hacerlo", "実行";
        leave_it: "Leave it", "Dejarlo", "やめる";
        working: "Working", "Trabajando", "処理中";

        check_record: "faults of single records", "fallos de registros", "レコードの不備";
        check_duplicates: "duplicates", "duplicados", "重複";
        check_conflicts: "questions with several answers", "preguntas con varias respuestas", "回答が割れる質問";
        check_leaks: "questions on several sides", "preguntas en varias particiones", "複数の区分にある質問";
        check_template: "tokens and template", "tokens y plantilla", "トークンとテンプレート";

        choose_template: "Choose a template", "Elegir una plantilla", "テンプレートを選ぶ";
        choose_limit: "Change the limit", "Cambiar el límite", "上限を変える";
        raise_limit: "Raise the limit to {n}", "Subir el límite a {n}", "上限を {n} に上げる";

        fix_trash: "Move to the trash", "Mover a la papelera", "ゴミ箱に移す";
        fix_accept: "Accept as it is", "Aceptar tal cual", "このまま承認";
        fix_keep_first: "Keep the first, trash the others", "Solo el primero; el resto, a la papelera", "最初の 1 件を残し、ほかをゴミ箱へ";
        fix_keep_longest: "Keep the longest, trash the others", "Solo el más largo; el resto, a la papelera", "最も長い 1 件を残し、ほかをゴミ箱へ";
        fix_to_train: "Move to training", "Pasar a entrenamiento", "学習に移す";
        fix_strip_controls: "Take out control characters", "Quitar caracteres de control", "制御文字を除く";
        fix_remove_control_tokens: "Take out the control tokens", "Quitar los tokens de control", "制御トークンを除く";
        fix_drop_last_turns: "Take off what follows the last answer", "Quitar lo posterior a la respuesta", "最後の回答より後を除く";
        fix_drop_empty_messages: "Take out empty messages", "Quitar los mensajes vacíos", "空のメッセージを除く";
        fix_join_same_roles: "Join messages of one role", "Unir mensajes del mismo rol", "同じ役割のメッセージを結合";
        fix_move_system_first: "Move the system message to the front", "Poner primero el mensaje del sistema", "システムメッセージを先頭へ";
        fix_set_weight: "Set the weights to 0 or 1", "Poner los pesos en 0 o 1", "weight を 0 か 1 にする";
        fix_redecode: "Repair the characters", "Reparar los caracteres", "文字化けを直す";

        kind_broken_json: "Broken JSON", "JSON roto", "壊れた JSON";
        kind_invalid_encoding: "Bytes that are not text", "Bytes que no son texto", "テキストでないバイト";
        kind_too_large: "Record over the size limit", "Registro demasiado grande", "大きすぎるレコード";
        kind_not_an_object: "Not an object", "No es un objeto", "オブジェクトではありません";
        kind_broken_row: "Row with a wrong number of columns", "Fila con un número de columnas equivocado", "列数が合わない行";
        kind_unclosed_array: "The file ends inside a list", "El archivo termina dentro de una lista", "配列の途中でファイルが終わっています";
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
        kind_first_not_user: "Not opened by the user", "La conversación no empieza con el usuario", "ユーザーから始まっていません";
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
        kind_leak: "Asked in training too", "También se pregunta en el entrenamiento", "学習にも同じ質問があります";
        kind_too_long: "Over-long record", "Registro demasiado largo", "長すぎるレコード";
        kind_odd_rows: "Rows that may be broken", "Filas que pueden estar rotas", "壊れているかもしれない行";
        kind_unread_key: "Part of the file not read", "Parte del archivo sin leer", "読まれていない部分";
        kind_message_left_out: "A message the model never sees", "Un mensaje que el modelo no ve", "モデルに届かないメッセージ";
        kind_no_trained_tokens: "No token is trained", "Ningún token se entrena", "学習されるトークンがありません";
        kind_not_encodable: "Cannot become tokens", "No se puede tokenizar", "トークンにできません";
        kind_template_rejects: "The template rejects it", "La plantilla lo rechaza", "テンプレートが受け付けません";
        kind_cut_away: "What is learned lies beyond the limit", "Lo que se aprende queda tras el límite", "学習対象が上限の先にあります";
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
        match kind {
            "broken_json" => self.kind_broken_json,
            "invalid_encoding" => self.kind_invalid_encoding,
            "too_large" => self.kind_too_large,
            "not_an_object" => self.kind_not_an_object,
            "broken_row" => self.kind_broken_row,
            "unclosed_array" => self.kind_unclosed_array,
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
            "leak" => self.kind_leak,
            "too_long" => self.kind_too_long,
            "odd_rows" => self.kind_odd_rows,
            "unread_key" => self.kind_unread_key,
            "no_trained_tokens" => self.kind_no_trained_tokens,
            "not_encodable" => self.kind_not_encodable,
            "template_rejects" => self.kind_template_rejects,
            "cut_away" => self.kind_cut_away,
            "end_never_trained" => self.kind_end_never_trained,
            "control_tokens" => self.kind_control_tokens,
            "message_left_out" => self.kind_message_left_out,
            "end_masked_as_pad" => self.kind_end_masked_as_pad,
            _ => english,
        }
    }

    /// What to do about a kind of finding; `english` where there are no other words.
    pub fn advice<'a>(kind: &str, english: &'a str, language: Language) -> &'a str {
        let known = ADVICE.iter().find(|(name, ..)| *name == kind);
        match (known, language) {
            (Some((_, spanish, _)), Language::Spanish) => spanish,
            (Some((.., japanese)), Language::Japanese) => japanese,
            _ => english,
        }
    }

    /// What a fix does; its name where it is not known here.
    pub fn fix(&self, name: &str) -> String {
        let known = match name {
            "trash" => self.fix_trash,
            "accept" => self.fix_accept,
            "keep_first" => self.fix_keep_first,
            "keep_longest" => self.fix_keep_longest,
            "to_train" => self.fix_to_train,
            "strip_controls" => self.fix_strip_controls,
            "remove_control_tokens" => self.fix_remove_control_tokens,
            "drop_last_turns" => self.fix_drop_last_turns,
            "drop_empty_messages" => self.fix_drop_empty_messages,
            "join_same_roles" => self.fix_join_same_roles,
            "move_system_first" => self.fix_move_system_first,
            "set_weight" => self.fix_set_weight,
            "redecode" => self.fix_redecode,
            other => return other.replace('_', " "),
        };
        known.to_owned()
    }

    /// A check in words; its name where it is not known here.
    pub fn check<'a>(&self, name: &'a str) -> &'a str {
        match name {
            "record" => self.check_record,
            "duplicates" => self.check_duplicates,
            "conflicts" => self.check_conflicts,
            "leaks" => self.check_leaks,
            "template" => self.check_template,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the kinds of findings are, which the words follow.
    const TABLE: &str = include_str!("../../../../core/src/project/checks/table.rs");

    /// Names of kinds as findings have them.
    fn kinds() -> Vec<String> {
        let table = TABLE.split_once("const OF_RECORD").unwrap().1;
        let table = table.split_once("#[cfg(test)]").unwrap().0;
        let word = |rest: &str| -> String {
            let is_part = |c: &char| c.is_alphanumeric() || *c == '_';
            rest.chars().take_while(is_part).collect()
        };
        let problems = table.split("ProblemKind::").skip(1).map(word);
        let problems = problems.map(|name| {
            let letters = name.char_indices().map(|(i, c)| match c.is_uppercase() {
                true if i > 0 => format!("_{}", c.to_lowercase()),
                _ => c.to_lowercase().to_string(),
            });
            letters.collect()
        });
        let constants = table.split("name: ").skip(1).map(word);
        let constants = constants.filter(|name| name != "ProblemKind");
        let refusals = table.split("refusal(").skip(1);
        let refusals = refusals.map(|rest| word(rest.trim_start().trim_start_matches('"')));
        let others = constants.chain(refusals).map(|name| name.to_lowercase());
        problems.chain(others).collect()
    }

    #[test]
    fn every_kind_has_a_title_and_advice_in_every_language() {
        let kinds = kinds();
        for (name, ..) in ADVICE {
            assert!(kinds.iter().any(|kind| kind == name), "{name}");
        }
        for kind in kinds {
            assert!(ADVICE.iter().any(|(name, ..)| *name == kind), "{kind}");
            assert_ne!(ChecksTexts::ES.title(&kind, ""), "", "{kind}");
        }
    }

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
        let advice = |kind, language| ChecksTexts::advice(kind, "write it", language);
        assert_eq!(advice("empty_answer", Language::English), "write it");
        assert!(advice("empty_answer", Language::Spanish).starts_with("escriba"));
        assert_eq!(advice("near_duplicate", Language::Japanese), "write it");
        assert_eq!(texts.fix("trash"), "Mover a la papelera");
        assert_eq!(texts.fix("mask_names"), "mask names");
        assert_eq!(texts.check("duplicates"), "duplicados");
        assert_eq!(texts.check("pii"), "pii");
    }
}
