//! Kernels measured on a GPU (`tools/measure_gpu.py`) beside the GPU model, and the model's constants from a few of them.
//!
//! Six constants come from one row each: the largest product, copy and matrix-vector product, the smallest residual sum, re-orthogonalization step
//! and batch of small SVDs. All other rows are predicted. The six must not be more than a quarter of the rows.

use serde::Deserialize;
use thiserror::Error;

use crate::algorithm::{Problem, STEP_KERNELS, lanczos_eager};
use crate::gpu::{Gpu, Gpus, Parallelism};
use crate::op::{Elementwise, Kernels, Op, Work};
use crate::real;

/// A measured kernel.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Measured {
    /// What was measured, as in `tools/measure_gpu.py`.
    pub kernel: String,
    /// Independent products, or prompts.
    pub batch: u64,
    /// Rows of the result.
    pub m: u64,
    /// Columns of the result.
    pub n: u64,
    /// Inner columns; for `lanczos_eager` and `small_svd` iterations.
    pub k: u64,
    /// Element type.
    pub dtype: String,
    /// Median time (us).
    pub microseconds: f64,
    /// The device that says.
    pub device: String,
}

/// Why measurements cannot be used.
#[derive(Debug, Error)]
pub enum MeasuredError {
    /// No such table.
    #[error("{file}:{line}: {message}")]
    Row {
        /// The file.
        file: String,
        /// Line, from 1.
        line: u64,
        /// What is wrong.
        message: String,
    },
    /// A constant has no row to come from.
    #[error("{file}: no row of {kernels} to take {key} from")]
    Missing {
        /// The file.
        file: String,
        /// Kernels that would do.
        kernels: &'static str,
        /// The key.
        key: &'static str,
    },
    /// Too few rows beside those that are fitted to.
    #[error(
        "{file}: {rows} rows with a prediction; {needed} are needed, so that no more than a quarter is fitted to"
    )]
    TooFew {
        /// The file.
        file: String,
        /// How many there are.
        rows: usize,
        /// How many are needed.
        needed: usize,
    },
    /// A constant out of its range: the device is not the GPU of the file.
    #[error("{file}: {key} would be {value:.3}, which {reason}; is the file that of {device}?")]
    Range {
        /// The file.
        file: String,
        /// The key.
        key: &'static str,
        /// The value that the row asks for.
        value: f64,
        /// What it must be.
        reason: String,
        /// What was measured.
        device: String,
    },
}

/// A measured kernel with its prediction.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The measurement.
    pub measured: Measured,
    /// Predicted time (us).
    pub predicted_us: f64,
    /// The key that was fitted to it.
    pub fitted: Option<&'static str>,
}

impl Compared {
    /// `predicted / measured - 1`.
    #[must_use]
    pub fn error(&self) -> f64 {
        self.predicted_us / self.measured.microseconds - 1.0
    }
}

