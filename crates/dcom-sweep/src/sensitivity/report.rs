//! The page of the report.

use dcom_report::{Cell, Column, Table, thousands};

use super::draw::{Alone, Coupling, Population, Study, TOLERANCE};
use super::tables::{COUPLINGS, Decider, QUESTIONS};
use crate::fig12::{FACTORS, NEAR_BEST, PAPER_FACTOR, PAPER_SPEEDUP};
use crate::sweep::SweepError;

/// Variance share from which on a parameter is said to decide. Assumed.
const DECIDES: f64 = 0.01;

fn table(columns: &[&str], rows: Vec<Vec<Cell>>) -> Result<String, SweepError> {
    let mut table = Table::new(columns.iter().map(|c| Column::new(*c)).collect());
    for row in rows {
        table
            .push(row)
            .map_err(|e| SweepError::Plot(e.to_string()))?;
    }
    Ok(table.to_markdown())
}

fn percent(share: f64) -> Cell {
    Cell::Text(format!("{:.1}", share * 100.0))
}

impl Alone {
    /// Best factors over the range, ascending.
    #[must_use]
    pub fn factors(&self, coupling: Coupling) -> Vec<u32> {
        let built = self
            .levels
            .iter()
            .filter_map(|(_, s)| s.with(coupling).ok());
        let mut factors: Vec<u32> = built.map(|o| o.best).collect();
        factors.sort_unstable();
        factors.dedup();
        factors
    }

    /// Lowest and highest speed-up over the range; none if nothing can be built.
    #[must_use]
    pub fn speedups(&self, coupling: Coupling) -> Option<(f64, f64)> {
        let built = self
            .levels
            .iter()
            .filter_map(|(_, s)| s.with(coupling).ok());
        let ends = built.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), o| {
            (low.min(o.speedup), high.max(o.speedup))
        });
        (ends.0 <= ends.1).then_some(ends)
    }
}

impl Study {
    /// The answer in one line.
    #[must_use]
    pub fn answer(&self) -> String {
        let [machine, all] = &self.populations;
        let claims = |p: &Population| {
            let share = |holds| p.share(Coupling::Engaged, holds).words();
            let [factor, _, _, _, speedup, both] = QUESTIONS.map(|(_, _, holds)| share(holds));
            format!(
                "f = {PAPER_FACTOR} is best in {factor}, the speed-up is within {PAPER_SPEEDUP} +- {} % in {speedup}, both in {both}",
                TOLERANCE * 100.0
            )
        };
        let fixed = all.share(Coupling::Fixed, |o| o.best == PAPER_FACTOR);
        let most: Vec<String> = all
            .deciders(Coupling::Engaged)
            .iter()
            .take(3)
            .map(|d| d.key.to_owned())
            .collect();
        format!(
            "machine and mapping varied: {}; the machine's numbers alone: {}; engaged clusters fixed: f = {PAPER_FACTOR} is best in {}; decided by {}",
            claims(all),
            claims(machine),
            fixed.words(),
            most.join(", ")
        )
    }

    /// The report page.
    ///
    /// # Errors
    /// A row that does not fit its table.
    pub fn markdown(&self) -> Result<String, SweepError> {
        let parts = [
            self.lead(),
            self.claims_section()?,
            self.factors_section()?,
            self.deciders_section()?,
            self.alone_section()?,
            self.refusals_section()?,
            self.ranges_section()?,
            self.method_section(),
        ];
        Ok(parts.concat())
    }

