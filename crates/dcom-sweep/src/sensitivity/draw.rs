//! Machines from ranges: one parameter at a time, and drawn at random.
//!
//! Sample i has a random stream of its own (ChaCha8, seed and stream i), so it is the same machine whatever the number of
//! samples or threads. Parameters are drawn independently and uniformly over their ranges: plain Monte Carlo, for
//! which the intervals of the report hold.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};
use rayon::prelude::*;

use super::ranges::{Parameter, Ranges};
use super::stats::Share;
use crate::fig12::{Curve, FACTORS, NEAR_BEST, PAPER_FACTOR, PAPER_SPEEDUP};
use crate::point::{Base, PointError, evaluate};

/// Values of a numeric range that are tried one at a time. Assumed: enough to see a kink between powers of two.
const LEVELS: u32 = 9;

/// How far C5's speed-up may be missed: the project's own tolerance.
pub(super) const TOLERANCE: f64 = 0.10;

/// How clusters follow the factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coupling {
    /// The paper's reading: f partitions of g clusters are engaged.
    Engaged,
    /// All clusters are engaged at every factor, in f partitions of C / f.
    Fixed,
}

/// Which parameters a population varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those of the machine file; the mapping is the paper's configuration.
    Machine,
    /// All.
    All,
}

/// Latency over the factor of one machine that can be built at f = 1 and at the paper's factor; other factors may be missing.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The curve.
    pub curve: Curve,
    /// The best factor: the smallest within 2 % of the best latency, as in the Fig. 12 report.
    pub best: u32,
    /// The fastest factor to the last cycle, the smallest of equals.
    pub fastest: u32,
    /// Factors within 2 % of the best latency: the best one alone, or ties.
    pub near: Vec<u32>,
    /// Time at f = 1 over time at the best factor.
    pub speedup: f64,
}

/// Why a machine cannot be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The key to blame.
    pub key: String,
    /// What does not fit.
    pub message: String,
}

/// One machine.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Where in its range each varied parameter lies, from 0 to 1.
    pub quantiles: Vec<f64>,
    /// With the clusters engaged as the paper has it.
    pub engaged: Result<Outcome, Refusal>,
    /// With all clusters engaged.
    pub fixed: Result<Outcome, Refusal>,
}

/// Machines drawn at random.
#[derive(Clone, Debug)]
pub struct Population {
    /// What varies.
    pub scope: Scope,
    /// The parameters that vary.
    pub parameters: Vec<Parameter>,
    /// The machines.
    pub samples: Vec<Sample>,
}

/// One parameter over its range, all others as in the files.
#[derive(Clone, Debug)]
pub struct Alone {
    /// The parameter.
    pub parameter: Parameter,
    /// Its value in the files.
    pub value: String,
    /// Values and what becomes of them.
    pub levels: Vec<(String, Sample)>,
}

/// Everything that is evaluated.
#[derive(Clone, Debug)]
pub struct Study {
    /// The ranges.
    pub ranges: Ranges,
    /// Machine and workload as in the files.
    pub base: Base,
    /// The files themselves.
    pub nominal: Sample,
    /// One at a time.
    pub alone: Vec<Alone>,
    /// Jointly: the machine's parameters, then all.
    pub populations: [Population; 2],
    /// Seed.
    pub seed: u64,
}

impl Study {
    /// Machines that [`Study::run`] evaluates.
    #[must_use]
    pub fn machines(ranges: &Ranges, samples: u32) -> u64 {
        let alone: usize = ranges.parameters.iter().map(|p| levels(p).len()).sum();
        1 + alone as u64 + 2 * u64::from(samples)
    }

