use super::studio_texts;
use crate::state::studio::shortcuts::{Command, Scope};

studio_texts! {
    ShortcutTexts {
        title: "Keyboard shortcuts", "Atajos de teclado", "キーボードショートカット";
        about: "Single keys do nothing while you write, and Ctrl+Z takes back only what you typed in that field since you entered it. What you change is kept in this browser.", "Las teclas sueltas no actúan mientras se escribe, y Ctrl+Z solo deshace lo escrito en ese campo desde que se entró en él. Los cambios se guardan en este navegador.", "文字の入力中は単独のキーは働かず、Ctrl+Z はその欄に入ってから入力した分だけを元に戻します。変更はこのブラウザーに保存されます。";
        change: "Change", "Cambiar", "変更";
        press: "Press the new keys, Esc to cancel …", "Pulse las teclas nuevas, Esc para cancelar …", "新しいキーを押してください（Esc でキャンセル）…";
        reset: "Reset", "Restablecer", "初期設定に戻す";
        reset_all: "Reset all", "Restablecer todos", "すべて初期設定に戻す";
        close: "Close", "Cerrar", "閉じる";
        taken: "{key} belongs to “{command}” already.", "{key} ya pertenece a «{command}».", "{key} は「{command}」に使われています。";
        reserved: "The browser needs {key} itself.", "El navegador necesita {key}.", "{key} はブラウザーが使います。";
        changed: "{command} is now {key}.", "{command} es ahora {key}.", "{command} は {key} になりました。";
        palette: "Commands", "Comandos", "コマンド";
        palette_search: "Find a command", "Buscar un comando", "コマンドを検索";
        palette_none: "No command is called that.", "Ningún comando se llama así.", "その名前のコマンドはありません。";
        everywhere: "Everywhere", "En todas partes", "どこでも";
        list: "In the list", "En la lista", "一覧";
        editor: "In the editor", "En el editor", "エディター";

        search: "Search", "Buscar", "検索";
        undo: "Undo", "Deshacer", "元に戻す";
        redo: "Redo", "Rehacer", "やり直す";
        help: "This sheet", "Esta hoja", "この一覧";
        go_import: "Go to import", "Ir a importar", "取り込みへ";
        go_check: "Go to check", "Ir a revisar", "検査へ";
        go_edit: "Go to edit", "Ir a editar", "編集へ";
        go_split: "Go to split", "Ir a dividir", "分割へ";
        go_export: "Go to export", "Ir a exportar", "書き出しへ";
        next: "Next record", "Registro siguiente", "次のレコード";
        previous: "Previous record", "Registro anterior", "前のレコード";
        next_page: "A page down", "Una página abajo", "1 ページ下";
        previous_page: "A page up", "Una página arriba", "1 ページ上";
        first: "First record", "Primer registro", "最初のレコード";
        last: "Last record", "Último registro", "最後のレコード";
        open: "Open in the editor", "Abrir en el editor", "エディターで開く";
        toggle_selected: "Select or deselect", "Seleccionar o deseleccionar", "選択の切り替え";
        extend_down: "Select downwards", "Seleccionar hacia abajo", "下へ選択";
        extend_up: "Select upwards", "Seleccionar hacia arriba", "上へ選択";
        select_all: "Select all that match", "Seleccionar todo lo que coincide", "一致するすべてを選択";
        clear_selection: "Clear the selection", "Quitar la selección", "選択を解除";
        tag: "Tag", "Etiquetar", "タグを付ける";
        side_train: "To train", "Asignar a entrenamiento", "学習用へ";
        side_validation: "To validation", "Asignar a validación", "検証用へ";
        side_test: "To test", "Asignar a prueba", "テスト用へ";
        side_none: "To no side", "Quitar la asignación", "未割り当てに戻す";
        move_up: "Move up", "Mover arriba", "上へ移動";
        move_down: "Move down", "Mover abajo", "下へ移動";
        trash: "Into the trash", "A la papelera", "ゴミ箱へ";
        take_back: "Take back from the trash", "Recuperar de la papelera", "ゴミ箱から戻す";
        copy: "Copy as table", "Copiar como tabla", "表としてコピー";
        copy_json: "Copy as JSON Lines", "Copiar como JSON Lines", "JSON Lines としてコピー";
        filters: "Filters", "Filtros", "絞り込み";
        replace: "Search and replace", "Buscar y reemplazar", "検索と置換";
        columns: "Columns", "Columnas", "列";
        new_record: "New record", "Registro nuevo", "新しいレコード";
        save: "Save", "Guardar", "保存";
        save_and_next: "Save and go to the next", "Guardar e ir al siguiente", "保存して次へ";
        leave: "Back to the list", "Volver a la lista", "一覧に戻る";
        next_turn: "Next message", "Mensaje siguiente", "次のメッセージ";
        previous_turn: "Previous message", "Mensaje anterior", "前のメッセージ";
        add_turn: "Add a message", "Añadir un mensaje", "メッセージを追加";
        split_turn: "Split the message at the cursor", "Dividir el mensaje en el cursor", "カーソル位置でメッセージを分割";
        move_turn_up: "Move the message up", "Mover el mensaje arriba", "メッセージを上へ";
        move_turn_down: "Move the message down", "Mover el mensaje abajo", "メッセージを下へ";
        delete_turn: "Delete the message", "Eliminar el mensaje", "メッセージを削除";
        duplicate_turn: "Duplicate the message", "Duplicar el mensaje", "メッセージを複製";
        change_role: "Change the role", "Cambiar el rol", "役割を変更";
    }
}

