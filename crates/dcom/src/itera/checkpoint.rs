//! `dcom itera` on a checkpoint: all weights of linear layers at one rank, and a checkpoint of what they become.

use std::path::Path;

use dcom_itera::{
    Options, Svd, Weight, factor_bits, itera, quantize_weight, svd_then_quantize, weight_bits,
};
use dcom_model::{Device, LinearWeight, Model};
use dcom_report::{Cell, Column};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::{Args, OutputWay, failed, options};
use crate::failure::Failure;
use crate::output;
use crate::text::{fixed_cell, section};

/// What the three ways make of one weight. Errors are relative.
struct Row {
    name: String,
    rows: usize,
    cols: usize,
    /// By the singular values alone.
    best: Option<f64>,
    rounded: Option<f64>,
    itera: f64,
    quantized: f64,
    factor_bits: u64,
    quantized_bits: u64,
}

/// Runs the command on a folder.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let model = Model::open(&args.file, Device::Cpu)?;
    let names = match &args.tensor {
        Some(name) => vec![model.linear(name)?.name],
        None => model.linear_names(),
    };
    let options = options(args);
    for name in &names {
        let weight = model.linear(name)?;
        let side = weight.rows.min(weight.cols);
        if options.rank > side {
            return Err(Failure::input(format!(
                "{}: {name}: the rank is {}, expected 1 to {side}",
                args.file.display(),
                options.rank
            )));
        }
    }
    let count = u64::try_from(names.len()).expect("usize is at most 64 bits");
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {eta}");
    // Draws on stderr, and not at all where that is no terminal.
    let bar = ProgressBar::new(count).with_style(style.expect("a correct template"));
    let mut rows = Vec::new();
    let mut one = |weight: LinearWeight| {
        bar.set_message(weight.name.clone());
        let (row, values) = compare(args, &options, weight)?;
        bar.inc(1);
        rows.push(row);
        Ok::<_, Failure>(values)
    };
    match &args.output {
        Some(folder) => model.rewrite(folder, |weight| match names.contains(&weight.name) {
            true => one(weight),
            false => Ok(weight.values),
        })?,
        None => {
            for name in &names {
                one(model.linear(name)?)?;
            }
        }
    }
    bar.finish_and_clear();
    rows.sort_by_key(|row| names.iter().position(|name| *name == row.name));
    let text = match args.json {
        true => format!("{:#}\n", json_of(args, &rows)),
        false => text_of(args, &rows),
    };
    output::print(&text)
}

/// The three ways, and the values of the one that is written.
fn compare(
    args: &Args,
    options: &Options,
    found: LinearWeight,
) -> Result<(Row, Vec<f32>), Failure> {
    let LinearWeight {
        name,
        rows,
        cols,
        values,
    } = found;
    let place = format!("{}: {name}", args.file.display());
    let weight = Weight::new(rows, cols, values).map_err(failed(&place))?;
    let iterated = itera(&weight, options, &mut |_| {}).map_err(failed(&place))?;
    let (quantized, whole) = quantize_weight(&weight, args.format);
    let svd = match args.no_svd {
        true => None,
        false => {
            let svd = Svd::new(&weight).map_err(failed(&place))?;
            let rounded =
                svd_then_quantize(&weight, &svd, Some(args.format), options.rank, &mut |_| {});
            Some((
                svd.best_errors()[options.rank],
                rounded.map_err(failed(&place))?,
            ))
        }
    };
    let values = match (args.output_way, &svd) {
        (OutputWay::Itera, _) => iterated.product(options.rank),
        (OutputWay::Svd, Some((_, rounded))) => rounded.product(options.rank),
        (OutputWay::Svd, None) => {
            return Err(Failure::input("--output-way svd: not with --no-svd"));
        }
        (OutputWay::Quantize, _) => whole,
    };
    let row = Row {
        best: svd.as_ref().map(|(best, _)| *best),
        rounded: svd.as_ref().map(|(_, rounded)| rounded.error()),
        itera: iterated.error(),
        quantized,
        factor_bits: factor_bits(Some(args.format), rows, cols, options.rank),
        quantized_bits: weight_bits(args.format, rows, cols),
        name,
        rows,
        cols,
    };
    Ok((row, values))
}

