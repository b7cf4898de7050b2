//! The figures.

use dcom_llm::{MATVEC, NORM, REORTH_U, REORTH_V, SMALL_SVD};
use dcom_report::{
    Arrangement, Axis, BarPlot, BarSeries, Curve, Figure, LinePlot, Page, PointGroup, Scale,
    ScatterPlot, ScatterPoint, Series,
};

use super::{ALL_LAYERS, Report};
use crate::simulate::{AlgorithmTimes, LayerTimes, RATIO_TOLERANCE, SimulatedRow};

impl Report {
    fn page(&self) -> Page {
        Page {
            provenance: Some(self.provenance.clone()),
            ..Page::default()
        }
    }

    /// File name without extension, and figure.
    #[must_use]
    pub fn figures(&self) -> Vec<(&'static str, Figure)> {
        vec![
            ("fig2", self.fig2_plot()),
            ("fig3", self.fig3_plot()),
            ("fig4", self.fig4_plot()),
            ("fig11", self.fig11_plot()),
            ("runtime", self.ratio_plot()),
        ]
    }

    fn fig2_plot(&self) -> Figure {
        let series = |name: &str, value: &dyn Fn(&AlgorithmTimes) -> f64| {
            #[expect(clippy::cast_precision_loss, reason = "ranks are small")]
            let points: Vec<(f64, f64)> = self
                .fig2
                .iter()
                .map(|at| (at.rank as f64, value(at) * 1e-3))
                .collect();
            Series::new(name, points)
        };
        Figure::from(LinePlot {
            page: self.page(),
            x: Axis::new("rank", Scale::Log10),
            y: Axis::new("time of one 4096 x 468 matrix", Scale::Log10).unit("ms"),
            series: vec![
                series("Lanczos, eager", &|at| at.lanczos_us),
                series("Lanczos, fused", &|at| at.fused_us),
                series("QR iteration", &|at| at.qr_us),
                series("divide and conquer", &|at| at.divide_us),
            ],
            markers: vec![],
        })
    }

    fn fig3_plot(&self) -> Figure {
        let groups = [MATVEC, REORTH_U, REORTH_V, NORM, SMALL_SVD];
        Figure::from(BarPlot {
            page: self.page(),
            x_label: Some("iterations K".to_owned()),
            y: Axis::new("time of a batch", Scale::Linear).unit("ms"),
            categories: self
                .fig3
                .iter()
                .map(|(rank, ..)| rank.to_string())
                .collect(),
            series: groups
                .into_iter()
                .map(|group| {
                    let values: Vec<f64> = self
                        .fig3
                        .iter()
                        .map(|(_, sequence, _)| sequence.group_us(group) * 1e-3)
                        .collect();
                    BarSeries::new(group, values)
                })
                .collect(),
            arrangement: Arrangement::Stacked,
        })
    }

    fn fig4_plot(&self) -> Figure {
        let series = |name: &str, value: &dyn Fn(&LayerTimes) -> f64| {
            let points: Vec<(f64, f64)> = self
                .layers
                .iter()
                .map(|at| (f64::from(at.tokens), value(at) * 1e-3))
                .collect();
            Series::new(name, points)
        };
        Figure::from(LinePlot {
            page: self.page(),
            x: Axis::new("sequence length", Scale::Log2).unit("tokens"),
            y: Axis::new("time of a layer", Scale::Log10).unit("ms"),
            series: vec![
                series("original", &|at| at.original_us),
                series("decomposed on an A100", &|at| at.with_gpu_us()),
                series("the same, fused kernels", &|at| {
                    at.decomposed_us + at.gpu_fused_us
                }),
                series("decomposed on D-com", &|at| at.with_dcom_us()),
            ],
            markers: vec![],
        })
    }

    fn fig11_plot(&self) -> Figure {
        let c7 = self.c7();
        let relative = |us: f64| us / c7.original_us;
        Figure::from(BarPlot {
            page: self.page(),
            x_label: Some("one layer, S = 4096, B = 64, K = 10".to_owned()),
            y: Axis::new("time over original", Scale::Linear),
            categories: ["original", "A100", "A100, fused", "D-com"]
                .map(str::to_owned)
                .to_vec(),
            series: vec![BarSeries::new(
                "simulated",
                vec![
                    1.0,
                    relative(c7.with_gpu_us()),
                    relative(c7.decomposed_us + c7.gpu_fused_us),
                    relative(c7.with_dcom_us()),
                ],
            )],
            arrangement: Arrangement::Grouped,
        })
    }

    fn ratio_plot(&self) -> Figure {
        let group = |table: &str, name: &str| {
            let rows = self
                .rows
                .iter()
                .filter(|row| row.paper.table == table && row.paper.layer_count < ALL_LAYERS);
            let point = |row: &SimulatedRow| ScatterPoint {
                x: row.paper.model_runtime_ratio,
                y: row.ratio,
                x_error: None,
                y_error: None,
                color: None,
                label: None,
            };
            PointGroup {
                name: name.to_owned(),
                points: rows.map(point).collect(),
                light: false,
            }
        };
        let line = |name: &str, shift: f64| Curve {
            name: Some(name.to_owned()),
            points: vec![(0.70, 0.70 + shift), (0.94, 0.94 + shift)],
        };
        Figure::from(ScatterPlot {
            page: self.page(),
            x: Axis::new("runtime over original, paper", Scale::Linear).range(0.70, 0.94),
            y: Axis::new("simulated", Scale::Linear).range(0.65, 1.0),
            color: None,
            curves: vec![
                line("equal", 0.0),
                line("+ 0.04", RATIO_TOLERANCE),
                line("- 0.04", -RATIO_TOLERANCE),
            ],
            groups: vec![
                group("table2", "Table 2, input"),
                group("table3", "Table 3, input and weights"),
            ],
        })
    }
}
