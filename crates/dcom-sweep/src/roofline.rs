//! D-com and the A100 beside what the memory bandwidth allows, so that nobody mistakes a slow baseline for a fast machine.
//!
//! Golub-Kahan bidiagonalization multiplies by A and by its transpose in turn: K products A v and K - 1 products
//! A^T u. A machine that streams A for each of them cannot take less than (2 K - 1) times the bytes of A over its memory
//! bandwidth. Only a machine that keeps A on chip, or reads it once for both products, can be below that: its floor is
//! one read.

use dcom_config::Mark;
use dcom_report::{Axis, Cell, Column, Figure, LinePlot, Page, Scale, Series, Table};

use crate::fit::{TABLE2, TABLE2_TOKENS};
use crate::point::{Base, PointError, evaluate};
use crate::sweep::SweepError;

/// Seconds per decomposed layer on the A100 at rank 1, 10 and 20 (derived: Table 2's times are linear in the number of
/// layers, 14.2, 25.1 and 42.6 s for four to 113 s for 32 at rank 1).
const A100_LAYER_S: [(u32, f64); 3] = [(1, 3.55), (10, 6.25), (20, 10.6)];

/// Batches of 64 prompts (assumed: about 9500 answer strings of arc_easy, as for D-com's times in `fit`).
const BATCHES: f64 = 149.0;

/// Prompts per batch (assumed, as in Fig. 12).
const PROMPTS: f64 = 64.0;

/// Level-2 cache of an A100 (B; NVIDIA A100 datasheet and whitepaper: 40 MB).
const A100_CACHE_BYTES: f64 = 40e6;

/// C6: how much slower the A100 is, "about 8x in every row" (given).
pub const PAPER_RATIO: f64 = 8.0;

/// The two machines at one shape and rank, beside the floors of the bandwidth.
#[derive(Clone, Debug)]
pub struct Row {
    /// Tokens.
    pub tokens: u32,
    /// Channels.
    pub channels: u32,
    /// Lanczos iterations, K = r.
    pub iterations: u32,
    /// Time per prompt of 2 K - 1 reads of A (us).
    pub streamed_us: f64,
    /// The same for 2 K reads (us).
    pub two_per_iteration_us: f64,
    /// One read (us): the floor of a machine that keeps A on chip.
    pub one_read_us: f64,
    /// A over the link (us): D-com's floor wherever A lives, the A100 has A already.
    pub link_us: f64,
    /// Reads of A that the simulated D-com makes, padding excluded.
    pub simulated_reads: f64,
    /// D-com simulated (us).
    pub simulated_us: f64,
    /// D-com in the paper's Table 2 (us), at its shape.
    pub paper_us: Option<f64>,
    /// The A100 in the paper's Table 2 (us), at its shape.
    pub a100_us: Option<f64>,
}

/// The comparison at Table 2's three ranks and at Fig. 12's shape.
#[derive(Clone, Debug)]
pub struct Roofline {
    /// The rows.
    pub rows: Vec<Row>,
    /// Memory bandwidth (GB/s), with its mark and source.
    pub bandwidth: (f64, Option<Mark>, String),
    /// Link bandwidth (GB/s), with its mark and source.
    pub link: (f64, Option<Mark>, String),
}

/// A100's time per prompt in Table 2 (us).
#[must_use]
pub fn a100_us(rank: u32) -> Option<f64> {
    let row = A100_LAYER_S.iter().find(|(r, _)| *r == rank);
    row.map(|(_, seconds)| seconds / BATCHES / PROMPTS * 1e6)
}

/// Time of some reads of A at a bandwidth (us); A is fp16.
#[must_use]
pub fn reads_us(tokens: u32, channels: u32, reads: f64, gb_per_s: f64) -> f64 {
    reads * bytes(tokens, channels) / (gb_per_s * 1e3)
}

fn bytes(tokens: u32, channels: u32) -> f64 {
    2.0 * f64::from(tokens) * f64::from(channels)
}

