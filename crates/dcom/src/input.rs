//! Reading whole files of other kinds than configurations, without trusting their size.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use crate::failure::Failure;

/// Largest program file. Assumed: ten times the program of the largest batch that is mapped without loops.
const LIMIT_BYTES: u64 = 256 << 20;

/// Reads a file of at most 256 MiB.
///
/// # Errors
/// The file is missing, a directory, too large or unreadable.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let fail = |problem: String| Failure::input(format!("{}: {problem}", path.display()));
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => fail("there is no such file".to_owned()),
        _ => fail(format!("cannot be read: {error}")),
    };
    if fs::metadata(path).map_err(failed)?.is_dir() {
        return Err(fail("is a directory, expected a file".to_owned()));
    }
    let mut bytes = Vec::new();
    // One byte more than allowed tells too large from just large enough, for endless devices too.
    File::open(path)
        .and_then(|file| file.take(LIMIT_BYTES + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    if bytes.len() as u64 > LIMIT_BYTES {
        return Err(fail(format!(
            "is larger than {LIMIT_BYTES} bytes, the limit for programs"
        )));
    }
    Ok(bytes)
}

/// Reads a text file of at most 256 MiB.
///
/// # Errors
/// As [`bytes`], and where it is not UTF-8.
pub(crate) fn text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(bytes(path)?).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..offset]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        Failure::input(format!(
            "{}:{line}: is not UTF-8: byte {offset} does not start a character",
            path.display()
        ))
    })
}
