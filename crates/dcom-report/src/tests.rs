//! What a reader of a figure relies on: everything is there, nothing is cut, covered or ambiguous.

use expect_test::expect;
use resvg::usvg::{Group, Node};

use crate::axis::{Mapping, PADDING};
use crate::canvas::Text;
use crate::export;
use crate::figure::{
    Arrangement, Axis, BarPlot, BarSeries, Figure, LinePlot, Marker, Page, Scale, Series, Width,
};
use crate::frame::Drawing;
use crate::geometry::{Rect, dashes, point};
use crate::style::{Outline, STYLES};

fn plot(names: &[&str], width: Width) -> LinePlot {
    let series = names
        .iter()
        .zip([900.0, 700.0, 600.0, 500.0, 450.0, 440.0, 430.0, 420.0]);
    LinePlot {
        page: Page {
            width,
            title: Some("Latency & <bounds>".to_owned()),
            ..Page::default()
        },
        x: Axis::new("expansion factor", Scale::Log2),
        y: Axis::new("latency", Scale::Log10).unit("us"),
        series: series
            .map(|(name, end)| Series::new(*name, [(1.0, 2500.0), (8.0, 1000.0), (64.0, end)]))
            .collect(),
        markers: vec![Marker {
            x: 64.0,
            y: 455.0,
            label: "paper: 455 us".to_owned(),
        }],
    }
}

fn bars(arrangement: Arrangement) -> BarPlot {
    BarPlot {
        page: Page::default(),
        x_label: Some("expansion factor".to_owned()),
        y: Axis::new("latency", Scale::Linear).unit("us"),
        arrangement,
        categories: vec!["1".to_owned(), "2".to_owned()],
        series: vec![
            BarSeries::new("mat-vec", [2.0, 1.0]),
            BarSeries::new("norms", [0.5, 0.0]),
        ],
    }
}

fn samples() -> Vec<(Vec<String>, Figure)> {
    let long =
        "Llama-2 7B, prompt of 2048 tokens, re-orthogonalization after every step, clusters:";
    let long: Vec<String> = (1..=8).map(|count| format!("{long} {count}")).collect();
    let long: Vec<&str> = long.iter().map(String::as_str).collect();
    let mut samples = Vec::new();
    for width in [Width::SingleColumn, Width::DoubleColumn] {
        for names in [&["4"][..], &["4", "8", "16", "32", "64"], &long] {
            let texts = [
                "expansion factor",
                "latency (us)",
                "Latency & <bounds>",
                "paper: 455 us",
            ]
            .into_iter();
            let texts = texts
                .chain(names.iter().copied())
                .map(str::to_owned)
                .collect();
            samples.push((texts, plot(names, width).into()));
        }
    }
    for arrangement in [Arrangement::Stacked, Arrangement::Grouped] {
        let texts = [
            "expansion factor",
            "latency (us)",
            "1",
            "2",
            "mat-vec",
            "norms",
        ]
        .map(str::to_owned);
        samples.push((texts.into(), bars(arrangement).into()));
    }
    samples
}

fn drawing(figure: &Figure) -> Drawing {
    figure.drawing().expect("the sample is valid")
}

fn overlap(a: Rect, b: Rect) -> bool {
    // Neighbouring boxes may share an edge.
    a.grown(-0.05).overlaps(b)
}

#[test]
fn every_text_is_drawn() {
    for (texts, figure) in samples() {
        // Wrapped texts are several lines in a row.
        let drawn: Vec<String> = drawing(&figure)
            .canvas
            .texts()
            .map(|text| text.text.clone())
            .collect();
        let drawn = drawn.join(" ");
        for text in texts {
            assert!(drawn.contains(&text), "{text:?} is missing in {drawn:?}");
        }
    }
}

#[test]
fn no_text_is_cut_or_covers_another() {
    for (_, figure) in samples() {
        let drawing = drawing(&figure);
        let texts: Vec<&Text> = drawing.canvas.texts().collect();
        for (index, text) in texts.iter().enumerate() {
            assert!(
                drawing.page.contains(text.bounds()),
                "{text:?} leaves the page"
            );
            for other in &texts[..index] {
                assert!(
                    !overlap(text.bounds(), other.bounds()),
                    "{text:?} covers {other:?}"
                );
            }
        }
    }
}

