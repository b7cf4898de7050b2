//! The `.npy` format: finding the matrix, and the header of a written one.
//!
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>. The header is parsed here and not by
//! `npyz`, because that allocates the header length a file claims (up to 4 GiB) before it reads, and has no fp16 without
//! a further feature. Accepted is what NumPy writes: a dictionary literal with exactly `descr`, `fortran_order`, `shape`.

use std::path::Path;

use crate::error::TensorError;
use crate::read::{Input, Layout, ReadOptions, matrix_shape};
use crate::round::SourceType;

/// How messages call the array of a file that has no names.
pub(crate) const UNNAMED: &str = "the array";

const MAGIC: [u8; 6] = *b"\x93NUMPY";
const ACCEPTED: &str = "'<f2', '<f4' and '<f8' (little-endian fp16, fp32, fp64)";

/// Finds the array and checks that the file holds exactly it.
pub(crate) fn locate(input: &mut Input<'_>, options: &ReadOptions) -> Result<Layout, TensorError> {
    if let Some(wanted) = &options.tensor {
        let available = vec!["(one unnamed array)".to_owned()];
        return Err(TensorError::NoSuchTensor {
            path: input.path.to_owned(),
            wanted: wanted.clone(),
            available,
        });
    }
    let (data_start, text) = read_header(input)?;
    let header = Parser {
        text: &text,
        rest: &text,
    }
    .dictionary()
    .map_err(|reason| bad_header(input.path, reason))?;
    let source = match header.descr.as_str() {
        "<f2" => SourceType::F16,
        "<f4" => SourceType::F32,
        "<f8" => SourceType::F64,
        other => {
            return Err(TensorError::UnsupportedDtype {
                path: input.path.to_owned(),
                tensor: UNNAMED.to_owned(),
                found: format!("'{other}'"),
                accepted: ACCEPTED,
            });
        }
    };
    // The length check comes before the element limit: a header that lies about its size is the better message.
    let element_bytes = u64::try_from(source.bytes()).expect("at most 8");
    let data_bytes = header
        .shape
        .iter()
        .fold(element_bytes, |bytes, &dim| bytes.saturating_mul(dim));
    let end = data_bytes.saturating_add(data_start);
    input.require(end, "an array of the shape in its header")?;
    let (rows, cols) = matrix_shape(input.path, UNNAMED, &header.shape, options.max_elements)?;
    if input.len_bytes > end {
        let path = input.path.to_owned();
        return Err(TensorError::TrailingBytes {
            path,
            expected: end,
            found: input.len_bytes,
        });
    }
    Ok(Layout {
        tensor: None,
        source,
        rows,
        cols,
        column_major: header.fortran_order,
        offset_bytes: data_start,
    })
}

/// The bytes before the values of a C-order fp16 array of this shape.
pub(crate) fn f16_header(rows: usize, cols: usize) -> Vec<u8> {
    let mut text =
        format!("{{'descr': '<f2', 'fortran_order': False, 'shape': ({rows}, {cols}), }}");
    // NumPy aligns the data to 64 bytes with spaces and ends the header with a newline.
    let unpadded = MAGIC.len() + 4 + text.len() + 1;
    text.push_str(&" ".repeat(unpadded.next_multiple_of(64) - unpadded));
    text.push('\n');
    let length = u16::try_from(text.len()).expect("two numbers of at most 20 digits each");
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&[1, 0]);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(text.as_bytes());
    out
}

