//! The results as a table, Pareto plots and a page.

use std::path::{Path, PathBuf};

use dcom_report::{
    Axis, Cell, Column, Curve, Figure, Page, PointGroup, Scale, ScatterPlot, ScatterPoint, Table,
    TableError, Width, write_atomic,
};

use crate::cost::Cost;
use crate::error::QualityError;
use crate::quality::Quality;
use crate::run::{Results, Row};

/// Most groups that a plot tells apart.
const GROUPS: usize = 8;

/// Something that is paid for quality.
struct Price {
    /// In file names.
    name: &'static str,
    /// On axes.
    label: &'static str,
    unit: Option<&'static str>,
    /// Lowest, nominal, highest.
    of: fn(&Row) -> [f64; 3],
}

const PRICES: [Price; 3] = [
    Price {
        name: "latency",
        label: "time of a batch over that of the original model",
        unit: None,
        of: |row| [row.cost.latency_us / row.original_cost.latency_us; 3],
    },
    Price {
        name: "memory",
        label: "activations of a prompt over those of the original model",
        unit: None,
        of: |row| {
            [ratio(
                row.cost.activation_bytes,
                row.original_cost.activation_bytes,
            ); 3]
        },
    },
    Price {
        name: "energy",
        label: "energy of a batch's decompositions",
        unit: Some("mJ"),
        of: |row| {
            let [nominal, low, high] = row.cost.dcom_j;
            [low * 1e3, nominal * 1e3, high * 1e3]
        },
    },
];

/// Tables, figures and the page of a study.
pub struct Report<'a> {
    name: &'a str,
    results: &'a Results,
    /// The model without a plan, where it is the same for all points.
    original: Option<Row>,
}

impl<'a> Report<'a> {
    /// Of the results of a study of this name.
    #[must_use]
    pub fn new(name: &'a str, results: &'a Results) -> Report<'a> {
        let first = results.rows.first();
        let same = |row: &Row| {
            first.is_some_and(|first| {
                (row.original, row.original_cost) == (first.original, first.original_cost)
            })
        };
        let original = first
            .filter(|_| results.rows.iter().all(same))
            .map(|row| Row {
                values: vec!["none".to_owned(); row.values.len()],
                quality: row.original,
                cost: row.original_cost,
                ..row.clone()
            });
        Report {
            name,
            results,
            original,
        }
    }

    /// Points with a perplexity, and that over the original model's; the original model first.
    fn points(&self) -> Vec<(f64, &Row)> {
        let rows = self.original.iter().chain(&self.results.rows);
        rows.filter_map(|row| Some((growth(row)?, row))).collect()
    }

    /// Points with one value on the first axis look alike.
    fn group(&self, row: &Row) -> String {
        match (self.results.columns.first(), row.values.first()) {
            (Some(column), Some(value)) => {
                let leaf = column
                    .rsplit_once('.')
                    .map_or(column.as_str(), |(_, leaf)| leaf);
                format!("{leaf} {value}")
            }
            _ => "points".to_owned(),
        }
    }

    /// All points.
    ///
    /// # Errors
    /// A number that is not finite.
    pub fn table(&self) -> Result<Table, TableError> {
        self.rows(self.results.rows.iter())
    }

    fn rows<'b>(&self, rows: impl Iterator<Item = &'b Row>) -> Result<Table, TableError> {
        let mut columns: Vec<Column> = self.results.columns.iter().map(Column::new).collect();
        let rows: Vec<&Row> = rows.collect();
        let has = |value: fn(&Quality) -> Option<f64>| {
            rows.iter().any(|row| value(&row.quality).is_some())
        };
        let (text, questions) = (has(|q| q.perplexity), has(|q| q.accuracy));
        if text {
            columns.extend([Column::new("perplexity"), Column::new("over the original")]);
        }
        if questions {
            columns.extend([
                Column::new("right").unit("%"),
                Column::new("right originally").unit("%"),
                Column::new("right per byte").unit("%"),
            ]);
        }
        columns.extend([
            Column::new("outliers").unit("%"),
            Column::new("time of a batch").unit("us"),
            Column::new("time over the original"),
            Column::new("on D-com").unit("us"),
            Column::new("energy on D-com").unit("mJ"),
            Column::new("low").unit("mJ"),
            Column::new("high").unit("mJ"),
            Column::new("energy of GPUs at most").unit("J"),
            Column::new("activations of a prompt").unit("B"),
            Column::new("activations saved").unit("%"),
            Column::new("weights").unit("B"),
            Column::new("weights saved").unit("%"),
        ]);
        let mut table = Table::new(columns);
        for row in rows {
            let mut cells: Vec<Cell> = row
                .values
                .iter()
                .map(|value| value.as_str().into())
                .collect();
            if text {
                cells.extend([
                    optional(row.quality.perplexity, 5),
                    optional(growth(row), 4),
                ]);
            }
            if questions {
                let percent = |share: Option<f64>| optional(share.map(|share| 100.0 * share), 4);
                cells.extend([
                    percent(row.quality.accuracy),
                    percent(row.original.accuracy),
                    percent(row.quality.accuracy_per_byte),
                ]);
            }
            cells.push(optional(row.quality.outlier_percent, 3));
            cells.extend(costs(row));
            table.push(cells)?;
        }
        Ok(table)
    }

    /// (file name without extension, figure) of quality over each price.
    #[must_use]
    pub fn figures(&self) -> Vec<(String, Figure)> {
        let plots = PRICES.iter().filter_map(|price| {
            let figure = self.figure(price)?;
            Some((format!("{}-{}", self.name, price.name), figure))
        });
        plots.collect()
    }

    fn figure(&self, price: &Price) -> Option<Figure> {
        let points = self.points();
        let mut groups: Vec<PointGroup> = Vec::new();
        for (growth, row) in &points {
            let [low, nominal, high] = (price.of)(row);
            let point = ScatterPoint {
                x: nominal,
                y: *growth,
                x_error: (low < high).then_some((low, high)),
                y_error: None,
                color: None,
                label: None,
            };
            let name = self.group(row);
            match groups.iter_mut().find(|group| group.name == name) {
                Some(group) => group.points.push(point),
                None => groups.push(PointGroup {
                    name,
                    points: vec![point],
                    light: false,
                }),
            }
        }
        if groups.is_empty() || groups.len() > GROUPS {
            return None;
        }
        let front: Vec<(f64, f64)> = front(&points, price)
            .into_iter()
            .map(|(growth, row)| ((price.of)(row)[1], growth))
            .collect();
        let axis = Axis::new(price.label, Scale::Linear);
        Some(Figure::from(ScatterPlot {
            page: Page {
                width: Width::DoubleColumn,
                height_ratio: 0.45,
                provenance: Some(self.results.provenance.clone()),
                ..Page::default()
            },
            x: price.unit.map_or(axis.clone(), |unit| axis.unit(unit)),
            y: Axis::new("perplexity over that of the original model", Scale::Log10),
            color: None,
            curves: match front.len() {
                0 | 1 => Vec::new(),
                _ => vec![Curve {
                    name: Some("no other is better in both".to_owned()),
                    points: front,
                }],
            },
            groups,
        }))
    }

    /// Writes table, plots and page into a folder; `command` makes them again. Returns the files.
    ///
    /// # Errors
    /// A number that is not finite, or a file that cannot be written.
    pub fn write(&self, folder: &Path, command: &str) -> Result<Vec<PathBuf>, QualityError> {
        let mut written = Vec::new();
        let mut keep = |name: String, bytes: &[u8]| -> Result<(), QualityError> {
            let path = folder.join(name);
            write_atomic(&path, bytes)?;
            written.push(path);
            Ok(())
        };
        let mut csv = Vec::new();
        self.table()?.to_csv(&mut csv)?;
        keep(format!("{}.csv", self.name), &csv)?;
        for (name, figure) in self.figures() {
            keep(format!("{name}.svg"), figure.to_svg()?.as_bytes())?;
            keep(format!("{name}.png"), &figure.to_png()?)?;
        }
        keep(
            format!("{}.md", self.name),
            self.markdown(command)?.as_bytes(),
        )?;
        Ok(written)
    }

    /// The page; `command` makes it again.
    ///
    /// # Errors
    /// A number that is not finite.
    pub fn markdown(&self, command: &str) -> Result<String, TableError> {
        let mut text = format!(
            "# What a plan costs in quality: {}\n\n\
             `{command}` writes this page, [all {} points]({}.csv) and the plots. What a number means is in \
             [docs/quality.md](../../docs/quality.md) and [docs/llm.md](../../docs/llm.md); a front holds the points that no other beats in both.\n",
            self.name,
            self.results.rows.len(),
            self.name,
        );
        for (name, price) in self.figures().iter().map(|(name, _)| name).zip(&PRICES) {
            let front = front(&self.points(), price);
            let table = self
                .rows(front.into_iter().map(|(_, row)| row))?
                .to_markdown();
            text += &format!(
                "\n## Perplexity and {}\n\n![{}]({name}.png)\n\n{table}",
                price.name, price.name
            );
        }
        Ok(text)
    }
}

