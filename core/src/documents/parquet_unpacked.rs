//! How much the pages of a column unpack to, before the library unpacks them.
//!
//! Three of the codecs are read to their end, however far that is from what the header of the page
//! says. They are read here first, into nothing, and not beyond that. The others write into as much
//! room as the header says.

use std::io::{self, Read};

use parquet::basic::Compression;

/// # Errors
/// If these bytes are more than `most` when they are unpacked.
pub(super) fn check_unpacked(codec: Compression, bytes: &[u8], most: u64) -> Result<(), String> {
    match codec {
        Compression::GZIP(_) => check(&mut flate2::read::MultiGzDecoder::new(bytes), most),
        Compression::BROTLI(_) => {
            const BUFFER: usize = 4096;
            check(&mut brotli::Decompressor::new(bytes, BUFFER), most)
        }
        Compression::LZ4 => check(&mut lz4_flex::frame::FrameDecoder::new(bytes), most),
        _ => Ok(()),
    }
}

fn check(unpacked: &mut dyn Read, most: u64) -> Result<(), String> {
    match io::copy(&mut unpacked.take(most.saturating_add(1)), &mut io::sink()) {
        Ok(n) if n > most => Err(format!(
            "a page unpacks to more than the {most} bytes that are said"
        )),
        // What is no such stream is for the library to tell, which knows other forms of it.
        Ok(_) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use parquet::basic::{BrotliLevel, GzipLevel};

    use super::*;

    const N: usize = 4 << 20;

    fn packed() -> [(Compression, Vec<u8>); 3] {
        let zeros = vec![0; N];
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&zeros).unwrap();
        let mut brotli = brotli::CompressorWriter::new(Vec::new(), 4096, 9, 22);
        brotli.write_all(&zeros).unwrap();
        brotli.flush().unwrap();
        let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
        lz4.write_all(&zeros).unwrap();
        [
            (
                Compression::GZIP(GzipLevel::default()),
                gzip.finish().unwrap(),
            ),
            (
                Compression::BROTLI(BrotliLevel::default()),
                brotli.into_inner(),
            ),
            (Compression::LZ4, lz4.finish().unwrap()),
        ]
    }

    #[test]
    fn more_than_is_said_is_refused() {
        for (codec, bytes) in packed() {
            assert!(bytes.len() < N / 100, "{codec}: {}", bytes.len());
            assert_eq!(check_unpacked(codec, &bytes, N as u64), Ok(()), "{codec}");
            let refused = check_unpacked(codec, &bytes, N as u64 - 1).unwrap_err();
            assert!(refused.contains("4194303 bytes"), "{codec}: {refused}");
        }
    }

    #[test]
    fn what_is_no_stream_is_left_to_the_library() {
        for (codec, _) in packed() {
            assert_eq!(check_unpacked(codec, b"no stream", 1), Ok(()), "{codec}");
        }
    }
}