fn text_of(args: &Args, rows: &[Row]) -> String {
    let columns = [
        "weight",
        "shape",
        "best",
        "SVD, then",
        "ITERA",
        "bits",
        "quantized",
        "its bits",
    ];
    let cell = |error: Option<f64>| error.map_or(Cell::Missing, |error| fixed_cell(error, 4));
    let cells = |name: String, shape: String, row: &Row, elements: f64| {
        vec![
            Cell::Text(name),
            Cell::Text(shape),
            cell(row.best),
            cell(row.rounded),
            fixed_cell(row.itera, 4),
            fixed_cell(real(row.factor_bits) / elements, 3),
            fixed_cell(row.quantized, 4),
            fixed_cell(real(row.quantized_bits) / elements, 3),
        ]
    };
    let elements = |row: &Row| real((row.rows * row.cols) as u64);
    let mut table: Vec<Vec<Cell>> = rows
        .iter()
        .map(|row| {
            let shape = format!("{} x {}", row.rows, row.cols);
            cells(row.name.clone(), shape, row, elements(row))
        })
        .collect();
    if rows.len() > 1 {
        let all = rows.iter().map(elements).sum();
        table.push(cells(
            "all, errors rms".into(),
            String::new(),
            &total(rows),
            all,
        ));
    }
    let mut text = format!(
        "{}: {} weights, {}, rank {}; errors are relative, bits per element\n{}",
        args.file.display(),
        rows.len(),
        args.format,
        args.rank,
        section(columns.map(Column::new).to_vec(), table)
    );
    if let Some(folder) = &args.output {
        text += &written(folder, args.output_way);
    }
    text
}

fn written(folder: &Path, way: OutputWay) -> String {
    format!(
        "{} has the weights of {}; dcom eval says what that does to the answers\n",
        folder.display(),
        way.name()
    )
}

/// Sums of bits, and root mean squares of errors.
fn total(rows: &[Row]) -> Row {
    let rms = |error: &dyn Fn(&Row) -> Option<f64>| {
        let squares: Option<f64> = rows.iter().map(|row| error(row).map(|e| e * e)).sum();
        squares.map(|squares| (squares / real(rows.len() as u64)).sqrt())
    };
    Row {
        name: String::new(),
        rows: 0,
        cols: 0,
        best: rms(&|row| row.best),
        rounded: rms(&|row| row.rounded),
        itera: rms(&|row| Some(row.itera)).expect("every weight has one"),
        quantized: rms(&|row| Some(row.quantized)).expect("every weight has one"),
        factor_bits: rows.iter().map(|row| row.factor_bits).sum(),
        quantized_bits: rows.iter().map(|row| row.quantized_bits).sum(),
    }
}

fn json_of(args: &Args, rows: &[Row]) -> Value {
    let one = |row: &Row| {
        json!({
            "weight": row.name,
            "rows": row.rows,
            "columns": row.cols,
            "best_rank_error": row.best,
            "svd_then_quantize": row.rounded,
            "itera": row.itera,
            "factor_bits": row.factor_bits,
            "quantize_same_format": row.quantized,
            "quantized_bits": row.quantized_bits,
        })
    };
    json!({
        "checkpoint": args.file.display().to_string(),
        "format": args.format.to_string(),
        "rank": args.rank,
        "weights": rows.iter().map(one).collect::<Vec<_>>(),
        "output": args.output.as_ref().map(|folder| folder.display().to_string()),
        "version": dcom_sweep::VERSION,
    })
}

#[expect(clippy::cast_precision_loss, reason = "bits and elements of a model")]
fn real(count: u64) -> f64 {
    count as f64
}
