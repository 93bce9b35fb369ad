//! One record.

use super::studio_texts;

studio_texts! {
    EditorTexts {
        title: "Record", "Registro", "レコード";
        record_n: "Record {n}", "Registro {n}", "レコード {n}";
        choose: "Choose a record in the list to see and change it.", "Elija un registro de la lista para verlo y cambiarlo.", "一覧からレコードを選ぶと、ここで確認・編集できます。";
        in_trash: "In the trash", "En la papelera", "ゴミ箱内";
        n_chars: "{n} character[|s]", "{n} car[ácter|acteres]", "{n} 文字";
        n_tokens: "{n} token[|s]", "{n} token[|s]", "{n} トークン";
        of_limit: "{n} of {limit} token[|s], {trained} trained", "{n} de {limit} token[|s], {trained} entrenado[|s]", "{n} / {limit} トークン（学習対象 {trained}）";
        over_limit: "{n} over the limit", "{n} por encima del límite", "上限を {n} 超過";
        saved: "Saved", "Guardado", "保存済み";
        unsaved: "Not saved yet", "Sin guardar", "未保存";
        saving: "Saving", "Guardando", "保存中";
        not_saved: "Could not be saved", "No se pudo guardar", "保存できませんでした";
        save_again: "Try again", "Intentar de nuevo", "もう一度保存";
        discard: "Discard what was typed", "Descartar lo escrito", "入力を破棄";
        n_waiting: "Changes of {n} other record[|s] could not be saved yet. They are kept here.", "Los cambios de {n} registro[|s] más aún no se pudieron guardar. Se conservan aquí.", "ほかの {n} 件のレコードの変更はまだ保存できていません。ここに残してあります。";
        previous: "Previous record", "Registro anterior", "前のレコード";
        next: "Next record", "Registro siguiente", "次のレコード";
        new_record: "New record", "Registro nuevo", "新しいレコード";
        duplicate: "Duplicate", "Duplicar", "複製";
        rendered: "Show as Markdown", "Ver como Markdown", "Markdown で表示";
        rendered_about: "Shows texts as Markdown; what is saved stays plain Markdown", "Muestra los textos con formato; lo que se guarda es el Markdown sin formato", "Markdown として表示します（保存されるのは書式なしの元の文字です）";
        edit_source: "Edit the Markdown", "Editar el Markdown", "Markdown を編集";

        role: "Role of message {n}", "Rol del mensaje {n}", "メッセージ {n} の役割";
        role_system: "System", "Sistema", "システム";
        role_developer: "Developer", "Desarrollador", "開発者";
        role_user: "User", "Usuario", "ユーザー";
        role_assistant: "Assistant", "Asistente", "アシスタント";
        role_tool: "Tool", "Herramienta", "ツール";
        text_of: "Text of message {n}", "Texto del mensaje {n}", "メッセージ {n} の本文";
        handle: "Move message {n}", "Mover el mensaje {n}", "メッセージ {n} を移動";
        handle_about: "Drag, or press the arrow keys up and down", "Arrastre, o pulse las flechas arriba y abajo", "ドラッグ、または上下の矢印キーで移動";
        moved_to: "Now in place {n}", "Ahora en la posición {n}", "{n} 番目に移動しました";
        deleted: "Message deleted", "Mensaje eliminado", "メッセージを削除しました";
        add_turn: "Add a message", "Añadir un mensaje", "メッセージを追加";
        add_above: "Add above", "Añadir encima", "上に追加";
        add_below: "Add below", "Añadir debajo", "下に追加";
        split: "Split at the cursor", "Dividir en el cursor", "カーソル位置で分割";
        join: "Join with the next", "Unir con el siguiente", "次と結合";
        delete_turn: "Delete", "Eliminar", "削除";
        name: "Name", "Nombre", "名前";
        call_id: "Id of the call it answers", "Id de la llamada a la que responde", "応答する呼び出しの ID";
        train: "Train this answer", "Entrenar con esta respuesta", "この回答を学習する";
        train_about: "When off, the model does not learn this answer (weight 0)", "Si se desactiva, el modelo no aprende esta respuesta (peso 0)", "オフにすると、この回答は学習されません（weight 0）";

        tools_n: "Tools ({n})", "Herramientas ({n})", "ツール ({n})";
        tools_label: "Tools the conversation may use, as a JSON list", "Herramientas que la conversación puede usar, como lista JSON", "会話で使えるツール（JSON の配列）";
        calls_label: "Calls of tools, as a JSON list", "Llamadas a herramientas, como lista JSON", "ツールの呼び出し（JSON の配列）";
        add_call: "Add a tool call", "Añadir una llamada", "ツール呼び出しを追加";
        further_keys: "Further keys of this message", "Otras claves de este mensaje", "このメッセージのその他のキー";
        json_wrong: "No valid JSON at line {line}, column {column} ({why}). The last valid version stays saved.", "JSON no válido en la línea {line}, columna {column} ({why}). Sigue guardada la última versión válida.", "{line} 行 {column} 列の JSON が正しくありません（{why}）。最後の正しい内容が保存されています。";
        json_no_list: "A list is expected here, in square brackets.", "Aquí se espera una lista, entre corchetes.", "角括弧で囲んだ配列が必要です。";
        json_no_object: "Entry {n} is no object in braces.", "La entrada {n} no es un objeto entre llaves.", "{n} 番目の項目が波括弧のオブジェクトではありません。";

        prompt: "Prompt", "Texto inicial", "プロンプト";
        prompt_about: "What the model continues; not trained.", "Lo que el modelo continúa; no se entrena.", "モデルが続きを書く文です。学習対象ではありません。";
        completion: "Completion", "Continuación", "続き";
        completion_about: "What is learned, exactly as it stands.", "Lo que se aprende, tal como está.", "この通りに学習される文です。";
        tokens: "Tokens", "Tokens", "トークン";
        tokenized_about: "A tokenized record with {n} token[|s], {trained} of them trained. It can be looked at, tagged and moved, but not rewritten.", "Registro ya tokenizado con {n} token[|s], {trained} de ellos entrenado[|s]. Se puede ver, etiquetar y mover, pero no reescribir.", "トークン化済みのレコードです（{n} トークン、学習対象 {trained}）。閲覧・タグ付け・移動はできますが、書き換えはできません。";

        tags: "Tags", "Etiquetas", "タグ";
        add_tag: "Add a tag", "Añadir una etiqueta", "タグを追加";
        remove_tag: "Remove the tag {tag}", "Quitar la etiqueta {tag}", "タグ {tag} を外す";
        side: "Side", "Partición", "区分";
        no_side: "No side", "Sin asignar", "未割り当て";
        side_train: "Training", "Entrenamiento", "学習";
        side_validation: "Validation", "Validación", "検証";
        side_test: "Test", "Prueba", "テスト";
        reviewer: "Reviewer", "Revisor", "レビュー担当";
        nobody: "Nobody yet", "Nadie todavía", "未担当";
        written_here: "Written here", "Escrito aquí", "ここで作成";
        page_n: "page {n}", "página {n}", "{n} ページ";
        line_n: "line {n}", "línea {n}", "{n} 行目";

        columns_n: "Columns beside the text ({n})", "Columnas junto al texto ({n})", "本文以外の列 ({n})";
        column: "Column", "Columna", "列";
        column_named: "Column {name}", "Columna {name}", "列 {name}";
        kind: "Kind", "Tipo", "種類";
        value: "Value", "Valor", "値";
        kind_text: "Text", "Texto", "文字列";
        kind_number: "Number", "Número", "数値";
        kind_boolean: "Yes or no", "Sí o no", "真偽値";
        kind_null: "Empty", "Vacío", "空";
        new_column: "Name of a new column", "Nombre de una columna nueva", "新しい列の名前";
        add_column: "Add the column", "Añadir la columna", "列を追加";
        remove_column: "Remove the column {name}", "Quitar la columna {name}", "列 {name} を削除";
        name_taken: "This name is empty or taken.", "El nombre está vacío o ya existe.", "名前が空か、すでに使われています。";
        no_number: "This is no number.", "Esto no es un número.", "数値ではありません。";
        rounded: "This number would be rounded. Keep it as text.", "Este número se redondearía. Guárdelo como texto.", "この数値は丸められます。文字列として入力してください。";

        findings: "Problems in this record", "Problemas en este registro", "このレコードの指摘";
        found: "found {found}", "encontrado: {found}", "実際: {found}";
        expected: "expected {expected}", "esperado: {expected}", "期待: {expected}";
        turn_n: "Message {n}", "Mensaje {n}", "メッセージ {n}";

        changes: "Changes since the import", "Cambios desde la importación", "取り込み後の変更";
        no_changes: "The record is again as it came in.", "El registro vuelve a estar como llegó.", "取り込んだときと同じ内容に戻っています。";
        restore: "Back to what came in", "Volver a lo importado", "取り込み時の内容に戻す";
    }
}
