//! `dcom eval`: what a decomposition plan does to the answers of a model.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::ValueEnum;
use dcom_arch::{Arch, ArchParams};
use dcom_llm::Plan;
use dcom_mapper::WorkloadParams;
use dcom_model::{
    Answer, Device, Method, Model, ModelError, OutlierChoice, Perplexity, Question, Treatment,
    Windows, choose, perplexity, questions, score,
};
use dcom_report::{Cell, Column};
use dcom_trace::{Calibration, Decomposer};
use serde_json::{Value, json};

use crate::decompose;
use crate::failure::Failure;
use crate::output;
use crate::progress;
use crate::text::{Facts, fixed_cell, percent, section};

/// Subcommands of `dcom eval`.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Perplexity of a text
    Perplexity(PerplexityArgs),
    /// Share of multiple-choice questions answered rightly
    Choices(ChoicesArgs),
}

/// Which model, and what is done to it.
#[derive(clap::Args)]
pub(crate) struct Treated {
    /// Checkpoint of a Llama: config.json, *.safetensors, tokenizer.json (none for a model on bytes)
    #[arg(long, value_name = "FOLDER")]
    model: PathBuf,
    /// Decomposition plan, such as configs/plans/tinyllama-2-5.toml; the model is also run without it
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// What computes the factors
    #[arg(long, value_enum, default_value_t = By::Svd, requires = "plan")]
    by: By,
    /// Machine whose bits are computed (with --by machine)
    #[arg(long, value_name = "FILE", requires = "plan")]
    arch: Option<PathBuf>,
    /// Take the mapping from this workload file (with --by machine)
    #[arg(long, value_name = "FILE", requires = "arch")]
    workload: Option<PathBuf>,
    /// Outlier rules of `dcom calibrate`, instead of the plan's outlier_percent
    #[arg(long, value_name = "FILE", requires = "plan")]
    outliers: Option<PathBuf>,
    /// Run on this CUDA device; needs a build with `--features cuda`
    #[arg(long, value_name = "N")]
    cuda: Option<usize>,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

/// What computes factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum By {
    /// The best factors of the rank, in float64
    Svd,
    /// Lanczos iterations in float64
    Lanczos,
    /// The machine's program, bit by bit
    Machine,
}

/// Which part of a text.
#[derive(clap::Args)]
pub(crate) struct TextArgs {
    /// Text in UTF-8, or any file for a model on bytes
    #[arg(long, value_name = "FILE")]
    text: PathBuf,
    /// Tokens of a window [default: as many as the model takes, at most 2048]
    #[arg(long, value_name = "N")]
    window: Option<usize>,
    /// Tokens before the first window
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: usize,
    /// How many windows, one behind the other [default: as many as the text has]
    #[arg(long, value_name = "N")]
    windows: Option<usize>,
}

/// Arguments of `dcom eval perplexity`.
#[derive(clap::Args)]
#[command(after_help = PERPLEXITY_HELP)]
pub(crate) struct PerplexityArgs {
    #[command(flatten)]
    treated: Treated,
    #[command(flatten)]
    text: TextArgs,
}

const PERPLEXITY_HELP: &str = "\
exp of the mean of -log P(token | those before it in its window); the first token of a window is given. A decomposition is
computed from all tokens of a window: in a planned layer a token sees what comes after it. More in docs/quality.md.

Examples:
  dcom eval perplexity --model crates/dcom-model/fixtures/tinyllama \\
    --text crates/dcom-model/fixtures/tinyllama/valid-a.txt --windows 24 --plan configs/plans/tinyllama-2-5.toml
  dcom eval perplexity ... --by machine --arch configs/arch/dcom-paper.toml";

/// Arguments of `dcom eval choices`.
#[derive(clap::Args)]
#[command(after_help = CHOICES_HELP)]
pub(crate) struct ChoicesArgs {
    #[command(flatten)]
    treated: Treated,
    /// Questions, one JSON object a line: question, choices, answer (also in both forms in which ARC is published)
    #[arg(long, value_name = "FILE")]
    jsonl: PathBuf,
    /// Ask only the first questions
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

const CHOICES_HELP: &str = "\
The answer of the model is the choice that it finds most likely behind `Question: ...\\nAnswer:`; per byte, the likelihood is divided
by the length of the choice.

Example:
  dcom eval choices --model llama-2-7b --jsonl ARC-Easy-Test.jsonl --plan configs/plans/paper-best.toml --cuda 0";

/// Runs the command.
///
/// # Errors
/// Bad input, or results that cannot be written.
pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Perplexity(args) => run_perplexity(args),
        Command::Choices(args) => run_choices(args),
    }
}

