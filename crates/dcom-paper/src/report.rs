//! The report: every claim beside its simulation, the tables row by row, the figures.

mod figures;
mod page;

use std::path::Path;

use dcom_llm::{ScenarioError, Sequence};
use dcom_sweep::fig12::{self, Fig12};
use dcom_sweep::fig13::{self, Fig13};
use dcom_sweep::{Base, PointError};
use thiserror::Error;

use crate::claim::{Claim, Mark};
use crate::setup::{Constants, ORIGINAL_S, Setup, fit};
use crate::simulate::{
    AlgorithmTimes, ChoiceRow, EndToEnd, LayerTimes, SimulatedRow, choices, decomposed_on_gpu,
    end_to_end, fig2, fig3, layer, layer_at_peak, table_rows,
};

/// Lengths of Fig. 4 and C7's sweep.
const LENGTHS: [u32; 5] = [468, 1024, 2048, 4096, 8192];

/// Layers of Llama-2-7B, all of which the last rows decompose.
const ALL_LAYERS: u32 = 32;

/// The length of C7.
const C7_TOKENS: u32 = 4096;

/// Why there is no report.
#[derive(Debug, Error)]
pub enum ReportError {
    /// A scenario.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// A design point.
    #[error(transparent)]
    Point(#[from] PointError),
    /// A number that is none.
    #[error(transparent)]
    Table(#[from] dcom_report::TableError),
}

/// All that is simulated.
#[derive(Debug)]
pub struct Report {
    rows: Vec<SimulatedRow>,
    original_s: f64,
    shipped: Constants,
    fitted: Constants,
    layers: Vec<LayerTimes>,
    /// C7's layer with the GPUs' products at their peak; attention as in the scenario, and fused.
    at_peak: [LayerTimes; 2],
    choices: Vec<ChoiceRow>,
    fig2: Vec<AlgorithmTimes>,
    fig3: Vec<(u32, Sequence, f64)>,
    fig12: Fig12,
    fig13: Fig13,
    end_to_end: Vec<EndToEnd>,
    on_gpu_ratio: f64,
    provenance: String,
}

impl Report {
    /// Simulates everything; `say` is told what comes next.
    ///
    /// # Errors
    /// A file of the repository that is wrong, or a scenario that does not evaluate.
    pub fn compute(
        arch: &Path,
        workload: &Path,
        mut say: impl FnMut(&str),
    ) -> Result<Report, ReportError> {
        say("Tables 2 and 3");
        let mut setup = Setup::read(&[])?;
        let shipped = Constants::of(&setup.system.gpus.gpu);
        let rows = table_rows(&mut setup)?;
        let original = setup.evaluate(dcom_llm::Plan::default())?;
        let original_s = setup.seconds(original.original_us);
        let (fig2, fig3) = (fig2(&setup), fig3(&setup));
        let gpu = setup.system.gpus.gpu.document().name().to_owned();
        let fitted = fit(&mut setup)?.rounded();
        say("one layer over sequence lengths");
        let layers = LENGTHS.into_iter().map(layer);
        let layers = layers.collect::<Result<Vec<_>, _>>()?;
        let at_peak = [
            layer_at_peak(C7_TOKENS, "naive")?,
            layer_at_peak(C7_TOKENS, "fused")?,
        ];
        say("choices that the paper leaves open");
        let choices = choices()?;
        say("end to end");
        let best = rows
            .iter()
            .find(|row| row.paper.layer_count == 10 && row.paper.rank == Some(20));
        let best = best.expect("Table 2's highlighted row").paper.clone();
        let (end_to_end, on_gpu_ratio) = (end_to_end(&best)?, decomposed_on_gpu(&best)?);
        say("Figs. 12 and 13");
        let base = Base::read(arch, workload)?;
        let provenance = format!(
            "dcom {}, machine {}, workload {}, {gpu}",
            env!("CARGO_PKG_VERSION"),
            base.arch.hash(),
            base.workload.hash()
        );
        Ok(Report {
            fig12: fig12::fig12(&base)?,
            fig13: fig13::fig13(&base)?,
            rows,
            original_s,
            shipped,
            fitted,
            layers,
            at_peak,
            choices,
            fig2,
            fig3,
            end_to_end,
            on_gpu_ratio,
            provenance,
        })
    }

    /// The A100's constants in its file, and those that the fit gives now.
    #[must_use]
    pub fn constants(&self) -> (Constants, Constants) {
        (self.shipped, self.fitted)
    }

    /// Rows whose runtime ratio holds, of how many.
    #[must_use]
    pub fn ratios_within(&self) -> (usize, usize) {
        let within = self.rows.iter().filter(|row| row.ratio_holds()).count();
        (within, self.rows.len())
    }

    fn c7(&self) -> LayerTimes {
        let found = self.layers.iter().find(|layer| layer.tokens == C7_TOKENS);
        *found.expect("one of the lengths")
    }

    /// Every number of the paper that has one, and those that have none with the reason.
    #[must_use]
    pub fn claims(&self) -> Vec<Claim> {
        let mut claims = Vec::new();
        let mut add = |claim: &str, configuration: &str, quantity, unit, paper, simulated, mark| {
            claims.push(Claim {
                claim: claim.to_owned(),
                configuration: configuration.to_owned(),
                quantity,
                unit,
                paper: Some(paper),
                simulated,
                mark,
            });
        };
        let (predicted, calibrated, not) = (Mark::Predicted, Mark::Calibrated, Mark::NotSimulated);
        let (factor, speedup) = self.fig12.paper.optimum().unwrap_or((0, f64::NAN));
        let f12 = "Fig. 12: B = 64, S = H = 4096, K = 10";
        add(
            "C4",
            f12,
            "best expansion factor",
            "",
            8.0,
            Some(f64::from(factor)),
            calibrated,
        );
        add(
            "C5",
            f12,
            "speed-up of expansion",
            "",
            fig12::PAPER_SPEEDUP,
            Some(speedup),
            predicted,
        );
        let mean = |value: &dyn Fn(&SimulatedRow) -> f64| {
            let values: Vec<f64> = self.rows.iter().map(value).collect();
            #[expect(clippy::cast_precision_loss, reason = "26 rows")]
            let count = values.len() as f64;
            values.iter().sum::<f64>() / count
        };
        let c6 = mean(&|row| row.gpu_s / row.dcom_s);
        add(
            "C6",
            "mean over the rows of Tables 2 and 3",
            "A100 over D-com",
            "",
            8.0,
            Some(c6),
            predicted,
        );
        let c7 = self.c7();
        let layer = "one layer, S = 4096, B = 64, K = 10, four A100";
        let ratio = |top: f64, bottom: f64| Some(top / bottom);
        add(
            "C7",
            layer,
            "original over D-com",
            "",
            3.8,
            ratio(c7.original_us, c7.with_dcom_us()),
            predicted,
        );
        add(
            "C7",
            layer,
            "decomposed on A100 over D-com",
            "",
            8.74,
            ratio(c7.with_gpu_us(), c7.with_dcom_us()),
            predicted,
        );
        add(
            "C7",
            layer,
            "decomposed on A100 over original",
            "",
            2.3,
            ratio(c7.with_gpu_us(), c7.original_us),
            predicted,
        );
        let best = "ten layers, rank 20";
        let hidden = self
            .rows
            .iter()
            .find(|row| row.paper.layer_count == 10 && row.paper.rank == Some(20));
        let saved = hidden.map(|row| 100.0 * (1.0 - row.ratio));
        add(
            "C8",
            best,
            "runtime saved with D-com",
            "%",
            22.0,
            saved,
            predicted,
        );
        let more = 100.0 * (self.on_gpu_ratio - 1.0);
        add(
            "C8",
            "ten layers, rank 20, S = 4096",
            "runtime added on the A100",
            "%",
            38.0,
            Some(more),
            predicted,
        );
        let array = self.fig13.claimed();
        add(
            "C9",
            "Fig. 13, default choices",
            "area over a systolic array",
            "",
            1.03,
            Some(array.area.nominal),
            predicted,
        );
        add(
            "C9",
            "Fig. 13, default choices",
            "area of an A100-class core over D-com",
            "",
            7.0,
            Some(self.fig13.gpu.nominal),
            predicted,
        );
        add(
            "C10",
            "Fig. 13, default choices",
            "power over a systolic array",
            "",
            0.41,
            Some(array.power.nominal),
            predicted,
        );
        add(
            "C11",
            "thresholds and activations of the authors' run",
            "mean outlier channels",
            "%",
            3.02,
            None,
            not,
        );
        let table2 = |row: &&SimulatedRow| !row.paper.with_weights() && row.paper.layer_count < 32;
        let shown: Vec<f64> = self
            .rows
            .iter()
            .filter(table2)
            .map(|row| row.input_memory_percent)
            .collect();
        #[expect(clippy::cast_precision_loss, reason = "12 rows")]
        let mean_memory = shown.iter().sum::<f64>() / shown.len() as f64;
        add(
            "C12",
            "mean of Table 2 without its last row",
            "activation memory saved",
            "%",
            15.6,
            Some(mean_memory),
            predicted,
        );
        self.table_claims(&mut claims);
        claims
    }

    fn table_claims(&self, claims: &mut Vec<Claim>) {
        claims.push(Claim {
            claim: "Table 2".to_owned(),
            configuration: "original".to_owned(),
            quantity: "runtime",
            unit: "s",
            paper: Some(ORIGINAL_S),
            simulated: Some(self.original_s),
            mark: Mark::Calibrated,
        });
        for row in &self.rows {
            let paper = &row.paper;
            let (table, configuration) = (paper.table.replace("table", "Table "), paper.name());
            let mut add = |quantity, unit, paper: Option<f64>, simulated, mark| {
                if paper.is_some() {
                    claims.push(Claim {
                        claim: table.clone(),
                        configuration: configuration.clone(),
                        quantity,
                        unit,
                        paper,
                        simulated,
                        mark,
                    });
                }
            };
            // The three fitted rows: D-com's constant rests on the per-layer times of all, the A100's on two.
            let gpu = match (paper.layer_count, paper.rank) {
                (4, Some(1 | 20)) => Mark::Calibrated,
                _ => Mark::Predicted,
            };
            let predicted = Mark::Predicted;
            add(
                "runtime ratio",
                "",
                Some(paper.model_runtime_ratio),
                Some(row.ratio),
                predicted,
            );
            add(
                "runtime saved",
                "%",
                paper.total_runtime_reduction_percent,
                Some(100.0 * (1.0 - row.ratio)),
                predicted,
            );
            add(
                "decomposition on the A100",
                "s",
                paper.decomposition_gpu_seconds,
                Some(row.gpu_s),
                gpu,
            );
            add(
                "decomposition on D-com",
                "s",
                paper.decomposition_dcom_seconds,
                Some(row.dcom_s),
                Mark::Calibrated,
            );
            add(
                "activation memory saved",
                "%",
                paper.input_memory_reduction_percent,
                Some(row.input_memory_percent),
                predicted,
            );
            add(
                "weight memory saved",
                "%",
                paper.weight_memory_reduction_percent,
                Some(row.weight_memory_percent),
                predicted,
            );
            add(
                "accuracy on arc_easy",
                "%",
                Some(paper.arc_easy_accuracy_percent),
                None,
                Mark::NotSimulated,
            );
            add(
                "perplexity on wikitext-2",
                "",
                Some(paper.wikitext2_perplexity),
                None,
                Mark::NotSimulated,
            );
        }
    }

    /// The last line of the command.
    #[must_use]
    pub fn summary(&self) -> String {
        let (within, rows) = self.ratios_within();
        let worst = |value: &dyn Fn(&SimulatedRow) -> Option<f64>| {
            self.rows
                .iter()
                .filter_map(value)
                .map(f64::abs)
                .fold(0.0, f64::max)
        };
        let error = |simulated: f64, paper: Option<f64>| paper.map(|paper| simulated / paper - 1.0);
        let c7 = self.c7();
        format!(
            "runtime ratio within 0.04 in {within} of {rows} rows; decomposition times off by at most {:.1} % (D-com) and {:.1} % (A100); \
             C7: {:.2} (paper 3.8), {:.2} (8.74), {:.2} (2.3)",
            100.0 * worst(&|row| error(row.dcom_s, row.paper.decomposition_dcom_seconds)),
            100.0 * worst(&|row| error(row.gpu_s, row.paper.decomposition_gpu_seconds)),
            c7.original_us / c7.with_dcom_us(),
            c7.with_gpu_us() / c7.with_dcom_us(),
            c7.with_gpu_us() / c7.original_us,
        )
    }
}
