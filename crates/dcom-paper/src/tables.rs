//! Tables 2 and 3 of the paper, row by row.

use serde::Deserialize;

/// One row, as printed.
#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    /// `table2` (input decomposed) or `table3` (input and weights).
    pub table: String,
    /// Decomposed layers as printed.
    pub decomposed_layers: String,
    /// How many.
    pub layer_count: u32,
    /// Rank.
    pub rank: Option<u32>,
    /// Outlier channels (percent).
    pub outlier_percent: Option<f64>,
    /// Accuracy on arc_easy (percent).
    pub arc_easy_accuracy_percent: f64,
    /// Perplexity on wikitext-2.
    pub wikitext2_perplexity: f64,
    /// Runtime over that of the original.
    pub model_runtime_ratio: f64,
    /// Decomposition on the A100 (s).
    pub decomposition_gpu_seconds: Option<f64>,
    /// Decomposition on D-com (s).
    pub decomposition_dcom_seconds: Option<f64>,
    /// Activation memory saved (percent).
    pub input_memory_reduction_percent: Option<f64>,
    /// Weight memory saved (percent).
    pub weight_memory_reduction_percent: Option<f64>,
    /// Runtime saved (percent).
    pub total_runtime_reduction_percent: Option<f64>,
}

impl Row {
    /// Decomposed layers by index.
    #[must_use]
    pub fn layers(&self, model_layers: u32) -> Vec<u32> {
        if self.layer_count == model_layers {
            return (0..model_layers).collect();
        }
        let indices = self.decomposed_layers.split_whitespace();
        indices.filter_map(|index| index.parse().ok()).collect()
    }

    /// Whether the weights are decomposed too.
    #[must_use]
    pub fn with_weights(&self) -> bool {
        self.table == "table3"
    }

    /// Name in reports.
    #[must_use]
    pub fn name(&self) -> String {
        let table = self.table.replace("table", "Table ");
        match self.rank {
            Some(rank) => format!("{table}: {} layers, rank {rank}", self.layer_count),
            None => format!("{table}: original"),
        }
    }
}

/// All rows with a decomposition, in the order of the paper; copied from its text.
///
/// # Panics
/// If the embedded file is damaged.
#[must_use]
pub fn rows() -> Vec<Row> {
    let text = include_str!("../data/tables.csv");
    let rows = csv::Reader::from_reader(text.as_bytes()).into_deserialize();
    let rows: Result<Vec<Row>, csv::Error> = rows.collect();
    let mut rows = rows.expect("the tables are a part of this crate");
    rows.retain(|row| row.rank.is_some());
    rows
}
