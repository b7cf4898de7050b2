//! A scenario: a model, a batch, GPUs, D-com machines and a plan, and what comes of them.

use std::path::{Path, PathBuf};

use dcom_arch::ArchParams;
use dcom_config::{ConfigError, Source, schema};
use dcom_mapper::WorkloadParams;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef as _;
use petgraph::{Direction, algo};
use serde::Serialize;
use thiserror::Error;

use crate::algorithm::{Problem, lanczos_eager, lanczos_fused};
use crate::decomposer::{Decomposer, DecomposerError, Job as DcomJob};
use crate::gpu::{Gpu, Gpus, Parallelism};
use crate::graph::{Attention, Batch, Graph, model_graph};
use crate::memory::{model_activations, weights};
use crate::model::Model;
use crate::op::{Decomposition, Kernels, Op, Work};
use crate::plan::{Plan, PlanError};
use crate::real;
use crate::schedule::{self, Job, Jobs, Schedule, ScheduleError};

/// Which part of an inference is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// All tokens of the prompts at once.
    Prefill,
    /// One token after these.
    Decode,
}

/// What may happen at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// A micro-batch begins when the one before is done.
    Serial,
    /// Micro-batches follow each other through GPUs and D-com; a layer of a micro-batch waits for its decomposition.
    Overlapped,
    /// No layer waits for its decomposition, which only has to keep up: the paper's reading, and a lower bound.
    Hidden,
}

/// Whose memory A streams from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hbm {
    /// D-com has memory of its own.
    Own,
    /// A stays in the memory of a GPU, which loses the bandwidth that D-com takes.
    Shared,
}

/// What decomposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecomposeOn {
    /// D-com.
    Dcom,
    /// One GPU, kernel by kernel as PyTorch would.
    GpuEager,
    /// One GPU with fused kernels at its memory's pace.
    GpuFused,
}

schema! {
    /// A scenario, as read from a file under `configs/scenarios`. Paths are relative to where the command runs.
    pub struct Scenario("scenario", marks optional) {
        /// Name, for reports.
        "scenario.name" name: text;
        /// Model file.
        "files.model" model: text;
        /// GPU file.
        "files.gpu" gpu: text;
        /// Machine file of D-com.
        "files.arch" arch: text;
        /// Workload file: how a decomposition is mapped; its shape, rank and iterations follow from model and plan.
        "files.workload" workload: text;
        /// Plan file; `none` decomposes nothing.
        "files.plan" plan: text, default "none";
        /// Prompts that run at once.
        "batch.prompts" prompts: u32 in 1..=65536, unit "prompts";
        /// Tokens of a prompt; in decode those before the new one.
        "batch.tokens" tokens: u32 in 1..=1_048_576, unit "tokens";
        /// Prefill or decode.
        "batch.phase" phase: choice<Phase> { Prefill: "prefill", Decode: "decode" }, default "prefill";
        /// Parts of a batch that run after each other; they must be equally large.
        "batch.micro_batches" micro_batches: u32 in 1..=65536, unit "parts", default 1;
        /// Batches of the whole task.
        "batch.batches" batches: u32 in 1..=1_000_000_000, unit "batches", default 1;
        /// GPUs.
        "system.gpus" gpus: u32 in 1..=1024, unit "GPUs", default 1;
        /// How GPUs share the work.
        "system.parallelism" parallelism: choice<Parallelism> { Tensor: "tensor", Data: "data", Layers: "layers" }, default "tensor";
        /// D-com machines; the prompts of a decomposition are dealt over them.
        "system.decomposers" decomposers: u32 in 1..=1024, unit "machines", default 1;
        /// What decomposes.
        "system.decompose_on" decompose_on: choice<DecomposeOn> { Dcom: "dcom", GpuEager: "gpu_eager", GpuFused: "gpu_fused" }, default "dcom";
        /// What may happen at the same time.
        "system.policy" policy: choice<Policy> { Serial: "serial", Overlapped: "overlapped", Hidden: "hidden" }, default "overlapped";
        /// Whose memory A streams from.
        "system.hbm" hbm: choice<Hbm> { Own: "own", Shared: "shared" }, default "own";
        /// How attention is computed.
        "kernels.attention" attention: choice<Attention> { Naive: "naive", Fused: "fused" }, default "fused";
        /// How elementwise work is written.
        "kernels.elementwise" elementwise: choice<Kernels> { Eager: "eager", Fused: "fused" }, default "fused";
    }
}

