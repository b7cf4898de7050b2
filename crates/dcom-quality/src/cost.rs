//! What a plan costs where it would run: time and memory by the scenario, energy by the power model.

use std::collections::BTreeMap;
use std::path::Path;

use dcom_llm::{DecomposeOn, Decomposition, Plan, Scenario, System, Work, model_graph};
use dcom_model::Config;
use dcom_power::Interval;
use dcom_sweep::{Base, evaluate};
use serde::{Deserialize, Serialize};

use crate::error::QualityError;

/// What a plan costs. Times and energies are of one batch of the scenario, bytes of activations of one prompt.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Time of a batch (us).
    pub latency_us: f64,
    /// Time that decompositions take on D-com, one after the other (us).
    pub dcom_us: f64,
    /// Energy of decompositions on D-com, with the traffic of memory and link: nominal, low, high (J).
    pub dcom_j: [f64; 3],
    /// The most that the GPUs can take in the time of a batch: their boards' power all along (J).
    pub gpu_j_at_most: f64,
    /// Activations of a prompt (B).
    pub activation_bytes: u64,
    /// Weights (B).
    pub weight_bytes: u64,
}

/// Costs of plans: technology as built in, with the decompositions evaluated so far.
pub(crate) struct Costs {
    known: BTreeMap<(String, Decomposition), Interval>,
}

impl Costs {
    pub(crate) fn new() -> Costs {
        Costs {
            known: BTreeMap::new(),
        }
    }

    /// Runs the scenario under a plan.
    pub(crate) fn of(
        &mut self,
        scenario: &Scenario,
        mut system: System,
        plan: Plan,
    ) -> Result<Cost, QualityError> {
        system.plan = plan;
        let evaluation = scenario.evaluate(&system)?;
        let energy = self.energy(scenario, &system)?;
        Ok(Cost {
            latency_us: evaluation.us(),
            dcom_us: evaluation.dcom_us,
            dcom_j: [energy.nominal, energy.low, energy.high],
            gpu_j_at_most: f64::from(scenario.gpus)
                * system.gpus.gpu.board_w
                * evaluation.us()
                * 1e-6,
            activation_bytes: evaluation.activation_bytes.1,
            weight_bytes: evaluation.weight_bytes.1,
        })
    }

    /// Energy of all decompositions of a batch on D-com.
    fn energy(&mut self, scenario: &Scenario, system: &System) -> Result<Interval, QualityError> {
        let graph = model_graph(
            &system.model,
            scenario.batch(),
            scenario.attention,
            &system.plan,
        );
        let mut sum = Interval::default();
        if scenario.decompose_on != DecomposeOn::Dcom {
            return Ok(sum);
        }
        for op in graph.node_weights() {
            if let Work::Decompose(decomposition) = &op.work {
                sum = sum + self.decomposition(scenario, decomposition)?;
            }
        }
        Ok(sum * f64::from(scenario.micro_batches))
    }

    fn decomposition(
        &mut self,
        scenario: &Scenario,
        shape: &Decomposition,
    ) -> Result<Interval, QualityError> {
        // The files decide the machine and the mapping.
        let key = (format!("{} {}", scenario.arch, scenario.workload), *shape);
        if let Some(energy) = self.known.get(&key) {
            return Ok(*energy);
        }
        let mut base = Base::read(Path::new(&scenario.arch), Path::new(&scenario.workload))?;
        for (name, value) in [
            ("workload.prompts", shape.prompts),
            ("workload.rows", shape.rows),
            ("workload.columns", shape.columns),
            ("workload.rank", shape.rank),
            ("workload.iterations", shape.iterations),
        ] {
            base.set(name, &value.to_string())?;
        }
        let power = evaluate(&base)?.power;
        let energy = power.chip_j + power.memory_j + power.link_j;
        self.known.insert(key, energy);
        Ok(energy)
    }
}

/// Refuses a scenario of another model than the checkpoint.
pub(crate) fn same_model(
    folder: &Path,
    checkpoint: &Config,
    scenario: &Scenario,
    model: &dcom_llm::Model,
) -> Result<(), QualityError> {
    for (key, found, planned) in [
        ("the number of layers", checkpoint.layers, model.layers),
        ("the number of channels", checkpoint.hidden, model.hidden),
        ("the number of heads", checkpoint.heads, model.heads),
        (
            "the number of key heads",
            checkpoint.kv_heads,
            model.kv_heads,
        ),
        (
            "the size of a head",
            checkpoint.head_size,
            model.head_channels,
        ),
        (
            "the inner size of the feed-forward part",
            checkpoint.ffn,
            model.feed_forward,
        ),
        ("the vocabulary", checkpoint.vocabulary, model.vocabulary),
    ] {
        if u32::try_from(found).ok() != Some(planned) {
            return Err(QualityError::OtherModel {
                key,
                checkpoint: found,
                folder: folder.display().to_string(),
                scenario: planned,
                model: scenario.model.clone(),
            });
        }
    }
    Ok(())
}