/// Evaluates the comparison on the paper's machine and the workload of Fig. 12.
///
/// # Errors
/// A point that does not evaluate.
pub fn roofline(base: &Base) -> Result<Roofline, PointError> {
    let entries = base.arch.entries();
    let origin = |key: &str| {
        let entry = entries.iter().find(|e| e.path == key);
        entry.map_or((None, String::new()), |e| {
            (e.mark, e.source.unwrap_or_default().to_owned())
        })
    };
    let mut rows = Vec::new();
    for (rank, paper) in TABLE2 {
        let mut at = base.clone();
        at.set("workload.rows", &TABLE2_TOKENS.to_string())?;
        at.set("workload.iterations", &rank.to_string())?;
        at.set("workload.rank", &rank.to_string())?;
        rows.push(row(&at, Some(paper), a100_us(rank))?);
    }
    // The paper states no time per prompt at Fig. 12's shape, for either machine.
    rows.push(row(base, None, None)?);
    let (memory, link) = (
        origin("memory.bandwidth_gb_per_s"),
        origin("link.bandwidth_gb_per_s"),
    );
    Ok(Roofline {
        rows,
        bandwidth: (base.arch.memory_bandwidth, memory.0, memory.1),
        link: (base.arch.link_bandwidth, link.0, link.1),
    })
}

fn row(base: &Base, paper_us: Option<f64>, a100_us: Option<f64>) -> Result<Row, PointError> {
    let point = evaluate(base)?;
    let w = &base.workload;
    let iterations = w.iterations.min(w.rows).min(w.columns);
    let time = |reads: f64| reads_us(w.rows, w.columns, reads, base.arch.memory_bandwidth);
    #[expect(clippy::cast_precision_loss, reason = "a ratio for the report")]
    let read = point.summary.activity.memory_read_bytes as f64 / f64::from(w.prompts);
    Ok(Row {
        tokens: w.rows,
        channels: w.columns,
        iterations,
        streamed_us: time(2.0 * f64::from(iterations) - 1.0),
        two_per_iteration_us: time(2.0 * f64::from(iterations)),
        one_read_us: time(1.0),
        link_us: reads_us(w.rows, w.columns, 1.0, base.arch.link_bandwidth),
        simulated_reads: read / bytes(w.rows, w.columns),
        simulated_us: point.time_us_per_prompt,
        paper_us,
        a100_us,
    })
}

impl Row {
    /// The shape and rank in words.
    #[must_use]
    pub fn shape(&self) -> String {
        format!(
            "S = {}, H = {}, K = {}",
            self.tokens, self.channels, self.iterations
        )
    }

    /// How many times its own streaming floor something takes.
    #[must_use]
    pub fn distance(&self, us: f64) -> f64 {
        us / self.streamed_us
    }
}

fn push(table: &mut Table, row: Vec<Cell>) -> Result<(), SweepError> {
    table.push(row).map_err(|e| SweepError::Plot(e.to_string()))
}

fn real(value: Option<f64>, digits: usize) -> Cell {
    value.map_or(Cell::Missing, |v| Cell::real(v, digits))
}

/// A ratio that may be near 1 or far from it.
fn times(ratio: f64) -> String {
    if ratio < 10.0 {
        format!("{ratio:.1}")
    } else {
        format!("{ratio:.0}")
    }
}

impl Roofline {
    /// All numbers, one row per shape and rank.
    ///
    /// # Errors
    /// A row that does not fit the table.
    pub fn table(&self) -> Result<Table, SweepError> {
        let names = [
            "tokens",
            "channels",
            "iterations",
            "streamed_us",
            "two_reads_per_iteration_us",
            "one_read_us",
            "link_us",
            "dcom_simulated_us",
            "dcom_paper_us",
            "a100_paper_us",
            "dcom_simulated_reads",
        ];
        let mut table = Table::new(names.map(Column::new).to_vec());
        for row in &self.rows {
            push(
                &mut table,
                vec![
                    Cell::Integer(row.tokens.into()),
                    Cell::Integer(row.channels.into()),
                    Cell::Integer(row.iterations.into()),
                    Cell::real(row.streamed_us, 4),
                    Cell::real(row.two_per_iteration_us, 4),
                    Cell::real(row.one_read_us, 4),
                    Cell::real(row.link_us, 4),
                    Cell::real(row.simulated_us, 4),
                    real(row.paper_us, 4),
                    real(row.a100_us, 4),
                    Cell::real(row.simulated_reads, 4),
                ],
            )?;
        }
        Ok(table)
    }

