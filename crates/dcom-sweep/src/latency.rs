//! The plot at the end of a sweep, from its table alone: latency over the last axis, a line per position on the others.

use std::path::Path;

use dcom_report::{Axis as PlotAxis, Figure, LinePlot, Page, Scale, Series};

use crate::space::{Space, VERSION};
use crate::sweep::SweepError;

/// Most lines of the plot: as many as the house style tells apart.
const MAX_LINES: usize = 8;

/// Settings of the other axes, and the points.
type Line = (Vec<(String, String)>, Vec<(f64, f64)>);

/// Draws the table of a sweep. Points without numbers are left out.
///
/// # Errors
/// No axis of numbers to plot over, nothing to plot, or more lines than can be told apart.
pub fn latency_plot(space: &Space, csv: &Path) -> Result<Figure, SweepError> {
    let plot = |message: &str| SweepError::Plot(message.to_owned());
    let unreadable = |error: csv::Error| SweepError::Read {
        path: csv.to_owned(),
        message: error.to_string(),
    };
    let across = space
        .last_axis()
        .first()
        .ok_or_else(|| plot("a sweep without axes"))?;
    let mut reader = csv::Reader::from_path(csv).map_err(unreadable)?;
    let header = reader.headers().map_err(unreadable)?.clone();
    let find = |name: &str| {
        header
            .iter()
            .position(|column| column == name)
            .ok_or_else(|| plot(&format!("the table has no column {name}")))
    };
    let (x_column, y_column) = (find(&across.name)?, find("time_us_per_prompt")?);
    // The first column of the table is the number of the point.
    let others: Vec<usize> = space
        .legend_columns()
        .into_iter()
        .map(|at| at + 1)
        .collect();
    let mut series: Vec<Line> = Vec::new();
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        if record[y_column].is_empty() {
            continue;
        }
        let number = |column: usize| {
            let text = &record[column];
            text.parse::<f64>().map_err(|_| {
                plot(&format!(
                    "{} = {text}: not a number to plot over",
                    &header[column]
                ))
            })
        };
        let at = (number(x_column)?, number(y_column)?);
        let settings = others
            .iter()
            .map(|i| (header[*i].to_owned(), record[*i].to_owned()))
            .collect::<Vec<_>>();
        let known = series.iter().position(|(known, _)| *known == settings);
        match known {
            Some(line) => series[line].1.push(at),
            None if series.len() == MAX_LINES => {
                return Err(plot(&format!(
                    "more than {MAX_LINES} lines cannot be told apart; choose some with `dcom plot`"
                )));
            }
            None => series.push((settings, vec![at])),
        }
    }
    let positive = series
        .iter()
        .flat_map(|(_, points)| points)
        .all(|(x, _)| *x > 0.0);
    Ok(Figure::from(LinePlot {
        page: Page {
            provenance: Some(format!("dcom {VERSION}, sweep {}", space.spec().name)),
            ..Page::default()
        },
        x: PlotAxis::new(
            readable(&across.name),
            if positive { Scale::Log2 } else { Scale::Linear },
        ),
        y: PlotAxis::new("latency per prompt", Scale::Log10).unit("us"),
        series: series
            .iter()
            .map(|(settings, points)| Series::new(series_name(settings), points.clone()))
            .collect(),
        markers: Vec::new(),
    }))
}

/// The last part of a key, in words.
fn readable(key: &str) -> String {
    key.rsplit('.').next().unwrap_or(key).replace('_', " ")
}

/// Legend of one line: array sizes as `16 x 16 = 256 clusters`, other settings as they are.
fn series_name(settings: &[(String, String)]) -> String {
    let find = |key: &str| {
        settings
            .iter()
            .find(|(k, _)| k == key)
            .and_then(|(_, v)| v.parse::<u64>().ok())
    };
    if let (Some(columns), Some(rows), 2) =
        (find("array.columns"), find("array.rows"), settings.len())
    {
        return format!("{columns} x {rows} = {} clusters", columns * rows);
    }
    let parts: Vec<String> = settings
        .iter()
        .map(|(k, v)| format!("{} {v}", readable(k)))
        .collect();
    if parts.is_empty() {
        "latency".to_owned()
    } else {
        parts.join(", ")
    }
}
