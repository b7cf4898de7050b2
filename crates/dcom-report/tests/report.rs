//! The public interface as a user meets it: files, refusals, tables and numbers.

use dcom_report::{
    Arrangement, Axis, BarPlot, BarSeries, Cell, Column, Figure, FigureError, LinePlot, Marker,
    Page, Scale, Series, Table, Width, engineering, significant, thousands, write_atomic,
};
use expect_test::{Expect, expect};

fn plot() -> LinePlot {
    LinePlot {
        page: Page {
            provenance: Some("seed 1".to_owned()),
            ..Page::default()
        },
        x: Axis::new("expansion factor", Scale::Log2),
        y: Axis::new("latency", Scale::Log10).unit("us"),
        series: vec![Series::new(
            "4 clusters",
            [(1.0, 2500.0), (2.0, 1400.0), (4.0, 900.0)],
        )],
        markers: vec![],
    }
}

fn bars() -> BarPlot {
    BarPlot {
        page: Page::default(),
        x_label: None,
        y: Axis::new("latency", Scale::Linear).unit("us"),
        arrangement: Arrangement::Stacked,
        categories: vec!["1".to_owned(), "2".to_owned()],
        series: vec![BarSeries::new("mat-vec", [2.0, 1.0])],
    }
}

#[test]
fn a_png_has_the_print_size_at_300_dpi() {
    for (width, dots) in [(Width::SingleColumn, 1050), (Width::DoubleColumn, 2148)] {
        let figure = Figure::from(LinePlot {
            page: Page {
                width,
                ..plot().page
            },
            ..plot()
        });
        let bytes = figure.to_png().expect("valid");
        let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes))
            .read_info()
            .expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("small")];
        reader.next_frame(&mut pixels).expect("complete");
        let info = reader.info();
        assert_eq!(info.width, dots);
        let resolution = info.pixel_dims.expect("has a resolution");
        assert_eq!(
            (resolution.xppu, resolution.yppu),
            (11811, 11811),
            "dots per metre"
        );
        assert!(
            info.utf8_text
                .iter()
                .any(|chunk| chunk.get_text().is_ok_and(|text| text == "seed 1"))
        );
        assert!(
            pixels.iter().any(|&value| value < 0x40),
            "nothing dark was drawn"
        );
        assert_eq!(pixels[..3], [255, 255, 255], "the corner is empty");
    }
}

#[test]
fn an_svg_needs_no_font_and_has_the_print_size() {
    let svg = Figure::from(plot()).to_svg().expect("valid");
    assert!(svg.contains("width=\"3.5in\""), "{}", &svg[..200]);
    assert!(svg.contains("<desc>latency (us) over expansion factor: 4 clusters\nseed 1</desc>"));
    assert!(!svg.contains("<text") && !svg.contains("font-family"));
}

#[test]
fn the_same_figure_gives_the_same_bytes() {
    for figure in [Figure::from(plot()), Figure::from(bars())] {
        assert_eq!(
            figure.to_svg().expect("valid"),
            figure.to_svg().expect("valid")
        );
        assert_eq!(
            figure.to_png().expect("valid"),
            figure.to_png().expect("valid")
        );
    }
}

#[test]
fn the_extension_decides_the_format() {
    let folder = tempfile::tempdir().expect("a folder");
    let figure = Figure::from(plot());
    figure.write(folder.path().join("a.svg")).expect("written");
    figure.write(folder.path().join("a.png")).expect("written");
    figure.write(folder.path().join("a.pdf")).expect("written");
    let bytes = std::fs::read(folder.path().join("a.png")).expect("there");
    assert_eq!(bytes, figure.to_png().expect("valid"));
    let error = figure
        .write(folder.path().join("a.jpg"))
        .expect_err("no JPEG");
    assert!(
        matches!(error, FigureError::UnknownFormat { .. }),
        "{error}"
    );
    let error = figure
        .write(folder.path().join("absent/a.svg"))
        .expect_err("no folder");
    assert!(matches!(error, FigureError::Write(_)), "{error}");
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("there").count(),
        3,
        "nothing is left behind"
    );
}

#[test]
fn a_file_is_replaced_as_a_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.csv");
    write_atomic(&path, b"long old content").expect("written");
    write_atomic(&path, b"new").expect("written");
    assert_eq!(std::fs::read(&path).expect("there"), b"new");
    assert_eq!(std::fs::read_dir(folder.path()).expect("there").count(), 1);
}

fn refused(figure: impl Into<Figure>, message: Expect) {
    let error = figure.into().to_svg().expect_err("refused");
    message.assert_eq(&error.to_string());
}

