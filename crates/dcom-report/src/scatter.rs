//! Points and curves over two numeric axes: rooflines and Pareto fronts.

use crate::axis::{Mapping, NOTE_PADDING, PADDING};
use crate::colormap::ColorMap;
use crate::figure::{Axis, Page};
use crate::frame::{Drawing, Frame, Surroundings, room_below, x_ticks};
use crate::geometry::Point;
use crate::legend::{Entry, MARKER_RADIUS, Swatch};
use crate::line::draw_error_bar;
use crate::note::{self, Sign};
use crate::style::{BLACK, Color, GREY, INK, SERIES_LINE, STYLES, Shape, WHITE};

/// Groups of points, with curves behind them.
#[derive(Debug, Clone, PartialEq)]
pub struct ScatterPlot {
    /// Size, title and provenance.
    pub page: Page,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The third quantity, shown as colour; none if the groups are told apart by colour.
    pub color: Option<Axis>,
    /// Lines without markers, told apart by their dashes.
    pub curves: Vec<Curve>,
    /// At least one, the most important first.
    pub groups: Vec<PointGroup>,
}

/// A line through given points.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// The legend entry; none for a line that the groups explain.
    pub name: Option<String>,
    /// (x, y) in the units of the axes.
    pub points: Vec<(f64, f64)>,
}

/// Points with one look.
#[derive(Debug, Clone, PartialEq)]
pub struct PointGroup {
    /// The legend entry.
    pub name: String,
    /// At least one.
    pub points: Vec<ScatterPoint>,
    /// Drawn small and grey, behind the others.
    pub light: bool,
}

/// A point.
#[derive(Debug, Clone, PartialEq)]
pub struct ScatterPoint {
    /// Place on the x axis, in its unit.
    pub x: f64,
    /// Place on the y axis, in its unit.
    pub y: f64,
    /// Lowest and highest x; none without an error bar.
    pub x_error: Option<(f64, f64)>,
    /// Lowest and highest y; none without an error bar.
    pub y_error: Option<(f64, f64)>,
    /// Place on the colour axis, in its unit.
    pub color: Option<f64>,
    /// A text beside the point.
    pub label: Option<String>,
}

pub(crate) fn draw(plot: &ScatterPlot) -> Drawing {
    let points = || plot.groups.iter().flat_map(|group| &group.points);
    let curves = || plot.curves.iter().flat_map(|curve| &curve.points);
    let padding = if points().any(|point| point.label.is_some()) {
        NOTE_PADDING
    } else {
        PADDING
    };
    let ends = |error: Option<(f64, f64)>| error.into_iter().flat_map(|(low, high)| [low, high]);
    let x_values = points()
        .flat_map(|at| ends(at.x_error).chain([at.x]))
        .chain(curves().map(|&(x, _)| x));
    let y_values = points()
        .flat_map(|at| ends(at.y_error).chain([at.y]))
        .chain(curves().map(|&(_, y)| y));
    let (x, y) = (
        Mapping::new(&plot.x, padding, x_values),
        Mapping::new(&plot.y, padding, y_values),
    );
    let colors = plot
        .color
        .as_ref()
        .filter(|_| points().any(|at| at.color.is_some()));
    let colors = colors.map(|axis| ColorMap::new(axis, points().filter_map(|at| at.color)));
    let around = Surroundings {
        page: &plot.page,
        x_caption: Some(plot.x.caption()),
        y_caption: Some(plot.y.caption()),
        legend: legend(plot, colors.is_some()),
        bar_room: colors.as_ref().map_or(0.0, ColorMap::room),
    };
    let mut frame = Frame::new(&around, &y, |width| room_below(&x_ticks(&x, width), width));
    frame.draw_x_axis(&x, &x_ticks(&x, frame.plot.width()));
    frame.draw_axis_lines();
    let mut obstacles: Vec<Vec<Point>> = Vec::new();
    for (curve, style) in plot.curves.iter().zip(&STYLES) {
        let line: Vec<Point> = curve
            .points
            .iter()
            .map(|&at| frame.at(&x, &y, at))
            .collect();
        frame.canvas.dashed(&line, style.dash, SERIES_LINE, INK);
        obstacles.push(line);
    }
    // Behind all points, so that none is hidden.
    for each in points() {
        let across = each
            .x_error
            .map(|(low, high)| [(low, each.y), (high, each.y)]);
        let along = each
            .y_error
            .map(|(low, high)| [(each.x, low), (each.x, high)]);
        for bar in across.into_iter().chain(along) {
            let bar = bar.map(|at| frame.at(&x, &y, at));
            draw_error_bar(&mut frame.canvas, bar, GREY);
            obstacles.push(bar.to_vec());
        }
    }
    // The most important group last, above the others.
    for (index, group) in plot.groups.iter().enumerate().rev() {
        let look = Look::new(index, group.light);
        for each in &group.points {
            let at = frame.at(&x, &y, (each.x, each.y));
            let inside = match (&colors, each.color) {
                (Some(map), Some(value)) if !group.light => map.color(value),
                _ => look.inside,
            };
            frame
                .canvas
                .marker(look.shape, at, look.radius, look.color, inside);
            obstacles.push(vec![at]);
        }
    }
    let notes: Vec<(Point, &str)> = points()
        .filter_map(|each| {
            let label = each.label.as_deref()?;
            Some((frame.at(&x, &y, (each.x, each.y)), label))
        })
        .collect();
    note::draw(
        &mut frame.canvas,
        frame.plot,
        &obstacles,
        &notes,
        Sign::None,
    );
    if let Some(map) = &colors {
        map.draw(&mut frame.canvas, frame.plot);
    }
    frame.finish()
}

fn legend(plot: &ScatterPlot, colored: bool) -> Vec<Entry<'_>> {
    let groups = plot.groups.iter().enumerate().map(|(index, group)| {
        let look = Look::new(index, group.light);
        Entry {
            name: &group.name,
            swatch: Swatch::Mark {
                shape: look.shape,
                color: look.color,
                // The colours are explained by their bar.
                inside: if colored && !group.light {
                    WHITE
                } else {
                    look.inside
                },
            },
        }
    });
    let curves = plot
        .curves
        .iter()
        .zip(&STYLES)
        .filter_map(|(curve, style)| {
            Some(Entry {
                name: curve.name.as_deref()?,
                swatch: Swatch::Stroke {
                    dash: style.dash,
                    color: INK,
                },
            })
        });
    groups.chain(curves).collect()
}

/// How the points of a group look.
struct Look {
    shape: Shape,
    radius: f64,
    color: Color,
    inside: Color,
}

impl Look {
    fn new(index: usize, light: bool) -> Self {
        let style = &STYLES[index];
        if light {
            Self {
                shape: Shape::Circle,
                radius: 0.6 * MARKER_RADIUS,
                color: GREY,
                inside: WHITE,
            }
        } else {
            Self {
                shape: style.marker,
                radius: 1.25 * MARKER_RADIUS,
                // Open shapes have no inside that could carry the colour.
                color: if style.marker.is_open() {
                    style.color
                } else {
                    BLACK
                },
                inside: style.color,
            }
        }
    }
}
