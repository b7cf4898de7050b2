//! Result files: CSV with a heading, or Parquet with flat columns. Only the columns a plot needs are kept.

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;

use super::error::PlotError;

/// The needed columns of a result, as the texts in the file.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) file: String,
    pub(crate) columns: Vec<String>,
    pub(crate) records: Vec<Record>,
}

/// A row.
#[derive(Debug)]
pub(crate) struct Record {
    /// The line of a CSV file, the row of a Parquet file; from 1.
    pub(crate) place: u64,
    /// One per kept column; absent values are empty.
    pub(crate) cells: Vec<String>,
}

impl Data {
    /// Reads a result whose name ends in `.csv` or `.parquet`. `choose` is given the names of all columns and returns those to
    /// keep.
    pub(crate) fn read(
        path: &Path,
        choose: impl FnOnce(&[String]) -> Result<Vec<String>, PlotError>,
    ) -> Result<Self, PlotError> {
        let file = path.display().to_string();
        let wrong = |message: String| PlotError::Result {
            file: file.clone(),
            message,
        };
        let extension = path.extension().and_then(|extension| extension.to_str());
        let is_csv = match extension {
            Some("csv") => true,
            Some("parquet") => false,
            Some(_) | None => {
                let message = "the name of a result must end in .csv or .parquet";
                return Err(wrong(message.to_owned()));
            }
        };
        let open = File::open(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let data = if is_csv {
            read_csv(&file, open, choose)
        } else {
            read_parquet(&file, open, choose)
        }?;
        if data.records.is_empty() {
            return Err(wrong(
                "has a heading but no rows: nothing to plot".to_owned(),
            ));
        }
        Ok(data)
    }
}

fn check_heading(file: &str, heading: &[String]) -> Result<(), PlotError> {
    let mut seen = HashSet::new();
    let message = match heading.iter().find(|name| !seen.insert(name.as_str())) {
        Some(twice) => format!("two columns are named `{twice}`"),
        None if heading.iter().all(|name| name.is_empty()) => "has no heading".to_owned(),
        None => return Ok(()),
    };
    Err(PlotError::Result {
        file: file.to_owned(),
        message,
    })
}

fn read_csv(
    file: &str,
    open: File,
    choose: impl FnOnce(&[String]) -> Result<Vec<String>, PlotError>,
) -> Result<Data, PlotError> {
    let wrong = |error: csv::Error| {
        let row = error.position().map(csv::Position::line);
        let message = match error.kind() {
            csv::ErrorKind::UnequalLengths {
                expected_len, len, ..
            } => format!(
                "has {len} cells, the heading has {expected_len}: the file is cut or damaged"
            ),
            csv::ErrorKind::Utf8 { .. } => "is not UTF-8".to_owned(),
            _ => error.to_string(),
        };
        match row {
            Some(row) => PlotError::Row {
                file: file.to_owned(),
                row,
                message,
            },
            None => PlotError::Result {
                file: file.to_owned(),
                message,
            },
        }
    };
    let mut reader = csv::Reader::from_reader(open);
    let heading: Vec<String> = reader
        .headers()
        .map_err(wrong)?
        .iter()
        .map(str::to_owned)
        .collect();
    check_heading(file, &heading)?;
    let columns = choose(&heading)?;
    let indices = indices(&heading, &columns);
    let mut records = Vec::new();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(wrong)? {
        let place = record.position().map(csv::Position::line);
        let place = place.expect("a record that was read has a position");
        records.push(Record {
            place,
            cells: indices
                .iter()
                .map(|&index| record[index].to_owned())
                .collect(),
        });
    }
    Ok(Data {
        file: file.to_owned(),
        columns,
        records,
    })
}

fn read_parquet(
    file: &str,
    open: File,
    choose: impl FnOnce(&[String]) -> Result<Vec<String>, PlotError>,
) -> Result<Data, PlotError> {
    let wrong = |error: parquet::errors::ParquetError| PlotError::Result {
        file: file.to_owned(),
        message: format!("cannot be read as Parquet: {error}"),
    };
    let reader = SerializedFileReader::new(open).map_err(wrong)?;
    let schema = reader.metadata().file_metadata().schema().clone();
    let fields = schema.get_fields();
    let heading: Vec<String> = fields.iter().map(|field| field.name().to_owned()).collect();
    check_heading(file, &heading)?;
    let columns = choose(&heading)?;
    // The projection keeps the order of the file, so the columns are looked up again in it.
    let kept: Vec<_> = fields
        .iter()
        .filter(|field| columns.iter().any(|name| name == field.name()))
        .cloned()
        .collect();
    let order: Vec<String> = kept.iter().map(|field| field.name().to_owned()).collect();
    let projection = parquet::schema::types::Type::group_type_builder(schema.name())
        .with_fields(kept)
        .build()
        .map_err(wrong)?;
    let indices = indices(&order, &columns);
    let mut records = Vec::new();
    for (row, place) in reader
        .get_row_iter(Some(projection))
        .map_err(wrong)?
        .zip(1..)
    {
        let row = row.map_err(wrong)?;
        let cells: Result<Vec<String>, PlotError> = row
            .get_column_iter()
            .map(|(name, field)| {
                cell(field).ok_or_else(|| PlotError::Row {
                    file: file.to_owned(),
                    row: place,
                    message: format!(
                        "column `{name}` is neither text nor a number nor true or false"
                    ),
                })
            })
            .collect();
        let cells = cells?;
        records.push(Record {
            place,
            cells: indices.iter().map(|&index| cells[index].clone()).collect(),
        });
    }
    Ok(Data {
        file: file.to_owned(),
        columns,
        records,
    })
}

fn indices(heading: &[String], columns: &[String]) -> Vec<usize> {
    let index = |name: &String| heading.iter().position(|other| other == name);
    columns.iter().filter_map(index).collect()
}

/// A flat value as text: numbers as the shortest decimal that reads back as the same.
fn cell(field: &Field) -> Option<String> {
    match field {
        Field::Null => Some(String::new()),
        Field::Bool(value) => Some(value.to_string()),
        Field::Byte(value) => Some(value.to_string()),
        Field::Short(value) => Some(value.to_string()),
        Field::Int(value) => Some(value.to_string()),
        Field::Long(value) => Some(value.to_string()),
        Field::UByte(value) => Some(value.to_string()),
        Field::UShort(value) => Some(value.to_string()),
        Field::UInt(value) => Some(value.to_string()),
        Field::ULong(value) => Some(value.to_string()),
        Field::Float(value) => Some(value.to_string()),
        Field::Double(value) => Some(value.to_string()),
        Field::Str(value) => Some(value.clone()),
        Field::Bytes(value) => value.as_utf8().ok().map(str::to_owned),
        _ => None,
    }
}
