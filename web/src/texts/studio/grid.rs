use veneer_core::protocol::studio::{Side, TurnRole};

use super::studio_texts;
use crate::state::studio::columns::Column;

studio_texts! {
    GridTexts {
        title: "Records", "Registros", "レコード一覧";
        record: "Record", "Registro", "レコード";
        back: "Back to the list", "Volver a la lista", "一覧に戻る";
        divide: "Width of the list", "Anchura de la lista", "一覧の幅";

        search: "Search in all messages", "Buscar en todos los mensajes", "すべてのメッセージから検索";
        mode: "How to search", "Cómo buscar", "検索方法";
        mode_words: "Words", "Palabras", "単語";
        mode_text: "Exact text", "Texto exacto", "文字どおり";
        mode_regex: "Regular expression", "Expresión regular", "正規表現";
        in_role: "In messages of", "En mensajes de", "役割";
        any_role: "Any role", "Cualquier rol", "すべての役割";
        match_case: "Match case", "Distinguir mayúsculas", "大文字と小文字を区別";
        searching: "Searching …", "Buscando …", "検索中…";

        n_records: "{n} record[|s]", "{n} registro[|s]", "{n} 件";
        n_of_records: "{n} of {of} record[|s]", "{n} de {of} registro[|s]", "{of} 件中 {n} 件";
        n_selected: "{n} selected", "{n} seleccionado[|s]", "{n} 件を選択中";
        select_all: "Select all that match", "Seleccionar todo lo que coincide", "一致するすべてを選択";
        select_all_n: "Select all {n} that match", "Seleccionar los {n} que coinciden", "一致する {n} 件をすべて選択";
        deselect: "Clear the selection", "Quitar la selección", "選択を解除";
        changed: "edited", "editado", "編集済み";
        errors: "errors", "errores", "エラー";
        warnings: "warnings", "avisos", "警告";

        filters: "Filters", "Filtros", "絞り込み";
        clear_filters: "Clear all", "Quitar todos", "すべて解除";
        take_away: "Take the filter {filter} away", "Quitar el filtro {filter}", "絞り込み {filter} を解除";
        findings: "Problems", "Problemas", "指摘";
        tags: "Tags", "Etiquetas", "タグ";
        tag: "Tag", "Etiqueta", "タグ";
        without_tag: "Without tag", "Sin etiqueta", "タグなし";
        not: "not", "sin", "除く";
        split: "Split", "División", "分割";
        train: "Training", "Entrenamiento", "学習";
        validation: "Validation", "Validación", "検証";
        test: "Test", "Prueba", "テスト";
        no_side: "No side", "Sin asignar", "未割り当て";
        language: "Language", "Idioma", "言語";
        unknown: "unknown", "desconocido", "不明";
        source: "Source", "Origen", "取り込み元";
        reviewer: "Reviewer", "Revisor", "レビュー担当";
        reviewer_name: "Reviewer; nobody if left empty", "Revisor; nadie si queda vacío", "レビュー担当（空欄なら未担当）";
        nobody: "nobody yet", "nadie aún", "未担当";
        roles: "Has messages of", "Tiene mensajes de", "含まれる役割";
        with_role: "with", "con", "役割";
        role_system: "system", "sistema", "システム";
        role_developer: "developer", "desarrollador", "開発者";
        role_user: "user", "usuario", "ユーザー";
        role_assistant: "assistant", "asistente", "アシスタント";
        role_tool: "tool", "herramienta", "ツール";
        length: "Length", "Longitud", "長さ";
        at_least: "at least", "al menos", "最小";
        at_most: "at most", "como mucho", "最大";
        length_wrong: "A whole number is expected here, such as 2048.", "Aquí se espera un número entero, como 2048.", "2048 のような整数を入力してください。";
        characters: "Characters", "Caracteres", "文字数";
        tokens: "Tokens", "Tokens", "トークン数";
        tokens_counted: "Tokens are counted by the check, once a model is chosen. Until then no record has a length in tokens.", "La revisión cuenta los tokens, una vez elegido un modelo. Hasta entonces ningún registro tiene longitud en tokens.", "トークン数は、モデルを選んで検査を実行すると数えられます。それまではどのレコードにもトークン数がありません。";
        go_check: "Go to the check", "Ir a la revisión", "検査へ";
        field: "Field", "Campo", "項目";
        value: "Value", "Valor", "値";
        value_about: "Numbers, true, false, null and lists are taken as in JSON, everything else as text.", "Los números, true, false, null y las listas se toman como en JSON; lo demás, como texto.", "数値、true、false、null、配列は JSON として、それ以外は文字列として扱います。";
        apply: "Filter", "Filtrar", "絞り込む";
        group: "Group", "Grupo", "グループ";

        columns: "Columns", "Columnas", "列";
        reset_columns: "Columns as at first", "Columnas iniciales", "列を初期状態に戻す";
        forward: "Move up", "Subir", "上へ";
        backward: "Move down", "Bajar", "下へ";
        resize: "Width of {column}", "Anchura de {column}", "{column} の幅";
        sort: "Sort by", "Ordenar por", "並べ替え";
        position: "Order of the dataset", "Orden del conjunto", "データセットの順";
        ascending: "Ascending ↑", "Ascendente ↑", "昇順 ↑";
        descending: "Descending ↓", "Descendente ↓", "降順 ↓";
        prompt: "Question", "Pregunta", "質問";
        answer: "Answer", "Respuesta", "回答";
        system: "System prompt", "Instrucción del sistema", "システムプロンプト";
        trained: "Trained", "Entrenados", "学習対象";
        turns: "Messages", "Mensajes", "メッセージ数";
        page: "Page", "Página", "ページ";
        edited: "Edited", "Editado", "編集";

        replace: "Replace", "Reemplazar", "置換";
        replace_what: "Type what to look for in the search box first.", "Escriba primero en el buscador lo que se busca.", "まず検索欄に探す文字列を入力してください。";
        replace_about: "What the search finds is replaced, in the selected records, or in all that match where none are selected.", "Se reemplaza lo que encuentra la búsqueda, en los registros seleccionados o, si no hay, en todos los que coinciden.", "検索で見つかった部分を置換します。対象は選択中のレコード、選択がなければ一致するすべてです。";
        replace_with: "Replace with", "Reemplazar por", "置換後";
        replace_signs: "In the replacement, $1 or ${name} is a group, \\n a line break, \\t a tab, \\\\ a backslash, $$ a dollar sign.", "En el reemplazo, $1 o ${name} es un grupo, \\n un salto de línea, \\t un tabulador, \\\\ una barra inversa y $$ un signo de dólar.", "置換後の文字列では、$1 や ${name} はグループ、\\n は改行、\\t はタブ、\\\\ は円記号（バックスラッシュ）、$$ はドル記号を表します。";
        preview: "Preview", "Vista previa", "プレビュー";
        replace_found: "{matches} match[|es] in {records} record[|s]", "{matches} coincidencia[|s] en {records} registro[|s]", "{records} 件のレコードに {matches} か所";
        replace_apply: "Replace {matches} in {records} record[|s]", "Reemplazar {matches} en {records} registro[|s]", "{records} 件の {matches} か所を置換";

        trash: "Trash ({n})", "Papelera ({n})", "ゴミ箱 ({n})";
        to_trash: "To the trash", "A la papelera", "ゴミ箱へ";
        take_back: "Take back", "Recuperar", "ゴミ箱から戻す";
        empty_trash: "Empty the trash", "Vaciar la papelera", "ゴミ箱を空にする";
        empty_trash_about: "What lies in the trash is deleted for good, with its history. This cannot be undone.", "Lo que hay en la papelera se borra para siempre, con su historial. No se puede deshacer.", "ゴミ箱の中身は履歴とともに完全に削除されます。元に戻せません。";
        trash_empty: "The trash is empty.", "La papelera está vacía.", "ゴミ箱は空です。";
        leave_trash: "Back to the records", "Volver a los registros", "レコードに戻る";
        new_record: "New record", "Registro nuevo", "新しいレコード";
        none_yet: "There are no records yet. Import files, or write the first record.", "Aún no hay registros. Importe archivos o escriba el primero.", "レコードがまだありません。ファイルを取り込むか、最初のレコードを書いてください。";
        nothing_listed: "Nothing is listed until the search can be understood.", "No se muestra nada hasta que la búsqueda sea válida.", "検索条件を正しく入力すると一覧が表示されます。";
        none_match: "No record matches.", "Ningún registro coincide.", "一致するレコードはありません。";
        loading: "Loading …", "Cargando …", "読み込み中…";
        go_import: "Import files", "Importar archivos", "ファイルを取り込む";

        ask_tag: "Tag", "Etiquetar", "タグを付ける";
        ask_untag: "Untag", "Quitar etiqueta", "タグを外す";
        ask_reviewer: "Reviewer", "Revisor", "レビュー担当";
        ask_system: "System prompt", "Instrucción del sistema", "システムプロンプト";
        ask_field: "Set a field", "Rellenar un campo", "項目を設定";
        ask_move: "Move", "Mover", "移動";
        set_side: "Split …", "División …", "分割…";
        apply_to: "Apply to {n} record[|s]", "Aplicar a {n} registro[|s]", "{n} 件に適用";
        takes_away: "Take it away", "Quitarlo", "削除する";
        cancel: "Cancel", "Cancelar", "キャンセル";
        move_where: "Where to", "Adónde", "移動先";
        move_start: "To the start of this list", "Al principio de esta lista", "この一覧の先頭へ";
        move_end: "To the end of the dataset", "Al final del conjunto", "データセットの末尾へ";
        move_before: "Before place number", "Antes de la posición número", "次の番号の前へ";
        move_needs_order: "Sort the list by the order of the dataset first.", "Ordene antes la lista por el orden del conjunto.", "まず一覧をデータセットの順に並べ替えてください。";

        copy_table: "Copy as table", "Copiar como tabla", "表としてコピー";
        copy_json: "Copy as JSON Lines", "Copiar como JSON Lines", "JSON Lines としてコピー";
        copied: "{n} copied", "{n} copiado[|s]", "{n} 件をコピーしました";
        copy_too_many: "the clipboard takes up to {n} record[|s]; export the others as a file", "el portapapeles admite hasta {n} registro[|s]; exporte los demás a un archivo", "クリップボードには {n} 件までコピーできます。それ以上はファイルに書き出してください。";
        copy_refused: "the browser did not allow writing to the clipboard", "el navegador no permitió escribir en el portapapeles", "ブラウザーがクリップボードへの書き込みを許可しませんでした。";
    }
}

impl GridTexts {
    pub fn column(&self, column: Column) -> &'static str {
        match column {
            Column::Prompt => self.prompt,
            Column::Answer => self.answer,
            Column::System => self.system,
            Column::Findings => self.findings,
            Column::Tags => self.tags,
            Column::Side => self.split,
            Column::Characters => self.characters,
            Column::Tokens => self.tokens,
            Column::Trained => self.trained,
            Column::Turns => self.turns,
            Column::Language => self.language,
            Column::Reviewer => self.reviewer,
            Column::Source => self.source,
            Column::Page => self.page,
            Column::Changed => self.edited,
        }
    }

    pub fn side(&self, side: Option<Side>) -> &'static str {
        match side {
            Some(Side::Train) => self.train,
            Some(Side::Validation) => self.validation,
            Some(Side::Test) => self.test,
            None => self.no_side,
        }
    }

    pub fn role(&self, role: TurnRole) -> &'static str {
        match role {
            TurnRole::System => self.role_system,
            TurnRole::Developer => self.role_developer,
            TurnRole::User => self.role_user,
            TurnRole::Assistant => self.role_assistant,
            TurnRole::Tool => self.role_tool,
        }
    }
}
