//! Reading and checking a manifest: from TOML with places to a [`Trace`]. The format is `docs/traces.md`.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;

use dcom_config::{At, ConfigError, Section, Source, nearest, read_sections};

use crate::error::TraceError;
use crate::files::{Headers, locate};
use crate::graph::{OrderError, check_order};
use crate::op::{Kind, Op, OpId};
use crate::shape::{Dim, Dtype, Shape};
use crate::trace::{
    FORMAT, Model, Of, Prompt, PromptId, Recording, Run, Tensor, Trace, model_shape_keys,
};

/// The tables of a manifest.
const TABLES: [&str; 6] = ["trace", "model", "recording", "prompt", "op", "tensor"];

/// Sizes of a model. Assumed: a hundred times those of today's models; products of two of them fit 64 bits.
const SIZES: RangeInclusive<u64> = 1..=1 << 20;

/// Tokens of a prompt. Assumed: eight times the longest context of today's models of this kind.
const LENGTHS: RangeInclusive<u64> = 1..=1 << 20;

/// Most elements of a result over all prompts, padded to the longest. Together with the limits above, the operations of any op
/// fit 64 bits. The attention scores of 64 heads and 131072 tokens are as many.
const MOST_ELEMENTS: u64 = 1 << 40;

/// Most dimensions of a value.
const MOST_DIMS: usize = 4;

/// Longest duration [us]: a day.
const LONGEST_US: f64 = 86_400e6;

impl Trace {
    /// Reads a trace, given by its folder or its manifest, with the headers of all its files.
    ///
    /// # Errors
    /// File, line, key and value of the first mistake, and what would be right.
    pub fn read(path: &Path) -> Result<Trace, TraceError> {
        let (folder, manifest) = locate(path);
        let source = Source::read(&manifest)?;
        Ok(Trace::parse(&source, &folder)?)
    }

    /// Parses a manifest whose files lie in `folder`.
    ///
    /// # Errors
    /// As [`Trace::read`].
    pub fn parse(source: &Source, folder: &Path) -> Result<Trace, ConfigError> {
        read_sections(source, &TABLES, |file| read(file, folder))
    }
}

fn read(file: &Section<'_>, folder: &Path) -> Result<Trace, ConfigError> {
    let head = file.section("trace", &["format", "layer", "source"])?;
    let format = head.integer("format", 1..=u64::MAX)?;
    if format.value != FORMAT {
        return Err(format.error(
            format!("must be {FORMAT}, the format that this version reads"),
            None,
        ));
    }
    let layer = head.integer("layer", 0..=u64::from(u16::MAX))?;
    let source = head.text("source")?;
    let model = model(file)?;
    let recording = if file.has("recording") {
        Some(recording(file)?)
    } else {
        None
    };
    let prompts = prompts(file)?;
    let ops = Ops::read(file, &model, recording.as_ref(), &prompts)?;
    let tensors = Tensors {
        ops: &ops.ops,
        prompts: &prompts,
        headers: Headers::new(folder),
    }
    .read(file)?;
    Ok(Trace {
        folder: folder.to_owned(),
        model,
        layer: narrow(layer.value),
        source: source.value,
        recording,
        prompts,
        ops: ops.ops,
        tensors,
    })
}

fn model(file: &Section<'_>) -> Result<Model, ConfigError> {
    let keys = model_shape_keys();
    let mut known = vec!["name"];
    known.extend(keys);
    let table = file.section("model", &known)?;
    let mut sizes = [0; 5];
    for (size, key) in sizes.iter_mut().zip(keys) {
        *size = narrow(table.integer(key, SIZES)?.value);
    }
    let [hidden, heads, kv_heads, head_size, ffn] = sizes;
    if heads % kv_heads != 0 {
        let kv_heads = table.integer("kv_heads", SIZES)?;
        let message =
            format!("must divide heads = {heads}: a key serves as many heads as every other");
        return Err(kv_heads.error(message, None));
    }
    if heads.checked_mul(head_size).is_none() {
        let head_size = table.integer("head_size", SIZES)?;
        return Err(head_size.error("heads x head_size must be below 2^32", None));
    }
    Ok(Model {
        name: table.text("name")?.value,
        hidden,
        heads,
        kv_heads,
        head_size,
        ffn,
    })
}

