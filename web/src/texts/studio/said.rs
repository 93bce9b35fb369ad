//! What core says about data, in Spanish and Japanese; its English is core's own, except where that
//! names options of the command line.

use veneer_core::protocol::studio::{Phrase, RowProblem, Said, filled};

use super::{Language, fill};

/// A finding's detail or an obstacle in a language. What is no phrase stays as it is.
pub fn said(said: &Said, language: Language) -> String {
    let Said::Phrase(phrase, values) = said else {
        return said.to_string();
    };
    let text = match language {
        Language::English => english(*phrase),
        Language::Spanish => words(*phrase).0,
        Language::Japanese => words(*phrase).1,
    };
    // A value may be a phrase; of one without values, or a count, nothing can be mistaken.
    let values: Vec<String> = values
        .iter()
        .map(|value| self::said(&Said::read(value), language))
        .collect();
    filled(text, &values)
}

/// What is wrong with a row, in a language; its line stands beside it.
pub fn row_problem(problem: &RowProblem, language: Language) -> String {
    let title = language
        .studio()
        .checks
        .title(&problem.kind.0, &problem.title);
    let what = match problem.field.as_str() {
        "" => title.to_owned(),
        field => format!("{title} (`{field}`)"),
    };
    let mut parts = vec![what];
    parts.extend(found_and_expected(
        &problem.found,
        &problem.expected,
        language,
    ));
    parts.join(" · ")
}

/// What was found and what was expected, as far as there is something to say.
pub fn found_and_expected(found: &Said, expected: &Said, language: Language) -> Vec<String> {
    let texts = &language.studio().editor;
    let part = |text: &str, name: &str, value: &Said| {
        (!value.is_empty()).then(|| fill(text, &[(name, &said(value, language))]))
    };
    let parts = [
        part(texts.found, "found", found),
        part(texts.expected, "expected", expected),
    ];
    parts.into_iter().flatten().collect()
}

/// In the words of the page, which has no options to write.
fn english(phrase: Phrase) -> &'static str {
    match phrase {
        Phrase::OnlyHeader => {
            "there is no record: the first row ({0}) counts as the header of a table, and no row is \
             below it; if it is a record, say that the table has no header"
        }
        Phrase::UnknownColumns => {
            "no known dataset format: the table has the columns {0}; expected two that name a \
             question and its answer; say which columns they are"
        }
        Phrase::UnknownColumnsHint => {
            "no known dataset format: the table has the columns {0}; expected two that name a \
             question and its answer; say which columns they are; {1}"
        }
        Phrase::UnmappedColumn => {
            "`{0}` is read from `{1}`, but the file has no column `{2}` (it has {3})"
        }
        phrase => phrase.english(),
    }
}

