//! The numbers of the report as tables.

use std::collections::BTreeMap;
use std::io;

use dcom_report::{Cell, Column, Table};

use super::draw::{Coupling, Outcome, Population, Refusal, Sample, Study};
use super::ranges::Parameter;
use super::stats::{Share, quantile, rank_correlation, variance_share};
use crate::fig12::{FACTORS, PAPER_FACTOR};
use crate::sweep::SweepError;

/// Stretches of a numeric range for conditioned shares: low, middle, high.
const TERCILES: usize = 3;

/// Stretches for variance shares; the finer they are, the nearer the share is to the exact first-order one.
const STRETCHES: usize = 8;

/// Both couplings, in the order of reports.
pub(super) const COUPLINGS: [Coupling; 2] = [Coupling::Engaged, Coupling::Fixed];

/// What is asked of a machine: name in result files, words, and the test.
type Question = (&'static str, &'static str, fn(&Outcome) -> bool);

/// The questions, in the order of reports.
pub(super) const QUESTIONS: [Question; 6] = [
    (
        "best_is_8",
        "C4: f = 8 is the best factor (smallest within 2 % of the best latency)",
        Outcome::has_factor,
    ),
    (
        "fastest_is_8",
        "f = 8 is the fastest factor to the last cycle",
        |o| o.fastest == PAPER_FACTOR,
    ),
    (
        "8_is_near_best",
        "f = 8 is within 2 % of the best latency",
        |o| o.near.contains(&PAPER_FACTOR),
    ),
    (
        "tied",
        "more than one factor is within 2 % of the best latency",
        |o| o.near.len() > 1,
    ),
    (
        "speedup_in_band",
        "C5: the speed-up is 6.2 within 10 %",
        Outcome::has_speedup,
    ),
    ("both", "C4 and C5", |o| o.has_factor() && o.has_speedup()),
];

/// How much one parameter decides in a population.
#[derive(Clone, Debug)]
pub struct Decider {
    /// Key.
    pub key: &'static str,
    /// First-order share of the variance of "C4 holds".
    pub factor: f64,
    /// First-order share of the variance of the speed-up.
    pub speedup: f64,
    /// Rank correlation with the speed-up; none for choices.
    pub correlation: Option<f64>,
}

impl Decider {
    /// The larger of the two shares.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.factor.max(self.speedup)
    }
}

fn table(columns: &[&str]) -> Table {
    Table::new(columns.iter().map(|c| Column::new(*c)).collect())
}

fn push(table: &mut Table, row: Vec<Cell>) -> Result<(), SweepError> {
    table.push(row).map_err(|e| SweepError::Plot(e.to_string()))
}

fn count(count: usize) -> Cell {
    Cell::Integer(count.try_into().expect("counts fit 127 bits"))
}

fn share_cells(share: Share) -> [Cell; 5] {
    let real = |x: Option<f64>| x.map_or(Cell::Missing, |x| Cell::real(x, 4));
    let interval = share.interval();
    [
        count(share.hits),
        count(share.all),
        real(share.value()),
        real(interval.map(|i| i.0)),
        real(interval.map(|i| i.1)),
    ]
}

impl Population {
    /// The parameters by what they decide, the one that decides most first.
    #[must_use]
    pub fn deciders(&self, coupling: Coupling) -> Vec<Decider> {
        let built: Vec<(&Sample, &Outcome)> = self.outcomes(coupling).collect();
        let holds: Vec<f64> = built
            .iter()
            .map(|(_, o)| f64::from(u8::from(o.has_factor())))
            .collect();
        let speedups: Vec<f64> = built.iter().map(|(_, o)| o.speedup).collect();
        #[expect(clippy::cast_precision_loss, reason = "a handful of groups")]
        let decider = |(at, parameter): (usize, &Parameter)| {
            let place = |s: &Sample| parameter.values.group(s.quantiles[at], STRETCHES);
            let groups: Vec<usize> = built.iter().map(|(s, _)| place(s)).collect();
            let ranks: Vec<f64> = match parameter.values.listed() {
                Some(_) => groups.iter().map(|g| *g as f64).collect(),
                None => built.iter().map(|(s, _)| s.quantiles[at]).collect(),
            };
            let numeric = parameter.values.ascending();
            Decider {
                key: parameter.key,
                // What does not vary is not decided by anything.
                factor: variance_share(&groups, &holds).unwrap_or(0.0),
                speedup: variance_share(&groups, &speedups).unwrap_or(0.0),
                correlation: rank_correlation(&ranks, &speedups).filter(|_| numeric),
            }
        };
        let mut deciders: Vec<Decider> = self.parameters.iter().enumerate().map(decider).collect();
        deciders.sort_by(|a, b| b.weight().total_cmp(&a.weight()).then(a.key.cmp(b.key)));
        deciders
    }

