//! From files to records.

use super::studio_texts;

studio_texts! {
    ImportTexts {
        title: "Import", "Importar", "取り込み";
        about: "Drop files anywhere on this page, choose them, or paste a table. Nothing is uploaded.", "Suelte archivos en cualquier parte de la página, elíjalos o pegue una tabla. No se sube nada.", "ページのどこにでもファイルをドロップするか、選択するか、表を貼り付けてください。アップロードはされません。";
        kinds: "Datasets and tables: JSON, JSON Lines, CSV, TSV, XLSX, ODS, Parquet. Documents: PDF, DOCX, HTML, Markdown, plain text. Zipped folders of these.", "Conjuntos de datos y tablas: JSON, JSON Lines, CSV, TSV, XLSX, ODS, Parquet. Documentos: PDF, DOCX, HTML, Markdown, texto. Carpetas comprimidas (zip) con ellos.", "データセットと表: JSON、JSON Lines、CSV、TSV、XLSX、ODS、Parquet。文書: PDF、DOCX、HTML、Markdown、テキスト。これらを含む zip も可。";
        choose: "Choose files", "Elegir archivos", "ファイルを選択";
        choose_folder: "Choose a folder", "Elegir una carpeta", "フォルダーを選択";
        paste: "Paste text or a table", "Pegar texto o una tabla", "テキストや表を貼り付け";
        paste_here: "Text to import", "Texto para importar", "取り込むテキスト";
        paste_use: "Use this text", "Usar este texto", "このテキストを使う";
        looking: "Looking into the files", "Examinando los archivos", "ファイルを確認中";
        parts: "What was found", "Lo que se encontró", "見つかったもの";
        n_found: "{n} part[|s] found.", "{n} parte[|s] encontrada[|s].", "{n} 個見つかりました。";
        n_unreadable: "{n} cannot be read.", "{n} no se [puede|pueden] leer.", "{n} 個は読み取れません。";
        include: "Import this part", "Importar esta parte", "この部分を取り込む";
        unreadable: "cannot be read", "no se puede leer", "読み取れません";
        is_document: "document, {pages} page[|s], {chars} character[|s]", "documento, {pages} página[|s], {chars} car[ácter|acteres]", "文書、{pages} ページ、{chars} 文字";
        is_table: "{n} column[|s]", "{n} columna[|s]", "{n} 列";
        beside: "Tells of the data beside it, so it is left out. Tick it to read it as a document.", "Habla de los datos que tiene al lado, así que se omite. Márquelo para leerlo como documento.", "隣のデータについての説明なので取り込みません。文書として読むには選んでください。";
        because: "Recognised by {reason}", "Reconocido por {reason}", "判定の根拠: {reason}";
        remembered: "With what you changed when a file last had these columns", "Con lo que usted cambió la última vez que un archivo tuvo estas columnas", "同じ列のファイルで前回変更した設定を使っています";
        how: "How it is read", "Cómo se lee", "読み取り方法";
        format: "Format", "Formato", "形式";
        format_guess: "Guess", "Detectar", "自動判定";
        by_columns: "Columns", "Columnas", "列を割り当て";
        by_template: "A text with columns in it", "Un texto con columnas dentro", "列を埋め込んだ文";
        field: "Field", "Campo", "項目";
        column: "Column", "Columna", "列";
        no_column: "none", "ninguna", "なし";
        template_about: "Write {column} where the value of a column should stand, for example “Region: {region}”.", "Escriba {column} donde deba ir el valor de una columna, por ejemplo «Región: {region}».", "列の値を入れる場所に {column} と書きます。例:「地域: {region}」";
        encoding: "Encoding", "Codificación", "文字コード";
        separator: "Separator", "Separador", "区切り文字";
        skipped_rows: "Notes above the header (rows)", "Filas de notas encima del encabezado", "見出しより上の注記（行数）";
        header_rows: "Rows of the header", "Filas del encabezado", "見出しの行数";
        numbers: "Numbers", "Números", "数値";
        numbers_as: "As they stand", "Tal cual", "そのまま";
        numbers_plain: "Without separators; signs for missing values become empty", "Sin separadores; los signos de valor ausente quedan vacíos", "桁区切りを除き、欠損の記号は空にする";
        numbers_units: "Also multiplied by their unit (thousand, 千, millones)", "Además multiplicados por su unidad (miles, 千, millones)", "単位（千、百万など）も掛ける";
        take_chosen: "Of preference pairs, take the better answer", "De los pares de preferencia, tomar la mejor respuesta", "選好ペアでは良い方の回答を使う";
        chunk_size: "Length of a piece", "Longitud de un fragmento", "断片の長さ";
        chunk_overlap: "Overlap", "Solapamiento", "重なり";
        in_tokens: "in tokens of {model}", "en tokens de {model}", "{model} のトークン数";
        in_chars: "in characters, because no model is chosen yet", "en caracteres, porque aún no se ha elegido modelo", "モデル未選択のため文字数";
        tables_as_rows: "Tables become records of their own, a row each", "Las tablas se convierten en registros, una fila cada uno", "表は行ごとに独立したレコードにする";
        preview: "First records", "Primeros registros", "先頭のレコード";
        preview_rows: "First rows as they stand", "Primeras filas tal cual", "元の先頭行";
        preview_none: "Read like this, it gives no records.", "Así no sale ningún registro.", "この設定ではレコードになりません。";
        problems: "Problems among the first records", "Problemas en los primeros registros", "先頭のレコードの問題";
        import_n: "Import {n} part[|s]", "Importar {n} parte[|s]", "{n} 個を取り込む";
        import_one: "Import", "Importar", "取り込む";
        forget: "Start over", "Empezar de nuevo", "やり直す";
        done: "{n} record[|s] came in.", "Entr[ó|aron] {n} registro[|s].", "{n} 件を取り込みました。";
        rejected: "{n} row[|s] could not become [a record|records].", "{n} fila[|s] no [pudo|pudieron] convertirse en [registro|registros].", "{n} 行はレコードにできませんでした。";
        unread: "{n} part[|s] of the files [was|were] not read, or may be broken.", "{n} parte[|s] de los archivos no se [leyó|leyeron] o [puede|pueden] estar rota[|s].", "ファイルのうち {n} か所は、読み取っていないか、壊れている可能性があります。";
        at_line: "line {line}", "línea {line}", "{line} 行目";
        no_record: "no record stands here", "aquí no hay ningún registro", "ここにレコードがありません";
        rejected_at: "{part}, line {line}", "{part}, línea {line}", "{part} {line} 行目";
        go_check: "Check them", "Revisarlos", "検査へ進む";
        go_edit: "Look at them", "Verlos", "一覧を見る";
        sources: "Sources so far", "Fuentes hasta ahora", "これまでの取り込み元";
        role_system: "system", "sistema", "システム";
        role_user: "user", "usuario", "ユーザー";
        role_assistant: "assistant", "asistente", "アシスタント";
        role_tool: "tool", "herramienta", "ツール";
        in_project: "Records in this project", "Registros en este proyecto", "このプロジェクトのレコード";
    }
}
