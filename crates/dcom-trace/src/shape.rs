//! Shapes in which the number of tokens is left open: a trace has one list of ops for prompts of different lengths.

use std::fmt;

use dcom_tensor::SourceType;

/// One dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dim {
    /// The tokens of the prompt, written "S".
    Tokens,
    /// A size that all prompts share.
    Fixed(u32),
}

/// The dimensions of a value, outermost first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape(Vec<Dim>);

/// Element type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// IEEE binary16.
    F16,
    /// bfloat16.
    Bf16,
    /// IEEE binary32.
    F32,
}

impl Shape {
    /// Takes the dimensions.
    #[must_use]
    pub fn new(dims: impl Into<Vec<Dim>>) -> Shape {
        Shape(dims.into())
    }

    /// Tokens x `channels`.
    #[must_use]
    pub fn tokens_by(channels: u32) -> Shape {
        Shape::new([Dim::Tokens, Dim::Fixed(channels)])
    }

    /// The dimensions.
    #[must_use]
    pub fn dims(&self) -> &[Dim] {
        &self.0
    }

    /// The dimensions for a prompt of so many tokens.
    #[must_use]
    pub fn at(&self, tokens: u32) -> Vec<u64> {
        let size = |dim: &Dim| match dim {
            Dim::Tokens => u64::from(tokens),
            Dim::Fixed(size) => u64::from(*size),
        };
        self.0.iter().map(size).collect()
    }

    /// The channels of a value that has a row per token.
    #[must_use]
    pub fn channels(&self) -> Option<u32> {
        match self.0[..] {
            [Dim::Tokens, Dim::Fixed(channels)] => Some(channels),
            _ => None,
        }
    }
}

/// As manifests write it: `["S", 4096]`.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dims = self.0.iter().map(|dim| match dim {
            Dim::Tokens => "\"S\"".to_owned(),
            Dim::Fixed(size) => size.to_string(),
        });
        write!(f, "[{}]", dims.collect::<Vec<_>>().join(", "))
    }
}

impl Dtype {
    /// All types, as manifests write them.
    pub const NAMES: [(&'static str, Dtype); 3] = [
        ("f16", Dtype::F16),
        ("bf16", Dtype::Bf16),
        ("f32", Dtype::F32),
    ];

    /// The name in manifests.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Dtype::F16 => "f16",
            Dtype::Bf16 => "bf16",
            Dtype::F32 => "f32",
        }
    }

    pub(crate) fn source(self) -> SourceType {
        match self {
            Dtype::F16 => SourceType::F16,
            Dtype::Bf16 => SourceType::Bf16,
            Dtype::F32 => SourceType::F32,
        }
    }
}
