//! The order of rows in a file, there and back: row `i` of the file is row `rows[i]` of the
//! checkpoint (see [`crate::arch`]).

/// Checkpoint order to GGUF's; `data` is any whole number of values for each of `rows`.
pub fn to_gguf_order<T: Copy>(data: &[T], rows: &[usize]) -> Vec<T> {
    let row_len = data.len() / rows.len().max(1);
    let mut reordered = Vec::with_capacity(data.len());
    for row in rows {
        reordered.extend_from_slice(&data[row * row_len..(row + 1) * row_len]);
    }
    reordered
}

/// GGUF's order to the checkpoint's.
pub(super) fn to_checkpoint_order<T: Copy>(data: &[T], rows: &[usize]) -> Vec<T> {
    let mut places = vec![0; rows.len()];
    for (place, row) in rows.iter().enumerate() {
        places[*row] = place;
    }
    to_gguf_order(data, &places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_move_whole_and_come_back() {
        let data: Vec<u32> = (0..4 * 5).collect();
        let rows = [0, 2, 3, 1];
        let there = to_gguf_order(&data, &rows);
        assert_eq!(there[5..10], [10, 11, 12, 13, 14]);
        assert_eq!(to_checkpoint_order(&there, &rows), data);
    }
}