    fn lead(&self) -> String {
        let [machine, all] = &self.populations;
        let share = |p: &Population, c, at: usize| p.share(c, QUESTIONS[at].2).words();
        let engaged = Coupling::Engaged;
        let one = |p: &Population| p.share(Coupling::Fixed, |o| o.best == 1).words();
        let names = |deciders: Vec<Decider>, weight: fn(&Decider) -> f64| {
            let mut deciding: Vec<(f64, &str)> = deciders
                .iter()
                .map(|d| (weight(d), d.key))
                .filter(|(w, _)| *w >= DECIDES)
                .collect();
            deciding.sort_by(|a, b| b.0.total_cmp(&a.0));
            let words = deciding
                .iter()
                .take(4)
                .map(|(w, k)| format!("`{k}` ({:.0} %)", w * 100.0));
            let words: Vec<String> = words.collect();
            if words.is_empty() {
                "nothing that varies".to_owned()
            } else {
                words.join(", ")
            }
        };
        let nominal = match self.nominal.with(engaged) {
            Ok(o) => format!("f = {} and {:.2}", o.best, o.speedup),
            Err(refusal) => format!("nothing: {}", refusal.message),
        };
        format!(
            "# For which machines do f = {PAPER_FACTOR} (C4) and {PAPER_SPEEDUP}x (C5) hold?\n\n\
             The paper leaves {} numbers and choices open. Over plausible ranges of all of them, of machine and of mapping, f = {PAPER_FACTOR} is the best expansion \
             factor in **{}** of the {} machines of {} drawn that can be built, the speed-up over f = 1 is within {PAPER_SPEEDUP} +- {} % in **{}**, and both hold in **{}** \
             (95 % intervals). With the mapping as in the paper's configuration and only the machine's numbers varied it is {}, {} and {}. The files themselves \
             give {nominal}.\n\n\
             With the engaged clusters fixed, so that the factor alone is varied, f = {PAPER_FACTOR} is best in {} of all machines and f = 1 in {}; the median \
             speed-up is {}, and what there is of it is decided by {}.\n\n\
             Whether f = {PAPER_FACTOR} is best is decided by {}, the speed-up by {} (shares of the variance; machine and mapping varied). If the mapping is \
             the paper's, f = {PAPER_FACTOR} is decided by {}, the speed-up by {}.\n\n",
            self.ranges.parameters.len(),
            share(all, engaged, 0),
            counted(all.outcomes(engaged).count()),
            counted(all.samples.len()),
            TOLERANCE * 100.0,
            share(all, engaged, 4),
            share(all, engaged, 5),
            share(machine, engaged, 0),
            share(machine, engaged, 4),
            share(machine, engaged, 5),
            share(all, Coupling::Fixed, 0),
            one(all),
            all.speedups(Coupling::Fixed, &[0.5])[0]
                .map_or("unknown".to_owned(), |s| format!("{s:.2}")),
            names(all.deciders(Coupling::Fixed), |d| d.speedup),
            names(all.deciders(engaged), |d| d.factor),
            names(all.deciders(engaged), |d| d.speedup),
            names(machine.deciders(engaged), |d| d.factor),
            names(machine.deciders(engaged), |d| d.speedup),
        )
    }

    fn claims_section(&self) -> Result<String, SweepError> {
        let mut rows = Vec::new();
        for population in &self.populations {
            for coupling in COUPLINGS {
                for (_, words, holds) in QUESTIONS {
                    rows.push(vec![
                        Cell::from(population.scope.words()),
                        Cell::from(clusters(coupling)),
                        Cell::from(words),
                        Cell::from(population.share(coupling, holds).words()),
                    ]);
                }
            }
        }
        let mut speedups = Vec::new();
        for population in &self.populations {
            for coupling in COUPLINGS {
                let mut row = vec![
                    Cell::from(population.scope.words()),
                    Cell::from(clusters(coupling)),
                ];
                let quantiles = population.speedups(coupling, &[0.05, 0.25, 0.5, 0.75, 0.95]);
                row.extend(
                    quantiles
                        .iter()
                        .map(|q| q.map_or(Cell::Missing, |q| Cell::real(q, 3))),
                );
                speedups.push(row);
            }
        }
        Ok(format!(
            "## In how many machines\n\n{}\nSpeed-up of the best factor over f = 1, quantiles over the machines:\n\n{}\n",
            table(
                &[
                    "what varies",
                    "clusters",
                    "claim",
                    "share of machines, 95 % interval"
                ],
                rows
            )?,
            table(
                &[
                    "what varies",
                    "clusters",
                    "5 %",
                    "25 %",
                    "median",
                    "75 %",
                    "95 %"
                ],
                speedups
            )?
        ))
    }