#[test]
fn line_plots_that_would_mislead_are_refused() {
    let with = |series: Series| LinePlot {
        series: vec![series],
        ..plot()
    };
    let points = |points: &[(f64, f64)]| with(Series::new("a", points));
    refused(
        LinePlot {
            series: vec![],
            ..plot()
        },
        expect!["the figure has no series"],
    );
    refused(points(&[]), expect![[r#"series "a" has no points"#]]);
    refused(
        points(&[(1.0, f64::NAN)]),
        expect![[r#"series "a" has a value that is not finite: NaN"#]],
    );
    refused(
        points(&[(1.0, 1e-200)]),
        expect![[
            r#"series "a" has the value 1e-200; an axis can show sizes from 1e-100 to 1e100"#
        ]],
    );
    refused(
        points(&[(0.0, 1.0)]),
        expect![[
            r#"series "a", axis "expansion factor", has the value 0, which must be positive"#
        ]],
    );
    let series = Series {
        error: Some(vec![(1.0, 2.0)]),
        ..Series::new("a", [(1.0, 1.5), (2.0, 1.5)])
    };
    refused(
        with(series),
        expect![[r#"series "a" has 2 points but 1 error intervals"#]],
    );
    let series = Series {
        error: Some(vec![(1.0, 2.0)]),
        ..Series::new("a", [(1.0, 3.0)])
    };
    refused(
        with(series),
        expect![[r#"series "a": the error interval 1 to 2 does not contain the value 3"#]],
    );
    refused(
        LinePlot {
            x: plot().x.range(2.0, 64.0),
            ..plot()
        },
        expect![[
            r#"series "4 clusters" has the value 1, outside the range 2 to 64 asked for axis "expansion factor""#
        ]],
    );
    refused(
        LinePlot {
            x: plot().x.range(64.0, 1.0),
            ..plot()
        },
        expect![[
            r#"the range of axis "expansion factor" is 64 to 1; the second must be larger by more than rounding"#
        ]],
    );
    refused(
        LinePlot {
            x: plot().x.range(0.0, 64.0),
            ..plot()
        },
        expect![[
            r#"the range of axis "expansion factor" has the value 0, which must be positive"#
        ]],
    );
    refused(
        with(Series::new("数", [(1.0, 1.0)])),
        expect![[r#"the font has no glyph for '数' in "数""#]],
    );
    refused(
        with(Series::new(" ", [(1.0, 1.0)])),
        expect!["the name of a series is empty"],
    );
    refused(
        with(Series::new("a".repeat(200), [(1.0, 1.0)])),
        expect![[
            r#""aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" does not fit into the figure; shorten it or use a wider or higher figure"#
        ]],
    );
    let same = Series::new("a", [(1.0, 1.0)]);
    refused(
        LinePlot {
            series: vec![same.clone(), same],
            ..plot()
        },
        expect![[r#"two series are named "a""#]],
    );
    let many = (0..9)
        .map(|index| Series::new(index.to_string(), [(1.0, 1.0)]))
        .collect();
    refused(
        LinePlot {
            series: many,
            ..plot()
        },
        expect!["the figure has 9 series; at most 8 can be told apart, split the figure"],
    );
    let marker = Marker {
        x: 1.0,
        y: -4.0,
        label: "paper".to_owned(),
    };
    refused(
        LinePlot {
            markers: vec![marker],
            ..plot()
        },
        expect![[r#"marker "paper", axis "latency", has the value -4, which must be positive"#]],
    );
    refused(
        LinePlot {
            page: Page {
                height_ratio: 0.0,
                ..Page::default()
            },
            ..plot()
        },
        expect!["the height ratio is 0, it must lie between 0.2 and 2"],
    );
}

#[test]
fn bar_plots_that_would_mislead_are_refused() {
    let with = |values: &[f64]| BarPlot {
        series: vec![BarSeries::new("a", values)],
        ..bars()
    };
    refused(
        with(&[1.0]),
        expect![[r#"series "a" has 1 values for 2 categories"#]],
    );
    refused(
        with(&[1.0, -1.0]),
        expect![[r#"series "a" has the negative value -1; bars start at zero"#]],
    );
    refused(
        with(&[1.0, f64::INFINITY]),
        expect![[r#"series "a" has a value that is not finite: inf"#]],
    );
    refused(
        BarPlot {
            y: bars().y.range(1.0, 3.0),
            ..bars()
        },
        expect!["the y range of a bar plot starts at 1, it must start at 0"],
    );
    refused(
        BarPlot {
            y: bars().y.range(0.0, 1.5),
            ..bars()
        },
        expect![[
            r#"category "1" has the value 2, outside the range 0 to 1.5 asked for axis "latency""#
        ]],
    );
    refused(
        BarPlot {
            y: Axis::new("latency", Scale::Log10),
            ..bars()
        },
        expect![
            "the y axis of a bar plot must be linear: bar lengths mean nothing on a logarithmic axis"
        ],
    );
    refused(
        BarPlot {
            categories: vec![],
            ..bars()
        },
        expect!["the bar plot has no categories"],
    );
    let categories: Vec<String> = (0..60).map(|layer| format!("layer {layer}")).collect();
    let series = vec![BarSeries::new("a", [1.0; 60])];
    refused(
        BarPlot {
            categories,
            series,
            ..bars()
        },
        expect![[
            r#""layer 0" and "layer 1" would overlap; use fewer or shorter texts, or a wider or higher figure"#
        ]],
    );
}

#[test]
fn degenerate_data_is_drawn() {
    for value in [1.0, 1e-90, 1e90, 123_456.789] {
        for scale in [Scale::Linear, Scale::Log2, Scale::Log10] {
            for points in [
                vec![(value, value)],
                vec![(value, value), (value * (1.0 + 1e-15), value)],
            ] {
                let axis = |name: &str| Axis::new(name, scale);
                let series = vec![Series::new("a", points)];
                let figure = Figure::from(LinePlot {
                    x: axis("x"),
                    y: axis("y"),
                    series,
                    ..plot()
                });
                figure
                    .to_svg()
                    .unwrap_or_else(|error| panic!("{value} on {scale:?}: {error}"));
            }
        }
    }
    let zeros = Figure::from(BarPlot {
        series: vec![BarSeries::new("a", [0.0, 0.0])],
        ..bars()
    });
    zeros.to_svg().expect("bars of length zero");
}

fn table() -> Table {
    let mut table = Table::new(vec![
        Column::new("model"),
        Column::new("cycles"),
        Column::new("latency").unit("us"),
        Column::new("note | remark"),
    ]);
    let rows = [
        vec![
            Cell::from("Llama-2 7B"),
            Cell::from(1_234_567_u64),
            Cell::real(455.123_456, 3),
            Cell::Missing,
        ],
        vec![
            Cell::from("μ \"x\", y"),
            Cell::from(-12_i64),
            Cell::real(0.1, 3),
            Cell::from("a|b\nc"),
        ],
    ];
    for row in rows {
        table.push(row).expect("matches the columns");
    }
    table
}

#[test]
fn csv_is_exact() {
    let mut bytes = Vec::new();
    table()
        .to_csv(&mut bytes)
        .expect("a vector takes everything");
    expect![[r#"
        model,cycles,latency (us),note | remark
        Llama-2 7B,1234567,455.123456,
        "μ ""x"", y",-12,0.1,"a|b
        c"
    "#]]
    .assert_eq(&String::from_utf8(bytes).expect("UTF-8"));
}

#[test]
fn tables_for_readers_are_rounded_and_aligned() {
    expect![[r#"
        | model      |    cycles | latency (us) | note \| remark |
        | ---------- | --------: | -----------: | -------------- |
        | Llama-2 7B | 1,234,567 |          455 | -              |
        | μ "x", y   |       -12 |        0.100 | a\|b c         |
    "#]]
    .assert_eq(&table().to_markdown());
    expect![[r#"
        model          cycles  latency (us)  note | remark
        ----------  ---------  ------------  -------------
        Llama-2 7B  1,234,567           455  -
        μ "x", y          -12         0.100  a|b c
    "#]]
    .assert_eq(&table().to_text());
    expect![[r#"
        empty
        -----
    "#]]
    .assert_eq(&Table::new(vec![Column::new("empty")]).to_text());
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let mut table = Table::new(vec![Column::new("a"), Column::new("b").unit("us")]);
    let mut error = |row: Vec<Cell>| table.push(row).expect_err("refused").to_string();
    expect!["the row has 1 cells, the table has 2 columns (a, b (us))"]
        .assert_eq(&error(vec![Cell::Missing]));
    expect![[r#"column "b (us)" is given NaN, which is not a number to report"#]]
        .assert_eq(&error(vec![Cell::Missing, Cell::real(f64::NAN, 3)]));
    expect![[
        r#"column "b (us)" is given a value with 0 significant digits; at least 1 is needed"#
    ]]
    .assert_eq(&error(vec![Cell::Missing, Cell::real(1.0, 0)]));
}

#[test]
fn numbers_for_readers() {
    let cases = [
        (significant(0.001_234_56, 3), "0.00123"),
        (significant(-455.4, 3), "-455"),
        (significant(455.0, 5), "455.00"),
        (significant(123_456.0, 3), "123000"),
        (significant(9.999, 3), "10.0"),
        (significant(0.0, 3), "0"),
        (significant(1.234e-9, 2), "1.2e-9"),
        (significant(1e15, 2), "1.0e15"),
        (significant(f64::NAN, 2), "NaN"),
        (engineering(455e-6, "s"), "455 us"),
        (engineering(999.6e-6, "s"), "1.00 ms"),
        (engineering(-1.5e-3, "s"), "-1.50 ms"),
        (engineering(12.34e9, "B/s"), "12.3 GB/s"),
        (engineering(0.0, "J"), "0 J"),
        (engineering(1.0, "J"), "1.00 J"),
        (engineering(1e30, "J"), "1.00e30 J"),
        (thousands(0), "0"),
        (thousands(999), "999"),
        (thousands(-1000), "-1,000"),
        (thousands(12_345_678_u64), "12,345,678"),
    ];
    for (text, expected) in cases {
        assert_eq!(text, expected);
    }
}
