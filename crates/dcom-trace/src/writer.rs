//! The manifest of a trace as text.

use std::fmt::Write as _;

use crate::trace::{FORMAT, Of, Run, Trace, model_shape_keys};

impl Trace {
    /// The manifest: [`Trace::parse`] of it, in the same folder, gives the trace back.
    #[must_use]
    pub fn manifest(&self) -> String {
        let mut text = String::new();
        self.write(&mut text).expect("writing to a String");
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "[trace]\nformat = {FORMAT}\nlayer = {}", self.layer)?;
        writeln!(text, "source = {}\n", quoted(&self.source))?;
        let m = &self.model;
        writeln!(text, "[model]\nname = {}", quoted(&m.name))?;
        let sizes = [m.hidden, m.heads, m.kv_heads, m.head_size, m.ffn];
        for (key, size) in model_shape_keys().iter().zip(sizes) {
            writeln!(text, "{key} = {size}")?;
        }
        if let Some(recording) = &self.recording {
            let run = match recording.run {
                Run::OneByOne => "one_by_one",
                Run::Together => "together",
            };
            let device = quoted(&recording.device);
            writeln!(
                text,
                "\n[recording]\ndevice = {device}\nprompts = \"{run}\""
            )?;
        }
        for prompt in &self.prompts {
            writeln!(
                text,
                "\n[[prompt]]\nid = {}\nlength = {}",
                quoted(&prompt.id),
                prompt.length
            )?;
            if let Some(words) = &prompt.text {
                writeln!(text, "text = {}", quoted(words))?;
            }
        }
        for op in &self.ops {
            writeln!(
                text,
                "\n[[op]]\nname = {}\nkind = \"{}\"",
                quoted(&op.name),
                op.kind.name()
            )?;
            if !op.inputs.is_empty() {
                let names = op.inputs.iter().map(|input| quoted(&self.op(*input).name));
                writeln!(text, "inputs = [{}]", names.collect::<Vec<_>>().join(", "))?;
            }
            writeln!(
                text,
                "shape = {}\ndtype = \"{}\"",
                op.shape,
                op.dtype.name()
            )?;
            if !op.microseconds.is_empty() {
                writeln!(text, "microseconds = {:?}", op.microseconds)?;
            }
        }
        for tensor in &self.tensors {
            match tensor.of {
                Of::Activation(op, prompt) => writeln!(
                    text,
                    "\n[[tensor]]\nop = {}\nprompt = {}",
                    quoted(&self.op(op).name),
                    quoted(&self.prompt(prompt).id)
                )?,
                Of::Weight(op) => {
                    writeln!(text, "\n[[tensor]]\nweight = {}", quoted(&self.op(op).name))?
                }
            }
            writeln!(
                text,
                "file = {}\nname = {}",
                quoted(&tensor.file),
                quoted(&tensor.name)
            )?;
            if !tensor.best_rank_error.is_empty() {
                let errors = tensor
                    .best_rank_error
                    .iter()
                    .map(|(rank, error)| format!("\"{rank}\" = {error:?}"));
                writeln!(
                    text,
                    "best_rank_error = {{ {} }}",
                    errors.collect::<Vec<_>>().join(", ")
                )?;
            }
        }
        Ok(())
    }
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}