    /// Groups of one parameter, with the machines in each.
    pub(super) fn conditioned<'a>(
        &'a self,
        coupling: Coupling,
        key: &str,
    ) -> Vec<(String, Vec<&'a Outcome>)> {
        let found = self
            .parameters
            .iter()
            .enumerate()
            .find(|(_, p)| p.key == key);
        let Some((at, parameter)) = found else {
            return Vec::new();
        };
        let mut groups: Vec<(String, Vec<&Outcome>)> = parameter
            .values
            .groups(TERCILES)
            .into_iter()
            .map(|g| (g, Vec::new()))
            .collect();
        for (sample, outcome) in self.outcomes(coupling) {
            groups[parameter.values.group(sample.quantiles[at], TERCILES)]
                .1
                .push(outcome);
        }
        groups
    }

    /// Reasons of the machines that cannot be built: key to count and first message.
    pub(super) fn refusals(&self, coupling: Coupling) -> BTreeMap<&str, (usize, &str)> {
        let mut reasons = BTreeMap::new();
        for sample in &self.samples {
            if let Err(Refusal { key, message }) = sample.with(coupling) {
                reasons
                    .entry(key.as_str())
                    .or_insert((0, message.as_str()))
                    .0 += 1;
            }
        }
        reasons
    }

    /// Quantiles of the speed-up.
    pub(super) fn speedups(&self, coupling: Coupling, shares: &[f64]) -> Vec<Option<f64>> {
        let mut speedups: Vec<f64> = self.outcomes(coupling).map(|(_, o)| o.speedup).collect();
        speedups.sort_by(f64::total_cmp);
        shares.iter().map(|s| quantile(&speedups, *s)).collect()
    }
}

impl Study {
    /// `population,coupling,question,hits,machines,share,low,high`: every share with its 95 % interval.
    ///
    /// # Errors
    /// A row that does not fit the table.
    pub fn shares_table(&self) -> Result<Table, SweepError> {
        let names = [
            "population",
            "coupling",
            "question",
            "hits",
            "machines",
            "share",
            "low",
            "high",
        ];
        let mut table = table(&names);
        for population in &self.populations {
            for coupling in COUPLINGS {
                let mut row = |question: &str, share: Share| {
                    let mut cells = vec![
                        Cell::from(population.scope.name()),
                        Cell::from(coupling.name()),
                        Cell::from(question),
                    ];
                    cells.extend(share_cells(share));
                    push(&mut table, cells)
                };
                for (name, _, holds) in QUESTIONS {
                    row(name, population.share(coupling, holds))?;
                }
                for f in FACTORS {
                    row(
                        &format!("best_is_{f}_exactly"),
                        population.share(coupling, |o| o.best == f),
                    )?;
                }
                let built = population.samples.iter().map(|s| s.with(coupling).is_ok());
                row("can_be_built", Share::of(built))?;
            }
        }
        Ok(table)
    }

    /// What each parameter decides, and the shares in each part of its range.
    ///
    /// # Errors
    /// As [`Study::shares_table`].
    pub fn deciders_table(&self) -> Result<Table, SweepError> {
        let mut table = table(&[
            "population",
            "coupling",
            "parameter",
            "variance_share_best_is_8",
            "variance_share_speedup",
            "rank_correlation_speedup",
            "group",
            "machines",
            "best_is_8",
            "speedup_in_band",
            "both",
            "median_speedup",
        ]);
        for population in &self.populations {
            for coupling in COUPLINGS {
                for decider in population.deciders(coupling) {
                    for (group, outcomes) in population.conditioned(coupling, decider.key) {
                        let share = |holds: fn(&Outcome) -> bool| {
                            let share = Share::of(outcomes.iter().map(|o| holds(o)));
                            share.value().map_or(Cell::Missing, |s| Cell::real(s, 4))
                        };
                        let mut speedups: Vec<f64> = outcomes.iter().map(|o| o.speedup).collect();
                        speedups.sort_by(f64::total_cmp);
                        let real = |x: Option<f64>| x.map_or(Cell::Missing, |x| Cell::real(x, 4));
                        push(
                            &mut table,
                            vec![
                                Cell::from(population.scope.name()),
                                Cell::from(coupling.name()),
                                Cell::from(decider.key),
                                Cell::real(decider.factor, 3),
                                Cell::real(decider.speedup, 3),
                                real(decider.correlation),
                                Cell::from(group),
                                count(outcomes.len()),
                                share(Outcome::has_factor),
                                share(Outcome::has_speedup),
                                share(|o| o.has_factor() && o.has_speedup()),
                                real(quantile(&speedups, 0.5)),
                            ],
                        )?;
                    }
                }
            }
        }
        Ok(table)
    }