/// Spanish and Japanese. A phrase without them does not compile.
#[rustfmt::skip]
fn words(phrase: Phrase) -> (&'static str, &'static str) {
    match phrase {
        // What was found in a record.
        Phrase::NoText => ("ningún texto", "テキストがまったくない"),
        Phrase::Nothing => ("nada", "何もない"),
        Phrase::None => ("ninguno", "なし"),
        Phrase::Null => ("null", "null"),
        Phrase::TheText => ("el texto {0}", "テキスト {0}"),
        Phrase::TheBoolean => ("el valor lógico {0}", "真偽値 {0}"),
        Phrase::TheNumber => ("el número {0}", "数値 {0}"),
        Phrase::ListOf => ("una lista de {0}", "要素 {0} 個の配列"),
        Phrase::ObjectWith => ("un objeto con {0}", "{0} を持つオブジェクト"),
        Phrase::OneMessage => ("{0} mensaje", "メッセージ {0} 件"),
        Phrase::Messages => ("{0} mensajes", "メッセージ {0} 件"),
        Phrase::WeightZero => ("peso 0 en todas partes", "すべて weight が 0"),
        Phrase::SystemMessage => ("un mensaje del sistema", "システムメッセージ"),
        Phrase::RoleAfterRole => ("{0} después de {1}", "{1} の次に {0}"),
        Phrase::EmptyList => ("una lista vacía", "空の配列"),
        Phrase::NoTarget => ("ningún token que aprender", "学習対象なし"),
        Phrase::LabelWhereId => ("{0} donde el id es {1}", "ID が {1} のところに {0}"),
        Phrase::PartOfType => ("una parte de tipo {0}", "種類が {0} の部分"),
        Phrase::ZerosBeforeEnd => ("ceros antes del final", "末尾より前に 0"),
        Phrase::Labels => ("{0} etiquetas", "ラベル {0} 個"),
        Phrase::Entries => ("{0} entradas", "{0} 個"),
        Phrase::Media => ("imágenes, sonido o vídeo", "画像・音声・動画"),
        Phrase::BesideTheRecords => ("junto a los registros", "レコードの外"),
        Phrase::SidesWhileFrozen => ("la división está congelada: los registros que indican una partición entraron sin asignar ({0}), y la columna queda junto al texto; si esas particiones deben contar, deshaga la importación, descongele la división e importe de nuevo", "分割が固定されているため、区分を指定した {0} 件は未割り当てのまま入り、列は本文の横に残ります。区分を使うには、取り込みを元に戻し、分割の固定を解除してから取り込み直してください"),
        Phrase::SameFileBefore => ("el mismo archivo ya se había importado y sus registros están dos veces en el proyecto; deshaga una de las importaciones o deje que la revisión busque lo repetido", "同じファイルがすでに取り込まれているため、レコードがプロジェクトに二重に入っています。どちらかの取り込みを元に戻すか、検査で重複を探してください"),
        Phrase::ListBesideRecords => ("una lista de {0}, junto a los registros leídos", "読み込んだレコードとは別の、要素 {0} 個の配列"),
        Phrase::ShortRow => ("{0} fila sin sus últimas celdas, que se leen vacías", "末尾のセルがなく、空として読まれた行 {0} 件"),
        Phrase::ShortRows => ("{0} filas sin sus últimas celdas, que se leen vacías", "末尾のセルがなく、空として読まれた行 {0} 件"),
        Phrase::QuoteOverLines => ("una celda cuya comilla se abre en la línea {0} y se cierra en la línea {1}, con texto detrás", "引用符が {0} 行目で始まり {1} 行目で閉じ、その後ろに文字があるセル"),
        Phrase::LooseQuote => ("{0} celda con texto detrás de la comilla de cierre", "閉じる引用符の後ろに文字があるセル {0} 個"),
        Phrase::LooseQuotes => ("{0} celdas con texto detrás de la comilla de cierre", "閉じる引用符の後ろに文字があるセル {0} 個"),
        Phrase::BehindQuote => ("un separador detrás de la comilla de cierre", "閉じる引用符の後ろに区切り文字"),
        Phrase::Twice => ("dos veces", "二度"),
        Phrase::Formula => ("{0} fórmula sin resultado", "結果のない数式 {0} 件"),
        Phrase::Formulas => ("{0} fórmulas sin resultado", "結果のない数式 {0} 件"),
        Phrase::TextOfOneBefore => ("el texto de {0} registro anterior", "前にある {0} 件と同じ内容"),
        Phrase::TextOfBefore => ("el texto de {0} registros anteriores", "前にある {0} 件と同じ内容"),
        Phrase::QuestionOfOneBefore => ("la pregunta de {0} registro anterior", "前にある {0} 件と同じ質問"),
        Phrase::AskedInTraining => ("veces que se pregunta en el entrenamiento: {0}", "学習にある同じ質問: {0} 件"),
        Phrase::QuestionOfBefore => ("la pregunta de {0} registros anteriores", "前にある {0} 件と同じ質問"),
        Phrase::Tokens => ("{0} tokens", "{0} トークン"),
        Phrase::Characters => ("{0} caracteres", "{0} 文字"),
        Phrase::ControlTokenInMessage => ("un mensaje contiene el token de control `{0}`, que terminaría o falsearía un turno", "メッセージに制御トークン `{0}` があり、メッセージを途中で終わらせたり偽ったりします"),
        Phrase::TemplateRejects => ("la plantilla de chat rechaza la conversación: {0}", "チャットテンプレートが会話を受け付けません: {0}"),
        Phrase::AllBehindLimit => ("el registro tiene {0} tokens, y los {1} que se entrenan quedan tras el límite de {2}", "レコードは {0} トークンで、学習対象の {1} 個はすべて上限 {2} の先にあります"),
        Phrase::NoTokenTrained => ("no se entrena ningún token del registro", "レコードに、学習されるトークンがありません"),
        Phrase::NoTemplate => ("el modelo no tiene plantilla de chat, pero el registro es una conversación; elija una por su nombre ({0})", "モデルにチャットテンプレートがないのに、レコードは会話です。名前で選んでください（{0}）"),
        Phrase::TemplateFails => ("la plantilla de chat falla con la conversación: {0}", "チャットテンプレートが会話でエラーになります: {0}"),
        Phrase::MessageLeftOut => ("el mensaje {0} ({1}) no está en el texto que ve el modelo: la plantilla de chat lo pasa por alto", "メッセージ {0}（{1}）は、モデルが見る本文にありません。チャットテンプレートが読み飛ばしています"),
        Phrase::EndNeverTrained => ("ningún ejemplo entrena el token que termina la generación, así que el modelo ajustado no sabría parar: se espera {0}; el último token entrenado aquí es {1}", "生成を終えるトークンを学習する例がないため、ファインチューニング後のモデルは止まりません。必要なのは {0}、ここで最後に学習されるのは {1} です"),
        Phrase::TemplateHidesAnswers => ("la plantilla de chat no muestra qué texto es del asistente en el mensaje {0}; añádale marcas {% generation %} o entrene todo el texto", "チャットテンプレートから、メッセージ {0} のどこがアシスタントの文か分かりません。{% generation %} タグを加えるか、全文を学習してください"),
        Phrase::IdOutOfVocabulary => ("el token {0} del registro tiene el id {1} y el vocabulario tiene {2} entradas; ¿se hizo con otro tokenizador?", "レコードの {0} 番目のトークンの ID は {1} ですが、語彙は {2} 件です。別のトークナイザーで作られた可能性があります"),
        Phrase::EndsMasked => ("todos los tokens de fin del registro están enmascarados (etiqueta -100) aunque el texto anterior se entrena; el token de relleno es el de fin, y la herramienta que hizo las etiquetas enmascaró ambos", "前の文は学習されるのに、レコードの終端トークンがすべてマスク（ラベル -100）されています。パディングと終端が同じトークンのため、ラベルを作ったツールが両方をマスクしました"),
        // What was expected in a record.
        Phrase::QuestionAndAnswer => ("una pregunta y su respuesta", "質問と回答"),
        Phrase::SomeText => ("texto", "テキスト"),
        Phrase::ZeroOrOne => ("0 o 1", "0 か 1"),
        Phrase::AssistantMessage => ("un mensaje del asistente que aprender", "学習するアシスタントのメッセージ"),
        Phrase::AnswerToLearn => ("una respuesta que aprender", "学習する回答"),
        Phrase::TrainedMessage => ("un mensaje que se entrene", "学習されるメッセージ"),
        Phrase::OnlyAtTheStart => ("solo al principio", "先頭だけ"),
        Phrase::RolesInTurns => ("roles que se alternen", "役割の交替"),
        Phrase::CompletionToLearn => ("una continuación que aprender", "学習する続き"),
        Phrase::TokenIds => ("ids de token", "トークン ID"),
        Phrase::LabelThatIsId => ("una etiqueta que sea un id de token", "トークン ID であるラベル"),
        Phrase::IdOrIgnored => ("el id o -100", "その ID か -100"),
        Phrase::TextWithoutTokens => ("texto sin los tokens de una plantilla", "テンプレートのトークンを含まないテキスト"),
        Phrase::ReadableText => ("texto legible", "読めるテキスト"),
        Phrase::PrintableText => ("texto imprimible", "表示できる文字"),
        Phrase::ListOfMessages => ("una lista de mensajes", "メッセージの配列"),
        Phrase::RoleAndContent => ("un objeto con `role` y `content`", "`role` と `content` を持つオブジェクト"),
        Phrase::KnownRole => ("system, user, assistant o tool", "system・user・assistant・tool のいずれか"),
        Phrase::KnownFrom => ("system, human, gpt, function_call u observation", "system・human・gpt・function_call・observation のいずれか"),
        Phrase::NameOfRole => ("el nombre de un rol", "役割の名前"),
        Phrase::ListOfCalls => ("una lista de llamadas", "呼び出しの配列"),
        Phrase::AnObject => ("un objeto", "オブジェクト"),
        Phrase::CallInJson => ("una llamada a herramienta en JSON", "JSON のツール呼び出し"),
        Phrase::TextAlone => ("solo texto", "テキストのみ"),
        Phrase::PaddingAtEnd => ("relleno solo al final", "末尾だけのパディング"),
        Phrase::TokenId => ("un id de token, 0 o más", "0 以上のトークン ID"),
        Phrase::AsManyAsIds => ("{0}, tantas como `input_ids`", "`input_ids` と同じ {0} 個"),
        Phrase::TokenIdOrIgnored => ("un id de token o -100", "トークン ID か -100"),
        Phrase::ListOfWholeNumbers => ("una lista de números enteros", "整数の配列"),
        Phrase::WholeNumber => ("un número entero", "整数"),
        Phrase::ListOfPairs => ("una lista de [pregunta, respuesta]", "[質問, 回答] の配列"),
        Phrase::ListOfTools => ("una lista de herramientas, o lo mismo como texto JSON", "ツールの配列、または同じ内容の JSON テキスト"),
        Phrase::AsMostOfFile => ("{0}, como la mayor parte del archivo", "ファイルの大半と同じ {0}"),
        Phrase::ReadableTypes => ("texto, números, fechas, listas o estructuras", "テキスト・数値・日付・配列・構造体"),
        Phrase::FormulaResults => ("resultados; abra el archivo una vez en Excel o LibreOffice y guárdelo", "計算の結果。Excel か LibreOffice で一度開いて保存してください"),
        Phrase::ItOnce => ("una sola vez", "一度だけ"),
        Phrase::EachOnce => ("cada uno una vez", "それぞれ一度"),
        Phrase::OneAnswer => ("una respuesta", "一つの回答"),
        Phrase::AtMost => ("como máximo {0}", "最大 {0}"),
        // What a part of an import was recognised by.
        Phrase::FormatBy => ("{0}: {1}", "{0}: {1}"),
        Phrase::FormatIn => ("{0}, {1}: {2}", "{0}, {1}: {2}"),
        Phrase::FormatInWritten => ("{0}, {1}, {2}: {3}", "{0}, {1}, {2}: {3}"),
        Phrase::OnlyRecordHas => ("el único registro tiene {0}", "唯一のレコードに {0} がある"),
        Phrase::AllRecordsHave => ("los {0} registros tienen {1}", "{0} 件のレコードすべてに {1} がある"),
        Phrase::FirstRecordsHave => ("los primeros {0} registros tienen {1}", "先頭 {0} 件のレコードに {1} がある"),
        Phrase::OfFirstRecordsHave => ("de los primeros {0} registros, {1} tienen {2}", "先頭 {0} 件中 {1} 件のレコードに {2} がある"),
        Phrase::HeaderHas => ("el encabezado tiene {0}", "見出しに {0} がある"),
        Phrase::AsGiven => ("indicado", "指定のとおり"),
        Phrase::HiddenSheet => ("hoja oculta; {0}", "非表示のシート。{0}"),
        Phrase::ByTemplates => ("una tabla de {0} columnas sin pregunta ni respuesta; las plantillas forman los registros, y las respuestas están por escribir", "質問と回答のない {0} 列の表です。テンプレートがレコードを作り、回答はこれから書きます"),
        Phrase::JsonLines => ("JSON Lines", "JSON Lines"),
        Phrase::JsonArray => ("lista JSON", "JSON 配列"),
        Phrase::JsonObjects => ("objetos JSON seguidos", "続けて並ぶ JSON オブジェクト"),
        Phrase::JsonUnder => ("lista JSON en `{0}`", "`{0}` の下の JSON 配列"),
        Phrase::TableByTabs => ("tabla separada por tabuladores", "タブ区切りの表"),
        Phrase::TableBy => ("tabla separada por `{0}`", "`{0}` 区切りの表"),
        Phrase::TableOfColumns => ("tabla de {0} columnas", "{0} 列の表"),
        // Why a file cannot be read.
        Phrase::FileUnreadable => ("`{0}` no se puede leer: {1}", "`{0}` を読めません: {1}"),
        Phrase::FileBroken => ("`{0}` no es un {1} legible: {2}", "`{0}`（{1}）を読めません: {2}"),
        Phrase::ZipArchive => ("archivo ZIP", "ZIP ファイル"),
        Phrase::ParquetFile => ("archivo Parquet", "Parquet ファイル"),
        Phrase::SpreadsheetFile => ("libro de cálculo", "表計算ファイル"),
        Phrase::NoSheet => ("no tiene ninguna hoja `{0}`", "シート `{0}` がありません"),
        Phrase::BookLocked => ("está protegido con contraseña; guárdelo sin ella", "パスワードで保護されています。パスワードなしで保存し直してください"),
        Phrase::FileTooLarge => ("`{0}` ocuparía {1} bytes al desempaquetarse y se leen como máximo {2}; puede ser una bomba de descompresión (un archivo malicioso)", "`{0}` を展開すると {1} バイトになり、上限は {2} です。展開すると巨大になる悪意のあるファイル（zip 爆弾）かもしれません"),
        Phrase::FileWithoutText => ("`{0}` no tiene texto: {1}", "`{0}` にはテキストがありません: {1}"),
        Phrase::FileRefused => ("`{0}`: {1}", "`{0}`: {1}"),
        Phrase::FileLeadsOut => ("`{0}` contiene `{1}`, una ruta que sale del archivo comprimido", "`{0}` に、アーカイブの外に出るパス `{1}` が含まれています"),
        Phrase::OldOffice => ("es un archivo de Office antiguo o protegido; guárdelo como XLSX, DOCX u ODS sin contraseña", "古い形式か保護された Office ファイルです。パスワードなしの XLSX・DOCX・ODS で保存してください"),
        Phrase::GzipFile => ("está comprimido con gzip; descomprímalo antes", "gzip で圧縮されています。先に展開してください"),
        Phrase::ZstdFile => ("está comprimido con zstd; descomprímalo antes", "zstd で圧縮されています。先に展開してください"),
        Phrase::ArrowFile => ("es un archivo Arrow; guárdelo como Parquet", "Arrow ファイルです。Parquet で書き出してください"),
        Phrase::DatabaseFile => ("es una base de datos; ábrala como proyecto", "データベースです。プロジェクトとして開いてください"),
        Phrase::NoKnownKind => ("no contiene texto ni es de un tipo conocido", "テキストがなく、知らない種類のファイルです"),
        Phrase::MemberLocked => ("está protegido con contraseña; descomprímalo antes", "パスワードで保護されています。先に展開してください"),
        Phrase::MemberIsLink => ("es un enlace a otro archivo; añada ese archivo", "ほかのファイルへのリンクです。そのファイル自体を追加してください"),
        Phrase::TooManyMembers => ("tiene {0} archivos y se leen como máximo {1}; divídalo", "{0} 個のファイルがあり、読めるのは {1} 個までです。分割してください"),
        Phrase::PagesArePictures => ("sus páginas son imágenes; páselas antes por un programa de reconocimiento de texto (OCR)", "ページが画像です。先に文字認識（OCR）ソフトで読み取ってください"),
        Phrase::PicturesUnread => ("{0}; pág. {1} sin leer: son imágenes sin texto; páselas antes por un programa de reconocimiento de texto (OCR)", "{0}。{1} ページは読み取れません: テキストのない画像です。先に文字認識（OCR）ソフトで読み取ってください"),
        Phrase::LettersUnread => ("{0}; pág. {1} sin leer del todo: el archivo no dice qué letras hay; imprímalo de nuevo a PDF o páselo por un programa de reconocimiento de texto (OCR)", "{0}。{1} ページは一部または全部を読み取れません: どの文字かがファイルに示されていません。PDF に印刷し直すか、文字認識（OCR）ソフトで読み取ってください"),
        Phrase::LettersUnknown => ("no dice qué letras muestra; imprímalo de nuevo a PDF desde el programa de origen o páselo por un programa de reconocimiento de texto (OCR)", "どの文字を表示しているかが示されていません。元のソフトから PDF に印刷し直すか、文字認識（OCR）ソフトで読み取ってください"),
        Phrase::ArchiveInArchive => ("es un archivo comprimido dentro de otro, que no se abre; descomprímalo antes", "アーカイブの中のアーカイブは開きません。先に展開してください"),
        Phrase::IsEmpty => ("está vacío", "空です"),
        Phrase::SheetsEmpty => ("todas sus hojas están vacías", "すべてのシートが空です"),
        Phrase::ArchiveEmpty => ("el archivo comprimido no contiene archivos", "アーカイブにファイルがありません"),
        Phrase::PdfLocked => ("está protegido con contraseña; guarde una copia sin ella", "パスワードで保護されています。パスワードなしで保存し直してください"),
        Phrase::PdfEncrypted => ("está cifrado de un modo que no se puede leer; guarde una copia sin cifrar", "読めない方式で暗号化されています。暗号化せずに保存し直してください"),
        Phrase::PdfWithoutContents => ("su índice interno no tiene sentido; puede estar cortado", "ファイル内部の索引情報が壊れています。途中で切れているかもしれません"),
        Phrase::DatasetEmpty => ("el conjunto de datos está vacío; se espera al menos un registro", "データセットが空です。レコードが少なくとも 1 件必要です"),
        Phrase::OnlyHeader => ("no hay ningún registro: la primera fila ({0}) cuenta como encabezado de una tabla y debajo no hay ninguna fila; si es un registro, indique que la tabla no tiene encabezado", "レコードがありません。最初の行（{0}）は表の見出しとみなされ、その下に行がありません。それがレコードなら、見出しなしと指定してください"),
        Phrase::UnknownFormat => ("formato de datos desconocido: el primer registro (línea {0}) tiene los campos {1}; se espera uno de estos: instruction + output, conversations, messages, prompt + completion, query + response, text, input_ids", "知らないデータ形式です。最初のレコード（{0} 行目）の項目は {1} です。instruction + output、conversations、messages、prompt + completion、query + response、text、input_ids のいずれかが必要です"),
        Phrase::UnknownFormatHint => ("formato de datos desconocido: el primer registro (línea {0}) tiene los campos {1}; se espera uno de estos: instruction + output, conversations, messages, prompt + completion, query + response, text, input_ids; {2}", "知らないデータ形式です。最初のレコード（{0} 行目）の項目は {1} です。instruction + output、conversations、messages、prompt + completion、query + response、text、input_ids のいずれかが必要です。{2}"),
        Phrase::UnknownColumns => ("formato de datos desconocido: la tabla tiene las columnas {0}; se esperan dos que nombren una pregunta y su respuesta; indique cuáles", "知らないデータ形式です。表の列は {0} です。質問と回答を表す 2 列が必要です。どの列か指定してください"),
        Phrase::UnknownColumnsHint => ("formato de datos desconocido: la tabla tiene las columnas {0}; se esperan dos que nombren una pregunta y su respuesta; indique cuáles; {1}", "知らないデータ形式です。表の列は {0} です。質問と回答を表す 2 列が必要です。どの列か指定してください。{1}"),
        Phrase::DidYouMean => ("¿quiso decir `{0}` donde pone `{1}`?", "`{1}` は `{0}` のことですか"),
        Phrase::DidYouMeanBoth => ("¿quiso decir `{0}` donde pone `{1}`, y `{2}` donde pone `{3}`?", "`{1}` は `{0}`、`{3}` は `{2}` のことですか"),
        Phrase::UnmappedColumn => ("`{0}` se lee de `{1}`, pero el archivo no tiene la columna `{2}` (tiene {3})", "`{0}` は `{1}` から読む設定ですが、ファイルに列 `{2}` がありません（あるのは {3}）"),
        Phrase::TemplateWithoutColumn => ("la plantilla de `{0}` nombra la columna `{1}`, que la tabla no tiene (sus columnas son {2}; si los números no se dejan tal cual, una unidad como «miles» en el nombre de la columna se multiplica en sus celdas); escriba {{ y }} para llaves que no nombran columnas", "`{0}` の文が列 `{1}` を指していますが、表にありません（列は {2}。数値が「そのまま」でなければ、列名の千や百万は値に掛けられます）。列を指さない波括弧は {{ と }} と書いてください"),
        Phrase::TemplateClosesNothing => ("en la plantilla de `{0}` hay una `}` que no cierra nada; escriba `}}` para una llave", "`{0}` の文に、閉じるもののない `}` があります。波括弧そのものは `}}` と書いてください"),
        Phrase::TemplateNotClosed => ("en la plantilla de `{0}` falta la `}` tras `{{1}`", "`{0}` の文で、`{{1}` の後に `}` がありません"),
        Phrase::NothingReadable => ("no se pudo leer ningún registro; el primer problema: {0}", "読めたレコードがありません。最初の問題: {0}"),
        Phrase::ListOfDatasets => ("esta es la lista de conjuntos de datos de LLaMA-Factory, no un conjunto de datos; elija uno de los archivos que nombra ({0})", "これは LLaMA-Factory のデータセット一覧で、データセットではありません。そこに挙げられたファイル（{0}）を選んでください"),
        Phrase::RowTooLarge => ("la fila que empieza en la línea {0} ocupa más de {1} MiB; probablemente unas comillas (\") no se cierran nunca, o esto no es una tabla", "{0} 行目から始まる行が {1} MiB を超えています。引用符（\"）が閉じられていないか、表ではないようです"),
        // Why a split cannot be drawn.
        Phrase::CannotSplit => ("no se puede dividir: {0}", "分割できません: {0}"),
        Phrase::AllTogether => ("los {0} registros van juntos, así que no se puede apartar ninguno", "{0} 件すべてが一つのグループになるため、取り分けられません"),
        Phrase::NoGroupForValidation => ("ningún grupo de registros que van juntos es lo bastante pequeño para una validación de {0}; grupos: {1}; el mayor tiene {2}", "検証 {0} 件に収まるグループがありません（{1} グループ、最大 {2} 件）"),
        Phrase::NoGroupForTest => ("ningún grupo de registros que van juntos es lo bastante pequeño para una prueba de {0}; grupos: {1}; el mayor tiene {2}", "テスト {0} 件に収まるグループがありません（{1} グループ、最大 {2} 件）"),
        Phrase::AllOnSides => ("todos los registros ya tienen partición; no queda nada que dividir", "すべてのレコードがすでに区分に入っていて、分けるものがありません"),
        Phrase::NothingToSetAside => ("no se aparta nada; dé a la validación o a la prueba una proporción o una cantidad", "取り分ける量がありません。検証かテストに割合か件数を指定してください"),
        Phrase::NoneLeftToTrain => ("{0} para validación y {1} para prueba no dejan ninguno de los {2} registros para entrenar", "検証 {0} 件とテスト {1} 件を取ると、{2} 件のうち学習に使うレコードが残りません"),
        Phrase::MoreThanOnNoSide => ("{0} para validación y {1} para prueba son más que los {2} registros sin asignar", "検証 {0} 件とテスト {1} 件は、未割り当ての {2} 件を超えています"),
        Phrase::NothingToGroupBy => ("ningún registro tiene `{0}` por lo que mantenerlos juntos; las columnas son {1}", "まとめる列 `{0}` を持つレコードがありません（列: {1}）"),
        Phrase::NoColumnToGroupBy => ("ningún registro tiene `{0}` por lo que mantenerlos juntos; no hay columnas junto al texto", "まとめる列 `{0}` を持つレコードがありません（本文のほかに列はありません）"),
        Phrase::NothingToStratifyBy => ("ningún registro tiene `{0}` para repartir por igual; las columnas son {1}", "比率を揃える列 `{0}` を持つレコードがありません（列: {1}）"),
        Phrase::NoColumnToStratifyBy => ("ningún registro tiene `{0}` para repartir por igual; no hay columnas junto al texto", "比率を揃える列 `{0}` を持つレコードがありません（本文のほかに列はありません）"),
        // What a format or a tool does not hold.
        Phrase::LosesRecord => ("no se puede expresar ahí (se omite)", "その形式では表せない（除外）"),
        Phrase::LosesSystem => ("instrucciones del sistema", "システムプロンプト"),
        Phrase::LosesEarlierTurns => ("mensajes anteriores de las conversaciones", "会話のそれより前のメッセージ"),
        Phrase::LosesEarlierAnswers => ("el entrenamiento con respuestas anteriores", "それまでの回答での学習"),
        Phrase::LosesLaterMessages => ("mensajes después de la última respuesta", "最後の回答より後のメッセージ"),
        Phrase::LosesTools => ("herramientas y sus esquemas", "ツールとそのスキーマ"),
        Phrase::LosesTextBesideCall => ("texto en el mismo mensaje que una llamada (se separa)", "ツール呼び出しと同じメッセージの文（分けて書く）"),
        Phrase::LosesCallIds => ("ids de las llamadas a herramientas", "ツール呼び出しの ID"),
        Phrase::LosesWeights => ("pesos de los mensajes", "メッセージの weight"),
        Phrase::LosesNames => ("nombres de quienes hablan", "話者の名前"),
        Phrase::LosesMessageKeys => ("otras claves de los mensajes (razonamiento, …)", "メッセージのその他のキー（推論など）"),
        Phrase::LosesColumn => ("columnas cuyo nombre ya está en uso", "名前が重なる列"),
        Phrase::LosesPlainText => ("texto sin formato que se convierte en chat", "チャットに変換されるプレーンテキスト"),
        Phrase::OpenAiTakesNot => ("`{0}` (OpenAI no lo admite)", "`{0}`（OpenAI は受け付けません）"),
        Phrase::LlamaFactoryIrregular => ("conversaciones en las que pregunta y respuesta no se alternan (LLaMA-Factory las omite)", "質問と回答が交互でない会話（LLaMA-Factory は除外します）"),
        Phrase::LlamaFactoryWeights => ("pesos de los mensajes (LLaMA-Factory entrena todas las respuestas)", "メッセージの weight（LLaMA-Factory はすべての回答を学習します）"),
        Phrase::PairsAsExamples => ("pares de una respuesta mejor y otra peor (solo se entrena la mejor; la otra no se usa)", "良い回答と悪い回答の組（良い方だけを学習し、もう一方は使いません）"),
        Phrase::AxolotlWeights => ("pesos que no son ni 0 ni 1 (axolotl entrena esa respuesta por completo)", "0 でも 1 でもない weight（axolotl はその回答を全面的に学習します）"),
        Phrase::MarkedBad => ("respuestas marcadas como malas (se omiten y no se entrenan)", "悪いとマークされた回答（除外され、学習されません）"),
        Phrase::AxolotlLast => ("el entrenamiento solo con la última respuesta (axolotl entrena todas)", "最後の回答だけの学習（axolotl はすべての回答を学習します）"),
        Phrase::TemplateNotCarried => ("la plantilla elegida `{0}`, que esa herramienta no tiene (toma la del modelo)", "選んだテンプレート `{0}`（そのツールにはないため、モデルのものを使います）"),
        Phrase::TemplateDiffers => ("la plantilla elegida `{0}`, de la que la de esa herramienta difiere un poco en estos registros", "選んだテンプレート `{0}`（これらのレコードでは、そのツールのものと少し違います）"),
        Phrase::ColumnAsText => ("la columna `{0}`, escrita como texto porque sus valores son de varios tipos", "列 `{0}`（値の型が混ざっているため、テキストとして書きます）"),
        Phrase::ParquetTools => ("herramientas o llamadas; las de formas distintas van como texto JSON, que hay que analizar antes de dárselo a una plantilla de chat", "ツールまたは呼び出し。形がそろわないものは JSON テキストになり、チャットテンプレートに渡す前に解析が必要です"),
        Phrase::TagsStay => ("etiquetas y revisores (notas de trabajo, que se quedan en el proyecto)", "タグとレビュー担当（作業用の情報で、プロジェクトに残ります）"),
        Phrase::SidesStay => ("particiones (un solo archivo no las distingue; un archivo por partición, sí)", "区分（一つのファイルでは区別されません。区分ごとのファイルなら残ります）"),
        // Why an export is not written.
        Phrase::NoRecordToWrite => ("no hay ningún registro que escribir; elija otras particiones u otra lista", "書き出すレコードがありません。別の区分か一覧を選んでください"),
        Phrase::NoTrainSide => ("ningún registro está en la partición de entrenamiento; divida de nuevo", "学習の区分にレコードがありません。分割し直してください"),
        Phrase::TrainSideNotChosen => ("lo que se entrena es la partición de entrenamiento, que no está entre las elegidas; elíjala también", "学習するのは学習の区分ですが、選ばれていません。学習の区分も選んでください"),
        Phrase::NoTrainRecordFits => ("ningún registro de la partición de entrenamiento se puede escribir; corrija lo que se omite, divida de nuevo o elija otro formato", "学習の区分で書けるレコードがありません。除外されるレコードを直すか、分割し直すか、別の形式を選んでください"),
        Phrase::HeldOutTrained => ("registros de validación y prueba en el único archivo, con el que se entrena: {0}; escriba un archivo por partición o solo la de entrenamiento", "学習に使う一つのファイルに入る、検証とテストのレコード: {0} 件。区分ごとに別のファイルにするか、学習の区分だけを書き出してください"),
        Phrase::NothingFits => ("ningún registro se puede escribir en el formato `{0}`; elija otro", "形式 `{0}` で書けるレコードがありません。別の形式を選んでください"),
        Phrase::OnNoSide => ("registros sin asignar, que se omiten: {0}; divida de nuevo o escriba un solo archivo", "どの区分にも属さず、除外されるレコード: {0} 件。分割し直すか、一つのファイルに書き出してください"),
        Phrase::WithErrors => ("registros con errores, que así no sirven para entrenar: {0}; resuélvalos primero", "このままでは学習に使えない、エラーのあるレコード: {0} 件。先に解決してください"),
        Phrase::Leaking => ("registros de validación y prueba que preguntan lo mismo que uno de entrenamiento: {0}; divida de nuevo", "学習のレコードと同じ質問をする検証とテストのレコード: {0} 件。分割し直してください"),
        Phrase::GroupsApart => ("grupos de registros que van juntos y están en más de una partición: {0}; divida de nuevo", "複数の区分に分かれている、まとめるべきグループ: {0} 組。分割し直してください"),
        Phrase::FrozenSplitChanged => ("se cambiaron registros después de congelar la división; deshágalo o vuelva a congelarla", "分割を固定した後でレコードが変更されました。元に戻すか、固定し直してください"),
        Phrase::SplitIsFrozen => ("la división está congelada para que los resultados sigan siendo comparables; descongélela para cambiar las particiones", "結果を比較できるよう分割は固定されています。区分を変えるには固定を解除してください"),
        Phrase::NoSideToFreeze => ("ningún registro tiene partición todavía; divida antes de congelar", "まだどのレコードにも区分がありません。固定する前に分割してください"),
        Phrase::FrozenIsOld => ("la división ya está congelada y desde entonces cambiaron registros; deshaga esos cambios o descongélela antes de congelarla de nuevo", "分割はすでに固定されていて、その後にレコードが変わりました。変更を元に戻すか、解除してから固定し直してください"),
        Phrase::SnapshotUnnamed => ("la instantánea necesita un nombre", "スナップショットには名前が必要です"),
        Phrase::SnapshotThere => ("ya hay una instantánea `{0}`; elija otro nombre o elimine esa", "スナップショット `{0}` はすでにあります。別の名前にするか、そちらを削除してください"),
        Phrase::SnapshotGone => ("la instantánea {0} ya no está; elija otra", "スナップショット {0} はもうありません。別のものを選んでください"),
        Phrase::StillGoingOn => ("una importación o un cambio sigue en curso; espere a que termine o deténgalo antes", "取り込みか変更がまだ続いています。終わるのを待つか、先に止めてください"),
        Phrase::DoneSince => ("después se cambió otra cosa; deshaga desde lo último, en el historial", "その後に別の変更がありました。履歴で、新しいものから順に元に戻してください"),
        Phrase::NothingToReplace => ("no hay nada que buscar; escriba lo que se va a reemplazar", "検索する文字がありません。置き換える文字を入力してください"),
        Phrase::NoSuchGroup => ("la expresión regular no tiene ningún grupo `{0}`; ponga esa parte entre paréntesis, escriba el nombre entre llaves (`${y1}`) si le sigue texto, o `$$` para el signo de dólar", "正規表現にグループ `{0}` がありません。その部分をかっこで囲むか、後ろに文字が続くときは名前を波かっこで囲む（`${y1}`）か、ドル記号なら `$$` と書いてください"),
        Phrase::RegexTooLarge => ("la expresión regular es demasiado grande; corríjala o busque el texto exacto", "正規表現が大きすぎます。直すか、文字どおりに検索してください"),
        Phrase::RegexWrongAt => ("la expresión regular tiene un error en el carácter {0}, cerca de `{1}`: {2}; corríjala o busque el texto exacto", "正規表現の {0} 文字目、`{1}` の近くに誤りがあります: {2}。直すか、文字どおりに検索してください"),
        Phrase::RegexWrong => ("la expresión regular tiene un error: {0}; corríjala o busque el texto exacto", "正規表現に誤りがあります: {0}。直すか、文字どおりに検索してください"),
        Phrase::NoTokenizerAmong => ("no hay ningún tokenizador entre los archivos ({0}); elija el `tokenizer.json` del modelo con los archivos que lo acompañan, o un archivo GGUF", "ファイルの中にトークナイザーがありません（{0}）。モデルの `tokenizer.json` と同じ場所のファイル、または GGUF ファイルを選んでください"),
        Phrase::TokenizerTooLarge => ("los archivos del tokenizador suman {0} bytes y se guardan {1} como máximo; deje fuera los pesos", "トークナイザーのファイルは合わせて {0} バイトで、保存できるのは {1} バイトまでです。重みは外してください"),
        Phrase::NoTokenizerChosen => ("no se ha elegido ningún tokenizador; elija el modelo para el que es el conjunto de datos", "トークナイザーが選ばれていません。データセットの対象となるモデルを選んでください"),
        Phrase::FormatLoses => ("el formato `{0}` no lo admite todo; elija otro o permita lo que se pierde", "形式 `{0}` にはすべては収まりません。別の形式を選ぶか、失われることを許可してください"),
        Phrase::TokensUnreadable => ("{0} de {1} registros son ids de token, que {2} no puede leer; expórtelos en el formato `tokenized` u omítalos", "{1} 件中 {0} 件はトークン ID で、{2} では読めません。`tokenized` 形式で書き出すか、除いてください"),
        Phrase::OpenAiRecord => ("registro {0}, `{1}`: encontrado: {2}; esperado: {3}; {4}", "レコード {0} の `{1}`: {2}（期待: {3}）。{4}"),
        Phrase::OpenAiFile => ("el archivo: encontrado: {0}; esperado: {1}; {2}", "ファイル: {0}（期待: {1}）。{2}"),
        Phrase::OpenAiRecordOf => ("`{0}`, registro {1}, `{2}`: encontrado: {3}; esperado: {4}; {5}", "`{0}` のレコード {1} の `{2}`: {3}（期待: {4}）。{5}"),
        Phrase::OpenAiFileOf => ("`{0}`: encontrado: {1}; esperado: {2}; {3}", "`{0}`: {1}（期待: {2}）。{3}"),
        // What OpenAI's limits say was found.
        Phrase::Examples => ("{0} ejemplos", "{0} 例"),
        Phrase::Bytes => ("{0} bytes", "{0} バイト"),
        Phrase::NoKey => ("sin `{0}`", "`{0}` がない"),
        Phrase::WeightOnRole => ("{0} en un mensaje de `{1}`", "`{1}` のメッセージに {0}"),
        Phrase::ZeroOnEveryAnswer => ("0 en todas las respuestas", "すべての回答で 0"),
        Phrase::TruthValue => ("un valor lógico", "真偽値"),
        Phrase::ANumber => ("un número", "数値"),
        Phrase::AText => ("un texto", "テキスト"),
        Phrase::AList => ("una lista", "配列"),
        // What OpenAI expects.
        Phrase::AtLeastTen => ("al menos 10", "10 以上"),
        Phrase::AtMost512Mb => ("como máximo 512 MB", "最大 512 MB"),
        Phrase::MessagesNotEmpty => ("una lista `messages` que no esté vacía", "空でない配列 `messages`"),
        Phrase::KeysRoleContent => ("las claves `role` y `content`", "キー `role` と `content`"),
        Phrase::OpenAiKeys => ("role, content, name, weight, tool_calls, tool_call_id", "role・content・name・weight・tool_calls・tool_call_id"),
        Phrase::TextNotEmpty => ("un texto que no esté vacío", "空でないテキスト"),
        Phrase::OneOfAssistant => ("al menos un mensaje del asistente", "アシスタントのメッセージが一つ以上"),
        Phrase::OneOfUser => ("un mensaje del usuario", "ユーザーのメッセージ"),
        Phrase::AssistantAtEnd => ("un mensaje del asistente al final", "最後にアシスタントのメッセージ"),
        Phrase::WeightOnAssistant => ("0 o 1, en mensajes del asistente", "アシスタントのメッセージに 0 か 1"),
        Phrase::WeightNotZero => ("una respuesta cuyo peso no sea 0", "weight が 0 でない回答"),
        Phrase::NameLetters => ("hasta 64 letras, cifras, `_` y `-`", "64 文字以内の英数字と `_`・`-`"),
        Phrase::ToolShape => ("{\"type\": \"function\", \"function\": {\"name\": …}}", "{\"type\": \"function\", \"function\": {\"name\": …}}"),
        Phrase::CallShape => ("un `id` y una función con `name` y `arguments` como texto JSON", "`id` と、`name` および JSON テキストの `arguments` を持つ関数"),
        Phrase::IdOfCall => ("el `id` de una llamada anterior del asistente", "それより前のアシスタントの呼び出しの `id`"),
        Phrase::AtMostTokens => ("como máximo 65.536 tokens (menos en algunos modelos)", "最大 65,536 トークン（モデルによってはそれ以下）"),
        // What to do about OpenAI's limits.
        Phrase::AddExamples => ("añada ejemplos; OpenAI aconseja de 50 a 100 para empezar", "例を増やしてください。OpenAI は最初に 50〜100 を勧めています"),
        Phrase::ExportFewer => ("exporte menos registros", "書き出すレコードを減らしてください"),
        Phrase::GiveQuestionAndAnswer => ("dé al registro una pregunta y una respuesta, u omítalo", "質問と回答を入れるか、除いてください"),
        Phrase::WriteAsObject => ("escriba el mensaje como tal objeto", "メッセージをそのようなオブジェクトで書いてください"),
        Phrase::AddMissing => ("añada lo que falta", "足りないものを加えてください"),
        Phrase::TakeKeyAway => ("quite la clave", "そのキーを除いてください"),
        Phrase::RenameRole => ("cambie el nombre del rol", "役割の名前を直してください"),
        Phrase::WriteTextOrTakeAway => ("escriba el texto o quite el mensaje", "本文を書くか、メッセージを除いてください"),
        Phrase::AddAnswer => ("añada la respuesta que debería dar el modelo", "モデルが返すべき回答を加えてください"),
        Phrase::AddQuestion => ("añada la pregunta, salvo que el modelo deba hablar primero", "モデルから話し始めるのでなければ、質問を加えてください"),
        Phrase::TakeAwayAfterAnswer => ("quite lo que sigue a la última respuesta", "最後の回答より後を除いてください"),
        Phrase::SetWeight => ("quite el peso o póngalo en 0 o 1", "weight を除くか、0 か 1 にしてください"),
        Phrase::WeighOneAnswer => ("ponga en 1 el peso de una respuesta u omita el registro", "どれか一つの回答の weight を 1 にするか、レコードを除いてください"),
        Phrase::RenameIt => ("cámbiele el nombre", "名前を変えてください"),
        Phrase::CorrectTool => ("corrija la definición de la herramienta", "ツールの定義を直してください"),
        Phrase::CorrectCall => ("corrija la llamada", "呼び出しを直してください"),
        Phrase::GiveIdOfCall => ("dé al resultado el id de su llamada", "結果に、その呼び出しの id を付けてください"),
        Phrase::Shorten => ("acórtelo o divida la conversación", "短くするか、会話を分けてください"),
    }
}