#[test]
fn the_legend_is_outside_the_plot_and_inside_the_page() {
    for (_, figure) in samples() {
        let drawing = drawing(&figure);
        assert!(
            !overlap(drawing.legend, drawing.plot),
            "{:?} covers {:?}",
            drawing.legend,
            drawing.plot
        );
        assert!(
            drawing.page.grown(0.05).contains(drawing.legend),
            "{:?} leaves the page",
            drawing.legend
        );
    }
}

#[test]
fn no_text_is_smaller_than_seven_points() {
    for (_, figure) in samples() {
        assert!(drawing(&figure).canvas.texts().all(|text| text.size >= 7.0));
    }
}

/// The layout measures texts without shaping; what the renderer draws must not be larger.
#[test]
fn measured_widths_match_the_rendered_ones() {
    fn boxes(group: &Group, found: &mut Vec<(String, f64)>) {
        for node in group.children() {
            match node {
                Node::Group(inner) => boxes(inner, found),
                Node::Text(text) => {
                    let content: String = text.chunks().iter().map(|chunk| chunk.text()).collect();
                    let extent = text.bounding_box();
                    found.push((content.trim().to_owned(), f64::from(extent.width())));
                }
                Node::Path(_) | Node::Image(_) => {}
            }
        }
    }
    let mut compared = 0;
    for (_, figure) in samples() {
        let drawing = drawing(&figure);
        let mut rendered = Vec::new();
        boxes(
            export::tree(&drawing).expect("valid SVG").root(),
            &mut rendered,
        );
        for (text, (content, width)) in drawing.canvas.texts().zip(rendered) {
            assert_eq!(text.text, content);
            // In hundredths of a point; the box lacks the white space beside the outer letters.
            let (measured, drawn) = (crate::font::width(&text.text, text.size), width / 100.0);
            let slack = 0.25 * text.size + 0.02 * measured;
            assert!(
                (measured - drawn).abs() <= slack,
                "{content:?} is {drawn} pt wide, measured {measured} pt"
            );
            compared += 1;
        }
    }
    assert!(compared > 100, "only {compared} texts found");
}

#[test]
fn series_differ_without_colour() {
    for (index, style) in STYLES.iter().enumerate() {
        for other in &STYLES[..index] {
            assert_ne!(style.dash, other.dash);
            assert_ne!(style.marker, other.marker);
            assert_ne!(style.hatch, other.hatch);
            assert!(
                style.color.lightness() > other.color.lightness(),
                "{style:?} is not lighter than {other:?}"
            );
            assert!(
                style.fill.lightness() > other.fill.lightness(),
                "{style:?} is not lighter than {other:?}"
            );
        }
    }
}

#[test]
fn markers_are_about_equally_large() {
    for style in &STYLES {
        let points: Vec<_> = match style.marker.outline(point(0.0, 0.0), 1.0) {
            Outline::Closed(points) => points,
            Outline::Strokes(strokes) => strokes.concat(),
        };
        let reach = points
            .iter()
            .map(|at| at.distance(point(0.0, 0.0)))
            .fold(0.0, f64::max);
        assert!((1.0..1.5).contains(&reach), "{style:?} reaches {reach}");
    }
}

/// A line of length 10 with 3 drawn and 1 skipped, around a corner: 0-3, 4-7 (the corner is at 6), 8-10.
#[test]
fn dashes_run_on_around_corners() {
    let line = [point(0.0, 0.0), point(6.0, 0.0), point(6.0, 4.0)];
    let expected = vec![
        vec![point(0.0, 0.0), point(3.0, 0.0)],
        vec![point(4.0, 0.0), point(6.0, 0.0), point(6.0, 1.0)],
        vec![point(6.0, 2.0), point(6.0, 4.0)],
    ];
    assert_eq!(dashes(&line, &[3.0, 1.0]), expected);
    assert_eq!(dashes(&line, &[]), [line.to_vec()]);
}

