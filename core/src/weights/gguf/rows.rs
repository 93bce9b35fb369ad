//! The order of rows within a head, there and back.
//!
//! GGUF row `2 i + j` of a head is checkpoint row `j k/2 + i` (see [`crate::arch`]).

/// Checkpoint order to GGUF's; `data` is any whole number of equal rows.
pub fn interleave<T: Copy>(data: &[T], n_heads: usize, head_dim: usize) -> Vec<T> {
    reorder(data, n_heads, head_dim, |row| {
        (row % 2) * (head_dim / 2) + row / 2
    })
}

/// GGUF's order to the checkpoint's.
pub(super) fn split_halves<T: Copy>(data: &[T], n_heads: usize, head_dim: usize) -> Vec<T> {
    reorder(data, n_heads, head_dim, |row| {
        (row % (head_dim / 2)) * 2 + row / (head_dim / 2)
    })
}

fn reorder<T: Copy>(
    data: &[T],
    n_heads: usize,
    head_dim: usize,
    source_row: impl Fn(usize) -> usize,
) -> Vec<T> {
    let row_len = data.len() / (n_heads * head_dim);
    let mut reordered = Vec::with_capacity(data.len());
    for head in 0..n_heads {
        for row in 0..head_dim {
            let start = (head * head_dim + source_row(row)) * row_len;
            reordered.extend_from_slice(&data[start..start + row_len]);
        }
    }
    reordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_in_the_file_are_halves_of_the_checkpoint() {
        let rows = [0, 1, 2, 3, 10, 11, 12, 13];
        assert_eq!(interleave(&rows, 2, 4), [0, 2, 1, 3, 10, 12, 11, 13]);
    }

    #[test]
    fn rows_move_whole_and_come_back() {
        let data: Vec<u32> = (0..2 * 6 * 5).collect();
        let there = interleave(&data, 2, 6);
        assert_eq!(there[5..10], [15, 16, 17, 18, 19]);
        assert_eq!(split_halves(&there, 2, 6), data);
    }
}