#[cfg(test)]
mod tests {
    use veneer_core::protocol::studio::FindingKind;

    use super::*;

    /// The places of a text, sorted.
    fn places(text: &str) -> Vec<usize> {
        (0..9)
            .filter(|i| text.contains(&format!("{{{i}}}")))
            .collect()
    }

    #[test]
    fn every_phrase_has_its_values_in_three_languages() {
        for phrase in Phrase::ALL {
            let english = phrase.english();
            let (spanish, japanese) = words(*phrase);
            for text in [spanish, japanese, super::english(*phrase)] {
                assert!(!text.trim().is_empty(), "{phrase:?}");
                assert!(!text.contains("--"), "{phrase:?}");
                assert_eq!(places(text), places(english), "{phrase:?}");
            }
        }
    }

    #[test]
    fn a_finding_of_an_export_is_said_whole() {
        let text = "record 3, `messages`: found none, expected at least one message of the \
                    assistant; add the answer that the model should give";
        let found = Said::read(text);
        assert_eq!(said(&found, Language::English), text);
        assert_eq!(
            said(&found, Language::Spanish),
            "registro 3, `messages`: encontrado: ninguno; esperado: al menos un mensaje del \
             asistente; añada la respuesta que debería dar el modelo"
        );
        assert_eq!(
            said(&found, Language::Japanese),
            "レコード 3 の `messages`: なし（期待: アシスタントのメッセージが一つ以上）。\
             モデルが返すべき回答を加えてください"
        );
    }