#[test]
fn ticks_are_the_usual_numbers() {
    let labels = |scale, lo, hi, most: usize| {
        let mapping = Mapping::new(&Axis::new("a", scale).range(lo, hi), PADDING, []);
        let ticks = mapping.ticks(|ticks| ticks.len() <= most);
        ticks
            .into_iter()
            .map(|tick| tick.label)
            .collect::<Vec<_>>()
            .join(" ")
    };
    expect!["1 2 4 8 16 32 64"].assert_eq(&labels(Scale::Log2, 0.9, 70.0, 10));
    expect!["1 4 16 64"].assert_eq(&labels(Scale::Log2, 1.0, 64.0, 4));
    expect!["0.25 0.5 1 2"].assert_eq(&labels(Scale::Log2, 0.25, 2.0, 4));
    expect!["200 500 1000 2000 5000 10,000"].assert_eq(&labels(Scale::Log10, 150.0, 10_000.0, 8));
    expect!["10⁻⁸ 10⁻⁷ 10⁻⁶ 10⁻⁵ 10⁻⁴ 10⁻³ 10⁻² 10⁻¹ 10⁰"].assert_eq(&labels(
        Scale::Log10,
        1e-8,
        1.0,
        9,
    ));
    expect!["900 1000 1100 1200 1300 1400"].assert_eq(&labels(Scale::Log10, 900.0, 1400.0, 8));
    expect!["0 5000 10,000 15,000 20,000"].assert_eq(&labels(Scale::Linear, 0.0, 20_000.0, 6));
    expect!["−0.4 −0.2 0 0.2 0.4"].assert_eq(&labels(Scale::Linear, -0.4, 0.4, 6));
    expect!["0 2×10⁻⁹ 4×10⁻⁹ 6×10⁻⁹"].assert_eq(&labels(Scale::Linear, 0.0, 7e-9, 5));
    expect!["9.8×10⁻⁸ 1.00×10⁻⁷ 1.02×10⁻⁷"].assert_eq(&labels(Scale::Linear, 9.8e-8, 1.02e-7, 4));
}

/// Places by hand: 4 is the middle of 1 to 16 in octaves, 10 that of 1 to 100 in decades.
#[test]
fn places_follow_the_scale() {
    let place = |scale, lo, hi, value| {
        Mapping::new(&Axis::new("a", scale).range(lo, hi), PADDING, []).place(value)
    };
    for place in [
        place(Scale::Linear, 2.0, 6.0, 4.0),
        place(Scale::Log2, 1.0, 16.0, 4.0),
        place(Scale::Log10, 1.0, 100.0, 10.0),
    ] {
        assert!((place - 0.5).abs() < 1e-12, "{place}");
    }
}