impl TextArgs {
    /// The windows of the text as the model reads it, and their length.
    pub(crate) fn windows(&self, model: &Model) -> Result<(Vec<Vec<u32>>, usize), Failure> {
        // Assumed: the window that papers use for WikiText.
        const USUAL: usize = 2048;
        let text = crate::input::bytes(&self.text)?;
        let tokens = progress::during("reading tokens", || model.tokens().encode(&text, false))?;
        let length = self.window.unwrap_or(model.config().positions.min(USUAL));
        let windows = Windows {
            length,
            offset: self.offset,
            count: self.windows,
        };
        Ok((windows.cut(&tokens)?, length))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.text
    }

    pub(crate) fn offset(&self) -> usize {
        self.offset
    }
}

/// The device that a model runs on.
pub(crate) fn device(cuda: Option<usize>) -> Result<Device, Failure> {
    match cuda {
        None => Ok(Device::Cpu),
        Some(index) => Device::new_cuda(index).map_err(|error| {
            Failure::input_with_help(
                format!("--cuda {index}: {error}"),
                "a build for GPUs: cargo build --release --features cuda, with the CUDA toolkit installed",
            )
        }),
    }
}

/// What the files of a treatment say, read before anything runs.
struct Inputs {
    plan: Plan,
    machine: Option<(Arch, WorkloadParams)>,
    rules: OutlierChoice,
}

impl Treated {
    fn open(&self) -> Result<(Model, Option<Inputs>), Failure> {
        let machine = match (self.by, &self.arch) {
            (By::Machine, Some(arch)) => {
                let (arch, workload) = decompose::parameters(Some(arch), self.workload.as_deref())?;
                Some((machine(&arch)?, workload))
            }
            (By::Machine, None) => {
                let message = "--by machine: needs --arch, such as configs/arch/dcom-paper.toml";
                return Err(Failure::input(message));
            }
            (_, Some(_)) => {
                return Err(Failure::input(
                    "--arch: only --by machine computes on a machine",
                ));
            }
            (_, None) => None,
        };
        let inputs = match &self.plan {
            None => None,
            Some(path) => Some(Inputs {
                plan: Plan::read(path).map_err(|error| Failure::input(error.to_string()))?,
                machine,
                rules: match &self.outliers {
                    None => OutlierChoice::Percent,
                    Some(path) => OutlierChoice::Rules(Calibration::read(path)?),
                },
            }),
        };
        let model = Model::open(&self.model, device(self.cuda)?)?;
        Ok((model, inputs))
    }

    fn json(&self, model: &Model) -> Value {
        json!({
            "version": dcom_sweep::VERSION,
            "model": model.folder().display().to_string(),
            "plan": self.plan.as_ref().map(|path| path.display().to_string()),
            "by": self.plan.as_ref().map(|_| format!("{:?}", self.by).to_lowercase()),
            "outlier_rules": self.outliers.as_ref().map(|path| path.display().to_string()),
        })
    }
}

fn machine(params: &ArchParams) -> Result<Arch, Failure> {
    Ok(Arch::new(params)?)
}

impl Inputs {
    fn treatment(&self, by: By) -> Result<Treatment<'_>, Failure> {
        let method = match (by, &self.machine) {
            (By::Svd, _) => Method::Svd,
            (By::Lanczos, _) => Method::Lanczos,
            (By::Machine, machine) => {
                let (arch, workload) = machine.as_ref().expect("--by machine has an arch");
                Method::Machine(Decomposer::new(arch, workload.clone())?)
            }
        };
        Ok(Treatment::new(&self.plan, method, self.rules.clone()))
    }
}

/// A result without and with the plan, and the seconds that each took.
struct Both<T> {
    original: (T, f64),
    planned: Option<(T, f64)>,
}

