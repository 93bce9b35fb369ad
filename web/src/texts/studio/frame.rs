//! Projects, steps, what is under way.

use super::studio_texts;

studio_texts! {
    FrameTexts {
        place_data: "Data", "Datos", "データ";
        place_chat: "Chat", "Chat", "チャット";
        places: "Parts of the app", "Partes de la aplicación", "アプリの画面";
        steps: "Steps", "Pasos", "手順";
        step_import: "Import", "Importar", "取り込み";
        step_check: "Check", "Revisar", "検査";
        step_edit: "Edit", "Editar", "編集";
        step_split: "Split", "Dividir", "分割";
        step_export: "Export or train", "Exportar o entrenar", "書き出し・学習";
        skip: "Skip to the records", "Ir a los registros", "レコードへ移動";
        projects: "Projects", "Proyectos", "プロジェクト";
        project: "Project", "Proyecto", "プロジェクト";
        projects_about: "A project holds records and everything done to them. It is kept in this browser (in a private window only until that is closed) and never leaves this device unless you download it.", "Un proyecto guarda los registros y todo lo que se hace con ellos. Queda en este navegador (en una ventana privada, solo hasta que se cierre) y no sale de este dispositivo salvo que usted lo descargue.", "プロジェクトはレコードと作業の全履歴を保持します。このブラウザー内に保存され（プライベートウィンドウでは閉じるまで）、ダウンロードしない限り端末の外には出ません。";
        no_projects: "No project yet.", "Todavía no hay proyectos.", "プロジェクトはまだありません。";
        new_name: "Name of the new project", "Nombre del nuevo proyecto", "新しいプロジェクトの名前";
        default_name: "My dataset", "Mi conjunto de datos", "マイデータセット";
        create: "New project", "Nuevo proyecto", "新規作成";
        open: "Open", "Abrir", "開く";
        open_file: "Open a project file", "Abrir un archivo de proyecto", "プロジェクトファイルを開く";
        samples: "Or look around in a sample", "O explore un ejemplo", "サンプルで試す";
        sample_bank: "Figures of Spanish banks (Spanish)", "Cifras de bancos españoles (español)", "スペインの銀行の指標（スペイン語）";
        sample_bond: "Yield and price of bonds (English)", "Rentabilidad y precio de bonos (inglés)", "債券の利回りと価格（英語）";
        back: "All projects", "Todos los proyectos", "プロジェクト一覧";
        rename: "Rename", "Cambiar nombre", "名前を変更";
        name: "Name of the project", "Nombre del proyecto", "プロジェクト名";
        download: "Download", "Descargar", "ダウンロード";
        delete: "Delete", "Eliminar", "削除";
        delete_sure: "Delete “{name}” from this browser? This cannot be undone.", "¿Eliminar «{name}» de este navegador? No se puede deshacer.", "「{name}」をこのブラウザーから削除しますか？ 元に戻せません。";
        delete_yes: "Delete for good", "Eliminar definitivamente", "完全に削除";
        keep: "Keep", "Conservar", "残す";
        open_elsewhere: "open in another tab", "abierto en otra pestaña", "別のタブで使用中";
        take_over: "Go on here", "Continuar aquí", "ここで続ける";
        busy: "“{name}” is open in another tab.", "«{name}» está abierto en otra pestaña.", "「{name}」は別のタブで開かれています。";
        taken_over: "This project is now open in another tab. What was done here is kept.", "Este proyecto continúa en otra pestaña. Lo hecho aquí está guardado.", "このプロジェクトは別のタブで続けられています。ここでの作業は保存されています。";
        taken_over_unsaved: "This project is now open in another tab. What was typed here last is not saved yet; it will be when you go on here.", "Este proyecto continúa en otra pestaña. Lo último que escribió aquí aún no está guardado; se guardará cuando continúe aquí.", "このプロジェクトは別のタブで続けられています。ここで最後に入力した内容はまだ保存されていません。ここで続けると保存されます。";
        n_unsaved: "Changes of {n} record[|s] could not be saved yet. Open the project to try again before you close this tab.", "Los cambios de {n} registro[|s] aún no se pudieron guardar. Abra el proyecto para intentarlo de nuevo antes de cerrar esta pestaña.", "{n} 件のレコードの変更をまだ保存できていません。このタブを閉じる前にプロジェクトを開き、もう一度保存してください。";
        lost: "The files of this project were deleted from this browser while it was open. What you see is only in this tab now; download it before you close the tab.", "Los archivos de este proyecto se borraron de este navegador mientras estaba abierto. Lo que ve ya solo está en esta pestaña; descárguelo antes de cerrarla.", "開いている間に、このプロジェクトのファイルがブラウザーから削除されました。今の内容はこのタブにしかありません。閉じる前にダウンロードしてください。";
        lost_ask: "The files of this project are not in this browser any more. Without a download, closing it loses it for good.", "Los archivos de este proyecto ya no están en este navegador. Si no lo descarga, al cerrarlo se pierde para siempre.", "このプロジェクトのファイルはもうブラウザーにありません。ダウンロードせずに閉じると、完全に失われます。";
        lost_give_up: "Close it all the same", "Cerrarlo de todos modos", "それでも閉じる";
        only_here: "only in this tab, until it is closed", "solo en esta pestaña, hasta que se cierre", "このタブの中だけ（閉じると消えます）";
        not_started: "The part of this page that keeps projects does not start. Check the connection and try again, or reload the page.", "La parte de esta página que guarda los proyectos no arranca. Compruebe la conexión e inténtelo de nuevo, o recargue la página.", "プロジェクトを扱う部分を起動できません。接続を確かめてもう一度試すか、ページを再読み込みしてください。";
        restarted: "It runs again; open the project again. What was saved in this browser is still there.", "Ya funciona otra vez; vuelva a abrir el proyecto. Lo guardado en este navegador sigue ahí.", "再び動いています。プロジェクトをもう一度開いてください。このブラウザーに保存した内容は残っています。";
        try_again: "Try again", "Intentar de nuevo", "もう一度試す";
        not_kept: "This browser keeps nothing for this page ({why}). Download the project before you close the tab.", "Este navegador no guarda nada de esta página ({why}). Descargue el proyecto antes de cerrar la pestaña.", "このブラウザーはデータを保存できません（{why}）。タブを閉じる前にプロジェクトをダウンロードしてください。";
        used: "{used} used", "{used} ocupados", "使用量 {used}";
        used_of: "{used} of {quota} used", "{used} de {quota} ocupados", "{quota} 中 {used} 使用";
        n_records: "{n} record[|s]", "{n} registro[|s]", "{n} 件";
        changed: "changed {when}", "modificado {when}", "更新 {when}";
        saved: "Saved on this device", "Guardado en este dispositivo", "この端末に保存済み";
        cancel: "Cancel", "Cancelar", "中止";
        left: "about {time} left", "tiempo restante: aprox. {time}", "残り約 {time}";
        done_of: "{done} of {total}", "{done} de {total}", "{total} 中 {done}";
        done_of_about: "{done} of about {total}", "{done} de unos {total}", "約 {total} 中 {done}";
        stage_reading: "Reading {what}", "Leyendo {what}", "{what} を読み込み中";
        stage_pages: "Reading pages of {what}", "Leyendo páginas de {what}", "{what} のページを読み込み中";
        stage_adding: "Adding records of {what}", "Añadiendo registros de {what}", "{what} のレコードを追加中";
        stage_indexing: "Indexing for search", "Indexando para la búsqueda", "検索用の索引を作成中";
        stage_checking: "Checking {what}", "Revisando {what}", "{what} を検査中";
        stage_tokenizing: "Counting tokens", "Contando tokens", "トークンを計数中";
        stage_searching: "Searching", "Buscando", "検索中";
        stage_changing: "Changing records", "Cambiando registros", "レコードを変更中";
        stage_writing: "Writing {what}", "Escribiendo {what}", "{what} を書き出し中";
        stage_copying: "Copying {what}", "Copiando {what}", "{what} をコピー中";
        dismiss: "Dismiss", "Cerrar", "閉じる";
        drop: "Drop files here", "Suelte los archivos aquí", "ここにファイルをドロップ";
    }
}
