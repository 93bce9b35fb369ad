//! Which examples make which step: a pure function of the job and the epoch.

use crate::{protocol::TrainJob, rng::Rng};

/// The examples (by index) that share a row: one, unless packed.
pub type Row = Vec<usize>;

/// The micro-batches of one optimizer step, each a list of rows.
pub type Group = Vec<Vec<Row>>;

/// Rows of the dataset and how an epoch goes through them.
#[derive(Debug, Clone)]
pub struct Order {
    rows: Vec<Row>,
    batch_size: usize,
    accumulation: usize,
    shuffle: Option<u64>,
}

impl Order {
    /// `lengths` are token counts of the examples.
    pub fn new(job: &TrainJob, lengths: &[usize]) -> Self {
        let rows = if job.packing {
            pack(lengths, job.max_length)
        } else {
            (0..lengths.len())
                .map(|example_idx| vec![example_idx])
                .collect()
        };
        Self {
            rows,
            batch_size: job.per_device_train_batch_size,
            accumulation: job.gradient_accumulation_steps,
            shuffle: job.shuffle.then_some(job.seed),
        }
    }

    /// Optimizer steps of an epoch; a last, short group makes one too.
    pub fn steps_per_epoch(&self) -> u64 {
        self.rows
            .len()
            .div_ceil(self.batch_size)
            .div_ceil(self.accumulation) as u64
    }

    /// The groups of every step of an epoch.
    pub fn epoch(&self, epoch: u64) -> Vec<Group> {
        let mut rows = self.rows.clone();
        if let Some(seed) = self.shuffle {
            Rng::new(seed ^ 0x6f_7264_6572, epoch).shuffle(&mut rows);
        }
        let micro_batches: Vec<Vec<Vec<usize>>> =
            rows.chunks(self.batch_size).map(<[_]>::to_vec).collect();
        micro_batches
            .chunks(self.accumulation)
            .map(<[_]>::to_vec)
            .collect()
    }
}

/// Best-fit decreasing: longest first, each into the fullest row that still has room
/// (what TRL's `bfd` strategy does). Ties keep the dataset's order.
pub fn pack(lengths: &[usize], max_length: usize) -> Vec<Vec<usize>> {
    let mut by_length: Vec<usize> = (0..lengths.len()).collect();
    by_length.sort_by_key(|&example_idx| std::cmp::Reverse(lengths[example_idx]));
    let mut rows: Vec<Vec<usize>> = Vec::new();
    // Rows by the room they have left.
    let mut open: std::collections::BTreeMap<usize, Vec<usize>> = std::collections::BTreeMap::new();
    for example_idx in by_length {
        let length = lengths[example_idx];
        let fit = open.range(length..).next().map(|(&room, _)| room);
        let (row_idx, room) = match fit {
            Some(room) => (take_row(&mut open, room), room),
            None => {
                rows.push(Vec::new());
                (rows.len() - 1, max_length.max(length))
            }
        };
        rows[row_idx].push(example_idx);
        open.entry(room - length).or_default().push(row_idx);
    }
    rows
}

fn take_row(open: &mut std::collections::BTreeMap<usize, Vec<usize>>, room: usize) -> usize {
    let rows = open
        .get_mut(&room)
        .expect("the room was just found among the open rows");
    let row_idx = rows.pop().expect("no empty list is kept");
    if rows.is_empty() {
        open.remove(&room);
    }
    row_idx
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_loses_nothing_and_fits() {
        let lengths = [5, 3, 8, 2, 2, 7, 1];
        let rows = pack(&lengths, 8);
        let mut all: Vec<usize> = rows.iter().flatten().copied().collect();
        all.sort_unstable();
        assert_eq!(all, (0..lengths.len()).collect::<Vec<_>>());
        assert!(
            rows.iter()
                .all(|row| row.iter().map(|&i| lengths[i]).sum::<usize>() <= 8)
        );
        assert_eq!(rows.len(), 4);
    }

    #[test]
    fn a_group_never_crosses_the_end_of_an_epoch() {
        let job = TrainJob {
            per_device_train_batch_size: 2,
            gradient_accumulation_steps: 2,
            shuffle: false,
            ..TrainJob::default()
        };
        let order = Order::new(&job, &[1; 7]);
        let sizes: Vec<usize> = order.epoch(0).iter().map(Vec::len).collect();
        assert_eq!((order.steps_per_epoch(), sizes), (2, vec![2, 2]));
        let order = Order::new(&job, &[1; 5]);
        let groups = order.epoch(0);
        assert_eq!(groups[1], vec![vec![vec![4]]]);
    }

    #[test]
    fn epochs_are_shuffled_differently_and_repeatably() {
        let order = Order::new(&TrainJob::default(), &[1; 40]);
        assert_eq!(order.epoch(1), order.epoch(1));
        assert_ne!(order.epoch(0), order.epoch(1));
    }
}