fn read_header(input: &mut Input<'_>) -> Result<(u64, String), TensorError> {
    const PREFIX: usize = MAGIC.len() + 2;
    input.require(8, "the npy magic and version")?;
    let mut prefix = [0; PREFIX];
    input.read_exact(&mut prefix, "the npy magic and version")?;
    if prefix[..MAGIC.len()] != MAGIC {
        return Err(TensorError::BadMagic {
            path: input.path.to_owned(),
            format: "npy",
            found: format!("{:02x?}", &prefix[..MAGIC.len()]),
            expected: "[93, 4e, 55, 4d, 50, 59], \"\\x93NUMPY\"",
        });
    }
    let (field_bytes, header_bytes) = match prefix[MAGIC.len()] {
        1 => {
            input.require(10, "the npy header length")?;
            let mut field = [0; 2];
            input.read_exact(&mut field, "the npy header length")?;
            (2, u64::from(u16::from_le_bytes(field)))
        }
        2 | 3 => {
            input.require(12, "the npy header length")?;
            let mut field = [0; 4];
            input.read_exact(&mut field, "the npy header length")?;
            (4, u64::from(u32::from_le_bytes(field)))
        }
        other => {
            return Err(bad_header(
                input.path,
                format!("format version {other}, known are 1, 2 and 3"),
            ));
        }
    };
    let data_start = 8 + field_bytes + header_bytes;
    input.require(data_start, "the npy header")?;
    let mut header = vec![0; usize::try_from(header_bytes).expect("at most 32 bits")];
    input.read_exact(&mut header, "the npy header")?;
    let text = String::from_utf8(header).map_err(|error| TensorError::HeaderNotUtf8 {
        path: input.path.to_owned(),
        offset: error.utf8_error().valid_up_to(),
    })?;
    Ok((data_start, text))
}

struct Header {
    descr: String,
    fortran_order: bool,
    shape: Vec<u64>,
}

/// A reader of the one Python dictionary literal that NumPy writes.
struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn dictionary(&mut self) -> Result<Header, String> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        self.expect("{")?;
        while !self.take("}") {
            let key = self.string()?;
            self.expect(":")?;
            let repeated = match key {
                "descr" => descr.replace(self.string()?.to_owned()).is_some(),
                "fortran_order" => fortran_order.replace(self.boolean()?).is_some(),
                "shape" => shape.replace(self.tuple()?).is_some(),
                other => {
                    return Err(format!(
                        "unknown key '{other}', known are 'descr', 'fortran_order', 'shape'"
                    ));
                }
            };
            if repeated {
                return Err(format!("key '{key}' is given twice"));
            }
            if !self.take(",") {
                self.expect("}")?;
                break;
            }
        }
        if !self.rest.trim().is_empty() {
            return Err(self.unexpected("the end of the header"));
        }
        let missing = |key| format!("key '{key}' is missing");
        Ok(Header {
            descr: descr.ok_or_else(|| missing("descr"))?,
            fortran_order: fortran_order.ok_or_else(|| missing("fortran_order"))?,
            shape: shape.ok_or_else(|| missing("shape"))?,
        })
    }

    fn take(&mut self, token: &str) -> bool {
        self.rest = self.rest.trim_start();
        let Some(rest) = self.rest.strip_prefix(token) else {
            return false;
        };
        self.rest = rest;
        true
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{token}`")))
        }
    }

    fn string(&mut self) -> Result<&'a str, String> {
        let quote = if self.take("'") {
            '\''
        } else if self.take("\"") {
            '"'
        } else {
            return Err(self.unexpected("a quoted string"));
        };
        let Some((string, rest)) = self.rest.split_once(quote) else {
            return Err(self.unexpected("a closing quote"));
        };
        self.rest = rest;
        Ok(string)
    }

    fn boolean(&mut self) -> Result<bool, String> {
        if self.take("True") {
            Ok(true)
        } else if self.take("False") {
            Ok(false)
        } else {
            Err(self.unexpected("True or False"))
        }
    }

    fn tuple(&mut self) -> Result<Vec<u64>, String> {
        let mut dims = Vec::new();
        self.expect("(")?;
        while !self.take(")") {
            dims.push(self.integer()?);
            if !self.take(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(dims)
    }

    fn integer(&mut self) -> Result<u64, String> {
        self.rest = self.rest.trim_start();
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        if digits.is_empty() {
            return Err(self.unexpected("a dimension"));
        }
        self.rest = rest;
        digits
            .parse()
            .map_err(|_| format!("dimension {digits} does not fit 64 bits"))
    }

    fn unexpected(&self, wanted: &str) -> String {
        let offset = self.text.len() - self.rest.len();
        let found = self.rest.chars().take(12).collect::<String>();
        format!("expected {wanted} at byte {offset} of it, found {found:?}")
    }
}

fn bad_header(path: &Path, reason: String) -> TensorError {
    TensorError::BadHeader {
        path: path.to_owned(),
        format: "npy",
        reason,
    }
}