    /// The comparison in two sentences.
    #[must_use]
    pub fn words(&self) -> String {
        let floors = |us: fn(&Row) -> Option<f64>| {
            let all = self
                .rows
                .iter()
                .filter_map(|r| Some(times(r.distance(us(r)?))));
            all.collect::<Vec<_>>().join(", ")
        };
        let last = self.rows.last().map_or_else(String::new, |row| {
            format!(
                " At Fig. 12's shape the floor is {:.1} us and D-com simulated takes {:.1} us, {:.2} times that; the paper states no time of the A100 there.",
                row.streamed_us,
                row.simulated_us,
                row.distance(row.simulated_us)
            )
        });
        format!(
            "The A100 as measured in Table 2 takes {} times (rank 1, 10, 20) what reading A 2 K - 1 times takes at its own {:.0} GB/s; D-com takes {} \
             times that in the paper and {} times simulated. So the paper's factor of {PAPER_RATIO} is the distance to a slow baseline, not to what the same \
             bandwidth allows.{last}",
            floors(|r| r.a100_us),
            self.bandwidth.0,
            floors(|r| r.paper_us),
            floors(|r| r.a100_us.map(|_| r.simulated_us)),
        )
    }

    /// What each further iteration takes between the ranks of Table 2, beside two reads of A.
    fn slopes(&self) -> String {
        let slope = |pair: &[Row], us: fn(&Row) -> Option<f64>| {
            let further = f64::from(pair[1].iterations) - f64::from(pair[0].iterations);
            Some((us(&pair[1])? - us(&pair[0])?) / further)
        };
        let slopes = |us: fn(&Row) -> Option<f64>| {
            let all = self.rows.windows(2).filter_map(|pair| slope(pair, us));
            all.map(|s| format!("{s:.1}"))
                .collect::<Vec<_>>()
                .join(" and ")
        };
        let two_reads = self.rows.first().map_or(f64::NAN, |r| 2.0 * r.one_read_us);
        format!(
            "Each further iteration (rank 1 to 10, 10 to 20) takes {} us on the A100, {} us on D-com in the paper and {} us simulated, where two reads of A \
             take {two_reads:.1} us: the paper's accelerator is consistent with streaming A twice per iteration, its A100 is not.",
            slopes(|r| r.a100_us),
            slopes(|r| r.paper_us),
            slopes(|r| r.a100_us.map(|_| r.simulated_us)),
        )
    }

    /// The table for readers: times beside the floor, and how far from it.
    ///
    /// # Errors
    /// As [`Roofline::table`].
    pub fn reader_table(&self) -> Result<Table, SweepError> {
        let names = [
            "shape",
            "floor: 2 K - 1 reads (us)",
            "2 K reads (us)",
            "one read (us)",
            "A over the link (us)",
            "D-com simulated (us)",
            "x floor",
            "D-com, Table 2 (us)",
            "x floor",
            "A100, Table 2 (us)",
            "x floor",
        ];
        let mut table = Table::new(names.map(Column::new).to_vec());
        for row in &self.rows {
            let distance = |us: Option<f64>| real(us.map(|us| row.distance(us)), 3);
            push(
                &mut table,
                vec![
                    Cell::from(row.shape()),
                    Cell::real(row.streamed_us, 4),
                    Cell::real(row.two_per_iteration_us, 4),
                    Cell::real(row.one_read_us, 3),
                    Cell::real(row.link_us, 4),
                    Cell::real(row.simulated_us, 4),
                    distance(Some(row.simulated_us)),
                    real(row.paper_us, 4),
                    distance(row.paper_us),
                    real(row.a100_us, 4),
                    distance(row.a100_us),
                ],
            )?;
        }
        Ok(table)
    }