/// Why a scenario has no result.
#[derive(Debug, Error)]
pub enum ScenarioError {
    /// A file or an override.
    #[error(transparent)]
    Config(Box<ConfigError>),
    /// The plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A plan for layers that the model does not have.
    #[error("{plan} decomposes layer {layer}; {model} has {layers} layers, 0 to {last}", last = layers - 1)]
    Layer {
        /// The plan.
        plan: String,
        /// Its layer.
        layer: u32,
        /// The model.
        model: String,
        /// Layers of the model.
        layers: u32,
    },
    /// A decomposition.
    #[error(transparent)]
    Decomposer(#[from] DecomposerError),
    /// The schedule.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
}

impl From<ConfigError> for ScenarioError {
    fn from(error: ConfigError) -> ScenarioError {
        ScenarioError::Config(Box::new(error))
    }
}

/// What a scenario's files hold.
#[derive(Debug)]
pub struct System {
    /// The model.
    pub model: Model,
    /// The GPUs.
    pub gpus: Gpus,
    /// D-com.
    pub decomposer: Decomposer,
    /// The plan.
    pub plan: Plan,
}

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// File, line, key, value and range of what is wrong.
    pub fn read(path: &Path) -> Result<Scenario, ConfigError> {
        Scenario::parse(Source::read(path)?)
    }

    /// Reads the files that it names.
    ///
    /// # Errors
    /// File, line, key, value and range of what is wrong.
    pub fn open(&self) -> Result<System, ScenarioError> {
        let arch = ArchParams::parse(Source::read(Path::new(&self.arch))?)?;
        let workload = WorkloadParams::parse(Source::read(Path::new(&self.workload))?)?;
        let model = Model::read(Path::new(&self.model))?;
        let plan = match self.plan.as_str() {
            "none" => Plan::default(),
            path => Plan::read(&PathBuf::from(path))?,
        };
        self.system(
            model,
            Gpu::read(Path::new(&self.gpu))?,
            Decomposer::new(&arch, &workload)?,
            plan,
        )
    }

    /// The same from what was read already.
    ///
    /// # Errors
    /// Prompts that do not divide into micro-batches, a plan for layers that are not there.
    pub fn system(
        &self,
        model: Model,
        gpu: Gpu,
        decomposer: Decomposer,
        plan: Plan,
    ) -> Result<System, ScenarioError> {
        if !self.prompts.is_multiple_of(self.micro_batches) {
            let message = format!("{} prompts are not divided evenly", self.prompts);
            return Err(self
                .document()
                .error_at("batch.micro_batches", message, None)
                .into());
        }
        if let Some((layer, _)) = plan.decomposed().find(|(layer, _)| *layer >= model.layers) {
            return Err(ScenarioError::Layer {
                plan: plan.name.clone(),
                layer,
                model: model.name.clone(),
                layers: model.layers,
            });
        }
        let gpus = Gpus {
            gpu,
            count: self.gpus,
            parallelism: self.parallelism,
            kernels: self.elementwise,
            element_bytes: model.element_bytes.into(),
        };
        Ok(System {
            model,
            gpus,
            decomposer,
            plan,
        })
    }

    /// What runs at once: a micro-batch.
    #[must_use]
    pub fn batch(&self) -> Batch {
        let prompts = u64::from(self.prompts / self.micro_batches);
        match self.phase {
            Phase::Prefill => Batch::prefill(prompts, self.tokens.into()),
            Phase::Decode => Batch::decode(prompts, self.tokens.into()),
        }
    }

    /// Runs the scenario.
    ///
    /// # Errors
    /// A decomposition that does not fit the machine.
    pub fn evaluate(&self, system: &System) -> Result<Evaluation, ScenarioError> {
        let planned = self.times(system, &system.plan)?;
        let original = self.times(system, &Plan::default())?;
        let schedule = self.schedule(system, &planned)?;
        let original_us = self.schedule(system, &original)?.us;
        let decomposition = |on| {
            let mut sum = 0.0;
            for op in planned.graph.node_weights() {
                if let Work::Decompose(decomposition) = &op.work {
                    sum += self.decomposition_us(system, decomposition, on)?;
                }
            }
            Ok::<f64, ScenarioError>(sum * f64::from(self.micro_batches))
        };
        Ok(Evaluation {
            original_us,
            dcom_us: decomposition(DecomposeOn::Dcom)?,
            gpu_eager_us: decomposition(DecomposeOn::GpuEager)?,
            gpu_fused_us: decomposition(DecomposeOn::GpuFused)?,
            activation_bytes: model_activations(&system.model, self.tokens.into(), &system.plan),
            weight_bytes: weights(&system.model, &system.plan),
            ops: planned.table(),
            schedule,
        })
    }

