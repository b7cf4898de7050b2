//! Running a sweep on all cores and writing its rows.

use std::io;

use dcom_report::{Axis as PlotAxis, Figure, LinePlot, Page, Scale, Series};
use rayon::prelude::*;
use thiserror::Error;

use crate::metric::METRICS;
use crate::point::{Base, Point, PointError, evaluate};
use crate::spec::SweepSpec;

/// Why a sweep could not be run or written.
#[derive(Debug, Error)]
pub enum SweepError {
    /// Machine or workload file.
    #[error(transparent)]
    Base(#[from] PointError),
    /// Writing.
    #[error("writing the results: {0}")]
    Write(#[from] io::Error),
    /// Writing CSV.
    #[error("writing the results: {0}")]
    Csv(String),
    /// Plotting.
    #[error("plotting the results: {0}")]
    Plot(String),
}

/// One finished point: its settings, and its numbers or the reason why there are none.
#[derive(Debug)]
pub struct Row {
    /// Key and value of every axis key.
    pub settings: Vec<(String, String)>,
    /// The numbers.
    pub result: Result<Point, PointError>,
}

/// A finished sweep; rows in the order of the axes, whatever the number of threads.
#[derive(Debug)]
pub struct Sweep {
    /// What was swept.
    pub spec: SweepSpec,
    /// The rows.
    pub rows: Vec<Row>,
}

impl Sweep {
    /// Evaluates every point; `tick` is called once per finished point, from any thread.
    ///
    /// # Errors
    /// The machine or workload file, or a value that its key does not take; a point that does not fit the machine
    /// is a row, not an error.
    pub fn run(spec: SweepSpec, tick: impl Fn() + Sync) -> Result<Sweep, SweepError> {
        let base = Base::read(&spec.arch, &spec.workload)?;
        // A value out of its key's range is a mistake in the file, not an infeasible point.
        for axis in &spec.axes {
            for values in &axis.values {
                let mut at = base.clone();
                axis.keys
                    .iter()
                    .zip(values)
                    .try_for_each(|(k, v)| at.set(k, v))?;
            }
        }
        let rows: Vec<Row> = (0..spec.points())
            .into_par_iter()
            .map(|point| {
                let settings = spec.settings(point);
                let mut at = base.clone();
                let set = settings.iter().try_for_each(|(k, v)| at.set(k, v));
                let result = set.and_then(|()| evaluate(&at));
                tick();
                Row {
                    settings: settings
                        .into_iter()
                        .map(|(k, v)| (k.to_owned(), v.to_owned()))
                        .collect(),
                    result,
                }
            })
            .collect();
        match rows
            .iter()
            .position(|r| r.result.as_ref().is_err_and(|e| !e.is_infeasible()))
        {
            Some(at) => match rows.into_iter().nth(at).map(|r| r.result) {
                Some(Err(error)) => Err(error.into()),
                _ => unreachable!("found above"),
            },
            None => Ok(Sweep { spec, rows }),
        }
    }

    /// The results as CSV: the axis keys, then numbers, then where they come from. An infeasible
    /// point has its reason in `status` and no numbers.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write_csv(&self, out: impl io::Write) -> Result<(), SweepError> {
        let mut csv = csv_writer(out);
        let mut header: Vec<String> = self.spec.axes.iter().flat_map(|a| a.keys.clone()).collect();
        header.extend(["status", "method", "bottleneck"].map(str::to_owned));
        header.extend(METRICS.iter().map(|m| m.name.to_owned()));
        header.extend(["arch_hash", "workload_hash", "version"].map(str::to_owned));
        csv.row(&header)?;
        for row in &self.rows {
            let mut cells: Vec<String> = row.settings.iter().map(|(_, v)| v.clone()).collect();
            match &row.result {
                Ok(p) => {
                    cells.extend([
                        "ok".to_owned(),
                        p.summary.method.to_owned(),
                        p.summary.bottleneck.clone(),
                    ]);
                    cells.extend(METRICS.iter().map(|m| m.of(p).to_string()));
                    cells.extend([p.arch_hash.clone(), p.workload_hash.clone()]);
                }
                Err(reason) => {
                    cells.push(reason.to_string());
                    cells.resize(header.len() - 1, String::new());
                }
            }
            cells.push(env!("CARGO_PKG_VERSION").to_owned());
            csv.row(&cells)?;
        }
        csv.finish()
    }

    /// Latency over the last axis, one line per position on the others. Infeasible points are left out.
    ///
    /// # Errors
    /// No axis of numbers to plot over, or nothing feasible.
    pub fn latency_plot(
        &self,
        x_label: &str,
        series_label: impl Fn(&[(String, String)]) -> String,
    ) -> Result<Figure, SweepError> {
        let Some(axis) = self.spec.axes.last() else {
            return Err(SweepError::Plot("a sweep without axes".to_owned()));
        };
        let mut series: Vec<Series> = Vec::new();
        for rows in self.rows.chunks(axis.values.len()) {
            let mut points = Vec::new();
            for row in rows {
                if let Ok(point) = &row.result {
                    let (key, value) = &row.settings[row.settings.len() - axis.keys.len()];
                    let x: f64 = value.parse().map_err(|_| {
                        SweepError::Plot(format!("{key} = {value}: not a number to plot over"))
                    })?;
                    points.push((x, point.time_us_per_prompt));
                }
            }
            if !points.is_empty() {
                let name =
                    series_label(&rows[0].settings[..rows[0].settings.len() - axis.keys.len()]);
                series.push(Series::new(&name, points));
            }
        }
        Ok(Figure::from(LinePlot {
            page: Page {
                provenance: Some(format!(
                    "dcom {}, sweep {}",
                    env!("CARGO_PKG_VERSION"),
                    self.spec.name
                )),
                ..Page::default()
            },
            x: PlotAxis::new(
                x_label,
                if series.iter().flat_map(|s| &s.points).all(|p| p.0 > 0.0) {
                    Scale::Log2
                } else {
                    Scale::Linear
                },
            ),
            y: PlotAxis::new("latency per prompt", Scale::Log10).unit("us"),
            series,
            markers: Vec::new(),
        }))
    }
}

/// A CSV writer whose errors are ours.
struct CsvWriter<W: io::Write>(csv::Writer<W>);

fn csv_writer<W: io::Write>(out: W) -> CsvWriter<W> {
    CsvWriter(csv::Writer::from_writer(out))
}

impl<W: io::Write> CsvWriter<W> {
    fn row(&mut self, cells: &[String]) -> Result<(), SweepError> {
        self.0
            .write_record(cells)
            .map_err(|e| SweepError::Csv(e.to_string()))
    }

    fn finish(mut self) -> Result<(), SweepError> {
        Ok(self.0.flush()?)
    }
}
