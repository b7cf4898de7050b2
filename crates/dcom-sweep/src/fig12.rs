//! The paper's Fig. 12: latency over the expansion factor, beside C4 (best factor 8) and C5
//! (speed-up 6.2), and what becomes of both when the paper's coupling of factor and clusters is undone.

use dcom_config::Mark;
use dcom_report::{Axis, Cell, Column, Figure, LinePlot, Marker, Page, Scale, Series, Table};
use dcom_timing::Summary;

use crate::fit;
use crate::point::{Base, PointError, evaluate};
use crate::roofline::{Roofline, roofline};
use crate::sweep::SweepError;

/// Expansion factors of the figure.
pub const FACTORS: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];

/// C4: the paper's best expansion factor at B = 64, S = H = 4096, K = 10 (section 6.4, given).
pub const PAPER_FACTOR: u32 = 8;

/// C5: the paper's speed-up of expansion (abstract, given).
pub const PAPER_SPEEDUP: f64 = 6.2;

/// A factor within this share of the best latency counts as best; the smallest such one is the optimum.
pub const NEAR_BEST: f64 = 0.02;

const OVERLAPPED: &str = "arrival of A overlapped";

/// Latency over the expansion factor for one way of mapping.
#[derive(Clone, Debug)]
pub struct Curve {
    /// What is different from the paper's configuration.
    pub name: String,
    /// Expansion factor and time per prompt (us); infeasible factors are left out.
    pub points: Vec<(u32, f64)>,
}

impl Curve {
    /// Smallest factor whose latency is within [`NEAR_BEST`] of the best, and its speed-up over f = 1.
    #[must_use]
    pub fn optimum(&self) -> Option<(u32, f64)> {
        let best = self.points.iter().map(|p| p.1).min_by(f64::total_cmp)?;
        let (factor, time) = *self
            .points
            .iter()
            .find(|p| p.1 <= best * (1.0 + NEAR_BEST))?;
        let (first, one) = *self.points.first()?;
        Some((factor, if first == 1 { one / time } else { f64::NAN }))
    }
}

/// The whole figure.
#[derive(Clone, Debug)]
pub struct Fig12 {
    /// The paper's configuration: clusters engaged grow with the factor.
    pub paper: Curve,
    /// The engaged clusters held fixed at the whole array, by partitions of C / f clusters.
    pub fixed_clusters: Curve,
    /// The factor alone: the products of A on all banks at every factor.
    pub fixed_banks: Curve,
    /// Other numbers of clusters per partition.
    pub partitions: Vec<Curve>,
    /// Other choices that the paper leaves open.
    pub choices: Vec<Curve>,
    /// Largest relative error of Table 2 with the constant of least squares, without and with overlap.
    pub table2_errors: (f64, f64),
    /// Cycles of re-orthogonalization per prompt at f = 1 and at the paper's factor.
    pub reorth_cycles: (u64, u64),
    /// Bottleneck at the largest factor, and the mean utilization of the lanes there by multiplications.
    pub beyond: (String, f64),
    /// The same machine and the A100 beside what the memory bandwidth allows.
    pub roofline: Roofline,
    /// Parameters of machine and workload that are fitted: key, value, source.
    pub fitted: Vec<(String, String, String)>,
}