    #[test]
    fn why_a_split_cannot_be_drawn_is_told_whole() {
        let text = "cannot split: no group of records that belong together is small enough for a \
                    validation set of 2; number of groups: 3, the largest of 8";
        let found = Said::read(text);
        assert_eq!(said(&found, Language::English), text);
        assert_eq!(
            said(&found, Language::Japanese),
            "分割できません: 検証 2 件に収まるグループがありません（3 グループ、最大 8 件）"
        );
    }

    #[test]
    fn why_a_file_is_broken_is_told_whole() {
        let text = "`libro.xlsx` is not a readable spreadsheet: it has no sheet `Hoja 2`";
        let found = Said::read(text);
        assert_eq!(said(&found, Language::English), text);
        assert_eq!(
            said(&found, Language::Spanish),
            "`libro.xlsx` no es un libro de cálculo legible: no tiene ninguna hoja `Hoja 2`"
        );
        assert_eq!(
            said(&found, Language::Japanese),
            "`libro.xlsx`（表計算ファイル）を読めません: シート `Hoja 2` がありません"
        );
    }

    #[test]
    fn quotes_stay_as_they_are() {
        let quote = Said::read("\"¿qué\"");
        assert_eq!(said(&quote, Language::Japanese), "\"¿qué\"");
        let text = Said::read("the text \"nothing\"");
        assert_eq!(said(&text, Language::Spanish), "el texto \"nothing\"");
    }

