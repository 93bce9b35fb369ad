//! embed against the dequantized table, by token and by position.

use veneer_core::{
    gpu::{
        GpuMatrix,
        ops::{AddPositions, Embed, add_positions, embed},
    },
    quant::Format,
};

use crate::{
    devices::{assert_close, devices, values},
    inputs::{floats, normal, run, unwritten, words},
};

/// Products of scales and quants in f32: the same as the oracle's but for their order.
const TOLERANCE: f32 = 1e-6;
/// As Gemma's, the root of a width.
const SCALE: f32 = 33.941_124;

#[track_caller]
fn check(formats: &[Format], d: usize, n_rows: usize, ids: &[u32]) {
    for gpu in devices() {
        for &format in formats {
            let packed = format.quantize(&normal(1, n_rows * d)).unwrap();
            let table = format.dequantize(&packed).unwrap();
            let shape = [n_rows as u32, d as u32];
            let matrix = GpuMatrix::upload(&gpu, "table", format, shape, &packed).unwrap();
            let x = unwritten(&gpu, "x", ids.len() * d);
            let op = Embed {
                table: &matrix,
                ids: &words(&gpu, "ids", ids),
                x: &x,
                scale: SCALE,
                n_tokens: ids.len(),
            };
            run(&gpu, &embed(&gpu, "embed", &op).unwrap());

            let rows = ids.iter().flat_map(|&id| &table[id as usize * d..][..d]);
            let expected: Vec<f32> = rows.map(|value| SCALE * value).collect();
            let case = format!("{} of {n_rows} by {d}, {}", ids.len(), format.name());
            assert_close(&values(&gpu, &x), &expected, TOLERANCE, &case);
        }
    }
}

#[test]
fn the_narrowest_rows() {
    check(&[Format::F32, Format::F16, Format::Bf16], 4, 3, &[2]);
    check(&[Format::F16, Format::Bf16], 12, 5, &[4, 0, 4]);
    check(&[Format::Q8_0, Format::Q4_0], 32, 3, &[1, 2]);
    check(&[Format::Q4K, Format::Q6K], 256, 3, &[2, 0]);
}

#[test]
fn every_format_with_rows_that_fill_no_workgroup() {
    check(&Format::ALL, 768, 11, &[10, 3, 3, 0, 7]);
}

#[test]
fn the_width_of_llama_3_2_1b() {
    check(&[Format::Q4_0], 2048, 100, &[99]);
}

#[test]
fn positions_are_added_to_what_is_there() {
    let (d, n_rows, n_tokens, position) = (96, 40, 5, 33);
    for gpu in devices() {
        for format in [Format::F32, Format::F16, Format::Q8_0] {
            let packed = format.quantize(&normal(1, n_rows * d)).unwrap();
            let table = format.dequantize(&packed).unwrap();
            let shape = [n_rows as u32, d as u32];
            let before = normal(2, (n_tokens + 3) * d);
            let x = floats(&gpu, "x", &before);
            let op = AddPositions {
                table: &GpuMatrix::upload(&gpu, "table", format, shape, &packed).unwrap(),
                state: &words(&gpu, "state", &[position as u32, 7, 0, 0]),
                x: &x,
                n_tokens,
            };
            run(&gpu, &add_positions(&gpu, "positions", &op).unwrap());
            let mut want = before;
            let rows = want.iter_mut().zip(&table[position * d..]);
            rows.take(n_tokens * d).for_each(|(x, row)| *x += row);
            assert_close(&values(&gpu, &x), &want, TOLERANCE, format.name());
        }
    }
}

#[test]
fn positions_beyond_the_table_add_nothing() {
    for gpu in devices() {
        let table = Format::F32.quantize(&[1.0; 12]).unwrap();
        let x = floats(&gpu, "x", &[5.0; 8]);
        let op = AddPositions {
            table: &GpuMatrix::upload(&gpu, "table", Format::F32, [3, 4], &table).unwrap(),
            state: &words(&gpu, "state", &[2, 0, 0, 0]),
            x: &x,
            n_tokens: 2,
        };
        run(&gpu, &add_positions(&gpu, "positions", &op).unwrap());
        assert_eq!(values(&gpu, &x), [[6.0; 4], [5.0; 4]].concat());
    }
}

/// 128 MiB are what every device binds; the table has some rows more.
#[test]
fn a_table_in_shards() {
    let d = 4096;
    let n_rows = (128 << 20) / (4 * d) + 5;
    let last = n_rows as u32 - 1;
    if let Some(gpu) = devices().first() {
        let mut table = vec![0; 4 * d * n_rows];
        for (row, bytes) in table.chunks_mut(4 * d).enumerate() {
            bytes[..4].copy_from_slice(&(row as f32).to_le_bytes());
        }
        let shape = [n_rows as u32, d as u32];
        let matrix = GpuMatrix::upload(gpu, "table", Format::F32, shape, &table).unwrap();
        let ids = [last, 0, 1, last - 1, last - 6];
        let x = unwritten(gpu, "x", ids.len() * d);
        let op = Embed {
            table: &matrix,
            ids: &words(gpu, "ids", &ids),
            x: &x,
            scale: 1.0,
            n_tokens: ids.len(),
        };
        let steps = embed(gpu, "embed", &op).unwrap();
        assert_eq!(steps.len(), 2);
        run(gpu, &steps);
        let x = values(gpu, &x);
        let found: Vec<u32> = x.chunks(d).map(|row| row[0] as u32).collect();
        assert_eq!(found, ids);
        assert!(
            x.chunks(d)
                .all(|row| row[1..].iter().all(|&value| value == 0.0))
        );
    }
}
