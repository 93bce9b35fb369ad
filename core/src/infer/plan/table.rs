//! A plan for people: what takes how much.

use std::fmt;

use super::{BufferClass, Plan};

/// `1.21 GiB`, `504 KiB`, `96 B`: three digits are enough to decide.
pub fn bytes_text(n_bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if n_bytes < 1024 {
        return format!("{n_bytes} B");
    }
    let mut value = n_bytes as f64 / 1024.0;
    let mut unit = 0;
    // 1023.95 would print as 1024.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let decimals = match value {
        value if value >= 99.95 => 0,
        value if value >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.decimals$} {}", UNITS[unit])
}

impl BufferClass {
    pub const ALL: [Self; 8] = [
        Self::Embedding,
        Self::Projections,
        Self::Vectors,
        Self::Head,
        Self::KvCache,
        Self::Activations,
        Self::Session,
        Self::Adapter,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Embedding => "embedding",
            Self::Projections => "projections",
            Self::Vectors => "norms and biases",
            Self::Head => "head",
            Self::KvCache => "keys and values",
            Self::Activations => "activations",
            Self::Session => "ids and logits",
            Self::Adapter => "adapters",
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for class in BufferClass::ALL {
            let buffers = self.buffers.iter().filter(|buffer| buffer.class == class);
            let (n_buffers, largest) = buffers.fold((0, 0), |(n, largest): (usize, u64), b| {
                (n + 1, largest.max(b.n_bytes))
            });
            if n_buffers == 0 {
                continue;
            }
            writeln!(
                f,
                "{:<18}{:>10}   {n_buffers} buffers, largest {}{}",
                class.name(),
                bytes_text(self.n_bytes_of(class)),
                bytes_text(largest),
                self.detail(class),
            )?;
        }
        let n_buffers = self.buffers.len();
        write!(
            f,
            "{:<18}{:>10}   {n_buffers} buffers",
            "total",
            bytes_text(self.n_bytes())
        )
    }
}

impl Plan {
    /// What a class's size comes from.
    fn detail(&self, class: BufferClass) -> String {
        let layout = &self.layout;
        let formats = match class {
            BufferClass::Embedding => vec![layout.embedding.format],
            BufferClass::Head => layout.head.iter().map(|head| head.format).collect(),
            BufferClass::Projections => {
                let mut formats = Vec::new();
                for matrix in layout.projections().flat_map(|p| &p.matrices) {
                    if !formats.contains(&matrix.format) {
                        formats.push(matrix.format);
                    }
                }
                formats
            }
            BufferClass::KvCache => return format!(", {} tokens", self.context.capacity),
            _ => return String::new(),
        };
        let names: Vec<&str> = formats.iter().map(|format| format.name()).collect();
        format!(", {}", names.join(" and "))
    }
}

#[cfg(test)]
mod tests {
    use super::bytes_text;

    #[test]
    fn sizes_have_three_digits() {
        for (n_bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.00 KiB"),
            (1536 * 1024, "1.50 MiB"),
            (250 << 20, "250 MiB"),
            (1023 << 20, "1.00 GiB"),
            (4_920_739_232, "4.58 GiB"),
            (5 << 40, "5.00 TiB"),
        ] {
            assert_eq!(bytes_text(n_bytes), text);
        }
    }
}