    /// Evaluates everything on all cores; `tick` is called once per finished machine, from any thread.
    ///
    /// # Errors
    /// A range that its key does not take, or a machine that fails for another reason than not fitting.
    pub fn run(
        ranges: Ranges,
        base: Base,
        samples: u32,
        seed: u64,
        tick: impl Fn() + Sync,
    ) -> Result<Study, PointError> {
        let runner = Runner {
            base: &base,
            tick: &tick,
        };
        let alone = ranges.parameters.iter().map(|p| runner.alone(p));
        let population = |scope| runner.population(&ranges, scope, samples, seed);
        Ok(Study {
            nominal: runner.sample(&[], Vec::new())?,
            alone: alone.collect::<Result<_, _>>()?,
            populations: [population(Scope::Machine)?, population(Scope::All)?],
            base,
            ranges,
            seed,
        })
    }
}

/// Evaluates machines that differ from the files in some parameters.
struct Runner<'a> {
    base: &'a Base,
    tick: &'a (dyn Fn() + Sync),
}

impl Runner<'_> {
    /// The machine at these quantiles of these parameters.
    fn sample(&self, parameters: &[Parameter], quantiles: Vec<f64>) -> Result<Sample, PointError> {
        let mut at = self.base.clone();
        for (parameter, quantile) in parameters.iter().zip(&quantiles) {
            at.set(parameter.key, &parameter.values.at(*quantile))?;
        }
        let sample = Sample {
            quantiles,
            engaged: outcome(&at, Coupling::Engaged)?,
            fixed: outcome(&at, Coupling::Fixed)?,
        };
        (self.tick)();
        Ok(sample)
    }

    fn alone(&self, parameter: &Parameter) -> Result<Alone, PointError> {
        let level = |quantile: f64| {
            let sample = self.sample(std::slice::from_ref(parameter), vec![quantile])?;
            Ok((parameter.values.at(quantile), sample))
        };
        let levels: Result<Vec<(String, Sample)>, PointError> =
            levels(parameter).into_par_iter().map(level).collect();
        let (arch, workload) = (self.base.arch.entries(), self.base.workload.entries());
        let entry = arch
            .iter()
            .chain(&workload)
            .find(|e| e.path == parameter.key);
        Ok(Alone {
            parameter: parameter.clone(),
            value: entry.map_or_else(String::new, |e| e.value.to_string()),
            levels: levels?,
        })
    }

    fn population(
        &self,
        ranges: &Ranges,
        scope: Scope,
        samples: u32,
        seed: u64,
    ) -> Result<Population, PointError> {
        let varied = ranges.parameters.iter().filter(|p| scope.varies(p.key));
        let parameters: Vec<Parameter> = varied.cloned().collect();
        let draw = |sample: u32| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream(scope.stream(sample));
            let quantiles = parameters.iter().map(|_| random.random()).collect();
            self.sample(&parameters, quantiles)
        };
        let samples: Result<Vec<Sample>, PointError> =
            (0..samples).into_par_iter().map(draw).collect();
        Ok(Population {
            scope,
            samples: samples?,
            parameters,
        })
    }
}

/// Quantiles that are tried one at a time.
fn levels(parameter: &Parameter) -> Vec<f64> {
    match parameter.values.listed() {
        // The middle of each value's part of the quantiles.
        Some(count) => {
            let count = u32::try_from(count).expect("a handful of values");
            (0..count)
                .map(|i| (f64::from(i) + 0.5) / f64::from(count))
                .collect()
        }
        None => (0..LEVELS)
            .map(|i| f64::from(i) / f64::from(LEVELS - 1))
            .collect(),
    }
}

/// Evaluates every factor of Fig. 12.
fn outcome(base: &Base, coupling: Coupling) -> Result<Result<Outcome, Refusal>, PointError> {
    let clusters = base.arch.columns * base.arch.rows;
    let mut points = Vec::new();
    for f in FACTORS {
        let mut at = base.clone();
        at.set("mapping.expansion_factor", &f.to_string())?;
        match coupling {
            Coupling::Engaged => {}
            Coupling::Fixed if clusters >= f => {
                at.set(
                    "mapping.clusters_per_partition",
                    &(clusters / f).to_string(),
                )?;
            }
            Coupling::Fixed => continue,
        }
        match evaluate(&at) {
            Ok(point) => points.push((f, point.time_us_per_prompt)),
            Err(error) if !error.is_infeasible() => return Err(error),
            Err(error) if f == 1 || f == PAPER_FACTOR => return Ok(Err(Refusal::new(&error))),
            Err(_) => {}
        }
    }
    Ok(Ok(Outcome::new(points)))
}

