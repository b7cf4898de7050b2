//! The report of Fig. 13: tables, page and figure.

use std::fmt::Write as _;

use dcom_power::{A100_MULTIPLIERS, Ratio};
use dcom_report::{
    Axis as PlotAxis, Cell, Column, Figure, LinePlot, Marker, Page, Scale, Series, Table,
    significant,
};

use super::{
    ARRAY, Combination, Fig13, MACHINE, NEAR, NEAR_GPU, PAPER_AREA, PAPER_GPU, PAPER_POWER,
};
use crate::sweep::SweepError;

/// A claim: name, the paper's value, how near is near, and the number of a combination.
type Claim = (&'static str, f64, f64, fn(&Combination) -> f64);

const CLAIMS: [Claim; 4] = [
    ("C9: area over a systolic array", PAPER_AREA, NEAR, |c| {
        c.area
    }),
    ("C10: power over a systolic array", PAPER_POWER, NEAR, |c| {
        c.power
    }),
    (
        "C10 read as energy: power at equal time",
        PAPER_POWER,
        NEAR,
        |c| c.energy,
    ),
    (
        "C9: area of a core with an A100's multipliers over the machine",
        PAPER_GPU,
        NEAR_GPU,
        |c| c.gpu,
    ),
];

impl Fig13 {
    /// Smallest and largest of a number over all combinations.
    fn range(&self, value: fn(&Combination) -> f64) -> (f64, f64) {
        let values = self.combinations.iter().map(value);
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
            (low.min(v), high.max(v))
        })
    }

    fn reaching(&self, claim: &Claim) -> Vec<&Combination> {
        let (_, paper, near, value) = claim;
        let near = |c: &&Combination| (value(c) - paper).abs() <= *near;
        self.combinations.iter().filter(near).collect()
    }

    /// Every combination: its choices and its ratios.
    ///
    /// # Errors
    /// A row that does not fit the table.
    pub fn table(&self) -> Result<Table, SweepError> {
        let names = MACHINE
            .iter()
            .map(|(key, _)| *key)
            .chain(ARRAY.iter().copied());
        let ratios = [
            "area_ratio",
            "power_ratio",
            "energy_ratio",
            "time_ratio",
            "a100_area_ratio",
        ];
        let mut table = Table::new(names.chain(ratios).map(Column::new).collect());
        for c in &self.combinations {
            let mut row: Vec<Cell> = c
                .choices
                .iter()
                .map(|(_, v)| Cell::from(v.as_str()))
                .collect();
            row.extend([c.area, c.power, c.energy, c.time, c.gpu].map(|v| Cell::real(v, 4)));
            push(&mut table, row)?;
        }
        Ok(table)
    }

    /// The default choices against the design that the claims are held against: the array with fp32 sums, as the machine has.
    ///
    /// # Panics
    /// Never: the designs are a part of this library.
    #[must_use]
    pub fn claimed(&self) -> &Ratio {
        &self.defaults[1].1
    }

    /// The paper's claims beside the ranges.
    ///
    /// # Errors
    /// As [`Fig13::table`].
    pub fn claims_table(&self) -> Result<Table, SweepError> {
        let columns = [
            "claim",
            "paper",
            "default choices",
            "5 to 95 % of draws",
            "over all choices",
            "combinations that reach it",
        ];
        let mut table = Table::new(columns.map(Column::new).to_vec());
        let against = self.claimed();
        for (claim, default) in
            CLAIMS
                .iter()
                .zip([against.area, against.power, against.energy, self.gpu])
        {
            let (low, high) = self.range(claim.3);
            push(
                &mut table,
                vec![
                    Cell::from(claim.0),
                    Cell::real(claim.1, 3),
                    Cell::real(default.nominal, 3),
                    Cell::from(between(default.low, default.high)),
                    Cell::from(between(low, high)),
                    Cell::from(format!(
                        "{} of {}",
                        self.reaching(claim).len(),
                        self.combinations.len()
                    )),
                ],
            )?;
        }
        Ok(table)
    }

    /// For each choice and value: the middle of the ratios, and how many combinations reach the claims.
    fn choices_table(&self) -> Result<Table, SweepError> {
        let columns = [
            "choice",
            "value",
            "area, median",
            "power, median",
            "reach +3 % area",
            "reach -59 % power",
            "reach both",
        ];
        let mut table = Table::new(columns.map(Column::new).to_vec());
        for at in 0..MACHINE.len() + ARRAY.len() {
            let mut seen: Vec<&str> = Vec::new();
            for c in &self.combinations {
                let (name, value) = &c.choices[at];
                if seen.contains(&value.as_str()) {
                    continue;
                }
                seen.push(value);
                let with = |c: &&Combination| c.choices[at].1 == *value;
                let median = |number: fn(&Combination) -> f64| {
                    let mut numbers: Vec<f64> =
                        self.combinations.iter().filter(with).map(number).collect();
                    numbers.sort_by(f64::total_cmp);
                    numbers[numbers.len() / 2]
                };
                let count = |reached: Vec<&Combination>| {
                    Cell::from(
                        i64::try_from(reached.into_iter().filter(with).count()).expect("few"),
                    )
                };
                push(
                    &mut table,
                    vec![
                        Cell::from(*name),
                        Cell::from(value.as_str()),
                        Cell::real(median(|c| c.area), 3),
                        Cell::real(median(|c| c.power), 3),
                        count(self.reaching(&CLAIMS[0])),
                        count(self.reaching(&CLAIMS[1])),
                        count(self.both()),
                    ],
                )?;
            }
        }
        Ok(table)
    }

    fn both(&self) -> Vec<&Combination> {
        let power = CLAIMS[1].3;
        let area = self.reaching(&CLAIMS[0]).into_iter();
        area.filter(|c| (power(c) - PAPER_POWER).abs() <= NEAR)
            .collect()
    }

    /// The values that all combinations reaching a claim have in common.
    fn common(&self, reached: &[&Combination]) -> String {
        let Some(first) = reached.first() else {
            return "no combination reaches it".to_owned();
        };
        let shared = first.choices.iter().enumerate();
        let shared =
            shared.filter(|(at, (_, value))| reached.iter().all(|c| c.choices[*at].1 == *value));
        let names: Vec<String> = shared
            .map(|(_, (name, value))| format!("{name} = {value}"))
            .collect();
        if names.is_empty() {
            "no single choice is common to them".to_owned()
        } else {
            format!("all have {}", names.join(", "))
        }
    }

    /// For each claim how many combinations reach it and what they share, or else the one that comes nearest.
    #[must_use]
    pub fn reached(&self) -> Vec<String> {
        let claims = CLAIMS.iter().map(|claim| {
            let reached = self.reaching(claim);
            let how = match reached.len() {
                0 => self.nearest(claim),
                _ => self.common(&reached),
            };
            format!(
                "{} of {}: {} combinations, {how}",
                claim.0,
                claim.1,
                reached.len()
            )
        });
        let both = self.both();
        let together = format!(
            "area and power together: {} combinations, {}",
            both.len(),
            self.common(&both)
        );
        claims.chain([together]).collect()
    }

    /// The combination that misses a claim least.
    fn nearest(&self, claim: &Claim) -> String {
        let (_, paper, _, value) = claim;
        let miss = |c: &&Combination| (value(c) - paper).abs();
        let nearest = self
            .combinations
            .iter()
            .min_by(|a, b| miss(a).total_cmp(&miss(b)));
        nearest.map_or_else(
            || "there are none".to_owned(),
            |c| {
                let choices: Vec<String> = c
                    .choices
                    .iter()
                    .map(|(name, value)| format!("{name} = {value}"))
                    .collect();
                format!(
                    "the nearest is {} with {}",
                    significant(value(c), 3),
                    choices.join(", ")
                )
            },
        )
    }

    /// One line that says how the claims stand.
    #[must_use]
    pub fn summary(&self) -> String {
        let part = |claim: &Claim, paper: &str| {
            let (low, high) = self.range(claim.3);
            let (reached, all) = (self.reaching(claim).len(), self.combinations.len());
            format!(
                "{paper} within {} (reached by {reached} of {all})",
                between(low, high)
            )
        };
        format!(
            "area {}; power {}; power at equal time {}; A100-class core {}; {} combinations reach area and power together",
            part(&CLAIMS[0], "1.03"),
            part(&CLAIMS[1], "0.41"),
            part(&CLAIMS[2], "0.41"),
            part(&CLAIMS[3], "7"),
            self.both().len()
        )
    }

    /// What stands between the machine and the claim on power.
    fn why(&self) -> String {
        let side = |side: &str, value: fn(&Combination) -> f64| {
            let with = |c: &&Combination| {
                c.choices
                    .iter()
                    .any(|(name, v)| *name == "side" && v == side)
            };
            let values = self.combinations.iter().filter(with).map(value);
            let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
                (low.min(v), high.max(v))
            });
            between(low, high)
        };
        format!(
            "Power is energy over time, and a mat-vec keeps one column of an array busy. An array of side 128 takes longer for the same \
             work (the machine's time over its time: {}), so the machine has {} of its energy and {} of its \
             power. Arrays of side 8 have more columns and take as long as the machine (time {}), but then they clock and leak no longer than \
             it does either: energy and power {}. The paper gives less global communication and distributed memory as \
             the reason; both are in these numbers. So is what the paper does not mention and \
             its own operations need: accumulators behind the trees, ports and rotators of the cluster buffers, operands collected in \
             registers. The paper does not say which workload, array side, clock or activity its figure has.",
            side("128", |c| c.time),
            side("128", |c| c.energy),
            side("128", |c| c.power),
            side("8", |c| c.time),
            side("8", |c| c.power),
        )
    }

    /// The report page.
    ///
    /// # Errors
    /// As [`Fig13::table`].
    pub fn markdown(&self) -> Result<String, SweepError> {
        let mut page = String::from("# Fig. 13: area and power against other designs\n\n");
        let mut line = |text: &str| writeln!(page, "{text}\n").expect("writing to a String");
        line(&format!("**{}.**", self.summary()));
        line(&format!(
            "Ratios of the machine over a systolic array of the same multipliers and memory, both running the paper's workload, \
             each with its own activity and time. The {} combinations cross choices that the paper leaves open; no \
             coefficient is fitted to the claims. Power is energy over each design's own time; where the machine is faster than the array its power is \
             higher for the same energy, so the claim is also held against energy, which is power at equal time. How a design runs the workload is in `docs/power.md`.",
            self.combinations.len()
        ));
        line(
            "Accumulators `none`, subtractors `per_row`, rotators `aligned`, the buffer with one port (`single`) and power at equal time were \
             added after first results had been seen, as cases that the paper leaves open. The four choices take \
             hardware away from the machine. What is reached only with them, or only at equal time, is weaker evidence than what the \
             choices set down before reach.",
        );
        line("![ratios over all combinations](fig13.svg)\n\n## The claims");
        line(&self.claims_table()?.to_markdown());
        line(&format!(
            "Default choices: `configs/arch/dcom-paper.toml` and `configs/tech/nangate15.toml` against {}. 7x is also 110592 / {} = \
             {} in multipliers alone.",
            self.defaults[1].0,
            self.multipliers,
            significant(count(A100_MULTIPLIERS) / count(self.multipliers), 3)
        ));
        line("## Which choices reach them");
        for claim in self.reached() {
            line(&format!("* {claim}."));
        }
        line(&self.choices_table()?.to_markdown());
        line("## Why -59 % power is not reached");
        line(&self.why());
        line("## The default machine against each design");
        line(&self.designs_table()?.to_markdown());
        line(
            "Intervals are the 5th and 95th percentile over draws of all coefficients from their ranges (triangular, seeded), the \
             same draw for both designs. All combinations: `fig13.csv`. Regenerate with `cargo xtask reproduce fig13`.",
        );
        Ok(page.trim_end().to_owned() + "\n")
    }

    fn designs_table(&self) -> Result<Table, SweepError> {
        let columns = [
            "design",
            "area",
            "5 to 95 %",
            "power",
            "5 to 95 % ",
            "energy",
            "5 to 95 %  ",
            "time",
        ];
        let mut table = Table::new(columns.map(Column::new).to_vec());
        for (name, ratio) in &self.defaults {
            let mut row = vec![Cell::from(name.as_str())];
            for interval in [ratio.area, ratio.power, ratio.energy] {
                row.push(Cell::real(interval.nominal, 3));
                row.push(Cell::from(between(interval.low, interval.high)));
            }
            row.push(Cell::real(ratio.time.nominal, 3));
            push(&mut table, row)?;
        }
        Ok(table)
    }

    /// The figure: both ratios over all combinations, sorted, with the default choices and their intervals.
    #[must_use]
    pub fn figure(&self, provenance: String) -> Figure {
        let default = &self.defaults[1].1;
        let mut series = Vec::new();
        let mut markers = Vec::new();
        for (name, value, interval, paper, label) in [
            (
                "area",
                CLAIMS[0].3,
                default.area,
                PAPER_AREA,
                Some("paper: +3 %"),
            ),
            (
                "power",
                CLAIMS[1].3,
                default.power,
                PAPER_POWER,
                Some("paper: -59 %"),
            ),
            (
                "power at equal time",
                CLAIMS[2].3,
                default.energy,
                PAPER_POWER,
                None,
            ),
        ] {
            let mut values: Vec<f64> = self.combinations.iter().map(value).collect();
            values.sort_by(f64::total_cmp);
            let share = |v: f64| {
                let below = values.iter().filter(|other| **other < v).count();
                100.0 * count(below as u64) / count(values.len() as u64)
            };
            let points: Vec<(f64, f64)> = values
                .iter()
                .enumerate()
                // A curve needs no more points than a column has room for; the last one is its end.
                .filter(|(at, _)| at % 128 == 0 || at + 1 == values.len())
                .map(|(at, v)| (100.0 * count(at as u64) / count(values.len() as u64), *v))
                .collect();
            series.push(Series::new(format!("{name}, all combinations"), points));
            let nominal = vec![(share(interval.nominal), interval.nominal)];
            series.push(Series {
                error: Some(vec![(interval.low, interval.high)]),
                ..Series::new(format!("{name}, default choices"), nominal)
            });
            markers.extend(label.map(|label| Marker {
                x: share(paper),
                y: paper,
                label: label.to_owned(),
            }));
        }
        Figure::from(LinePlot {
            page: Page {
                provenance: Some(provenance),
                ..Page::default()
            },
            x: PlotAxis::new("combinations below", Scale::Linear).unit("%"),
            y: PlotAxis::new("machine over systolic array", Scale::Log10),
            series,
            markers,
        })
    }
}

fn between(low: f64, high: f64) -> String {
    format!("{} to {}", significant(low, 3), significant(high, 3))
}

#[expect(clippy::cast_precision_loss, reason = "counts for ratios in a report")]
fn count(n: u64) -> f64 {
    n as f64
}

fn push(table: &mut Table, row: Vec<Cell>) -> Result<(), SweepError> {
    table.push(row).map_err(|e| SweepError::Plot(e.to_string()))
}
