//! The result as Parquet, made from the CSV: columns with types, a fraction of the size, and the manifest in the file's metadata.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;

use dcom_config::Kind;
use parquet::basic::{Compression, ConvertedType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;

use crate::metric::METRICS;
use crate::result_file::{Names, header, manifest};
use crate::space::Space;
use crate::sweep::{Counts, SweepError};

/// Rows of a group: what is in memory while writing.
const GROUP_ROWS: usize = 16_384;

/// Key of the manifest in the file's metadata.
pub const MANIFEST_KEY: &str = "dcom";

/// Type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Integer,
    Number,
    Bool,
    Text,
}

/// Writes the Parquet beside the CSV.
pub(crate) fn write(space: &Space, counts: &Counts, names: &Names) -> Result<(), SweepError> {
    let fail = |source| SweepError::Write {
        path: names.parquet.clone(),
        source,
    };
    let folder = names.parquet.parent().expect("joined to a folder");
    let bytes = std::fs::metadata(&names.csv).map_err(fail)?.len();
    let mut builder = tempfile::Builder::new();
    builder.prefix(".dcom-");
    // Temporary files are private by default; a result has the mode that the user's umask gives.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).map_err(fail)?;
    let text = manifest(space, counts, bytes).to_string();
    fill(space, &names.csv, file.as_file_mut(), text)?;
    file.as_file().sync_all().map_err(fail)?;
    file.persist(&names.parquet)
        .map_err(|error| fail(error.error))?;
    Ok(())
}

fn fill(space: &Space, csv: &Path, file: &mut File, manifest: String) -> Result<(), SweepError> {
    let columns = columns(space);
    let fields = columns
        .iter()
        .map(|(name, cell)| field(name, *cell))
        .collect::<Result<Vec<_>, _>>()?;
    let schema = Arc::new(
        Type::group_type_builder("sweep")
            .with_fields(fields)
            .build()?,
    );
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_key_value_metadata(Some(vec![KeyValue::new(MANIFEST_KEY.to_owned(), manifest)]))
        .build();
    let mut writer = SerializedFileWriter::new(BufWriter::new(file), schema, Arc::new(properties))?;
    let unreadable = |error: csv::Error| SweepError::Read {
        path: csv.to_owned(),
        message: error.to_string(),
    };
    let mut reader = csv::Reader::from_path(csv).map_err(unreadable)?;
    let mut group: Vec<csv::StringRecord> = Vec::with_capacity(GROUP_ROWS);
    let mut records = reader.records();
    loop {
        let record = records.next().transpose().map_err(unreadable)?;
        let end = record.is_none();
        group.extend(record);
        if group.len() == GROUP_ROWS || (end && !group.is_empty()) {
            let mut rows = writer.next_row_group()?;
            for (at, (name, cell)) in columns.iter().enumerate() {
                let mut column = rows.next_column()?.expect("a writer per column");
                let wrong = |text: &str| SweepError::Read {
                    path: csv.to_owned(),
                    message: format!("{name} = {text}: not what the column holds"),
                };
                put(&mut column, *cell, &group, at, wrong)?;
                column.close()?;
            }
            rows.close()?;
            group.clear();
        }
        if end {
            writer.close()?;
            return Ok(());
        }
    }
}

/// Name and type of each column.
fn columns(space: &Space) -> Vec<(String, Cell)> {
    let axis = |name: &str| space.columns().find(|column| column.name == name);
    let cell = |name: &str| match (name, axis(name).map(|column| column.key)) {
        (_, Some(Some(key))) => match key.kind {
            Kind::Integer { .. } => Cell::Integer,
            Kind::Float { .. } => Cell::Number,
            Kind::Bool => Cell::Bool,
            Kind::Text | Kind::Choice { .. } => Cell::Text,
        },
        ("point", None) => Cell::Integer,
        (name, None) if METRICS.iter().any(|metric| metric.name == name) => Cell::Number,
        (_, None | Some(None)) => Cell::Text,
    };
    header(space)
        .into_iter()
        .map(|name| (name.to_owned(), cell(name)))
        .collect()
}

/// An empty cell of the CSV is null.
fn field(name: &str, cell: Cell) -> Result<Arc<Type>, SweepError> {
    let physical = match cell {
        Cell::Integer => Physical::INT64,
        Cell::Number => Physical::DOUBLE,
        Cell::Bool => Physical::BOOLEAN,
        Cell::Text => Physical::BYTE_ARRAY,
    };
    let builder =
        Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
    let builder = if cell == Cell::Text {
        builder.with_converted_type(ConvertedType::UTF8)
    } else {
        builder
    };
    Ok(Arc::new(builder.build()?))
}

fn put(
    column: &mut SerializedColumnWriter<'_>,
    cell: Cell,
    group: &[csv::StringRecord],
    at: usize,
    wrong: impl Fn(&str) -> SweepError,
) -> Result<(), SweepError> {
    let texts = || group.iter().map(|record| &record[at]);
    let there: Vec<i16> = texts().map(|text| i16::from(!text.is_empty())).collect();
    let present = || texts().filter(|text| !text.is_empty());
    match cell {
        Cell::Integer => {
            let values: Vec<i64> = present()
                .map(|text| text.parse().map_err(|_| wrong(text)))
                .collect::<Result<_, _>>()?;
            column
                .typed::<Int64Type>()
                .write_batch(&values, Some(&there), None)?;
        }
        Cell::Number => {
            let values: Vec<f64> = present()
                .map(|text| text.parse().map_err(|_| wrong(text)))
                .collect::<Result<_, _>>()?;
            column
                .typed::<DoubleType>()
                .write_batch(&values, Some(&there), None)?;
        }
        Cell::Bool => {
            let values: Vec<bool> = present()
                .map(|text| text.parse().map_err(|_| wrong(text)))
                .collect::<Result<_, _>>()?;
            column
                .typed::<BoolType>()
                .write_batch(&values, Some(&there), None)?;
        }
        Cell::Text => {
            let values: Vec<ByteArray> = present().map(ByteArray::from).collect();
            column
                .typed::<ByteArrayType>()
                .write_batch(&values, Some(&there), None)?;
        }
    }
    Ok(())
}
