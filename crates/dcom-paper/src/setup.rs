//! The paper's scenario, and the three constants of the A100 that are fitted.

use std::path::Path;

use dcom_config::ConfigError;
use dcom_llm::{
    Evaluation, Flow, Gpu, LayerPlan, Outliers, Plan, Problem, Scenario, ScenarioError, System,
    lanczos_eager,
};

use crate::tables::Row;

/// The scenario file of Tables 2 and 3.
pub(crate) const SCENARIO: &str = "configs/scenarios/paper-table2.toml";

/// Table 2: runtime of the original model (s, given).
pub(crate) const ORIGINAL_S: f64 = 122.0;

/// Layers, rank and seconds of the two rows of Table 2 that the A100's decomposition is fitted to (given).
pub(crate) const FITTED_ROWS: [(u32, u32, f64); 2] = [(4, 1, 14.2), (4, 20, 42.6)];

/// The paper's scenario with its files.
#[derive(Debug)]
pub struct Setup {
    /// The scenario.
    pub scenario: Scenario,
    /// Its files.
    pub system: System,
}

impl Setup {
    /// Reads the scenario, with overrides.
    ///
    /// # Errors
    /// File, line, key, value and range of what is wrong.
    pub fn read(set: &[(&str, &str)]) -> Result<Setup, ScenarioError> {
        let mut scenario = Scenario::read(Path::new(SCENARIO))?;
        for (key, value) in set {
            scenario.set(key, value)?;
        }
        let system = scenario.open()?;
        Ok(Setup { scenario, system })
    }

    /// Evaluates a plan.
    ///
    /// # Errors
    /// A decomposition that does not fit the machine.
    pub fn evaluate(&mut self, plan: Plan) -> Result<Evaluation, ScenarioError> {
        self.system.plan = plan;
        self.scenario.evaluate(&self.system)
    }

    /// Microseconds of a batch as seconds of the whole task.
    #[must_use]
    pub fn seconds(&self, us: f64) -> f64 {
        us * f64::from(self.scenario.batches) * 1e-6
    }

    /// A decomposition of a layer's input over a whole batch.
    #[must_use]
    pub fn problem(&self, rank: u32) -> Problem {
        Problem {
            prompts: self.scenario.prompts.into(),
            rows: self.scenario.tokens.into(),
            columns: self.system.model.hidden.into(),
            iterations: rank.into(),
            element_bytes: self.system.gpus.element_bytes,
            gram_schmidt_passes: 1,
        }
    }
}

/// The plan of a row: K = r, outliers as printed, kept exactly; the weights' rank is that of the activations.
#[must_use]
pub(crate) fn plan_of(row: &Row, layers: u32) -> Plan {
    let rank = row.rank.unwrap_or(1);
    let layer = LayerPlan {
        rank,
        iterations: rank,
        weight_rank: row.with_weights().then_some(rank),
        outlier_percent: row.outlier_percent.unwrap_or_default(),
        outliers: Outliers::Exact,
        outlier_rank: rank,
    };
    Plan::uniform(&row.name(), Flow::default(), &row.layers(layers), layer)
}

/// The A100's fitted constants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constants {
    /// Part of the peak that matrix products reach; fitted to the 122 s of the original model.
    pub product_efficiency: f64,
    /// Time of a kernel of the eager decomposition (us); fitted with the next to ranks 1 and 20 of the four-layer row.
    pub eager_us: f64,
    /// Time per prompt beside the kernels (us).
    pub prompt_us: f64,
}

impl Constants {
    /// Those of a GPU file.
    #[must_use]
    pub fn of(gpu: &Gpu) -> Constants {
        Constants {
            product_efficiency: gpu.product_efficiency,
            eager_us: gpu.eager_us,
            prompt_us: gpu.decomposition_prompt_us,
        }
    }

    /// Whether both are the same to the digits that files have.
    #[must_use]
    pub fn close_to(self, other: Constants) -> bool {
        let near = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-6;
        near(self.product_efficiency, other.product_efficiency)
            && near(self.eager_us, other.eager_us)
            && near(self.prompt_us, other.prompt_us)
    }

    /// Rounded to the digits that the file has.
    #[must_use]
    pub fn rounded(self) -> Constants {
        let round = |value: f64, unit: f64| (value / unit).round() * unit;
        Constants {
            product_efficiency: round(self.product_efficiency, 0.001),
            eager_us: round(self.eager_us, 0.01),
            prompt_us: round(self.prompt_us, 0.1),
        }
    }
}

/// Fits them: the efficiency by bisection (the runtime falls with it), the other two by solving two equations in which both are
/// linear, as long as no kernel of the re-orthogonalization is bound by memory.
///
/// # Errors
/// A scenario that does not evaluate.
pub fn fit(setup: &mut Setup) -> Result<Constants, ScenarioError> {
    let (mut low, mut high) = (0.01, 1.0);
    // 2^-30 of the range: far below the digits that are kept.
    for _ in 0..30 {
        let middle = f64::midpoint(low, high);
        set(
            &mut setup.system.gpus.gpu,
            "compute.product_efficiency",
            middle,
        )?;
        let original = setup.evaluate(Plan::default())?.original_us;
        if setup.seconds(original) > ORIGINAL_S {
            low = middle;
        } else {
            high = middle;
        }
    }
    // us of a batch and layer = constant + eager x slope + prompt x prompts
    let batches = f64::from(setup.scenario.batches);
    let [first, second] = FITTED_ROWS
        .map(|(layers, rank, seconds)| (rank, seconds / f64::from(layers) / batches * 1e6));
    let mut line = |rank: u32| {
        let (few, many) = (eager_us(setup, 10.0, rank)?, eager_us(setup, 20.0, rank)?);
        let slope = (many - few) / 10.0;
        Ok::<(f64, f64), ScenarioError>((few - 10.0 * slope, slope))
    };
    let ((constant1, slope1), (constant2, slope2)) = (line(first.0)?, line(second.0)?);
    let kernel_us = ((second.1 - constant2) - (first.1 - constant1)) / (slope2 - slope1);
    let prompt_us = (first.1 - constant1 - kernel_us * slope1) / f64::from(setup.scenario.prompts);
    Ok(Constants {
        product_efficiency: f64::midpoint(low, high),
        eager_us: kernel_us,
        prompt_us,
    })
}

/// An eager decomposition of a batch with this time per kernel, and none per prompt (us).
fn eager_us(setup: &mut Setup, kernel_us: f64, rank: u32) -> Result<f64, ConfigError> {
    set(&mut setup.system.gpus.gpu, "kernel.eager_us", kernel_us)?;
    set(&mut setup.system.gpus.gpu, "decomposition.prompt_us", 0.0)?;
    let problem = setup.problem(rank);
    Ok(lanczos_eager(&setup.system.gpus.gpu, &problem).us())
}

fn set(gpu: &mut Gpu, key: &str, value: f64) -> Result<(), ConfigError> {
    gpu.set(key, &format!("{value:.12}"))
}

impl Constants {
    /// Puts them in place of those of the file.
    ///
    /// # Errors
    /// A constant out of its range.
    pub fn put(self, setup: &mut Setup) -> Result<(), ScenarioError> {
        let gpu = &mut setup.system.gpus.gpu;
        set(gpu, "compute.product_efficiency", self.product_efficiency)?;
        set(gpu, "kernel.eager_us", self.eager_us)?;
        set(gpu, "decomposition.prompt_us", self.prompt_us)?;
        Ok(())
    }
}