    fn factors_section(&self) -> Result<String, SweepError> {
        let mut rows = Vec::new();
        for f in FACTORS {
            let mut row = vec![Cell::Integer(f.into())];
            for population in &self.populations {
                for coupling in COUPLINGS {
                    row.push(Cell::from(
                        population.share(coupling, |o| o.best == f).words(),
                    ));
                }
            }
            rows.push(row);
        }
        let columns = [
            "best f",
            "machine varies",
            "machine varies, clusters fixed",
            "machine and mapping vary",
            "both vary, clusters fixed",
        ];
        Ok(format!(
            "## Which factor is best\n\n![share of machines by best factor](sensitivity_factors.svg)\n\n{}\n",
            table(&columns, rows)?
        ))
    }

    fn deciders_section(&self) -> Result<String, SweepError> {
        let mut text =
            "## Which parameters decide\n\n![variance shares](sensitivity_deciders.svg)\n\n"
                .to_owned();
        for population in &self.populations {
            let deciders = population.deciders(Coupling::Engaged);
            let deciding: Vec<&Decider> =
                deciders.iter().filter(|d| d.weight() >= DECIDES).collect();
            let mut rows = Vec::new();
            for decider in &deciding {
                for (group, outcomes) in population.conditioned(Coupling::Engaged, decider.key) {
                    let share = |at: usize| {
                        let holds = QUESTIONS[at].2;
                        super::Share::of(outcomes.iter().map(|o| holds(o))).words()
                    };
                    rows.push(vec![
                        Cell::from(decider.key),
                        percent(decider.factor),
                        percent(decider.speedup),
                        decider
                            .correlation
                            .map_or(Cell::Missing, |c| Cell::Text(format!("{c:+.2}"))),
                        Cell::from(group),
                        Cell::from(share(0)),
                        Cell::from(share(4)),
                    ]);
                }
            }
            let columns = [
                "parameter",
                "variance share, C4 (%)",
                "variance share, speed-up (%)",
                "rank correlation, speed-up",
                "where it is",
                "f = 8 is best (%)",
                "speed-up in band (%)",
            ];
            let rest = deciders.len() - deciding.len();
            text.push_str(&format!(
                "Where {} ({rest} other parameters have less than {} % of either variance; all are in `sensitivity_deciders.csv`):\n\n{}\n",
                population.scope.words(),
                DECIDES * 100.0,
                table(&columns, rows)?
            ));
        }
        Ok(text)
    }