fn both<T>(
    inputs: Option<&Inputs>,
    by: By,
    work: impl Fn(Option<&Treatment<'_>>) -> Result<T, ModelError>,
) -> Result<Both<T>, Failure> {
    let timed = |treatment: Option<&Treatment<'_>>, what| -> Result<(T, f64), Failure> {
        let started = Instant::now();
        let result = progress::during(what, || work(treatment))?;
        Ok((result, started.elapsed().as_secs_f64()))
    };
    let treatment = inputs.map(|inputs| inputs.treatment(by)).transpose()?;
    Ok(Both {
        original: timed(None, "running the model")?,
        planned: treatment
            .map(|treatment| timed(Some(&treatment), "running the model under the plan"))
            .transpose()?,
    })
}

fn run_perplexity(args: &PerplexityArgs) -> Result<(), Failure> {
    let (model, inputs) = args.treated.open()?;
    let (windows, length) = args.text.windows(&model)?;
    let found = both(inputs.as_ref(), args.treated.by, |treatment| {
        perplexity(&model, &windows, treatment)
    })?;
    if args.treated.json {
        let one = |(p, seconds): &(Perplexity, f64)| json!({"perplexity": p.value(), "nats": p.nats(), "window_nats": p.window_nats, "seconds": seconds});
        let mut json = args.treated.json(&model);
        json["text"] = args.text.text.display().to_string().into();
        json["window"] = length.into();
        json["offset"] = args.text.offset.into();
        json["windows"] = windows.len().into();
        json["original"] = one(&found.original);
        json["planned"] = found.planned.as_ref().map(one).into();
        return output::print(&format!("{json:#}\n"));
    }
    let unit = model.tokens().unit();
    let mut facts = Facts::default();
    let (original, seconds) = &found.original;
    facts.add(
        "perplexity",
        format!("{:.4} per {unit}, in {seconds:.1} s", original.value()),
    );
    if let Some((planned, seconds)) = &found.planned {
        facts.add(
            "under the plan",
            format!(
                "{:.4}, {:.3} times that, in {seconds:.1} s",
                planned.value(),
                planned.value() / original.value()
            ),
        );
    }
    output::print(&format!(
        "{}: {} windows of {length} {unit}s from {unit} {} of {} on\n{}",
        model.folder().display(),
        windows.len(),
        args.text.offset,
        args.text.text.display(),
        facts.to_text()
    ))
}

fn run_choices(args: &ChoicesArgs) -> Result<(), Failure> {
    let (model, inputs) = args.treated.open()?;
    let mut asked = questions(&args.jsonl)?;
    if let Some(limit) = args.limit {
        asked.truncate(usize::try_from(limit).expect("32 bits"));
    }
    let found = both(inputs.as_ref(), args.treated.by, |treatment| {
        choose(&model, &asked, treatment)
    })?;
    let text = if args.treated.json {
        let mut json = args.treated.json(&model);
        json["jsonl"] = args.jsonl.display().to_string().into();
        json["original"] = answers_json(&asked, &found.original);
        json["planned"] = found
            .planned
            .as_ref()
            .map(|planned| answers_json(&asked, planned))
            .into();
        format!("{json:#}\n")
    } else {
        let row = |name: &str, (answers, seconds): &(Vec<Answer>, f64)| {
            let score = score(answers);
            vec![
                Cell::Text(name.to_owned()),
                Cell::Text(percent(score.accuracy)),
                Cell::Text(percent(score.accuracy_per_byte)),
                fixed_cell(*seconds, 1),
            ]
        };
        let mut rows = vec![row("as it is", &found.original)];
        rows.extend(
            found
                .planned
                .as_ref()
                .map(|planned| row("under the plan", planned)),
        );
        let columns = vec![
            Column::new("model"),
            Column::new("right").unit("%"),
            Column::new("right per byte").unit("%"),
            Column::new("time").unit("s"),
        ];
        let (folder, file) = (model.folder().display(), args.jsonl.display());
        format!(
            "{folder}: {} questions of {file}\n{}",
            asked.len(),
            section(columns, rows)
        )
    };
    output::print(&text)
}

fn answers_json(asked: &[Question], (answers, seconds): &(Vec<Answer>, f64)) -> Value {
    let score = score(answers);
    let one = |(question, answer): (&Question, &Answer)| {
        json!({
            "line": question.line,
            "answer": question.answer,
            "log_likelihoods": answer.log_likelihoods,
            "right": answer.right,
            "right_per_byte": answer.right_per_byte,
        })
    };
    json!({
        "accuracy": score.accuracy,
        "accuracy_per_byte": score.accuracy_per_byte,
        "seconds": seconds,
        "questions": asked.iter().zip(answers).map(one).collect::<Vec<_>>(),
    })
}