fn recording(file: &Section<'_>) -> Result<Recording, ConfigError> {
    let table = file.section("recording", &["device", "prompts"])?;
    let run = table.choice(
        "prompts",
        &[("one_by_one", Run::OneByOne), ("together", Run::Together)],
    )?;
    Ok(Recording {
        device: table.text("device")?.value,
        run: run.value,
    })
}

fn prompts(file: &Section<'_>) -> Result<Vec<Prompt>, ConfigError> {
    let mut prompts: Vec<Prompt> = Vec::new();
    for table in file.sections("prompt", &["id", "length", "text"])? {
        let id = table.text("id")?;
        if prompts.iter().any(|prompt| prompt.id == id.value) {
            return Err(id.error("is the id of two prompts", None));
        }
        prompts.push(Prompt {
            id: id.value,
            length: narrow(table.integer("length", LENGTHS)?.value),
            text: table.optional_text("text")?.map(|text| text.value),
        });
    }
    if prompts.is_empty() {
        return Err(file.error("[[prompt]]: a trace has at least one prompt", None));
    }
    Ok(prompts)
}

/// The ops, and their places in the file.
struct Ops {
    ops: Vec<Op>,
}

impl Ops {
    fn read(
        file: &Section<'_>,
        model: &Model,
        recording: Option<&Recording>,
        prompts: &[Prompt],
    ) -> Result<Ops, ConfigError> {
        const KEYS: [&str; 6] = ["name", "kind", "inputs", "shape", "dtype", "microseconds"];
        let tables = file.sections("op", &KEYS)?;
        if tables.is_empty() {
            return Err(file.error("[[op]]: a trace has at least one op", None));
        }
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        for (place, table) in tables.iter().enumerate() {
            let name = table.text("name")?;
            if places.insert(name.value.clone(), place).is_some() {
                return Err(name.error("is the name of two ops", None));
            }
        }
        let mut inputs: Vec<Vec<usize>> = Vec::new();
        for table in &tables {
            let found = table.list("inputs")?;
            inputs.push(
                found
                    .into_iter()
                    .map(|input| place_of(&places, input.text()?))
                    .collect::<Result<_, _>>()?,
            );
        }
        check_order(&inputs).map_err(|error| order_error(&error, &tables))?;
        let mut ops: Vec<Op> = Vec::new();
        for (table, inputs) in tables.iter().zip(inputs) {
            let op = op(table, inputs, &ops, model)?;
            check_size(table, &op, prompts)?;
            ops.push(Op {
                microseconds: durations(table, recording, prompts.len())?,
                ..op
            });
        }
        Ok(Ops { ops })
    }
}

fn check_size(table: &Section<'_>, op: &Op, prompts: &[Prompt]) -> Result<(), ConfigError> {
    let longest = prompts.iter().map(|prompt| prompt.length).max();
    let sizes = op.shape.at(longest.expect("at least one prompt"));
    let count = u64::try_from(prompts.len()).expect("a count");
    let elements = sizes
        .iter()
        .fold(count, |product, size| product.saturating_mul(*size));
    if elements <= MOST_ELEMENTS {
        return Ok(());
    }
    let message = format!(
        "op `{}` of shape {}: has {elements} elements over all prompts, at most {MOST_ELEMENTS}",
        op.name, op.shape
    );
    Err(table.error(message, None))
}

fn place_of(places: &BTreeMap<String, usize>, name: At<'_, String>) -> Result<usize, ConfigError> {
    places.get(&name.value).copied().ok_or_else(|| {
        let near = nearest(&name.value, places.keys().map(String::as_str));
        let help = near.map(|near| format!("did you mean \"{near}\"?"));
        name.error("must be the name of an op", help)
    })
}