    fn times(&self, system: &System, plan: &Plan) -> Result<Timed, ScenarioError> {
        let graph = model_graph(&system.model, self.batch(), self.attention, plan);
        let times = graph
            .node_weights()
            .map(|op| {
                if let Work::Decompose(decomposition) = &op.work {
                    let us = self.decomposition_us(system, decomposition, self.decompose_on)?;
                    let taken = self.taken_share(system, decomposition)?;
                    return Ok(OpTime::of(
                        op,
                        us,
                        1.0,
                        taken,
                        self.decompose_on == DecomposeOn::Dcom,
                    ));
                }
                let time = system.gpus.time(op);
                let share = if time.memory_bound() {
                    time.memory_us / time.us
                } else {
                    0.0
                };
                Ok(OpTime::of(op, time.us, share, 0.0, false))
            })
            .collect::<Result<_, ScenarioError>>()?;
        Ok(Timed { graph, times })
    }

    /// Time of a decomposition (us).
    fn decomposition_us(
        &self,
        system: &System,
        decomposition: &Decomposition,
        on: DecomposeOn,
    ) -> Result<f64, ScenarioError> {
        let gpu = &system.gpus.gpu;
        let problem = Problem::of(decomposition, system.gpus.element_bytes);
        match on {
            DecomposeOn::Dcom => Ok(self.dealt(system, decomposition)?.us),
            DecomposeOn::GpuEager => Ok(lanczos_eager(gpu, &problem).us()),
            DecomposeOn::GpuFused => Ok(lanczos_fused(gpu, &problem).us()),
        }
    }

    /// What the D-com with the most prompts does.
    fn dealt(
        &self,
        system: &System,
        decomposition: &Decomposition,
    ) -> Result<DcomJob, DecomposerError> {
        system.decomposer.job(&Decomposition {
            prompts: decomposition.prompts.div_ceil(self.decomposers),
            ..*decomposition
        })
    }

    /// Part of a GPU's memory bandwidth that a decomposition takes.
    fn taken_share(
        &self,
        system: &System,
        decomposition: &Decomposition,
    ) -> Result<f64, ScenarioError> {
        match (self.hbm, self.decompose_on) {
            (Hbm::Shared, DecomposeOn::Dcom) => {
                // Every D-com streams from the memory of a GPU of its own, as long as there are enough.
                let per_gpu = f64::from(self.decomposers.div_ceil(self.gpus));
                let taken = self.dealt(system, decomposition)?.memory_gb_per_s();
                Ok(per_gpu * taken / system.gpus.gpu.bandwidth)
            }
            _ => Ok(0.0),
        }
    }

    fn schedule(&self, system: &System, timed: &Timed) -> Result<Schedule, ScenarioError> {
        let stages = match self.parallelism {
            Parallelism::Layers => self.gpus,
            Parallelism::Tensor | Parallelism::Data => 1,
        };
        let stage_of = |layer: u32| {
            let stage = u64::from(layer) * u64::from(stages) / u64::from(system.model.layers);
            usize::try_from(stage).expect("below the number of GPUs")
        };
        let stage = |op: &Op| match op.layer {
            Some(layer) => stage_of(layer),
            None if op.name == "embed" => 0,
            None => stages as usize - 1,
        };
        let mut machines: Vec<String> = match (stages, self.gpus) {
            (1, 1) => vec!["GPU".to_owned()],
            (1, count) => vec![format!("{count} GPUs")],
            _ => (0..stages).map(|index| format!("GPU {index}")).collect(),
        };
        let decomposers = machines.len();
        machines.push("D-com".to_owned());

        let mut jobs = Jobs::with_capacity(0, 0);
        let order = algo::toposort(&timed.graph, None).expect("ops were added after their inputs");
        let mut last_of_previous: Option<NodeIndex> = None;
        for part in 0..self.micro_batches {
            let mut of = vec![NodeIndex::end(); timed.graph.node_count()];
            for (position, op) in order.iter().enumerate() {
                let time = &timed.times[op.index()];
                let node = &timed.graph[*op];
                let job = jobs.add_node(Job {
                    name: name_of(node, part, self.micro_batches),
                    machine: if time.on_dcom {
                        decomposers
                    } else {
                        stage(node)
                    },
                    us: time.us,
                    memory_share: time.memory_share,
                    takes_share: time.takes_share,
                });
                of[op.index()] = job;
                for edge in timed.graph.edges_directed(*op, Direction::Incoming) {
                    let hidden =
                        self.policy == Policy::Hidden && timed.times[edge.source().index()].on_dcom;
                    if !hidden {
                        jobs.update_edge(of[edge.source().index()], job, ());
                    }
                }
                if let (0, Policy::Serial, Some(last)) = (position, self.policy, last_of_previous) {
                    jobs.update_edge(last, job, ());
                }
            }
            last_of_previous = order.last().map(|op| of[op.index()]);
        }
        Ok(schedule::run(&jobs, &machines)?)
    }
}