    #[test]
    fn a_row_is_told_in_the_language_of_the_page() {
        let problem = RowProblem {
            line: 3,
            kind: FindingKind("wrong_type".into()),
            title: "wrong type".into(),
            field: "output".into(),
            found: Said::read("the number 12"),
            expected: Said::read("text"),
        };
        let told = |language| row_problem(&problem, language);
        assert_eq!(
            told(Language::Spanish),
            "Tipo equivocado (`output`) · encontrado: el número 12 · esperado: texto"
        );
        assert_eq!(
            told(Language::Japanese),
            "型が違います (`output`) · 実際: 数値 12 · 期待: テキスト"
        );
    }

    #[test]
    fn how_a_file_was_recognised_is_told_with_what_is_in_it() {
        let by = Said::new(
            Phrase::OfFirstRecordsHave,
            ["20".into(), "7".into(), "`質問` (query), `answer`".into()],
        );
        let values = [
            "query-response".into(),
            "table, separated by `;`".into(),
            by.to_string(),
        ];
        let reason = Said::new(Phrase::FormatIn, values);
        assert_eq!(
            said(&reason, Language::English),
            "query-response, table, separated by `;`: of the first 20 records, 7 have `質問` (query), `answer`"
        );
        assert_eq!(
            said(&reason, Language::Spanish),
            "query-response, tabla separada por `;`: de los primeros 20 registros, 7 tienen `質問` (query), `answer`"
        );
        assert_eq!(
            said(&reason, Language::Japanese),
            "query-response, `;` 区切りの表: 先頭 20 件中 7 件のレコードに `質問` (query), `answer` がある"
        );
    }
}