    /// One parameter at a time: every value tried, with both couplings.
    ///
    /// # Errors
    /// As [`Study::shares_table`].
    pub fn alone_table(&self) -> Result<Table, SweepError> {
        let mut table = table(&[
            "parameter",
            "in_the_files",
            "value",
            "coupling",
            "best_factor",
            "fastest_factor",
            "speedup",
            "time_us_per_prompt_f1",
            "status",
        ]);
        for alone in &self.alone {
            for (value, sample) in &alone.levels {
                for coupling in COUPLINGS {
                    let mut cells = vec![
                        Cell::from(alone.parameter.key),
                        Cell::from(alone.value.as_str()),
                        Cell::from(value.as_str()),
                        Cell::from(coupling.name()),
                    ];
                    match sample.with(coupling) {
                        Ok(o) => cells.extend([
                            Cell::Integer(o.best.into()),
                            Cell::Integer(o.fastest.into()),
                            Cell::real(o.speedup, 4),
                            Cell::real(o.curve.points[0].1, 5),
                            Cell::from("ok"),
                        ]),
                        Err(refusal) => {
                            cells.extend([
                                Cell::Missing,
                                Cell::Missing,
                                Cell::Missing,
                                Cell::Missing,
                            ]);
                            cells.push(Cell::from(refusal.message.as_str()));
                        }
                    }
                    push(&mut table, cells)?;
                }
            }
        }
        Ok(table)
    }

    /// Every machine drawn, one row each: its parameters, then for each coupling the verdict and the times.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write_samples(&self, out: impl io::Write) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(out);
        let mut write = |cells: &[String]| csv.write_record(cells).map_err(io::Error::other);
        let mut header = vec!["population".to_owned(), "sample".to_owned()];
        header.extend(self.ranges.parameters.iter().map(|p| p.key.to_owned()));
        for coupling in COUPLINGS {
            let name = |column: &str| format!("{}_{column}", coupling.name());
            header.extend(["status", "best_factor", "fastest_factor", "speedup"].map(name));
            header.extend(FACTORS.map(|f| name(&format!("time_us_per_prompt_f{f}"))));
        }
        write(&header)?;
        for population in &self.populations {
            for (index, sample) in population.samples.iter().enumerate() {
                let mut cells = vec![population.scope.name().to_owned(), index.to_string()];
                cells.extend(self.ranges.parameters.iter().map(|p| {
                    let varied = population.parameters.iter().position(|v| v.key == p.key);
                    // Empty: as in the files.
                    varied.map_or_else(String::new, |at| p.values.at(sample.quantiles[at]))
                }));
                for coupling in COUPLINGS {
                    cells.extend(verdict(sample.with(coupling)));
                }
                write(&cells)?;
            }
        }
        csv.flush()
    }
}

fn verdict(outcome: Result<&Outcome, &Refusal>) -> Vec<String> {
    match outcome {
        Ok(o) => {
            let mut cells = vec![
                "ok".to_owned(),
                o.best.to_string(),
                o.fastest.to_string(),
                o.speedup.to_string(),
            ];
            cells.extend(FACTORS.map(|f| {
                let point = o.curve.points.iter().find(|p| p.0 == f);
                point.map_or_else(String::new, |p| p.1.to_string())
            }));
            cells
        }
        Err(refusal) => {
            let mut cells = vec![refusal.message.clone()];
            cells.resize(4 + FACTORS.len(), String::new());
            cells
        }
    }
}