fn name_of(op: &Op, part: u32, parts: u32) -> String {
    let name = match op.layer {
        Some(layer) => format!("layer {layer} {}", op.name),
        None => op.name.clone(),
    };
    if parts == 1 {
        name
    } else {
        format!("{name}, part {part}")
    }
}

/// A graph with a time for every op.
struct Timed {
    graph: Graph,
    /// By node.
    times: Vec<OpTime>,
}

impl Timed {
    fn table(self) -> Vec<OpTime> {
        self.times
    }
}

/// Time of an op.
#[derive(Clone, Debug, Serialize)]
pub struct OpTime {
    /// Decoder layer.
    pub layer: Option<u32>,
    /// Name.
    pub name: String,
    /// Shape, for readers.
    pub shape: String,
    /// Operations.
    pub flops: u64,
    /// Whether D-com does it.
    pub on_dcom: bool,
    /// Time of a micro-batch, undisturbed (us).
    pub us: f64,
    /// Part of it bound by the memory.
    pub memory_share: f64,
    /// Part of a GPU's memory bandwidth that it takes from others.
    pub takes_share: f64,
}

impl OpTime {
    fn of(op: &Op, us: f64, memory_share: f64, takes_share: f64, on_dcom: bool) -> OpTime {
        OpTime {
            layer: op.layer,
            name: op.name.clone(),
            shape: op.shape(),
            flops: op.flops(),
            on_dcom,
            us,
            memory_share,
            takes_share,
        }
    }
}

/// What comes of a scenario. Times are of one batch.
#[derive(Clone, Debug, Serialize)]
pub struct Evaluation {
    /// Without a plan (us).
    pub original_us: f64,
    /// All decompositions on D-com, one after the other (us).
    pub dcom_us: f64,
    /// The same on a GPU, kernel by kernel (us).
    pub gpu_eager_us: f64,
    /// The same on a GPU with fused kernels (us).
    pub gpu_fused_us: f64,
    /// Activations of a prompt, original and planned (B).
    pub activation_bytes: (u64, u64),
    /// Weights, original and planned (B).
    pub weight_bytes: (u64, u64),
    /// Ops of a micro-batch in the order of the graph.
    pub ops: Vec<OpTime>,
    /// Who ran when.
    pub schedule: Schedule,
}

impl Evaluation {
    /// Time of a batch (us).
    #[must_use]
    pub fn us(&self) -> f64 {
        self.schedule.us
    }

    /// Time with the plan over time without.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.us() / self.original_us
    }

    /// Part of the activations' memory that the plan saves.
    #[must_use]
    pub fn activation_reduction(&self) -> f64 {
        crate::memory::reduction(self.activation_bytes)
    }

    /// Part of the weights' memory that the plan saves.
    #[must_use]
    pub fn weight_reduction(&self) -> f64 {
        crate::memory::reduction(self.weight_bytes)
    }

    /// Part of the time that a machine works.
    #[must_use]
    pub fn utilization(&self, machine: usize) -> f64 {
        self.schedule
            .machines
            .get(machine)
            .map_or(0.0, |m| m.busy_us / self.us())
    }

    /// Operations of a micro-batch.
    #[must_use]
    pub fn flops(&self) -> f64 {
        real(self.ops.iter().map(|op| op.flops).sum())
    }
}