#[test]
fn tiny_plot() {
    let figure = Figure::from(LinePlot {
        page: Page::default(),
        x: Axis::new("x", Scale::Linear).range(0.0, 2.0),
        y: Axis::new("y", Scale::Linear).range(0.0, 1.0),
        series: vec![Series::new("a", [(0.0, 0.0), (1.0, 1.0)])],
        markers: vec![],
    });
    expect![[r##"
        <svg xmlns="http://www.w3.org/2000/svg" width="336" height="241.28" viewBox="0 0 25200 18096">
        <polygon opacity="1" fill="#FFFFFF" points="0,0 25200,0 25200,18096 0,18096 "/>
        <polyline fill="none" opacity="1" stroke="#DDDDDD" stroke-width="40" points="2999,13921 24364,13921 "/>
        <polyline fill="none" opacity="1" stroke="#DDDDDD" stroke-width="40" points="2999,11272 24364,11272 "/>
        <polyline fill="none" opacity="1" stroke="#DDDDDD" stroke-width="40" points="2999,8623 24364,8623 "/>
        <polyline fill="none" opacity="1" stroke="#DDDDDD" stroke-width="40" points="2999,5974 24364,5974 "/>
        <polyline fill="none" opacity="1" stroke="#DDDDDD" stroke-width="40" points="2999,3324 24364,3324 "/>
        <polyline fill="none" opacity="1" stroke="#DDDDDD" stroke-width="40" points="2999,675 24364,675 "/>
        <polyline fill="none" opacity="1" stroke="#222222" stroke-width="70" points="2749,13921 2999,13921 "/>
        <text x="2019" y="13625" dy="0.76em" text-anchor="start" font-family="sans-serif" font-size="750" opacity="1" fill="#222222">
        0
        </text>
        <polyline fill="none" opacity="1" stroke="#222222" stroke-width="70" points="2749,11272 2999,11272 "/>
        <text x="1376" y="10976" dy="0.76em" text-anchor="start" font-family="sans-serif" font-size="750" opacity="1" fill="#222222">
        0.2
        </text>
        <polyline fill="none" opacity="1" stroke="#222222" stroke-width="70" points="2749,8623 2999,8623 "/>
        <text x="1376" y="8327" dy="0.76em" text-anchor="start" font-family="sans-serif" font-size="750" opacity="1" fill="#222222">
        0.4
        </text>
        <polyline fill="none" opacity="1" stroke="#222222" stroke-width="70" points="2749,5974 2999,5974 "/>
        <text x="1376" y="5677" dy="0.76em" text-anchor="start" font-family="sans-serif" font-size="750" opacity="1" fill="#222222">
        0.6
        </text>
        <polyline fill="none" opacity="1" stroke="#222222" stroke-width="70" points="2749,3324 2999,3324 "/>
        <text x="1376" y="3028" dy="0.76em" text-anchor="start" font-family="sans-serif" font-size="750" opacity="1" fill="#222222">
        0.8
        </text>
        <polyline fill="none" opacity="1" stroke="#222222" stroke-width="70" points="2749,675 2999,675 "/>
        <text x="1376" y="379" dy="0.76em" text-anchor="start" font-family="sans-serif" font-size="750" opacity="1" fill="#222222">
        1.0
        </text>
        <text x="276" y="7511" dy="0.76em" text-anchor="start" font-family="sans-serif" font-size="800" opacity="1" fill="#222222" transform="rotate(270, 276, 7511)">
        y
        </text>
        <text x="13468" y="15475" dy="0.76em" text-anchor="start" font-family="sans-serif" font-size="800" opacity="1" fill="#222222">
        x
        </text>
        <polyline fill="none" opacity="1" stroke="#000000" stroke-width="110" points="11774,17325 14774,17325 "/>
        <polygon opacity="1" fill="#FFFFFF" points="13484,17325 13480,17366 13468,17405 13449,17442 13423,17473 13391,17499 13355,17519 13315,17531 13274,17535 13233,17531 13194,17519 13158,17499 13126,17473 13100,17442 13080,17405 13068,17366 13064,17325 13068,17284 13080,17244 13100,17208 13126,17176 13158,17150 13194,17131 13233,17119 13274,17115 13315,17119 13355,17131 13391,17150 13423,17176 13449,17208 13468,17244 13480,17284 "/>
        <polyline fill="none" opacity="1" stroke="#000000" stroke-width="80" points="13484,17325 13480,17366 13468,17405 13449,17442 13423,17473 13391,17499 13355,17519 13315,17531 13274,17535 13233,17531 13194,17519 13158,17499 13126,17473 13100,17442 13080,17405 13068,17366 13064,17325 13068,17284 13080,17244 13100,17208 13126,17176 13158,17150 13194,17131 13233,17119 13274,17115 13315,17119 13355,17131 13391,17150 13423,17176 13449,17208 13468,17244 13480,17284 13484,17325 13480,17366 "/>
        <text x="15174" y="17029" dy="0.76em" text-anchor="start" font-family="sans-serif" font-size="750" opacity="1" fill="#222222">
        a
        </text>
        <polyline fill="none" opacity="1" stroke="#DDDDDD" stroke-width="40" points="2999,675 2999,13921 "/>
        <polyline fill="none" opacity="1" stroke="#DDDDDD" stroke-width="40" points="8340,675 8340,13921 "/>
        <polyline fill="none" opacity="1" stroke="#DDDDDD" stroke-width="40" points="13681,675 13681,13921 "/>
        <polyline fill="none" opacity="1" stroke="#DDDDDD" stroke-width="40" points="19022,675 19022,13921 "/>
        <polyline fill="none" opacity="1" stroke="#DDDDDD" stroke-width="40" points="24364,675 24364,13921 "/>
        <polyline fill="none" opacity="1" stroke="#222222" stroke-width="70" points="2999,13921 2999,14171 "/>
        <text x="2784" y="14449" dy="0.76em" text-anchor="start" font-family="sans-serif" font-size="750" opacity="1" fill="#222222">
        0
        </text>
        <polyline fill="none" opacity="1" stroke="#222222" stroke-width="70" points="8340,13921 8340,14171 "/>
        <text x="7804" y="14449" dy="0.76em" text-anchor="start" font-family="sans-serif" font-size="750" opacity="1" fill="#222222">
        0.5
        </text>
        <polyline fill="none" opacity="1" stroke="#222222" stroke-width="70" points="13681,13921 13681,14171 "/>
        <text x="13145" y="14449" dy="0.76em" text-anchor="start" font-family="sans-serif" font-size="750" opacity="1" fill="#222222">
        1.0
        </text>
        <polyline fill="none" opacity="1" stroke="#222222" stroke-width="70" points="19022,13921 19022,14171 "/>
        <text x="18486" y="14449" dy="0.76em" text-anchor="start" font-family="sans-serif" font-size="750" opacity="1" fill="#222222">
        1.5
        </text>
        <polyline fill="none" opacity="1" stroke="#222222" stroke-width="70" points="24364,13921 24364,14171 "/>
        <text x="23827" y="14449" dy="0.76em" text-anchor="start" font-family="sans-serif" font-size="750" opacity="1" fill="#222222">
        2.0
        </text>
        <polyline fill="none" opacity="1" stroke="#222222" stroke-width="70" points="2999,675 2999,13921 24364,13921 "/>
        <polyline fill="none" opacity="1" stroke="#000000" stroke-width="110" points="2999,13921 13681,675 "/>
        <polygon opacity="1" fill="#FFFFFF" points="3209,13921 3205,13962 3193,14002 3173,14038 3147,14070 3115,14096 3079,14115 3040,14127 2999,14131 2958,14127 2918,14115 2882,14096 2850,14070 2824,14038 2805,14002 2793,13962 2789,13921 2793,13880 2805,13841 2824,13805 2850,13773 2882,13747 2918,13727 2958,13715 2999,13711 3040,13715 3079,13727 3115,13747 3147,13773 3173,13805 3193,13841 3205,13880 "/>
        <polyline fill="none" opacity="1" stroke="#000000" stroke-width="80" points="3209,13921 3205,13962 3193,14002 3173,14038 3147,14070 3115,14096 3079,14115 3040,14127 2999,14131 2958,14127 2918,14115 2882,14096 2850,14070 2824,14038 2805,14002 2793,13962 2789,13921 2793,13880 2805,13841 2824,13805 2850,13773 2882,13747 2918,13727 2958,13715 2999,13711 3040,13715 3079,13727 3115,13747 3147,13773 3173,13805 3193,13841 3205,13880 3209,13921 3205,13962 "/>
        <polygon opacity="1" fill="#FFFFFF" points="13891,675 13887,716 13875,755 13856,792 13830,823 13798,850 13762,869 13722,881 13681,885 13640,881 13601,869 13564,850 13533,823 13507,792 13487,755 13475,716 13471,675 13475,634 13487,595 13507,558 13533,527 13564,500 13601,481 13640,469 13681,465 13722,469 13762,481 13798,500 13830,527 13856,558 13875,595 13887,634 "/>
        <polyline fill="none" opacity="1" stroke="#000000" stroke-width="80" points="13891,675 13887,716 13875,755 13856,792 13830,823 13798,850 13762,869 13722,881 13681,885 13640,881 13601,869 13564,850 13533,823 13507,792 13487,755 13475,716 13471,675 13475,634 13487,595 13507,558 13533,527 13564,500 13601,481 13640,469 13681,465 13722,469 13762,481 13798,500 13830,527 13856,558 13875,595 13887,634 13891,675 13887,716 "/>
        </svg>
    "##]].assert_eq(&export::source(&drawing(&figure)).expect("drawn"));
}