fn order_error(error: &OrderError, tables: &[Section<'_>]) -> ConfigError {
    let name = |place: usize| match tables[place].text("name") {
        Ok(name) => name.value,
        Err(_) => place.to_string(),
    };
    match error {
        OrderError::Cycle(places) => {
            let names: Vec<String> = places
                .iter()
                .map(|place| format!("`{}`", name(*place)))
                .collect();
            let help = "every op must begin, by way of its inputs, at ops of kind \"input\"";
            tables[places[0]].error(
                format!("the ops {} wait for each other: a cycle", names.join(", ")),
                Some(help.to_owned()),
            )
        }
        OrderError::Late { op, input } => tables[*op].error(
            format!(
                "op `{}` stands before its input `{}`",
                name(*op),
                name(*input)
            ),
            Some("list ops in the order in which they run".to_owned()),
        ),
    }
}

fn op(
    table: &Section<'_>,
    inputs: Vec<usize>,
    earlier: &[Op],
    model: &Model,
) -> Result<Op, ConfigError> {
    let name = table.text("name")?.value;
    let kind = table.choice("kind", &Kind::NAMES)?;
    if inputs.len() != kind.value.arity() {
        let message = format!(
            "op `{name}`: {} takes {} inputs, not {}",
            kind.value.name(),
            kind.value.arity(),
            inputs.len()
        );
        return Err(kind.error(message, None));
    }
    let shape = shape(table)?;
    let shapes: Vec<&Shape> = inputs.iter().map(|input| &earlier[*input].shape).collect();
    kind.value
        .check(&shapes, &shape, model)
        .map_err(|message| table.error(format!("op `{name}` of shape {shape}: {message}"), None))?;
    Ok(Op {
        name,
        kind: kind.value,
        inputs: inputs.into_iter().map(OpId).collect(),
        shape,
        dtype: table.choice("dtype", &Dtype::NAMES)?.value,
        microseconds: Vec::new(),
    })
}

fn shape(table: &Section<'_>) -> Result<Shape, ConfigError> {
    let items = table.list("shape")?;
    if items.is_empty() || items.len() > MOST_DIMS {
        let message =
            format!("shape: must list 1 to {MOST_DIMS} dimensions, such as [\"S\", 4096]");
        return Err(table.error(message, None));
    }
    let dim = |item: At<'_, _>| match item.as_text() {
        Some("S") => Ok(Dim::Tokens),
        Some(_) => Err(item.error(
            "must be an integer, or \"S\" for the tokens of the prompt",
            None,
        )),
        None => Ok(Dim::Fixed(narrow(item.integer(SIZES)?.value))),
    };
    let dims = items.into_iter().map(dim).collect::<Result<Vec<_>, _>>()?;
    Ok(Shape::new(dims))
}

fn durations(
    table: &Section<'_>,
    recording: Option<&Recording>,
    prompts: usize,
) -> Result<Vec<f64>, ConfigError> {
    let items = table.list("microseconds")?;
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let Some(recording) = recording else {
        let help =
            "add [recording] with device = \"...\" and prompts = \"one_by_one\" or \"together\"";
        return Err(table.error(
            "microseconds: durations need a device",
            Some(help.to_owned()),
        ));
    };
    let (needed, why) = match recording.run {
        Run::OneByOne => (prompts, "one per prompt"),
        Run::Together => (1, "one for the batch"),
    };
    if items.len() != needed {
        let message = format!(
            "microseconds: has {} durations, must have {needed}: {why}",
            items.len()
        );
        return Err(table.error(message, None));
    }
    let duration = |item: &At<'_, _>| Ok(item.number(0.0..=LONGEST_US)?.value);
    items.iter().map(duration).collect()
}

/// What reading tensors needs.
struct Tensors<'a> {
    ops: &'a [Op],
    prompts: &'a [Prompt],
    headers: Headers<'a>,
}

