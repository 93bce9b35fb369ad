//! The record as the model sees it.

use super::studio_texts;

studio_texts! {
    TokensTexts {
        title: "What the model sees", "Lo que ve el modelo", "モデルから見た内容";
        about: "Choose the model you write for: its tokenizer and chat template show the exact text, every token, and what of it is learned. Only these small files are read, not the weights.", "Elija el modelo para el que escribe: su tokenizador y su plantilla muestran el texto exacto, cada token y qué se aprende. Solo se leen estos archivos pequeños, no los pesos.", "対象のモデルを選んでください。トークナイザーとテンプレートから、実際の文、各トークン、学習される部分を表示します。読むのはこの小さなファイルだけで、重みは読みません。";
        files: "Files (tokenizer.json … or GGUF)", "Archivos (tokenizer.json … o GGUF)", "ファイル（tokenizer.json … または GGUF）";
        folder: "Model folder", "Carpeta del modelo", "モデルのフォルダー";
        demo: "This site's model {name}", "El modelo {name} de este sitio", "このサイトのモデル {name}";
        wrong_files: "Neither tokenizer.json nor a GGUF file is among these files. Choose tokenizer.json together with tokenizer_config.json and chat_template.jinja.", "Entre estos archivos no hay tokenizer.json ni un GGUF. Elija tokenizer.json junto con tokenizer_config.json y chat_template.jinja.", "tokenizer.json も GGUF もありません。tokenizer.json と tokenizer_config.json、chat_template.jinja を一緒に選んでください。";
        other: "Another model", "Otro modelo", "別のモデル";
        choose: "Choose a record to see its tokens.", "Elija un registro para ver sus tokens.", "レコードを選ぶとトークンが表示されます。";
        template: "Template", "Plantilla", "テンプレート";
        own_template: "The model's own", "La del modelo", "モデル付属のもの";
        no_template: "None", "Ninguna", "なし";
        max_length: "Limit in tokens", "Límite en tokens", "トークンの上限";
        length_wrong: "A whole number from 1 is expected here, such as 2048.", "Aquí se espera un número entero desde 1, como 2048.", "2048 のような 1 以上の整数を入力してください。";
        train_on: "Train on", "Entrenar con", "学習対象";
        train_answers: "Every answer", "Todas las respuestas", "すべての回答";
        train_last: "The last answer", "La última respuesta", "最後の回答";
        train_all: "All text", "Todo el texto", "全文";
        counted: "{n} of {of} record[|s] [is|are] counted; the checks count the rest.", "{n} de {of} registro[|s] contado[|s]; la revisión cuenta el resto.", "{of} 件中 {n} 件を計数済み。残りは検査のときに数えます。";
        end_tokens: "An answer ends with {tokens}", "Una respuesta termina con {tokens}", "回答の終わり {tokens}";

        figures: "{n} token[|s] of at most {limit}, {trained} of them trained", "{n} token[|s] de {limit} como máximo, {trained} de ellos entrenado[|s]", "{n} トークン（上限 {limit}）、うち学習対象 {trained}";
        of_limit: "Share of the limit", "Parte del límite", "上限に対する割合";
        n_cut: "{n} token[|s] [lies|lie] beyond the limit and [is|are] cut off", "{n} token[|s] [queda|quedan] tras el límite y se [corta|cortan]", "{n} トークンが上限を超え、切り捨てられます";
        limit_here: "limit", "límite", "上限";
        text_label: "Tokens of the record; arrow keys walk through them", "Tokens del registro; las flechas los recorren", "レコードのトークン（矢印キーで移動）";
        legend_trained: "trained", "entrenado", "学習する";
        legend_read: "only read", "solo leído", "読むだけ";
        legend_special: "special token", "token especial", "特殊トークン";
        legend_end: "ends the answer", "termina la respuesta", "回答の終わり";
        legend_cut: "cut off", "cortado", "切り捨て";
        n_more: "Show more ({n} hidden)", "Mostrar más ({n} oculto[|s])", "さらに表示（残り {n}）";
        show_all: "Show all", "Mostrar todos", "すべて表示";
        detail_hint: "Point at a token, or walk with the arrow keys, for its id.", "Señale un token, o use las flechas, para ver su id.", "トークンを指すか矢印キーで移動すると ID が表示されます。";
        id: "id {id}", "id {id}", "ID {id}";
        place: "token {n}", "token {n}", "{n} 番目";
        is_trained: "trained", "entrenado", "学習する";
        is_read: "only read", "solo leído", "読むだけ";
        is_cut: "beyond the limit", "tras el límite", "上限の先";
        is_special: "special", "especial", "特殊";
        is_end: "ends the answer", "termina la respuesta", "回答の終わり";
    }
}