/// Evaluates the figure on a base whose files are the paper's machine and workload.
///
/// # Errors
/// The base itself does not evaluate; single infeasible points are left out.
pub fn fig12(base: &Base) -> Result<Fig12, PointError> {
    evaluate(base)?;
    let clusters = base.arch.columns * base.arch.rows;
    let g = base.workload.clusters_per_partition;
    let fixed = |name: &str, settings: &[(&str, &str)]| {
        curve(base, name, |f| {
            let mut all: Vec<(String, String)> = settings
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect();
            all.push(("mapping.expansion_factor".to_owned(), f.to_string()));
            Some(all)
        })
    };
    let per_partition = |clusters: u32| {
        (
            "mapping.clusters_per_partition".to_owned(),
            clusters.to_string(),
        )
    };
    let fixed_clusters = curve(
        base,
        &format!("{clusters} clusters engaged at every f"),
        |f| {
            let clusters = clusters / f;
            (clusters > 0).then(|| {
                vec![
                    ("mapping.expansion_factor".to_owned(), f.to_string()),
                    per_partition(clusters),
                ]
            })
        },
    )?;
    let banks = clusters / base.arch.rows / base.arch.bank_columns;
    let mut partitions = Vec::new();
    for other in [8, 16, 32, 64, 128] {
        partitions.push(fixed(
            &format!("g = {other}"),
            &[("mapping.clusters_per_partition", &other.to_string())],
        )?);
    }
    let choices = vec![
        fixed(
            "partial sums summed first, multiplied once",
            &[("mapping.partial_sums", "sum_first")],
        )?,
        fixed(OVERLAPPED, &[("mapping.overlap_ingest", "true")])?,
        fixed(
            "classical Gram-Schmidt after the three-term recurrence",
            &[
                ("mapping.gram_schmidt", "classical"),
                ("mapping.three_term", "true"),
            ],
        )?,
        fixed(
            "partitions spread over all columns",
            &[("mapping.placement", "spread")],
        )?,
        fixed(
            "chain instead of tree between clusters",
            &[("mapping.reduction", "chain")],
        )?,
        fixed(
            "eight prompts in flight on partitions of their own",
            &[
                ("mapping.prompts_in_flight", "8"),
                ("mapping.windows", "disjoint"),
            ],
        )?,
    ];
    let mut overlapped = base.clone();
    overlapped.set("mapping.overlap_ingest", "true")?;
    let at = |factor: u32| {
        let mut at = base.clone();
        at.set("mapping.expansion_factor", &factor.to_string())?;
        evaluate(&at).map(|p| p.summary)
    };
    let reorth = |summary: &Summary| {
        let cycles = summary
            .phases
            .iter()
            .find(|(name, _)| *name == "reorth")
            .map_or(0, |p| p.1);
        cycles / u64::from(base.workload.prompts)
    };
    let beyond = at(FACTORS[FACTORS.len() - 1])?;
    let peak = u64::from(clusters) * u64::from(base.arch.lanes_x) * u64::from(base.arch.lanes_y);
    #[expect(clippy::cast_precision_loss, reason = "a ratio for the report")]
    let busy_lanes = beyond.activity.multiplications as f64 / (beyond.cycles as f64 * peak as f64);
    let entries = base
        .arch
        .entries()
        .into_iter()
        .chain(base.workload.entries());
    let fitted = entries.filter(|e| e.mark == Some(Mark::Fitted)).map(|e| {
        (
            e.path.to_owned(),
            e.value.to_string(),
            e.source.unwrap_or_default().to_owned(),
        )
    });
    Ok(Fig12 {
        paper: fixed(&format!("paper: g = {g}, f partitions engaged"), &[])?,
        fixed_clusters,
        fixed_banks: fixed(
            "products on all banks at every f",
            &[("mapping.product_banks", &banks.to_string())],
        )?,
        partitions,
        choices,
        table2_errors: (fit::fit(base)?.worst(), fit::fit(&overlapped)?.worst()),
        reorth_cycles: (reorth(&at(1)?), reorth(&at(PAPER_FACTOR)?)),
        beyond: (beyond.bottleneck, busy_lanes),
        roofline: roofline(base)?,
        fitted: fitted.collect(),
    })
}

