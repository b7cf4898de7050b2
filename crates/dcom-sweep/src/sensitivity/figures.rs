//! The figures of the report.

use dcom_report::{Arrangement, Axis, BarPlot, BarSeries, Figure, Page, Scale, Width};

use super::draw::{Alone, Coupling, Study};
use crate::fig12::FACTORS;

/// Parameters in the figure of what decides.
const DECIDERS: usize = 8;

/// Change of the speed-up over a parameter's range from which on it has bars. Assumed: what can be seen.
const VISIBLE: f64 = 0.02;

impl Study {
    fn page(&self) -> Page {
        Page {
            provenance: Some(format!(
                "dcom {}, machine {}, workload {}, seed {}, {} samples",
                env!("CARGO_PKG_VERSION"),
                self.base.arch.hash(),
                self.base.workload.hash(),
                self.seed,
                self.populations[0].samples.len()
            )),
            ..Page::default()
        }
    }

    /// In what share of the machines each factor is the best one.
    #[must_use]
    pub fn factor_figure(&self) -> Figure {
        let [machine, all] = &self.populations;
        let series = |name: &str, population: &super::Population, coupling| {
            let share = |f| population.share(coupling, |o| o.best == f).value();
            let percent = FACTORS.map(|f| 100.0 * share(f).unwrap_or(0.0));
            BarSeries::new(name, percent.to_vec())
        };
        Figure::from(BarPlot {
            page: self.page(),
            x_label: Some("best expansion factor".to_owned()),
            y: Axis::new("share of machines", Scale::Linear)
                .unit("%")
                .range(0.0, 105.0),
            arrangement: Arrangement::Grouped,
            categories: FACTORS.iter().map(u32::to_string).collect(),
            series: vec![
                series("the machine's numbers vary", machine, Coupling::Engaged),
                series("machine and mapping vary", all, Coupling::Engaged),
                series("both vary, engaged clusters fixed", all, Coupling::Fixed),
            ],
        })
    }

    /// Which parameters decide, machine and mapping varied.
    #[must_use]
    pub fn decider_figure(&self) -> Figure {
        let deciders = self.populations[1].deciders(Coupling::Engaged);
        let shown = &deciders[..DECIDERS.min(deciders.len())];
        let series = |name: &str, share: fn(&super::Decider) -> f64| {
            // The correction for chance takes a parameter that does nothing a little below zero.
            let values = shown.iter().map(|d| 100.0 * share(d).max(0.0));
            BarSeries::new(name, values.collect::<Vec<_>>())
        };
        Figure::from(BarPlot {
            page: Page {
                width: Width::DoubleColumn,
                height_ratio: 0.3,
                ..self.page()
            },
            x_label: None,
            y: Axis::new("first-order variance share", Scale::Linear).unit("%"),
            arrangement: Arrangement::Grouped,
            categories: shown.iter().map(|d| words(d.key)).collect(),
            series: vec![
                series("of whether f = 8 is best", |d| d.factor),
                series("of the speed-up", |d| d.speedup),
            ],
        })
    }

    /// The speed-up over the range of each parameter alone; none if no parameter moves it.
    #[must_use]
    pub fn alone_figure(&self) -> Option<Figure> {
        let mut moving: Vec<(&Alone, (f64, f64))> = self
            .alone
            .iter()
            .filter_map(|a| Some((a, a.speedups(Coupling::Engaged)?)))
            .filter(|(_, (low, high))| high / low - 1.0 >= VISIBLE)
            .collect();
        moving.sort_by(|(a, x), (b, y)| {
            (y.1 / y.0)
                .total_cmp(&(x.1 / x.0))
                .then(a.parameter.key.cmp(b.parameter.key))
        });
        if moving.is_empty() {
            return None;
        }
        let series = |name: &str, end: fn(&(f64, f64)) -> f64| {
            let values = moving.iter().map(|(_, range)| end(range));
            BarSeries::new(name, values.collect::<Vec<_>>())
        };
        Some(Figure::from(BarPlot {
            page: Page {
                width: Width::DoubleColumn,
                height_ratio: 0.3,
                ..self.page()
            },
            x_label: None,
            y: Axis::new("speed-up over f = 1", Scale::Linear),
            arrangement: Arrangement::Grouped,
            categories: moving.iter().map(|(a, _)| words(a.parameter.key)).collect(),
            series: vec![
                series("lowest over the range", |r| r.0),
                series("highest over the range", |r| r.1),
            ],
        }))
    }
}

/// A key as a label that can be broken into lines.
fn words(key: &str) -> String {
    key.replace(['.', '_'], " ")
}
