//! The history and snapshots.

use super::studio_texts;

studio_texts! {
    HistoryTexts {
        title: "History", "Historial", "履歴";
        about: "Everything that was done, newest first. Undo also takes back what was done on earlier visits.", "Todo lo que se hizo, lo más reciente primero. También se puede deshacer lo hecho en visitas anteriores.", "行った操作の一覧です（新しい順）。以前の作業まで戻せます。";
        empty: "Nothing was done yet.", "Todavía no se ha hecho nada.", "まだ操作はありません。";
        undone: "undone", "deshecho", "元に戻し済み";
        undo: "Undo", "Deshacer", "元に戻す";
        redo: "Redo", "Rehacer", "やり直す";
        undo_what: "Undo: {what}", "Deshacer: {what}", "元に戻す: {what}";
        redo_what: "Redo: {what}", "Rehacer: {what}", "やり直す: {what}";
        nothing_to_undo: "Nothing to undo", "Nada que deshacer", "元に戻す操作はありません";
        nothing_to_redo: "Nothing to redo", "Nada que rehacer", "やり直す操作はありません";
        close: "Close", "Cerrar", "閉じる";
        snapshots: "Snapshots", "Instantáneas", "スナップショット";
        snapshots_about: "A snapshot is a name for the project as it is now, to compare with and to go back to.", "Una instantánea es un nombre para el proyecto tal como está, para comparar y volver.", "現在の状態に名前を付け、後で比較したり戻したりできます。";
        snapshot_name: "Name of the snapshot", "Nombre de la instantánea", "スナップショットの名前";
        take: "Take snapshot", "Crear instantánea", "作成";
        taken: "Snapshot “{name}” taken", "Instantánea «{name}» creada", "スナップショット「{name}」を作成しました";
        deleted: "Snapshot “{name}” deleted", "Instantánea «{name}» eliminada", "スナップショット「{name}」を削除しました";
        compare: "Compare with now", "Comparar con ahora", "現在と比較";
        compare_with: "Compare with", "Comparar con", "比較";
        now: "now", "ahora", "現在";
        restore: "Go back to it", "Volver a ella", "この状態に戻す";
        delete: "Delete", "Eliminar", "削除";
        delete_sure: "Delete the snapshot “{name}”? The records stay as they are.", "¿Eliminar la instantánea «{name}»? Los registros quedan como están.", "スナップショット「{name}」を削除しますか？ レコードは変わりません。";
        n_records: "{n} record[|s]", "{n} registro[|s]", "{n} 件";
        difference: "{edited} edited, {added} added, {removed} removed, {moved} otherwise changed since “{name}”", "{edited} editado[|s], {added} añadido[|s], {removed} quitado[|s], {moved} con otros cambios desde «{name}»", "「{name}」以降: 編集 {edited}、追加 {added}、削除 {removed}、その他の変更 {moved}";
        no_difference: "Nothing differs from “{name}”.", "Nada difiere de «{name}».", "「{name}」との違いはありません。";
        difference_between: "{edited} edited, {added} added, {removed} removed, {moved} otherwise changed from “{name}” to “{other}”", "{edited} editado[|s], {added} añadido[|s], {removed} quitado[|s], {moved} con otros cambios de «{name}» a «{other}»", "「{name}」から「{other}」まで: 編集 {edited}、追加 {added}、削除 {removed}、その他の変更 {moved}";
        no_difference_between: "Nothing differs between “{name}” and “{other}”.", "Nada difiere entre «{name}» y «{other}».", "「{name}」と「{other}」に違いはありません。";
        more_differ: "and {n} more", "y {n} más", "ほか {n} 件";
        was_edited: "edited", "editado", "編集";
        was_added: "added", "añadido", "追加";
        was_removed: "removed", "quitado", "削除";
        was_moved: "otherwise changed", "con otros cambios", "その他の変更";
        other_place: "Another place in the order", "Otra posición en el orden", "並び順の変更";
        accepted: "Accepted problems", "Problemas aceptados", "承認した指摘";
        other_accepted: "Accepted problems differ in {n} record[|s]", "Los problemas aceptados difieren en {n} registro[|s]", "承認した指摘の違い: {n} 件";
        did_import: "Imported {n} record[|s]", "Se import[ó|aron] {n} registro[|s]", "{n} 件を取り込み";
        did_edit: "Edited {n} record[|s]", "Se edit[ó|aron] {n} registro[|s]", "{n} 件を編集";
        did_add: "Added {n} record[|s]", "Se añad[ió|ieron] {n} registro[|s]", "{n} 件を追加";
        did_tag: "Tagged {n} record[|s]", "Se etiquet[ó|aron] {n} registro[|s]", "{n} 件にタグを付与";
        did_untag: "Took a tag off {n} record[|s]", "Se quitó una etiqueta a {n} registro[|s]", "{n} 件からタグを削除";
        did_trash: "Moved {n} record[|s] to the trash", "{n} registro[|s] a la papelera", "{n} 件をゴミ箱へ移動";
        did_take_back: "Took {n} record[|s] out of the trash", "{n} registro[|s] recuperado[|s] de la papelera", "{n} 件をゴミ箱から復元";
        did_move: "Moved {n} record[|s]", "Se mov[ió|ieron] {n} registro[|s]", "{n} 件を移動";
        did_replace: "Replaced text in {n} record[|s]", "Texto reemplazado en {n} registro[|s]", "{n} 件の文字列を置換";
        did_assign: "Set the side or reviewer of {n} record[|s]", "Partición o revisor de {n} registro[|s]", "{n} 件の区分またはレビュー担当を設定";
        did_fix: "Fixed {n} record[|s]", "Se corrig[ió|ieron] {n} registro[|s]", "{n} 件を修正";
        did_accept: "Accepted problems of {n} record[|s]", "Problemas aceptados en {n} registro[|s]", "{n} 件の指摘を承認";
        did_split: "Split {n} record[|s]", "Se asign[ó|aron] {n} registro[|s] al dividir", "{n} 件を分割";
        did_freeze: "Froze the split", "División congelada", "分割を固定";
        did_thaw: "Thawed the split", "División descongelada", "分割の固定を解除";
        did_restore: "Went back to a snapshot", "Se volvió a una instantánea", "スナップショットの状態に復元";
        did_settings: "Stated licence or address", "Se indicó licencia o dirección", "ライセンスや入手先を記入";
    }
}