impl Outcome {
    /// Judges latencies over the factor, that of f = 1 included.
    ///
    /// # Panics
    /// Without f = 1.
    #[must_use]
    pub fn new(points: Vec<(u32, f64)>) -> Outcome {
        let curve = Curve {
            name: String::new(),
            points,
        };
        let (best, speedup) = curve.optimum().expect("f = 1 is there");
        let least = curve
            .points
            .iter()
            .map(|p| p.1)
            .fold(f64::INFINITY, f64::min);
        let fastest = curve.points.iter().find(|p| p.1 == least);
        let near = curve
            .points
            .iter()
            .filter(|p| p.1 <= least * (1.0 + NEAR_BEST))
            .map(|p| p.0);
        Outcome {
            best,
            fastest: fastest.map_or(best, |p| p.0),
            near: near.collect(),
            speedup,
            curve,
        }
    }

    /// C4: the best factor is the paper's.
    #[must_use]
    pub fn has_factor(&self) -> bool {
        self.best == PAPER_FACTOR
    }

    /// C5: the speed-up is the paper's within 10 %.
    #[must_use]
    pub fn has_speedup(&self) -> bool {
        (self.speedup / PAPER_SPEEDUP - 1.0).abs() <= TOLERANCE
    }
}

impl Refusal {
    fn new(error: &PointError) -> Refusal {
        let key = match error {
            PointError::Map(error) => error.key.to_owned(),
            PointError::Config(error) => error.key().unwrap_or("config").to_owned(),
            PointError::Verify(_) => "program".to_owned(),
            PointError::Timing(_) => "timing".to_owned(),
        };
        Refusal {
            key,
            message: error.to_string(),
        }
    }
}

impl Sample {
    /// The outcome with this coupling.
    ///
    /// # Errors
    /// Why the machine cannot be built.
    pub fn with(&self, coupling: Coupling) -> Result<&Outcome, &Refusal> {
        match coupling {
            Coupling::Engaged => self.engaged.as_ref(),
            Coupling::Fixed => self.fixed.as_ref(),
        }
    }
}

impl Population {
    /// Machines that can be built with this coupling.
    pub fn outcomes(&self, coupling: Coupling) -> impl Iterator<Item = (&Sample, &Outcome)> {
        let built = move |s| Some((s, Sample::with(s, coupling).ok()?));
        self.samples.iter().filter_map(built)
    }

    /// In what share of the machines that can be built something holds.
    #[must_use]
    pub fn share(&self, coupling: Coupling, holds: impl Fn(&Outcome) -> bool) -> Share {
        Share::of(self.outcomes(coupling).map(|(_, o)| holds(o)))
    }
}

impl Coupling {
    /// The coupling in result files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Coupling::Engaged => "engaged",
            Coupling::Fixed => "fixed",
        }
    }
}

impl Scope {
    fn varies(self, key: &str) -> bool {
        match self {
            Scope::Machine => !key.starts_with("workload.") && !key.starts_with("mapping."),
            Scope::All => true,
        }
    }

    /// Streams of the two populations never meet.
    fn stream(self, sample: u32) -> u64 {
        match self {
            Scope::Machine => 2 * u64::from(sample),
            Scope::All => 2 * u64::from(sample) + 1,
        }
    }

    /// The population in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Scope::Machine => {
                "the machine's numbers vary, the mapping is the paper's configuration"
            }
            Scope::All => "machine and mapping vary",
        }
    }

    /// The population in result files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Scope::Machine => "machine",
            Scope::All => "all",
        }
    }
}