impl ShortcutTexts {
    pub fn scope(&self, scope: Scope) -> &'static str {
        match scope {
            Scope::Everywhere => self.everywhere,
            Scope::List => self.list,
            Scope::Editor => self.editor,
        }
    }

    /// What a command does, in two or three words.
    pub fn command(&self, command: Command) -> &'static str {
        match command {
            Command::Search => self.search,
            Command::Undo => self.undo,
            Command::Redo => self.redo,
            Command::Palette => self.palette,
            Command::Help => self.help,
            Command::GoImport => self.go_import,
            Command::GoCheck => self.go_check,
            Command::GoEdit => self.go_edit,
            Command::GoSplit => self.go_split,
            Command::GoExport => self.go_export,
            Command::Next => self.next,
            Command::Previous => self.previous,
            Command::NextPage => self.next_page,
            Command::PreviousPage => self.previous_page,
            Command::First => self.first,
            Command::Last => self.last,
            Command::Open => self.open,
            Command::ToggleSelected => self.toggle_selected,
            Command::ExtendDown => self.extend_down,
            Command::ExtendUp => self.extend_up,
            Command::SelectAll => self.select_all,
            Command::ClearSelection => self.clear_selection,
            Command::Tag => self.tag,
            Command::SideTrain => self.side_train,
            Command::SideValidation => self.side_validation,
            Command::SideTest => self.side_test,
            Command::SideNone => self.side_none,
            Command::MoveUp => self.move_up,
            Command::MoveDown => self.move_down,
            Command::Trash => self.trash,
            Command::TakeBack => self.take_back,
            Command::Copy => self.copy,
            Command::CopyJson => self.copy_json,
            Command::Filters => self.filters,
            Command::Replace => self.replace,
            Command::Columns => self.columns,
            Command::NewRecord => self.new_record,
            Command::Save => self.save,
            Command::SaveAndNext => self.save_and_next,
            Command::Leave => self.leave,
            Command::NextTurn => self.next_turn,
            Command::PreviousTurn => self.previous_turn,
            Command::AddTurn => self.add_turn,
            Command::SplitTurn => self.split_turn,
            Command::MoveTurnUp => self.move_turn_up,
            Command::MoveTurnDown => self.move_turn_down,
            Command::DeleteTurn => self.delete_turn,
            Command::DuplicateTurn => self.duplicate_turn,
            Command::ChangeRole => self.change_role,
        }
    }
}
