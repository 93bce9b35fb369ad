//! Train, validation and test.

use super::studio_texts;

studio_texts! {
    SplitTexts {
        title: "Split", "Dividir", "分割";
        about: "Validation shows while training whether it goes well; test is kept for the end. Neither is trained on.", "La validación muestra durante el entrenamiento si va bien; la prueba se guarda para el final. Con ninguna se entrena.", "検証は学習の途中経過を、テストは最後の評価を見るためのものです。どちらも学習には使いません。";
        no_records: "There are no records yet. Import some first.", "Todavía no hay registros. Importe algunos primero.", "レコードがまだありません。先に取り込んでください。";
        as_it_is: "As it is", "Como está", "現在の分割";
        as_it_would_be: "As it would be", "Como quedaría", "適用後の分割";
        train: "Training", "Entrenamiento", "学習";
        validation: "Validation", "Validación", "検証";
        test: "Test", "Prueba", "テスト";
        without: "No side", "Sin asignar", "未割り当て";
        together: "Together", "Juntos", "合計";
        unit: "Sizes in", "Tamaños en", "大きさの単位";
        percent: "Percent", "Porcentaje", "パーセント";
        records: "Records", "Registros", "件数";
        seed: "Seed", "Semilla", "シード";
        seed_about: "The draw depends on this number: the same number draws the same sides again", "El sorteo depende de este número: el mismo número repite las mismas particiones", "抽選を決める番号です。同じ番号なら同じ分割になります";
        stratify_by: "Same shares of", "Mismas proporciones de", "比率を揃える列";
        stratify_about: "Every side gets the same share of each value of this column", "Cada partición recibe la misma proporción de cada valor de esta columna", "この列の各値が、どの区分でも同じ割合になります";
        group_by: "Keep together by", "Mantener juntos por", "まとめる列";
        group_about: "Records with the same value of this column stay on one side", "Los registros con el mismo valor de esta columna quedan en la misma partición", "この列の値が同じレコードは同じ区分に入ります";
        no_value: "(no value)", "(sin valor)", "（値なし）";
        none: "Nothing", "Nada", "なし";
        by_source: "Source file", "Archivo de origen", "元のファイル";
        by_language: "Language", "Idioma", "言語";
        keep_together: "Records that ask the same stay on one side", "Los registros que preguntan lo mismo quedan en la misma partición", "同じ質問のレコードは同じ区分に入れる";
        only_new: "Only records that are on no side yet; the others stay where they are", "Solo los registros sin asignar; los demás se quedan donde están", "未割り当てのレコードだけを分ける（ほかはそのまま）";
        asked: "Asked for: validation {validation}, test {test}; whole groups do not fill that exactly.", "Pedido: validación {validation}, prueba {test}; los grupos enteros no lo llenan con exactitud.", "指定：検証 {validation} 件、テスト {test} 件（グループ単位のため一致しません）";
        apply: "Split like this", "Asignar los registros", "この通りに分割する";
        wrong_validation: "Validation must be a number from 0 to below 100 percent, or a count.", "La validación debe ser un número de 0 a menos de 100 por ciento, o una cantidad.", "検証には 0 以上 100 未満のパーセント、または件数を入力してください。";
        wrong_test: "Test must be a number from 0 to below 100 percent, or a count.", "La prueba debe ser un número de 0 a menos de 100 por ciento, o una cantidad.", "テストには 0 以上 100 未満のパーセント、または件数を入力してください。";
        wrong_seed: "The seed must be a whole number.", "La semilla debe ser un número entero.", "シードには整数を入力してください。";
        seed_too_large: "The seed is too large; the largest is {largest}.", "La semilla es demasiado grande; la mayor es {largest}.", "シードが大きすぎます。最大は {largest} です。";
        nothing_left: "Nothing would be left to train on.", "No quedaría nada para entrenar.", "学習に使うレコードが残りません。";
        same_column: "One column cannot be both spread evenly and kept together.", "Una misma columna no puede repartirse por igual y a la vez mantenerse junta.", "同じ列で「比率を揃える」と「まとめる」を同時には指定できません。";
        n_groups: "{n} group[ stays|s stay] together, the largest has {largest} record[|s]", "{n} grupo[ permanece junto|s permanecen juntos], el mayor tiene {largest} registro[|s]", "{n} グループをまとめて配置（最大 {largest} 件）";
        leaks: "{n} record[|s] of validation and test [asks|ask] what a record of training asks: the scores would be too good. Keep records that ask the same on one side, and split again.", "{n} registro[|s] de validación y prueba [pregunta|preguntan] lo mismo que uno de entrenamiento: los resultados saldrían demasiado buenos. Mantenga juntos los que preguntan lo mismo y divida de nuevo.", "検証・テストの {n} 件が学習と同じ質問です。評価が実際より良く出てしまいます。同じ質問を同じ区分に入れて、分割し直してください。";
        apart: "{n} group[|s] of records that belong together [is|are] on more than one side: records changed sides after the draw. Split again.", "{n} grupo[|s] de registros que van juntos [está|están] en más de una partición: hubo registros que cambiaron de partición después. Divida de nuevo.", "まとめるべき {n} グループが複数の区分に分かれています（分割後に移動）。分割し直してください。";
        no_leaks: "No record of validation or test asks in the same words what a record of training asks.", "Ningún registro de validación o prueba pregunta lo mismo con las mismas palabras que uno de entrenamiento.", "検証・テストに、学習と同じ文面の質問はありません。";
        strata: "Values and their sides", "Valores y sus particiones", "値ごとの内訳";
        value: "Value", "Valor", "値";
        freeze: "Freeze this split", "Congelar esta división", "この分割を固定";
        freeze_about: "A frozen split keeps every record on its side and has a hash that results can name.", "Una división congelada mantiene cada registro en su partición y tiene un hash que los resultados pueden citar.", "固定すると各レコードの区分が変わらなくなり、結果に記せるハッシュが付きます。";
        frozen: "This split is frozen", "Esta división está congelada", "この分割は固定されています";
        frozen_about: "No record changes its side. The hash stands for exactly these records on these sides.", "Ningún registro cambia de partición. El hash representa exactamente estos registros en estas particiones.", "区分は変わりません。ハッシュはこのレコードと区分の組み合わせを表します。";
        broken: "The records are not those that were frozen any more: texts were changed, added or taken out since. Thaw, and freeze again if that is meant.", "Los registros ya no son los que se congelaron: desde entonces se cambiaron, añadieron o quitaron textos. Descongele y vuelva a congelar si es lo que quiere.", "固定後に内容が変わっています（編集・追加・削除）。意図した変更なら、解除してもう一度固定してください。";
        thaw: "Thaw", "Descongelar", "固定を解除";
        thawed: "This split is not frozen any more", "Esta división ya no está congelada", "この分割の固定を解除しました";
        thaw_ask: "Thaw the split? Records can change sides then, and results made with this hash cannot be compared with later ones.", "¿Descongelar la división? Los registros podrán cambiar de partición y los resultados hechos con este hash no serán comparables con los posteriores.", "固定を解除しますか？ 区分を変更できるようになり、このハッシュの結果とは比較できなくなります。";
    }
}