impl Tensors<'_> {
    fn read(mut self, file: &Section<'_>) -> Result<Vec<Tensor>, ConfigError> {
        const KEYS: [&str; 6] = ["op", "weight", "prompt", "file", "name", "best_rank_error"];
        let mut tensors: Vec<Tensor> = Vec::new();
        for table in file.sections("tensor", &KEYS)? {
            let tensor = self.tensor(&table)?;
            if tensors.iter().any(|other| other.of == tensor.of) {
                return Err(table.error("is the second tensor of the same op and prompt", None));
            }
            tensors.push(tensor);
        }
        Ok(tensors)
    }

    fn tensor(&mut self, table: &Section<'_>) -> Result<Tensor, ConfigError> {
        let (of, shape, dtype, named) = match (table.has("op"), table.has("weight")) {
            (true, false) => self.activation(table)?,
            (false, true) => self.weight(table)?,
            _ => {
                let message =
                    "must have either op = \"...\" and prompt = \"...\", or weight = \"...\"";
                return Err(table.error(message, None));
            }
        };
        let file = table.text("file")?;
        let name = table
            .optional_text("name")?
            .map_or(named, |name| name.value);
        self.headers.check(&file, &name, &shape, dtype)?;
        Ok(Tensor {
            of,
            file: file.value,
            name,
            best_rank_error: best_rank_error(table)?,
        })
    }

    fn activation(
        &self,
        table: &Section<'_>,
    ) -> Result<(Of, Vec<u64>, Dtype, String), ConfigError> {
        let op_name = table.text("op")?;
        let place = self.op(&op_name)?;
        let prompt = table.text("prompt")?;
        let Some(index) = self.prompts.iter().position(|p| p.id == prompt.value) else {
            let near = nearest(&prompt.value, self.prompts.iter().map(|p| p.id.as_str()));
            let help = near.map(|near| format!("did you mean \"{near}\"?"));
            return Err(prompt.error("must be the id of a prompt", help));
        };
        let op = &self.ops[place];
        if op.shape.channels().is_none() {
            let message = format!(
                "has shape {}, only results of shape [\"S\", channels] are recorded",
                op.shape
            );
            return Err(op_name.error(message, None));
        }
        let shape = op.shape.at(self.prompts[index].length);
        let of = Of::Activation(OpId(place), PromptId(index));
        Ok((of, shape, op.dtype, op.name.clone()))
    }

    fn weight(&self, table: &Section<'_>) -> Result<(Of, Vec<u64>, Dtype, String), ConfigError> {
        let op_name = table.text("weight")?;
        let place = self.op(&op_name)?;
        let op = &self.ops[place];
        if op.kind != Kind::Linear {
            let message = format!(
                "is an op of kind {}, only linear ops have weights",
                op.kind.name()
            );
            return Err(op_name.error(message, None));
        }
        let input = &self.ops[op.inputs[0].0].shape;
        let shape = [op, &self.ops[op.inputs[0].0]].map(|op| {
            let channels = op.shape.channels();
            u64::from(channels.unwrap_or_else(|| panic!("linear of {input} to {}", op.shape)))
        });
        let name = format!("{}.weight", op.name);
        Ok((Of::Weight(OpId(place)), shape.to_vec(), op.dtype, name))
    }

    fn op(&self, name: &At<'_, String>) -> Result<usize, ConfigError> {
        self.ops
            .iter()
            .position(|op| op.name == name.value)
            .ok_or_else(|| {
                let near = nearest(&name.value, self.ops.iter().map(|op| op.name.as_str()));
                let help = near.map(|near| format!("did you mean \"{near}\"?"));
                name.error("must be the name of an op", help)
            })
    }
}

fn best_rank_error(table: &Section<'_>) -> Result<Vec<(usize, f64)>, ConfigError> {
    let mut errors = Vec::new();
    for (rank, error) in table.entries("best_rank_error")? {
        match rank.parse::<usize>() {
            Ok(rank) if rank > 0 => errors.push((rank, error.number(0.0..=1.0)?.value)),
            _ => return Err(error.error("must be under a rank, such as \"10\" = 0.5", None)),
        }
    }
    Ok(errors)
}

/// Values whose range lies within 32 bits.
fn narrow(value: u64) -> u32 {
    u32::try_from(value).expect("a range within 32 bits")
}
