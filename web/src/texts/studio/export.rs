//! Files out of a project.

use super::studio_texts;

studio_texts! {
    ExportTexts {
        title: "Export or train", "Exportar o entrenar", "書き出し・学習";
        about: "Files are written in this browser and saved by it; nothing is sent anywhere.", "Los archivos se escriben en este navegador y él los guarda; no se envía nada.", "ファイルはこのブラウザー内で作られ、保存されます。どこにも送信しません。";
        no_records: "There are no records yet. Import some first.", "Todavía no hay registros. Importe algunos primero.", "レコードがまだありません。先に取り込んでください。";
        purpose: "What the files are for", "Para qué son los archivos", "書き出す目的";
        data: "Data files", "Archivos de datos", "データファイル";
        data_about: "Any format, as JSON Lines, JSON, CSV, TSV, XLSX or Parquet", "Cualquier formato, en archivos JSON Lines, JSON, CSV, TSV, XLSX o Parquet", "各形式を JSON Lines・JSON・CSV・TSV・XLSX・Parquet で";
        train: "Train with Veneer", "Entrenar con Veneer", "Veneer で学習";
        train_about: "Data by side and the settings, ready for one command", "Datos por partición y los ajustes, listos para ejecutar con un comando", "区分ごとのデータと設定。コマンド一つで学習できます";
        llama_factory_about: "Data, dataset_info.json and a YAML file", "Datos, dataset_info.json y un archivo YAML", "データ、dataset_info.json、YAML";
        axolotl_about: "Data and a YAML file", "Datos y un archivo YAML", "データと YAML";
        openai: "OpenAI fine-tuning", "Ajuste fino de OpenAI", "OpenAI のファインチューニング";
        openai_about: "JSON Lines within its limits", "JSON Lines dentro de sus límites", "制限を確かめた JSON Lines";
        spreadsheet: "Spreadsheet", "Hoja de cálculo", "表計算";
        spreadsheet_about: "Edit elsewhere and import again: no text, column or side is lost", "Editar en otro programa y volver a importar: no se pierde ningún texto, columna ni partición", "ほかで編集して取り込み直せます。文・列・区分は失われません";
        format: "Format", "Formato", "形式";
        container: "File", "Archivo", "ファイル";
        sides: "Sides", "Particiones", "区分";
        without_side: "Records that are on none of these sides are left out, also those on no side at all.", "Los registros que no están en estas particiones se omiten, también los que no tienen ninguna.", "これらの区分にないレコードは、区分のないものも含めて書き出されません。";
        side_train: "Training", "Entrenamiento", "学習";
        side_validation: "Validation", "Validación", "検証";
        side_test: "Test", "Prueba", "テスト";
        by_side: "One file for each side", "Un archivo por partición", "区分ごとに別のファイルにする";
        list_only: "Only the records of the current list", "Solo los registros de la lista actual", "現在の一覧のレコードだけ";
        lossy: "Write even what the format cannot hold whole", "Escribir aunque el formato no lo admita todo", "形式に収まらない内容があっても書き出す";
        model: "Base model, name or folder", "Modelo base, nombre o carpeta", "ベースモデル（名前またはフォルダー）";
        model_hint: "Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B";
        card: "With a dataset card (README.md)", "Con ficha del conjunto (README.md)", "データセットカード（README.md）を付ける";
        card_title: "Title of the card", "Título de la ficha", "カードのタイトル";
        card_title_hint: "The project's name", "El nombre del proyecto", "プロジェクト名";
        licence: "Licence", "Licencia", "ライセンス";
        sources: "Sources and their licences", "Fuentes y sus licencias", "出典とライセンス";
        sources_hint: "The card tells under which licence each source came, and where from.", "La ficha dice con qué licencia y de dónde vino cada fuente.", "カードに、出典ごとのライセンスと入手先が記されます。";
        source_url: "Address", "Dirección", "URL";
        licence_hint: "such as CC-BY-4.0; leave empty to name none", "como CC-BY-4.0; si se deja vacío, no se indica ninguna", "例 CC-BY-4.0（空欄なら記載しません）";
        plan: "What is written", "Lo que se escribe", "書き出す内容";
        n_records: "{n} record[|s]", "{n} registro[|s]", "{n} 件";
        zipped: "Together in one ZIP file.", "Juntos en un archivo ZIP.", "一つの ZIP にまとめます。";
        losses: "The format cannot hold all of it. Choose another one, or write it all the same.", "El formato no lo admite todo. Elija otro o escriba de todos modos.", "この形式には収まらない内容があります。別の形式を選ぶか、そのまま書き出してください。";
        obstacles: "It cannot be written like this.", "Así no se puede escribir.", "このままでは書き出せません。";
        download: "Download", "Descargar", "ダウンロード";
        writing: "Writing", "Escribiendo", "書き出し中";
        then_run: "Then unpack it and run there", "Después descomprima y ejecute allí", "展開して、そこで実行してください";
    }
}