/// Fitted constants and what they leave.
#[derive(Clone, Debug)]
pub struct GpuFit {
    /// The GPU with its constants.
    pub gpu: Gpu,
    /// Keys and values in the order in which they were fitted.
    pub constants: Vec<(&'static str, f64)>,
    /// All rows that have a prediction.
    pub rows: Vec<Compared>,
    /// Rows without one.
    pub without: usize,
}

impl GpuFit {
    /// Median of the absolute errors of the rows that nothing was fitted to.
    #[must_use]
    pub fn median_error(&self) -> f64 {
        let predicted = self.rows.iter().filter(|row| row.fitted.is_none());
        let mut errors: Vec<f64> = predicted.map(|row| row.error().abs()).collect();
        errors.sort_by(f64::total_cmp);
        errors.get(errors.len() / 2).copied().unwrap_or_default()
    }
}

/// Parses the CSV of `tools/measure_gpu.py`.
///
/// # Errors
/// Line and reason; a time that is not positive.
pub fn parse(file: &str, text: &str) -> Result<Vec<Measured>, MeasuredError> {
    let mut rows = Vec::new();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    for (index, row) in reader.deserialize().enumerate() {
        let line = index as u64 + 2;
        let fail = |message: String| MeasuredError::Row {
            file: file.to_owned(),
            line,
            message,
        };
        let row: Measured = row.map_err(|error: csv::Error| fail(error.to_string()))?;
        if !(row.microseconds.is_finite() && row.microseconds > 0.0) {
            return Err(fail(format!(
                "microseconds = {}: must be positive",
                row.microseconds
            )));
        }
        let sizes = [row.batch, row.m, row.n, row.k];
        if sizes.iter().any(|size| !(1..=1 << 40).contains(size)) {
            return Err(fail(format!(
                "batch, m, n, k = {sizes:?}: must be in 1..=2^40"
            )));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// What the model says of a row (us); none for kernels that it does not know.
#[must_use]
pub fn predict(gpu: &Gpu, row: &Measured) -> Option<f64> {
    let Measured { batch, m, n, k, .. } = *row;
    let element_bytes = if row.dtype == "float32" { 4 } else { 2 };
    let on_gpu = |work: Work, kernels: Kernels| {
        let gpus = Gpus {
            gpu: gpu.clone(),
            count: 1,
            parallelism: Parallelism::Tensor,
            kernels,
            element_bytes,
        };
        let op = Op {
            name: row.kernel.clone(),
            layer: None,
            work,
            split: true,
        };
        gpus.time(&op).us
    };
    let product = |weight| Work::Product {
        count: batch,
        m,
        k,
        n,
        weight,
    };
    let elementwise = |kind, kernels| {
        let elements = batch * m * n;
        on_gpu(Work::Elementwise { kind, elements }, kernels)
    };
    let us = match row.kernel.as_str() {
        "copy" => gpu.bytes_us(2.0 * real(n)) + gpu.launch_us,
        "matvec" | "matvec_transposed" => {
            real(batch * m * k * element_bytes) / (gpu.bandwidth * 1e3 * gpu.matvec_efficiency)
                + gpu.launch_us
        }
        "gemm_q" | "gemm_kv" | "gemm_o" | "gemm_up" | "gemm_down" => {
            on_gpu(product(true), Kernels::Fused)
        }
        "attention_scores" | "attention_values" => on_gpu(product(false), Kernels::Fused),
        "attention_fused" => on_gpu(
            Work::FusedAttention {
                count: batch,
                queries: m,
                keys: n,
                channels: k,
                causal: true,
            },
            Kernels::Fused,
        ),
        "rms_norm_eager" => elementwise(Elementwise::Norm, Kernels::Eager),
        "rms_norm_fused" => elementwise(Elementwise::Norm, Kernels::Fused),
        "residual" => elementwise(Elementwise::Residual, Kernels::Fused),
        "rope" => elementwise(Elementwise::Rope, Kernels::Eager),
        "silu_multiply" => elementwise(Elementwise::SiluMul, Kernels::Eager),
        "outlier_scan" => elementwise(Elementwise::OutlierScan, Kernels::Eager),
        "reorthogonalization_step_eager" => real(STEP_KERNELS) * gpu.eager_us,
        "small_svd" => real(batch) * gpu.decomposition_prompt_us,
        "lanczos_eager" => {
            let problem = Problem {
                prompts: batch,
                rows: m,
                columns: n,
                iterations: k,
                element_bytes,
                gram_schmidt_passes: 1,
            };
            lanczos_eager(gpu, &problem).us()
        }
        _ => return None,
    };
    Some(us)
}

/// A constant, the kernels it can come from, whether the largest of them or the smallest, and its value given one.
struct Constant {
    key: &'static str,
    kernels: &'static str,
    largest: bool,
    value: fn(&Gpu, &Measured) -> f64,
}

/// In the order in which one needs the ones before.
const CONSTANTS: [Constant; 6] = [
    Constant {
        key: "kernel.launch_us",
        kernels: "residual",
        largest: false,
        // The smallest sum's bytes take next to nothing.
        value: |gpu, row| {
            (row.microseconds - gpu.bytes_us(real(3 * 2 * row.batch * row.m * row.n))).max(0.0)
        },
    },
    Constant {
        key: "memory.efficiency",
        kernels: "copy",
        largest: true,
        value: |gpu, row| {
            2.0 * real(row.n) / (gpu.bandwidth * 1e3) / (row.microseconds - gpu.launch_us).max(1e-3)
        },
    },
    Constant {
        key: "memory.matvec_efficiency",
        kernels: "matvec",
        largest: true,
        value: |gpu, row| {
            let bytes = real(2 * row.batch * row.m * row.k);
            bytes / (gpu.bandwidth * 1e3) / (row.microseconds - gpu.launch_us).max(1e-3)
        },
    },
    Constant {
        key: "compute.product_efficiency",
        kernels: "gemm_q gemm_o gemm_up gemm_down",
        largest: true,
        value: |gpu, row| {
            // The model's time is inversely proportional to the efficiency where operations decide, as in the largest.
            let measured = (row.microseconds - gpu.launch_us).max(1e-3);
            predict(gpu, row).map_or(f64::NAN, |us| {
                gpu.product_efficiency * (us - gpu.launch_us) / measured
            })
        },
    },
    Constant {
        key: "kernel.eager_us",
        kernels: "reorthogonalization_step_eager",
        largest: false,
        value: |_, row| row.microseconds / real(STEP_KERNELS),
    },
    Constant {
        key: "decomposition.prompt_us",
        kernels: "small_svd",
        largest: false,
        value: |_, row| row.microseconds / real(row.batch),
    },
];

/// Fits the constants and compares all rows.
///
/// # Errors
/// A constant without a row, too few rows, or a constant out of its range.
pub fn fit(file: &str, gpu: &Gpu, rows: &[Measured]) -> Result<GpuFit, MeasuredError> {
    let mut gpu = gpu.clone();
    let mut constants = Vec::new();
    let mut used: Vec<(usize, &'static str)> = Vec::new();
    for constant in &CONSTANTS {
        let size =
            |row: &Measured| u128::from(row.batch) * u128::from(row.m * row.n) * u128::from(row.k);
        let candidates = rows.iter().enumerate().filter(|(_, row)| {
            constant
                .kernels
                .split(' ')
                .any(|kernel| kernel == row.kernel)
        });
        let chosen = if constant.largest {
            candidates.max_by_key(|(_, row)| size(row))
        } else {
            candidates.min_by_key(|(_, row)| size(row))
        };
        let Some((index, row)) = chosen else {
            return Err(MeasuredError::Missing {
                file: file.to_owned(),
                kernels: constant.kernels,
                key: constant.key,
            });
        };
        let value = (constant.value)(&gpu, row);
        gpu.set(constant.key, &format!("{value:.6}"))
            .map_err(|error| MeasuredError::Range {
                file: file.to_owned(),
                key: constant.key,
                value,
                reason: error.message().to_owned(),
                device: row.device.clone(),
            })?;
        constants.push((constant.key, value));
        used.push((index, constant.key));
    }
    let compared: Vec<Compared> = rows
        .iter()
        .enumerate()
        .filter_map(|(index, row)| {
            Some(Compared {
                measured: row.clone(),
                predicted_us: predict(&gpu, row)?,
                fitted: used
                    .iter()
                    .find(|(at, _)| *at == index)
                    .map(|(_, key)| *key),
            })
        })
        .collect();
    let needed = 4 * CONSTANTS.len();
    if compared.len() < needed {
        return Err(MeasuredError::TooFew {
            file: file.to_owned(),
            rows: compared.len(),
            needed,
        });
    }
    Ok(GpuFit {
        gpu,
        constants,
        without: rows.len() - compared.len(),
        rows: compared,
    })
}
