//! Sample figures to look at after a change of the drawing code: `cargo run -p dcom-report --example gallery -- FOLDER`.
//!
//! The values are made up; only their shapes resemble results.

use std::path::PathBuf;

use dcom_report::{
    Arrangement, Axis, BarPlot, BarSeries, Figure, FigureError, LinePlot, Marker, Page, Scale,
    Series, Width,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .ok_or("give the folder for the figures")?;
    std::fs::create_dir_all(&folder)?;
    for (name, figure) in figures() {
        write(&folder.join(name), &figure)?;
        dcom_report::write_atomic(
            folder.join(format!("{name}-grey.png")),
            &grey(&figure.to_png()?)?,
        )?;
    }
    Ok(())
}

fn write(path: &std::path::Path, figure: &Figure) -> Result<(), FigureError> {
    figure.write(path.with_extension("svg"))?;
    figure.write(path.with_extension("png"))
}

/// A black and white print of a figure.
fn grey(picture: &[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(picture)).read_info()?;
    let mut rgb = vec![
        0;
        reader
            .output_buffer_size()
            .ok_or("the picture is too large")?
    ];
    reader.next_frame(&mut rgb)?;
    let luma = |dot: &[u8]| {
        (u32::from(dot[0]) * 299 + u32::from(dot[1]) * 587 + u32::from(dot[2]) * 114) / 1000
    };
    let luma = rgb
        .chunks(3)
        .map(|dot| u8::try_from(luma(dot)))
        .collect::<Result<Vec<_>, _>>()?;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, reader.info().width, reader.info().height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header()?.write_image_data(&luma)?;
    Ok(bytes)
}

fn figures() -> Vec<(&'static str, Figure)> {
    vec![
        (
            "latency",
            latency(Width::SingleColumn, |clusters| {
                format!("{clusters} clusters")
            })
            .into(),
        ),
        (
            "latency-wide",
            latency(Width::DoubleColumn, |clusters| {
                format!("{clusters} clusters")
            })
            .into(),
        ),
        (
            "latency-numbers",
            latency(Width::SingleColumn, |clusters| clusters.to_string()).into(),
        ),
        (
            "latency-long",
            latency(Width::SingleColumn, long_name).into(),
        ),
        ("single", single().into()),
        ("eight", eight().into()),
        ("phases", phases(Width::SingleColumn).into()),
        ("phases-wide", phases(Width::DoubleColumn).into()),
        ("grouped", grouped().into()),
        ("many-categories", many_categories().into()),
        ("tiny-values", tiny_values().into()),
    ]
}

fn long_name(clusters: u32) -> String {
    format!(
        "Llama-2 7B, prompt of 2048 tokens, {clusters} clusters, re-orthogonalization after every step"
    )
}

fn latency(width: Width, name: impl Fn(u32) -> String) -> LinePlot {
    let series = [4_u32, 8, 16, 32, 64].map(|clusters| {
        let points = (0..7).map(|power| {
            let factor = f64::from(1 << power);
            (
                factor,
                2100.0 / factor.min(f64::from(clusters)).powf(0.9) * 1.02_f64.powi(power) + 400.0,
            )
        });
        Series::new(name(clusters), points.collect::<Vec<_>>())
    });
    LinePlot {
        page: Page {
            width,
            provenance: Some("gallery, made-up values".to_owned()),
            ..Page::default()
        },
        x: Axis::new("expansion factor", Scale::Log2),
        y: Axis::new("latency of one decomposition", Scale::Log10).unit("us"),
        series: series.into(),
        markers: vec![
            Marker {
                x: 8.0,
                y: 640.0,
                label: "paper: 640 us".to_owned(),
            },
            Marker {
                x: 64.0,
                y: 455.0,
                label: "paper: 455 us".to_owned(),
            },
        ],
    }
}

