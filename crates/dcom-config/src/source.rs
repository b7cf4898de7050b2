//! Texts to be parsed, and reading them from files.

use std::fs::{self, File};
use std::io::{ErrorKind as IoErrorKind, Read as _};
use std::path::Path;

use crate::error::{ConfigError, ErrorKind, Place, Problem};

/// Largest file that is read. Assumed: a hundred times what the largest of our files needs; it keeps a wrong path
/// (a trace, a device) from filling the memory.
pub const SIZE_LIMIT_BYTES: u64 = 1 << 20;

/// A text and the name that errors give it.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path, or a made-up name.
    pub name: String,
    /// TOML.
    pub text: String,
}

impl Source {
    /// A text from elsewhere than a file.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`ErrorKind::Read`] if it is missing, a directory, larger than [`SIZE_LIMIT_BYTES`] or not UTF-8.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let fail = |message: String| {
            ConfigError::new(
                Place::Name(name.clone()),
                Problem::new(ErrorKind::Read, message),
            )
        };
        let failed = |error: std::io::Error| match error.kind() {
            IoErrorKind::NotFound => fail("there is no such file".to_owned()),
            _ => fail(format!("cannot be read: {error}")),
        };

        if fs::metadata(path).map_err(failed)?.is_dir() {
            return Err(fail("is a directory, not a TOML file".to_owned()));
        }
        let mut bytes = Vec::new();
        // One byte more than allowed tells too large from just large enough, for endless devices too.
        File::open(path)
            .and_then(|file| file.take(SIZE_LIMIT_BYTES + 1).read_to_end(&mut bytes))
            .map_err(failed)?;
        if bytes.len() as u64 > SIZE_LIMIT_BYTES {
            return Err(fail(format!(
                "is larger than {SIZE_LIMIT_BYTES} bytes, the limit for configuration files"
            )));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self { name, text }),
            Err(error) => {
                let offset = error.utf8_error().valid_up_to();
                let line = 1 + error.as_bytes()[..offset]
                    .iter()
                    .filter(|byte| **byte == b'\n')
                    .count();
                Err(fail(format!(
                    "is not UTF-8: byte {offset}, on line {line}, does not start a character"
                )))
            }
        }
    }
}