/// The points that no other beats in price and perplexity, by rising price.
fn front<'a>(points: &[(f64, &'a Row)], price: &Price) -> Vec<(f64, &'a Row)> {
    let key = |(growth, row): &(f64, &Row)| [(price.of)(row)[1], *growth];
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| {
        let (a, b) = (key(a), key(b));
        a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1]))
    });
    let mut front: Vec<(f64, &Row)> = Vec::new();
    for (growth, row) in sorted {
        if front.last().is_none_or(|(best, _)| growth < *best) {
            front.push((growth, row));
        }
    }
    front
}

/// Perplexity over that of the original model.
fn growth(row: &Row) -> Option<f64> {
    Some(row.quality.perplexity? / row.original.perplexity?)
}

fn costs(row: &Row) -> [Cell; 11] {
    let Cost {
        latency_us,
        dcom_us,
        dcom_j: [nominal, low, high],
        gpu_j_at_most,
        activation_bytes,
        weight_bytes,
    } = row.cost;
    let original = &row.original_cost;
    let saved = |now, then| Cell::real(100.0 * (1.0 - ratio(now, then)), 3);
    [
        Cell::real(latency_us, 4),
        Cell::real(latency_us / original.latency_us, 4),
        Cell::real(dcom_us, 4),
        Cell::real(1e3 * nominal, 3),
        Cell::real(1e3 * low, 3),
        Cell::real(1e3 * high, 3),
        Cell::real(gpu_j_at_most, 4),
        activation_bytes.into(),
        saved(activation_bytes, original.activation_bytes),
        weight_bytes.into(),
        saved(weight_bytes, original.weight_bytes),
    ]
}

fn optional(value: Option<f64>, digits: usize) -> Cell {
    value.map_or(Cell::Missing, |value| Cell::real(value, digits))
}

#[expect(clippy::cast_precision_loss, reason = "bytes of a model")]
fn ratio(now: u64, then: u64) -> f64 {
    now as f64 / then as f64
}