    fn alone_section(&self) -> Result<String, SweepError> {
        let mut rows: Vec<(f64, Vec<Cell>)> = Vec::new();
        let list = |factors: Vec<u32>| {
            factors
                .iter()
                .map(u32::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let range = |ends: Option<(f64, f64)>| {
            ends.map_or(Cell::Missing, |(a, b)| {
                Cell::Text(format!("{a:.2} to {b:.2}"))
            })
        };
        for alone in &self.alone {
            let engaged = alone.speedups(Coupling::Engaged);
            let built = alone
                .levels
                .iter()
                .filter(|(_, s)| s.engaged.is_ok())
                .count();
            rows.push((
                engaged.map_or(0.0, |(a, b)| a / b),
                vec![
                    Cell::from(alone.parameter.key),
                    Cell::from(alone.value.as_str()),
                    Cell::from(alone.parameter.values.words()),
                    Cell::from(list(alone.factors(Coupling::Engaged))),
                    range(engaged),
                    Cell::from(list(alone.factors(Coupling::Fixed))),
                    range(alone.speedups(Coupling::Fixed)),
                    Cell::from(format!("{built} of {}", alone.levels.len())),
                ],
            ));
        }
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let columns = [
            "parameter",
            "in the files",
            "range",
            "best f",
            "speed-up",
            "best f, clusters fixed",
            "speed-up, clusters fixed",
            "can be built",
        ];
        let figure = match self.alone_figure() {
            Some(_) => "![speed-up over each range](sensitivity_alone.svg)\n\n",
            None => "",
        };
        Ok(format!(
            "## One at a time\n\nAll other parameters as in the files; the ones that move the speed-up most first.\n\n{figure}{}\n",
            table(&columns, rows.into_iter().map(|(_, row)| row).collect())?
        ))
    }

    fn refusals_section(&self) -> Result<String, SweepError> {
        let mut rows = Vec::new();
        for population in &self.populations {
            for coupling in COUPLINGS {
                for (key, (count, message)) in population.refusals(coupling) {
                    rows.push(vec![
                        Cell::from(population.scope.words()),
                        Cell::from(clusters(coupling)),
                        Cell::from(key),
                        Cell::Integer(count.try_into().expect("counts fit 127 bits")),
                        Cell::from(message),
                    ]);
                }
            }
        }
        if rows.is_empty() {
            return Ok("## Machines that cannot be built\n\nNone.\n\n".to_owned());
        }
        let columns = [
            "what varies",
            "clusters",
            "key to blame",
            "machines",
            "the first one's reason",
        ];
        Ok(format!(
            "## Machines that cannot be built\n\nA machine counts if it can be built at f = 1 and at f = {PAPER_FACTOR}; of {} each:\n\n{}\n",
            counted(self.populations[0].samples.len()),
            table(&columns, rows)?
        ))
    }

    fn ranges_section(&self) -> Result<String, SweepError> {
        let parameters = self.ranges.parameters.iter().map(|p| {
            vec![
                Cell::from(p.key),
                Cell::from(p.values.words()),
                Cell::from(p.reason.as_str()),
            ]
        });
        let excluded = self
            .ranges
            .excluded
            .iter()
            .map(|(key, reason)| vec![Cell::from(key.as_str()), Cell::from(reason.as_str())]);
        Ok(format!(
            "## Ranges\n\nAll ranges are assumed, with these reasons (`configs/sensitivity/paper.toml`).\n\n{}\nNot varied:\n\n{}\n",
            table(&["parameter", "range", "reason"], parameters.collect())?,
            table(&["parameter", "reason"], excluded.collect())?
        ))
    }

    fn method_section(&self) -> String {
        format!(
            "## Method\n\n\
             * {} machines per population, drawn independently and uniformly over the ranges (seed {}, ChaCha8, one stream per machine), each at f = {}, \
             with the clusters engaged as the paper has it (f partitions of g) and with all clusters engaged at every factor (f partitions of C / f).\n\
             * The best factor is the smallest within {} % of the best latency, as in [fig12.md](fig12.md); how often that is a tie is in the first table.\n\
             * 95 % intervals of shares are Wilson's. They are about the drawing alone: whether the ranges are right is not a question of statistics.\n\
             * Variance shares are first order: the variance of the means over the values of a list, or over eight stretches of a range, divided by the whole \
             variance, with what chance alone would give taken off. What they do not sum up to is interaction. Rank correlation is Spearman's.\n\
             * Every machine that can be built weighs the same, although some contradict Table 2 or C4 more than others.\n\n\
             Regenerate with `cargo xtask reproduce sensitivity --samples {} --seed {}`; `--rows FILE` writes every machine with its times. Shares: \
             `sensitivity_shares.csv`, deciders: `sensitivity_deciders.csv`, one at a time: `sensitivity_alone.csv`.\n",
            counted(self.populations[0].samples.len()),
            self.seed,
            FACTORS.map(|f| f.to_string()).join(", "),
            NEAR_BEST * 100.0,
            self.populations[0].samples.len(),
            self.seed
        )
    }
}

fn counted(count: usize) -> String {
    thousands(i128::try_from(count).expect("counts fit 127 bits"))
}

fn clusters(coupling: Coupling) -> &'static str {
    match coupling {
        Coupling::Engaged => "engaged with f",
        Coupling::Fixed => "all engaged",
    }
}