    /// The report page.
    ///
    /// # Errors
    /// As [`Roofline::table`].
    pub fn markdown(&self) -> Result<String, SweepError> {
        let mark = |m: Option<Mark>| m.map_or_else(|| "unmarked".to_owned(), |m| m.to_string());
        let cached: Vec<String> = self
            .rows
            .iter()
            .filter(|r| r.a100_us.is_some() && bytes(r.tokens, r.channels) < A100_CACHE_BYTES)
            .map(|r| format!("{:.1}", bytes(r.tokens, r.channels) / 1e6))
            .take(1)
            .collect();
        let cache = cached.first().map_or_else(String::new, |mb| {
            format!(
                "\nNot even that is the A100's last word: at Table 2's shape A has {mb} MB and fits its cache of {:.0} MB (A100 datasheet), so its floor there is one read.\n",
                A100_CACHE_BYTES / 1e6
            )
        });
        Ok(format!(
            "# What the memory bandwidth allows\n\n**{}**\n\n{}\n{cache}\n![time per prompt over the rank](roofline.svg)\n\n{}\n\
             ## Where the numbers come from\n\n\
             | number | mark | source |\n|---|---|---|\n\
             | memory bandwidth, {} GB/s | {} | {} |\n\
             | link bandwidth, {} GB/s | {} | {} |\n\
             | S = 4096, H = 4096, K = 10 | given | Fig. 12; K = r is assumed |\n\
             | S = {TABLE2_TOKENS} for Table 2 | assumed | the shape in Fig. 2 |\n\
             | floor: (2 K - 1) 2 S H bytes over the memory bandwidth | derived | K products A v, K - 1 products A^T u, each streams A in fp16 once; holds for any machine of this bandwidth that keeps no part of A on chip and reads it once per product |\n\
             | 2 K reads | derived | two reads per iteration, as a machine makes that forms A^T u in the last iteration as well |\n\
             | one read | derived | the floor of a machine that keeps A on chip |\n\
             | A over the link | derived | D-com's floor wherever A lives; A starts in the GPU's memory, so the A100 has no such floor |\n\
             | A100, Table 2 | derived | 3.55, 6.25, 10.6 s per layer at rank 1, 10, 20, over {BATCHES} batches (assumed) of {PROMPTS} prompts (assumed) |\n\
             | D-com, Table 2 | derived | as above from 0.45, 0.80, 1.33 s per layer |\n\
             | D-com simulated | fitted in part | one constant per prompt is fitted to D-com's three times in Table 2, see [fig12.md](fig12.md) |\n\n\
             The A100's times per prompt are those of a batch of 64 over 64; its roofline does not depend on the batch.\n\n\
             Regenerate with `cargo xtask reproduce roofline`. All numbers: `roofline.csv`.\n",
            self.words(),
            self.slopes(),
            self.reader_table()?.to_markdown(),
            self.bandwidth.0,
            mark(self.bandwidth.1),
            self.bandwidth.2,
            self.link.0,
            mark(self.link.1),
            self.link.2,
        ))
    }

    /// The floor at Table 2's shape over K: at more points than the others, because it is no line on this scale.
    fn floor(&self) -> Vec<(f64, f64)> {
        let channels = self.rows.first().map_or(0, |r| r.channels);
        let time = |k: f64| reads_us(TABLE2_TOKENS, channels, 2.0 * k - 1.0, self.bandwidth.0);
        let iterations = [1, 2, 3, 5, 7, 10, 14, 20];
        iterations
            .map(|k| (f64::from(k), time(f64::from(k))))
            .to_vec()
    }

    /// Time per prompt over the rank at Table 2's shape, beside the floors.
    #[must_use]
    pub fn figure(&self, provenance: String) -> Figure {
        let rows = || self.rows.iter().filter(|r| r.a100_us.is_some());
        let series = |name: &str, us: fn(&Row) -> Option<f64>| {
            let points = rows().filter_map(|r| Some((f64::from(r.iterations), us(r)?)));
            Series::new(name, points.collect::<Vec<_>>())
        };
        Figure::from(LinePlot {
            page: Page {
                provenance: Some(provenance),
                ..Page::default()
            },
            x: Axis::new("rank (S = 468, H = 4096)", Scale::Linear),
            y: Axis::new("time per prompt", Scale::Log10).unit("us"),
            series: vec![
                series("A100 as measured (Table 2)", |r| r.a100_us),
                series("D-com in the paper (Table 2)", |r| r.paper_us),
                series("D-com simulated", |r| Some(r.simulated_us)),
                Series::new("floor: 2 K - 1 reads of A", self.floor()),
                series("one read of A", |r| Some(r.one_read_us)),
            ],
            markers: Vec::new(),
        })
    }
}
