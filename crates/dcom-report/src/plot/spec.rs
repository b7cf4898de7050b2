//! What the specs of all kinds share, and the way from a spec and a result to a figure.

use std::fmt::Debug;
use std::path::Path;

use toml::de::DeTable;

use super::data::Data;
use super::error::{PlotError, suggestion};
use super::expr::Expr;
use super::filter::Filter;
use super::rows::{Row, Rows, STATUS};
use super::section::{At, Section, Source, line};
use super::{bars, heat, line as lines, pareto, roofline, tornado};
use crate::figure::{Axis, Figure, Page, Scale, Width};

/// A plot as a TOML file describes it.
#[derive(Debug)]
pub struct Spec {
    file: String,
    page: Page,
    filter: Filter,
    kind: Box<dyn Kind>,
}

/// A figure and what a reader of it should know.
#[derive(Debug)]
pub struct Plot {
    /// The figure.
    pub figure: Figure,
    /// What it leaves out.
    pub notes: Vec<String>,
}

/// A kind of plot, read from a spec.
pub(crate) trait Kind: Debug {
    /// The columns it needs.
    fn columns(&self) -> Vec<&At<String>>;
    /// The figure of these rows.
    fn figure(&self, page: Page, rows: &Rows<'_>) -> Result<Figure, PlotError>;
}

type Reader = fn(&Section<'_>) -> Result<Box<dyn Kind>, PlotError>;

const KINDS: [(&str, Reader); 7] = [
    ("line", lines::read),
    ("stacked", bars::read_stacked),
    ("bars", bars::read_grouped),
    ("roofline", roofline::read),
    ("heatmap", heat::read),
    ("pareto", pareto::read),
    ("tornado", tornado::read),
];

impl Spec {
    /// Reads the text of a spec; `file` is its name in messages.
    ///
    /// # Errors
    /// [`PlotError::Spec`] with the line.
    pub fn parse(file: &str, text: &str) -> Result<Self, PlotError> {
        let source = Source {
            file: file.into(),
            text: text.to_owned(),
        };
        let table = DeTable::parse(text).map_err(|error| PlotError::Spec {
            file: file.to_owned(),
            // An error without a place is one of the file as a whole.
            line: error.span().map_or(1, |span| line(text, span.start)),
            message: error.message().to_owned(),
        })?;
        let section = Section::new(&source, "the spec", &table);
        let kind = section.choice("kind", &KINDS)?;
        let read = section.required("kind", kind)?.value;
        let page = page(&section)?;
        let filter = Filter::read(&section)?;
        let kind = read(&section)?;
        Ok(Self {
            file: file.to_owned(),
            page,
            filter,
            kind,
        })
    }

    /// The figure of a result: a CSV or Parquet file.
    ///
    /// # Errors
    /// A column that the result lacks, a cell that is no number, or no figure that shows the rows faithfully.
    pub fn plot(&self, result: &Path) -> Result<Plot, PlotError> {
        let data = Data::read(result, |heading| self.choose(result, heading))?;
        let rows = Rows::new(&data, &self.filter)?;
        let notes: Vec<String> = rows.note().into_iter().collect();
        let name = |path: &Path| {
            let name = path.file_name().unwrap_or(path.as_os_str());
            name.to_string_lossy().into_owned()
        };
        let mut provenance = vec![format!(
            "dcom {}, result {}, spec {}",
            env!("CARGO_PKG_VERSION"),
            name(result),
            name(Path::new(&self.file))
        )];
        provenance.extend(notes.iter().cloned());
        let page = Page {
            provenance: Some(provenance.join("; ")),
            ..self.page.clone()
        };
        let figure = self.kind.figure(page, &rows)?;
        // What the figure refuses is known before a file is written.
        figure.drawing().map_err(|source| PlotError::Figure {
            file: self.file.clone(),
            source,
        })?;
        Ok(Plot { figure, notes })
    }

    fn choose(&self, result: &Path, heading: &[String]) -> Result<Vec<String>, PlotError> {
        let mut chosen: Vec<String> = Vec::new();
        let filtered = self.filter.columns();
        for column in self.kind.columns().into_iter().chain(filtered) {
            if !heading.contains(&column.value) {
                return Err(column.error(format!(
                    "{} has no column `{}`{}",
                    result.display(),
                    column.value,
                    suggestion(&column.value, heading.iter().map(String::as_str))
                )));
            }
            if !chosen.contains(&column.value) {
                chosen.push(column.value.clone());
            }
        }
        let has_status = heading.iter().any(|name| name == STATUS);
        if has_status && !chosen.iter().any(|name| name == STATUS) {
            chosen.push(STATUS.to_owned());
        }
        Ok(chosen)
    }
}

fn page(section: &Section<'_>) -> Result<Page, PlotError> {
    let usual = Page::default();
    let widths = [
        ("single", Width::SingleColumn),
        ("double", Width::DoubleColumn),
    ];
    Ok(Page {
        title: section.text("title")?.map(|title| title.value),
        width: section
            .choice("width", &widths)?
            .map_or(usual.width, |width| width.value),
        height_ratio: section
            .number("height")?
            .map_or(usual.height_ratio, |height| height.value),
        provenance: None,
    })
}

/// What the spec says of an axis; the rest follows from the column.
#[derive(Debug)]
pub(crate) struct AxisSpec {
    label: Option<String>,
    unit: Option<String>,
    pub(crate) scale: Option<Scale>,
    range: Option<(f64, f64)>,
}

impl AxisSpec {
    /// Reads `x_label`, `x_unit`, `x_scale` and `x_range` for the axis `x`.
    pub(crate) fn read(section: &Section<'_>, name: &str) -> Result<Self, PlotError> {
        let scales = [
            ("linear", Scale::Linear),
            ("log2", Scale::Log2),
            ("log10", Scale::Log10),
        ];
        let key = |what: &str| format!("{name}_{what}");
        Ok(Self {
            scale: section
                .choice(&key("scale"), &scales)?
                .map(|scale| scale.value),
            range: section.range(&key("range"))?.map(|range| range.value),
            ..Self::words(section, name)?
        })
    }

    /// Reads `x_label` and `x_unit`, for an axis that is always linear.
    pub(crate) fn words(section: &Section<'_>, name: &str) -> Result<Self, PlotError> {
        let text = |what: &str| section.text(&format!("{name}_{what}"));
        Ok(Self {
            label: text("label")?.map(|label| label.value),
            unit: text("unit")?.map(|unit| unit.value),
            scale: None,
            range: None,
        })
    }

    /// The axis of a formula.
    pub(crate) fn axis(&self, formula: &str) -> Axis {
        let (label, unit) = wording(formula);
        self.with(label, unit)
    }

    /// The axis with this label and unit unless the spec has others; an empty unit is none.
    pub(crate) fn with(&self, label: String, unit: Option<String>) -> Axis {
        let unit = self.unit.clone().or(unit);
        Axis {
            label: self.label.clone().unwrap_or(label),
            unit: unit.filter(|unit| !unit.is_empty()),
            scale: self.scale.unwrap_or(Scale::Linear),
            range: self.range,
        }
    }
}

/// A column name in words, and its unit: `time_us_per_prompt` is "time per prompt" in us, `array.columns` is "columns".
pub(crate) fn wording(column: &str) -> (String, Option<String>) {
    const UNITS: [(&str, &str); 18] = [
        ("s", "s"),
        ("ms", "ms"),
        ("us", "us"),
        ("ns", "ns"),
        ("cycles", "cycles"),
        ("bytes", "B"),
        ("mhz", "MHz"),
        ("ghz", "GHz"),
        ("mm2", "mm²"),
        ("um2", "um²"),
        ("w", "W"),
        ("mw", "mW"),
        ("j", "J"),
        ("mj", "mJ"),
        ("uj", "uJ"),
        ("nj", "nJ"),
        ("pj", "pJ"),
        ("percent", "%"),
    ];
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    if !column.chars().all(is_name) {
        return (column.replace('`', ""), None);
    }
    let last = column.rsplit('.').next().unwrap_or(column);
    let words: Vec<&str> = last.split('_').filter(|word| !word.is_empty()).collect();
    let found = words.iter().enumerate().skip(1).find_map(|(index, word)| {
        let unit = UNITS.iter().find(|(name, _)| name == word)?;
        Some((index, unit.1))
    });
    let Some((index, unit)) = found else {
        return (words.join(" "), None);
    };
    let rate = words[index - 1] == "per" && index > 1;
    let (before, unit) = if rate {
        (&words[..index - 1], format!("1/{unit}"))
    } else {
        (&words[..index], unit.to_owned())
    };
    ([before, &words[index + 1..]].concat().join(" "), Some(unit))
}

/// How the groups of a plot are called.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) columns: Vec<At<String>>,
    template: Option<At<String>>,
}

impl Series {
    /// Reads `series` and `series_name`.
    pub(crate) fn read(section: &Section<'_>) -> Result<Self, PlotError> {
        let series = Self {
            columns: section.texts("series")?.unwrap_or_default(),
            template: section.text("series_name")?,
        };
        if let Some(template) = &series.template {
            let pieces = template.value.split('{').skip(1);
            for name in pieces
                .filter_map(|piece| piece.split_once('}'))
                .map(|(name, _)| name)
            {
                if !series.columns.iter().any(|column| column.value == name) {
                    let known = series.columns.iter().map(|column| column.value.as_str());
                    return Err(template.error(format!(
                        "`series_name` has {{{name}}}, which is no column of `series`{}",
                        suggestion(name, known)
                    )));
                }
            }
        }
        Ok(series)
    }