fn curve(
    base: &Base,
    name: &str,
    settings: impl Fn(u32) -> Option<Vec<(String, String)>>,
) -> Result<Curve, PointError> {
    let mut points = Vec::new();
    for f in FACTORS {
        let Some(settings) = settings(f) else {
            continue;
        };
        let mut at = base.clone();
        for (key, value) in &settings {
            at.set(key, value)?;
        }
        match evaluate(&at) {
            Ok(point) => points.push((f, point.time_us_per_prompt)),
            Err(PointError::Map(_)) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(Curve {
        name: name.to_owned(),
        points,
    })
}

impl Fig12 {
    fn others(&self) -> impl Iterator<Item = &Curve> {
        [&self.fixed_clusters, &self.fixed_banks]
            .into_iter()
            .chain(&self.partitions)
            .chain(&self.choices)
    }

    fn overlapped(&self) -> Option<&Curve> {
        self.choices.iter().find(|c| c.name == OVERLAPPED)
    }

    /// `expansion_factor,time_us_per_prompt,speedup` of the paper's configuration.
    ///
    /// # Errors
    /// A row that does not fit the table.
    pub fn table(&self) -> Result<Table, SweepError> {
        let mut table = Table::new(
            ["expansion_factor", "time_us_per_prompt", "speedup"]
                .map(Column::new)
                .to_vec(),
        );
        let one = self.paper.points.first().map_or(f64::NAN, |p| p.1);
        for (f, time) in &self.paper.points {
            push(
                &mut table,
                vec![
                    Cell::from(i64::from(*f)),
                    Cell::real(*time, 5),
                    Cell::real(one / time, 4),
                ],
            )?;
        }
        Ok(table)
    }

    /// Every curve, one row per point: `curve,expansion_factor,time_us_per_prompt`.
    ///
    /// # Errors
    /// As [`Fig12::table`].
    pub fn curves_table(&self) -> Result<Table, SweepError> {
        let mut table = Table::new(
            ["curve", "expansion_factor", "time_us_per_prompt"]
                .map(Column::new)
                .to_vec(),
        );
        for curve in [&self.paper].into_iter().chain(self.others()) {
            for (f, time) in &curve.points {
                push(
                    &mut table,
                    vec![
                        Cell::from(curve.name.as_str()),
                        Cell::from(i64::from(*f)),
                        Cell::real(*time, 5),
                    ],
                )?;
            }
        }
        Ok(table)
    }

    /// The report page.
    ///
    /// # Errors
    /// As [`Fig12::table`].
    pub fn markdown(&self) -> Result<String, SweepError> {
        let (factor, speedup) = self.paper.optimum().unwrap_or((0, f64::NAN));
        let (fixed_factor, fixed_speedup) = self.fixed_clusters.optimum().unwrap_or((0, f64::NAN));
        let (bank_factor, bank_speedup) = self.fixed_banks.optimum().unwrap_or((0, f64::NAN));
        let moved: Vec<String> = self
            .others()
            .filter_map(|c| Some((c, c.optimum()?)))
            .filter(|(_, (f, _))| *f != factor)
            .map(|(c, (f, _))| format!("f = {f} ({})", c.name))
            .collect();
        let mut page = String::from("# Fig. 12: latency over the expansion factor\n\n");
        page.push_str(&if moved.is_empty() {
            format!("**The optimum f = {factor} holds in every variation below.**\n\n")
        } else {
            format!(
                "**The optimum moves.** f = {factor} is the best factor in the paper's configuration ({}), but elsewhere it is: {}.\n\n",
                self.paper.name,
                moved.join("; ")
            )
        });
        page.push_str(&format!(
            "With the engaged clusters fixed, the best factor is f = {fixed_factor} at a speed-up of {fixed_speedup:.2}; with the products of A on \
             all banks at every factor, f = {bank_factor} at {bank_speedup:.2}. Re-orthogonalization, which is what expansion is meant for, takes {} \
             cycles per prompt at f = 1 and {} at f = {PAPER_FACTOR}.{}\n\n",
            self.reorth_cycles.0,
            self.reorth_cycles.1,
            if fixed_factor == 1 && bank_factor == 1 && self.reorth_cycles.1 >= self.reorth_cycles.0 {
                " So what the sweep measures is the engagement of bank columns, and with them of memory bandwidth; expansion itself gains nothing here."
            } else {
                ""
            }
        ));
        page.push_str("![latency over expansion factor](fig12.svg)\n\n## Against the paper\n\n");
        let mut claims = Table::new(
            ["claim", "paper", "simulated", "error", "mark"]
                .map(Column::new)
                .to_vec(),
        );
        push(
            &mut claims,
            vec![
                Cell::from("C4: best expansion factor (smallest within 2 % of the best latency)"),
                Cell::from(i64::from(PAPER_FACTOR)),
                Cell::from(i64::from(factor)),
                Cell::from(if factor == PAPER_FACTOR {
                    "none"
                } else {
                    "differs"
                }),
                Cell::from("calibrated: g = 32 is fitted to it"),
            ],
        )?;
        push(
            &mut claims,
            vec![
                Cell::from("C5: speed-up over f = 1"),
                Cell::real(PAPER_SPEEDUP, 2),
                Cell::real(speedup, 3),
                Cell::from(format!("{:+.1} %", (speedup / PAPER_SPEEDUP - 1.0) * 100.0).as_str()),
                Cell::from(
                    "predicted: machine and mapping are fitted to C4 and Table 2, not to it",
                ),
            ],
        )?;
        page.push_str(&claims.to_markdown());
        if let Some((factor, speedup)) = self.overlapped().and_then(Curve::optimum) {
            page.push_str(&format!(
                "\nWith the arrival of A overlapped, and its share of the memory bandwidth taken off the streams, C5 comes out as {speedup:.2} at \
                 f = {factor}. Table 2 prefers the other choice: with the constant per prompt of least squares its largest error is {:.1} % as shipped \
                 and {:.1} % overlapped. Neither choice is the better one for both.\n",
                self.table2_errors.0 * 100.0,
                self.table2_errors.1 * 100.0
            ));
        }
        page.push_str("\n## The paper's configuration\n\n");
        page.push_str(&self.table()?.to_markdown());
        page.push_str("\n## Variations\n\n");
        let mut variations = Table::new(vec![
            Column::new("variation"),
            Column::new("best f"),
            Column::new("speed-up over f = 1"),
            Column::new("time at best f").unit("us"),
        ]);
        for curve in self.others() {
            let Some((f, speedup)) = curve.optimum() else {
                continue;
            };
            let time = curve
                .points
                .iter()
                .find(|p| p.0 == f)
                .map_or(f64::NAN, |p| p.1);
            push(
                &mut variations,
                vec![
                    Cell::from(curve.name.as_str()),
                    Cell::from(i64::from(f)),
                    Cell::real(speedup, 3),
                    Cell::real(time, 4),
                ],
            )?;
        }
        page.push_str(&variations.to_markdown());
        page.push_str(&format!(
            "\nThe paper calls factors above 8 compute-bound. Here the bottleneck at f = {} is `{}`, and multiplications use {:.1} % of the lanes' \
             peak.\n\n## Against what the memory bandwidth allows\n\n{} Marks and sources: \
             [roofline.md](roofline.md).\n\n{}\n## Fitted parameters behind this page\n\n",
            FACTORS[FACTORS.len() - 1],
            self.beyond.0,
            self.beyond.1 * 100.0,
            self.roofline.words(),
            self.roofline.reader_table()?.to_markdown()
        ));
        let mut fitted = Table::new(
            ["parameter", "value", "fitted to"]
                .map(Column::new)
                .to_vec(),
        );
        for (key, value, source) in &self.fitted {
            push(
                &mut fitted,
                vec![
                    Cell::from(key.as_str()),
                    Cell::from(value.as_str()),
                    Cell::from(source.as_str()),
                ],
            )?;
        }
        page.push_str(&fitted.to_markdown());
        page.push_str(
            "\nRegenerate with `cargo xtask reproduce fig12`. All points: `fig12_curves.csv`.\n",
        );
        Ok(page)
    }

    /// The figure.
    #[must_use]
    pub fn figure(&self, provenance: String) -> Figure {
        let series = |c: &Curve| {
            Series::new(
                &c.name,
                c.points
                    .iter()
                    .map(|(f, t)| (f64::from(*f), *t))
                    .collect::<Vec<_>>(),
            )
        };
        let one = self.paper.points.first().map_or(f64::NAN, |p| p.1);
        let mut all = vec![series(&self.paper), series(&self.fixed_clusters)];
        all.extend(
            self.partitions
                .iter()
                .filter(|c| ["g = 16", "g = 64"].contains(&c.name.as_str()))
                .map(series),
        );
        Figure::from(LinePlot {
            page: Page {
                provenance: Some(provenance),
                ..Page::default()
            },
            x: Axis::new("expansion factor f", Scale::Log2),
            y: Axis::new("latency per prompt", Scale::Log10).unit("us"),
            series: all,
            markers: vec![Marker {
                x: f64::from(PAPER_FACTOR),
                y: one / PAPER_SPEEDUP,
                label: "paper: 6.2x at f = 8".to_owned(),
            }],
        })
    }
}

fn push(table: &mut Table, row: Vec<Cell>) -> Result<(), SweepError> {
    table.push(row).map_err(|e| SweepError::Plot(e.to_string()))
}