fn single() -> LinePlot {
    let points = [
        (1.0, 1.31),
        (2.0, 1.12),
        (4.0, 0.94),
        (8.0, 0.91),
        (10.0, 0.9),
    ];
    LinePlot {
        page: Page {
            title: Some("Relative error of the rank-10 approximation".to_owned()),
            ..Page::default()
        },
        x: Axis::new("rank", Scale::Linear),
        y: Axis::new("relative error", Scale::Linear).unit("%"),
        series: vec![Series {
            error: Some(points.map(|(_, y)| (y - 0.08, y + 0.12)).into()),
            ..Series::new("Lanczos, 16 bit", points)
        }],
        markers: vec![Marker {
            x: 4.0,
            y: 0.94,
            label: "chosen".to_owned(),
        }],
    }
}

fn eight() -> LinePlot {
    let series = (1..=8).map(|index| {
        let points = (0..=6).map(|step| {
            (
                1000.0 * f64::from(step),
                f64::from(index * step * step) * 400.0,
            )
        });
        Series::new(format!("configuration {index}"), points.collect::<Vec<_>>())
    });
    LinePlot {
        page: Page {
            width: Width::DoubleColumn,
            height_ratio: 0.5,
            ..Page::default()
        },
        x: Axis::new("prompt", Scale::Linear).unit("tokens"),
        y: Axis::new("cycles", Scale::Linear),
        series: series.collect(),
        markers: vec![],
    }
}

fn phases(width: Width) -> BarPlot {
    BarPlot {
        page: Page {
            width,
            ..Page::default()
        },
        x_label: Some("expansion factor".to_owned()),
        y: Axis::new("latency", Scale::Linear).unit("us"),
        arrangement: Arrangement::Stacked,
        categories: (0..7).map(|power| (1 << power).to_string()).collect(),
        series: vec![
            BarSeries::new(
                "matrix-vector product",
                [1600.0, 800.0, 400.0, 200.0, 100.0, 50.0, 25.0],
            ),
            BarSeries::new(
                "re-orthogonalization",
                [500.0, 260.0, 140.0, 80.0, 50.0, 35.0, 28.0],
            ),
            BarSeries::new("norms", [120.0, 110.0, 105.0, 102.0, 101.0, 100.0, 100.0]),
            BarSeries::new(
                "data movement",
                [200.0, 200.0, 200.0, 205.0, 210.0, 230.0, 260.0],
            ),
            BarSeries::new("control", [30.0, 30.0, 30.0, 30.0, 30.0, 0.0, 30.0]),
        ],
    }
}

fn grouped() -> BarPlot {
    BarPlot {
        page: Page::default(),
        x_label: None,
        y: Axis::new("speed-up over GPU", Scale::Linear),
        arrangement: Arrangement::Grouped,
        categories: ["Llama-2 7B", "Llama-2 13B", "BERT large", "OPT 6.7B"]
            .map(str::to_owned)
            .into(),
        series: vec![
            BarSeries::new("simulated", [6.1, 6.4, 3.2, 5.8]),
            BarSeries::new("paper", [6.2, 6.2, 3.1, 6.0]),
            BarSeries::new("bound", [7.0, 7.1, 4.0, 6.9]),
        ],
    }
}

fn many_categories() -> BarPlot {
    let count = 18;
    BarPlot {
        page: Page::default(),
        x_label: Some("layer".to_owned()),
        y: Axis::new("energy", Scale::Linear).unit("uJ"),
        arrangement: Arrangement::Stacked,
        categories: (0..count)
            .map(|layer| format!("layers.{layer}.q_proj"))
            .collect(),
        series: vec![
            BarSeries::new("SRAM", vec![12_000.0; count]),
            BarSeries::new("datapath", vec![8_500.0; count]),
        ],
    }
}

fn tiny_values() -> LinePlot {
    let points: Vec<(f64, f64)> = (0..9)
        .map(|step| (f64::from(step), 10_f64.powi(-step)))
        .collect();
    LinePlot {
        page: Page::default(),
        x: Axis::new("iteration", Scale::Linear),
        y: Axis::new("residual", Scale::Log10),
        series: vec![Series::new("residual of the Lanczos iteration", points)],
        markers: vec![],
    }
}
