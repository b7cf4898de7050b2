//! What a user of specs relies on: every shipped spec gives a readable figure, and what cannot be drawn is said with its place.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use expect_test::{Expect, expect};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::pareto::front;
use super::{Plot, PlotError, Spec};
use crate::figure::{Figure, Width};
use crate::frame::Drawing;
use crate::heat::HeatCell;

/// The shipped specs and the results they are drawn from.
const SHIPPED: [(&str, &str); 13] = [
    ("energy-latency", "area-energy"),
    ("latency", "machines"),
    ("latency-area", "area-energy"),
    ("pareto", "machines"),
    ("pareto-3d", "machines"),
    ("phase-shares", "machines"),
    ("phases", "machines"),
    ("range-band", "ranges"),
    ("ranges", "ranges"),
    ("roofline", "machines"),
    ("speed-up", "machines"),
    ("tornado", "parameters"),
    ("utilization", "machines"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn result(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/results");
    folder.join(format!("{name}.csv"))
}

fn shipped(spec: &str, data: &str) -> Plot {
    let path = root().join(format!("configs/plots/{spec}.toml"));
    let text = fs::read_to_string(&path).expect("the spec is readable");
    let plot = Spec::parse(spec, &text).and_then(|spec| spec.plot(&result(data)));
    plot.unwrap_or_else(|error| panic!("{spec}: {error}"))
}

fn drawings() -> impl Iterator<Item = (&'static str, Figure, Drawing)> {
    SHIPPED.into_iter().map(|(spec, data)| {
        let figure = shipped(spec, data).figure;
        let drawing = figure.drawing().expect("checked before");
        (spec, figure, drawing)
    })
}

#[test]
fn every_shipped_spec_is_tested() {
    let mut names: Vec<String> = fs::read_dir(root().join("configs/plots"))
        .expect("the folder exists")
        .map(|entry| entry.expect("readable").path())
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    assert_eq!(names, SHIPPED.map(|(spec, _)| spec));
}

#[test]
fn legends_and_texts_hide_nothing() {
    for (spec, _, drawing) in drawings() {
        let legend = drawing.legend.grown(-0.05);
        assert!(
            !legend.overlaps(drawing.plot),
            "{spec}: the legend covers data"
        );
        assert!(
            drawing.page.contains(legend),
            "{spec}: the legend leaves the page"
        );
        for text in drawing.canvas.texts() {
            assert!(text.size >= 7.0, "{spec}: {text:?} is too small");
            assert!(
                drawing.page.contains(text.bounds()),
                "{spec}: {text:?} is cut"
            );
        }
    }
}

#[test]
fn every_format_is_complete_and_the_same_in_every_run() {
    for (spec, figure, drawing) in drawings() {
        let formats = |figure: &Figure| {
            let svg = figure.to_svg().expect("SVG");
            (
                svg,
                figure.to_pdf().expect("PDF"),
                figure.to_png().expect("PNG"),
            )
        };
        let (svg, pdf, png) = formats(&figure);
        let data = SHIPPED.into_iter().find(|(name, _)| *name == spec);
        let again = shipped(spec, data.expect("listed").1).figure;
        assert!((&svg, &pdf, &png) == (&formats(&again).0, &formats(&again).1, &formats(&again).2));

        let tree = resvg::usvg::Tree::from_str(&svg, &resvg::usvg::Options::default());
        let size = tree.expect("valid SVG").size();
        let inches = match figure.page().width {
            Width::SingleColumn => 3.5,
            Width::DoubleColumn => 7.16,
        };
        assert!(
            (f64::from(size.width()) - 96.0 * inches).abs() < 0.01,
            "{spec}"
        );

        let holds = |what: &str| {
            pdf.windows(what.len())
                .any(|bytes| bytes == what.as_bytes())
        };
        assert!(pdf.starts_with(b"%PDF-"), "{spec}");
        assert!(
            holds("/FontFile2") && holds("DejaVuSansCondensed"),
            "{spec}: no embedded font"
        );
        assert!(!holds("/Type3"), "{spec}: IEEE refuses Type 3 fonts");

        let reader = png::Decoder::new(std::io::Cursor::new(&png)).read_info();
        let info = reader.expect("a PNG").info().clone();
        let dots = |points: f64| (points / 72.0 * 300.0).round();
        assert!(
            (f64::from(info.width) - 300.0 * inches).abs() < 1.0,
            "{spec}"
        );
        assert!(
            (f64::from(info.height) - dots(drawing.page.height())).abs() <= 1.0,
            "{spec}"
        );
    }
}

/// A partition takes 32 clusters, so with 4 rows the machines of 2 and 4 columns have no result at any of the 8 factors; with 8
/// rows neither has that of 2: 24 designs of 160.
#[test]
fn rows_without_a_result_are_counted_or_hatched() {
    let plot = shipped("pareto", "machines");
    expect!["24 of 160 rows are not drawn: 24 infeasible"].assert_eq(&plot.notes.join("; "));
    let Figure::Heat(map) = shipped("utilization", "machines").figure else {
        panic!("a heat map");
    };
    assert_eq!(map.rows, ["2", "4", "8", "16", "32"]);
    assert_eq!(map.columns, ["1", "2", "4", "8", "16", "32", "64", "128"]);
    for (row, cells) in map.cells.iter().enumerate() {
        let hatched = cells.iter().all(|cell| *cell == HeatCell::Infeasible);
        let drawn = cells.iter().all(|cell| matches!(cell, HeatCell::Value(_)));
        assert_eq!((hatched, drawn), (row < 2, row >= 2), "row {row}");
    }
}

fn plot(spec: &str, csv: &str) -> Result<Plot, PlotError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("result.csv");
    fs::write(&path, csv).expect("written");
    let strip = |error: PlotError| match error {
        PlotError::Spec {
            file,
            line,
            message,
        } => PlotError::Spec {
            file,
            line,
            message: message.replace(&path.display().to_string(), "result.csv"),
        },
        PlotError::Result { message, .. } => PlotError::Result {
            file: "result.csv".to_owned(),
            message,
        },
        PlotError::Row { row, message, .. } => PlotError::Row {
            file: "result.csv".to_owned(),
            row,
            message,
        },
        figure @ PlotError::Figure { .. } => figure,
    };
    let spec = Spec::parse("plot.toml", spec)?;
    spec.plot(&path).map_err(strip)
}

const LINE: &str = "kind = \"line\"\nx = \"f\"\ny = \"time_us\"\n";

/// By hand: 8 / 8, 8 / 4, 8 / 2 for the first machine, 6 / 6, 6 / 2 for the second; rows in any order.
#[test]
fn speed_up_is_the_base_over_the_value() {
    let spec = format!("{LINE}series = \"m\"\nrelative_to = 1\nrelative_as = \"speed-up\"\n");
    let csv = "m,f,time_us\na,4,2\na,1,8\nb,4,2\na,2,4\nb,1,6\n";
    let Figure::Line(line) = plot(&spec, csv).expect("valid").figure else {
        panic!("a line plot");
    };
    assert_eq!(line.series[0].points, [(1.0, 1.0), (2.0, 2.0), (4.0, 4.0)]);
    assert_eq!(line.series[1].points, [(1.0, 1.0), (4.0, 3.0)]);
}

#[test]
fn formulas_and_filters_choose_what_is_drawn() {
    let spec = "kind = \"line\"\nx = \"f\"\ny = \"a * 2 / b - 1\"\n\
                [filter]\nf = \"> 1\"\nb = [2, 4]\nname = \"!= out\"\n";
    let csv = "f,a,b,name\n1,9,2,in\n2,3,2.0,in\n3,8,4,in\n4,8,5,in\n5,8,4,out\n";
    let Figure::Line(line) = plot(spec, csv).expect("valid").figure else {
        panic!("a line plot");
    };
    assert_eq!(line.series[0].points, [(2.0, 2.0), (3.0, 3.0)]);
}

fn refused(spec: &str, csv: &str, message: &Expect) {
    let error = plot(spec, csv).expect_err("must be refused");
    message.assert_eq(&error.to_string());
}

#[test]
fn what_is_wrong_with_a_spec_is_said_with_its_line() {
    let csv = "f,time_us\n1,2\n2,3\n";
    let line = |more: &str| format!("{LINE}{more}\n");
    refused(
        "x = 1 = 2",
        csv,
        &expect!["plot.toml:1: unexpected key or value, expected newline, `#`"],
    );
    refused(
        "kind = \"lines\"",
        csv,
        &expect![[r#"plot.toml:1: `kind` is not "lines"; did you mean `line`?"#]],
    );
    refused(
        "knid = \"line\"",
        csv,
        &expect!["plot.toml:1: the spec has no key `kind`; did you mean it by `knid`?"],
    );
    refused(
        "kind = \"line\"\nx = \"f\"\nz = \"f\"",
        csv,
        &expect![
            "plot.toml:3: the spec has no key `z`; there are: kind, title, width, height, filter, interval, relative_as, relative_to, x_scale, x_range, x_label, x_unit, y_scale, y_range, y_label, y_unit, series, series_name, low, high, marker, x, y"
        ],
    );
    refused(
        "kind = \"line\"\nx = \"f\"",
        csv,
        &expect!["plot.toml:1: the spec has no key `y`"],
    );
    refused(
        &line("titel = \"a\""),
        csv,
        &expect!["plot.toml:4: the spec has no key `titel`; did you mean `title`?"],
    );
    refused(
        &line("width = 3"),
        csv,
        &expect!["plot.toml:4: `width` must be a text in quotes"],
    );
    refused(
        &line("x_scale = \"log\""),
        csv,
        &expect![[r#"plot.toml:4: `x_scale` is not "log"; did you mean `log2`?"#]],
    );
    refused(
        &line("series = \"time\""),
        csv,
        &expect!["plot.toml:4: result.csv has no column `time`; there are: f, time_us"],
    );
    refused(
        &line("series_name = \"{g}\"\nseries = \"f\""),
        csv,
        &expect![
            "plot.toml:4: `series_name` has {g}, which is no column of `series`; there are: f"
        ],
    );
    refused(
        &line("low = \"f\""),
        csv,
        &expect!["plot.toml:4: an interval needs both `low` and `high`"],
    );
    refused(
        &line("relative_to = 7"),
        csv,
        &expect![[r#"plot.toml:4: "ratio over f 7" has no result at f = 7 to relate to"#]],
    );
    refused(
        "kind = \"line\"\nx = \"f +\"\ny = \"f\"",
        csv,
        &expect!["plot.toml:2: `f +`: a column or a number is missing at the end"],
    );
    refused(
        "kind = \"line\"\nx = \"f g\"\ny = \"f\"",
        csv,
        &expect!["plot.toml:2: `f g`: two names in a row; put a name with blanks in backticks"],
    );
    refused(
        &line("[filter]\nf = \"> much\""),
        csv,
        &expect![[r#"plot.toml:5: "> much" compares with "much", which is no number"#]],
    );
    refused(
        &line("[filter]\ntime = 3"),
        csv,
        &expect!["plot.toml:5: result.csv has no column `time`; there are: f, time_us"],
    );
}

#[test]
fn what_is_wrong_with_a_result_is_said_with_its_line() {
    refused(LINE, "", &expect!["result.csv: has no heading"]);
    refused(
        LINE,
        "f,time_us\n",
        &expect!["result.csv: has a heading but no rows: nothing to plot"],
    );
    refused(
        LINE,
        "f,f,time_us\n1,1,1\n",
        &expect!["result.csv: two columns are named `f`"],
    );
    refused(
        LINE,
        "f,time_us\n1,2\n2\n",
        &expect!["result.csv:3: has 1 cells, the heading has 2: the file is cut or damaged"],
    );
    refused(
        LINE,
        "f,time_us\n1,2\n2,fast\n",
        &expect![[r#"result.csv:3: column `time_us` has "fast", which is not a finite number"#]],
    );
    refused(
        LINE,
        "f,time_us\n1,2\n2,\n",
        &expect!["result.csv:3: column `time_us` is empty"],
    );
    refused(
        LINE,
        "f,time_us\n1,2\n1,3\n",
        &expect![[
            r#"result.csv:3: f = 1 of "time" has a value already, at 2; tell the rows apart with `series` or choose some with [filter]"#
        ]],
    );
    refused(
        LINE,
        "f,time_us,status\n1,,infeasible\n2,,violates\n",
        &expect!["result.csv: no row to plot has a result: 1 infeasible, 1 violates"],
    );
    let filtered = format!("{LINE}[filter]\nf = 9\n");
    refused(
        &filtered,
        "f,time_us\n1,2\n",
        &expect!["result.csv: the filter of the spec leaves none of 1 rows"],
    );
    let log = format!("{LINE}y_scale = \"log10\"\n");
    refused(
        &log,
        "f,time_us\n1,0\n",
        &expect![[
            r#"plot.toml: series "time", axis "time", has the value 0, which must be positive"#
        ]],
    );
    let ratio = "kind = \"line\"\nx = \"f\"\ny = \"f / time_us\"\n";
    refused(
        ratio,
        "f,time_us\n1,0\n",
        &expect!["result.csv:2: `f / time_us` comes to inf"],
    );
    let bars = "kind = \"bars\"\nx = \"f\"\ny = \"time_us\"\nseries = \"m\"\n";
    refused(
        bars,
        "f,m,time_us\n1,a,1\n2,a,1\n1,b,1\n",
        &expect![[
            r#"plot.toml:2: f = 2 of "b" has no result, so its bar would look like zero; leave it out with [filter]"#
        ]],
    );
}

/// By hand: the swings from 5 are 3 (c), 2 (a: both ends on one side) and 1 (b); the smallest is drawn first, at the bottom.
#[test]
fn a_tornado_is_sorted_by_swing() {
    let spec = "kind = \"tornado\"\nparameter = \"p\"\nlow = \"lo\"\nhigh = \"hi\"\nnominal = 5\n";
    let Figure::Tornado(tornado) = plot(spec, "p,lo,hi\na,6,7\nb,5,6\nc,3,6\n")
        .expect("valid")
        .figure
    else {
        panic!("a tornado");
    };
    let names: Vec<&str> = tornado
        .sorted()
        .iter()
        .map(|bar| bar.name.as_str())
        .collect();
    assert_eq!(names, ["b", "a", "c"]);
}

/// The sorted search against the definition, on points with many ties.
#[test]
fn the_front_is_what_no_point_dominates() {
    let mut state = 1_u64;
    let mut next = || {
        // Knuth's multiplier; the upper bits are the random ones.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        f64::from(u8::try_from(state >> 60).expect("4 bits"))
    };
    for dimensions in [2, 3] {
        for _ in 0..50 {
            let points: Vec<Vec<f64>> = (0..40)
                .map(|_| (0..dimensions).map(|_| next()).collect())
                .collect();
            let dominates = |a: &[f64], b: &[f64]| {
                a.iter().zip(b).all(|(a, b)| a <= b) && a.iter().zip(b).any(|(a, b)| a < b)
            };
            let naive: Vec<usize> = (0..points.len())
                .filter(|&index| !points.iter().any(|other| dominates(other, &points[index])))
                .collect();
            let mut found = front(&points);
            found.sort_unstable();
            assert_eq!(found, naive);
        }
    }
}

#[test]
fn parquet_gives_the_figure_of_the_same_csv() {
    let schema = "message result { required binary m (UTF8); required int64 f; optional double time_us; \
                  required binary status (UTF8); }";
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("result.parquet");
    let file = fs::File::create(&path).expect("created");
    let schema = Arc::new(parse_message_type(schema).expect("a schema"));
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer = SerializedFileWriter::new(file, schema, properties).expect("a writer");
    let mut group = writer.next_row_group().expect("a group");
    let texts = |texts: [&str; 3]| texts.map(ByteArray::from);
    let mut index = 0;
    while let Some(mut column) = group.next_column().expect("a column") {
        match index {
            0 => column
                .typed::<ByteArrayType>()
                .write_batch(&texts(["a", "a", "b"]), None, None),
            1 => column
                .typed::<Int64Type>()
                .write_batch(&[1, 2, 1], None, None),
            2 => column
                .typed::<DoubleType>()
                .write_batch(&[0.1, 2.5], Some(&[1, 1, 0]), None),
            _ => {
                let status = texts(["ok", "ok", "infeasible"]);
                column
                    .typed::<ByteArrayType>()
                    .write_batch(&status, None, None)
            }
        }
        .expect("written");
        column.close().expect("closed");
        index += 1;
    }
    group.close().expect("closed");
    writer.close().expect("closed");
    let spec = format!("{LINE}series = \"m\"\n");
    let from_parquet = Spec::parse("plot.toml", &spec).and_then(|spec| spec.plot(&path));
    let csv = "m,f,time_us,status\na,1,0.1,ok\na,2,2.5,ok\nb,1,,infeasible\n";
    let (a, b) = (
        from_parquet.expect("valid"),
        plot(&spec, csv).expect("valid"),
    );
    assert_eq!(a.notes, b.notes);
    let (Figure::Line(a), Figure::Line(b)) = (a.figure, b.figure) else {
        panic!("line plots");
    };
    assert_eq!(a.series, b.series);
}

const PARETO: &str =
    "kind = \"pareto\"\nx = \"area\"\nx_goal = \"minimize\"\ny = \"time\"\ny_goal = \"minimize\"\n";

/// The third machine is beaten by the second.
#[test]
fn error_bars_stand_on_the_front_alone() {
    let spec = format!("{PARETO}y_low = \"low\"\ny_high = \"high\"\n");
    let csv = "area,time,low,high\n1,4,3,6\n2,2,1,2.5\n3,3,2,4\n";
    let Figure::Scatter(drawn) = plot(&spec, csv).expect("a plot").figure else {
        panic!("points");
    };
    let errors = drawn.groups.iter().map(|group| {
        let points = group.points.iter();
        points
            .map(|at| (at.x_error, at.y_error))
            .collect::<Vec<_>>()
    });
    let expected: [Vec<_>; 2] = [
        vec![(None, Some((3.0, 6.0))), (None, Some((1.0, 2.5)))],
        vec![(None, None)],
    ];
    assert_eq!(errors.collect::<Vec<_>>(), expected);
}

#[test]
fn error_bars_have_two_ends_around_their_point() {
    let csv = "area,time,low,high\n1,4,3,6\n2,2,3,4\n";
    let message = |keys: &str| {
        let spec = format!("{PARETO}{keys}");
        plot(&spec, csv).expect_err("refused").to_string()
    };
    expect!["plot.toml:6: an interval needs both `x_low` and `x_high`"]
        .assert_eq(&message("x_low = \"low\"\n"));
    expect![[r#"plot.toml: series "Pareto front (2)": the error interval 3 to 4 does not contain the value 2"#]].assert_eq(&message("y_low = \"low\"\ny_high = \"high\"\n"));
}
