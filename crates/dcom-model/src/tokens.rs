//! From text to tokens: `tokenizer.json` of the checkpoint, or bytes where there is none and the vocabulary is 256.

use std::path::Path;

use tokenizers::Tokenizer;

use crate::config::Config;
use crate::error::ModelError;

const FILE: &str = "tokenizer.json";

/// How a model reads text.
#[derive(Clone, Debug)]
pub enum Tokens {
    /// A token is a byte.
    Bytes,
    /// The tokenizer of the checkpoint.
    Tokenizer(Box<Tokenizer>),
}

impl Tokens {
    /// Reads the tokenizer of a checkpoint.
    ///
    /// # Errors
    /// There is none though the model needs one, or it has more tokens than the model.
    pub(crate) fn open(folder: &Path, config: &Config) -> Result<Tokens, ModelError> {
        let path = folder.join(FILE);
        let fail = |problem: String| ModelError::File {
            path: path.clone(),
            problem,
        };
        if !path.exists() {
            if config.vocabulary == 256 {
                return Ok(Tokens::Bytes);
            }
            return Err(fail(format!(
                "the checkpoint is incomplete: there is no such file, and only a model with a vocabulary of 256, not {}, reads bytes",
                config.vocabulary
            )));
        }
        let tokenizer = Tokenizer::from_file(&path).map_err(|error| fail(error.to_string()))?;
        Ok(Tokens::Tokenizer(Box::new(tokenizer)))
    }

    /// The tokens of a text; with `special`, those that the tokenizer puts around a text, such as the begin of sequence.
    ///
    /// # Errors
    /// The tokenizer refuses the text.
    pub fn encode(&self, text: &[u8], special: bool) -> Result<Vec<u32>, ModelError> {
        match self {
            Tokens::Bytes => Ok(text.iter().map(|byte| u32::from(*byte)).collect()),
            Tokens::Tokenizer(tokenizer) => {
                let text = std::str::from_utf8(text).map_err(|error| {
                    ModelError::Request(format!(
                        "the text is not UTF-8 from byte {} on; only a model on bytes reads such",
                        error.valid_up_to()
                    ))
                })?;
                let encoding = tokenizer
                    .encode_fast(text, special)
                    .map_err(|error| ModelError::Request(format!("the tokenizer: {error}")))?;
                Ok(encoding.get_ids().to_vec())
            }
        }
    }

    /// What a token is, in messages.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        match self {
            Tokens::Bytes => "byte",
            Tokens::Tokenizer(_) => "token",
        }
    }
}