    /// The name of a group; `only` if nothing tells groups apart.
    pub(crate) fn name(&self, key: &[&str], only: &str) -> String {
        let pairs = || self.columns.iter().zip(key);
        match &self.template {
            Some(template) => pairs().fold(template.value.clone(), |name, (column, cell)| {
                name.replace(&format!("{{{}}}", column.value), cell)
            }),
            None if self.columns.is_empty() => only.to_owned(),
            None => {
                let parts = pairs().map(|(column, cell)| {
                    let (label, unit) = wording(&column.value);
                    match (cell.parse::<f64>(), unit) {
                        (Ok(_), Some(unit)) => format!("{label} {cell} {unit}"),
                        (Ok(_), None) => format!("{label} {cell}"),
                        (Err(_), _) => (*cell).to_owned(),
                    }
                });
                parts.collect::<Vec<_>>().join(", ")
            }
        }
    }
}

/// A formula that may be there.
pub(crate) fn optional(section: &Section<'_>, key: &str) -> Result<Option<Expr>, PlotError> {
    section.formula(key)?.map(Expr::parse).transpose()
}

/// The formulas at two keys, such as `low` and `high`: both or none.
pub(crate) fn interval(
    section: &Section<'_>,
    [low, high]: [&str; 2],
) -> Result<Option<(Expr, Expr)>, PlotError> {
    match (optional(section, low)?, optional(section, high)?) {
        (Some(low), Some(high)) => Ok(Some((low, high))),
        (None, None) => Ok(None),
        (Some(only), None) | (None, Some(only)) => {
            let message = format!("an interval needs both `{low}` and `{high}`");
            Err(only.text.error(message))
        }
    }
}

/// Two rows for one place in a plot.
pub(crate) fn ambiguous(first: &Row<'_>, second: &Row<'_>, place: &str) -> PlotError {
    second.error(format!(
        "{place} has a value already, at {}; tell the rows apart with `series` or choose some with [filter]",
        first.place()
    ))
}
