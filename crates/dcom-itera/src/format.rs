//! Formats of vectors: elements and how they are scaled; names and storage.

use std::fmt;
use std::str::FromStr;

use crate::element::Element;
use crate::error::IteraError;

/// Elements that share a scale in the block formats (MX specification 1.0, section 5.1).
pub const BLOCK: usize = 32;

/// Bits of the scale of a block: E8M0.
const BLOCK_SCALE_BITS: u64 = 8;

/// Bits of the scale of a vector: bfloat16, whose range is that of fp32, so that no scale is out of range. Assumed; the
/// eight significant bits cost less than 0.4 % in the scale, which the search over scales takes into account.
const VECTOR_SCALE_BITS: u64 = 16;

/// How the elements of a vector are scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scaling {
    /// One bfloat16 scale per vector, searched for the least error.
    Vector,
    /// An E8M0 scale per block of 32, from its largest magnitude, as the MX specification says.
    Block,
}

/// A number format of vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Format {
    element: Element,
    scaling: Scaling,
}

impl Format {
    /// Every format, integers first.
    #[must_use]
    pub fn all() -> Vec<Format> {
        let vector = [Element::E2M1, Element::E4M3, Element::E5M2];
        let block = [Element::E2M1, Element::E4M3, Element::E5M2, Element::Fixed8];
        (2..=8)
            .map(|bits| Element::Int { bits })
            .chain(vector)
            .map(|element| Format::new(element, Scaling::Vector))
            .chain(block.map(|element| Format::new(element, Scaling::Block)))
            .collect()
    }

    /// Symmetric integers; none beyond 2 to 8 bits.
    #[must_use]
    pub fn int(bits: u32) -> Option<Format> {
        (2..=8)
            .contains(&bits)
            .then_some(Format::new(Element::Int { bits }, Scaling::Vector))
    }

    fn new(element: Element, scaling: Scaling) -> Format {
        Format { element, scaling }
    }

    /// The format of the elements.
    #[must_use]
    pub fn element(self) -> Element {
        self.element
    }

    /// How they are scaled.
    #[must_use]
    pub fn scaling(self) -> Scaling {
        self.scaling
    }

    /// Storage of a vector of `len` elements with its scales \[bit\].
    #[must_use]
    pub fn storage_bits(self, len: usize) -> u64 {
        let count = |n: usize| u64::try_from(n).expect("usize is at most 64 bits");
        let scales = match self.scaling {
            Scaling::Vector => VECTOR_SCALE_BITS,
            Scaling::Block => count(len.div_ceil(BLOCK)) * BLOCK_SCALE_BITS,
        };
        count(len) * u64::from(self.element.bits()) + scales
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let block = match self.scaling {
            Scaling::Vector => "",
            Scaling::Block => "mx",
        };
        match self.element {
            Element::Int { bits } => write!(f, "int{bits}"),
            Element::Fixed8 => write!(f, "{block}int8"),
            Element::E2M1 => write!(f, "{block}fp4"),
            Element::E4M3 => write!(f, "{block}fp8_e4m3"),
            Element::E5M2 => write!(f, "{block}fp8_e5m2"),
        }
    }
}

impl FromStr for Format {
    type Err = IteraError;

    fn from_str(text: &str) -> Result<Format, IteraError> {
        let all = Format::all();
        let wanted = text.to_lowercase().replace('-', "_");
        if let Some(format) = all.iter().find(|format| format.to_string() == wanted) {
            return Ok(*format);
        }
        let names: Vec<String> = all.iter().map(Format::to_string).collect();
        let nearest = names
            .iter()
            .map(|name| (strsim::jaro_winkler(&wanted, name), name))
            .filter(|&(similarity, _)| similarity > 0.7)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        Err(IteraError::UnknownFormat {
            found: text.to_owned(),
            suggestion: nearest.map(|(_, name)| name.clone()),
            known: names.join(", "),
        })
    }
}
