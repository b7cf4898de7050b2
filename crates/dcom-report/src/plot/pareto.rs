//! `kind = "pareto"`: design points by two or three objectives, and those that none of the others beats.

use super::error::PlotError;
use super::expr::Expr;
use super::rows::{Row, Rows};
use super::section::{At, Section};
use super::spec::{AxisSpec, Kind, interval, optional};
use crate::figure::{Figure, Page};
use crate::scatter::{Curve, PointGroup, ScatterPlot, ScatterPoint};

#[derive(Debug)]
struct Spec {
    x: Expr,
    y: Expr,
    /// Lowest and highest x and y, for error bars.
    errors: [Option<(Expr, Expr)>; 2],
    /// Shown as colour; an objective if it has a goal.
    color: Option<Expr>,
    goals: [Goal; 2],
    color_goal: Option<Goal>,
    label: Option<At<String>>,
    axes: [AxisSpec; 3],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    Minimize,
    Maximize,
}

impl Goal {
    /// The value as a cost.
    fn cost(self, value: f64) -> f64 {
        match self {
            Self::Minimize => value,
            Self::Maximize => -value,
        }
    }
}

pub(crate) fn read(section: &Section<'_>) -> Result<Box<dyn Kind>, PlotError> {
    let goals = [("minimize", Goal::Minimize), ("maximize", Goal::Maximize)];
    let goal = |key: &str| section.choice(key, &goals);
    let (x_goal, y_goal, color_goal) = (goal("x_goal")?, goal("y_goal")?, goal("color_goal")?);
    let (x, y, color) = (
        section.formula("x")?,
        section.formula("y")?,
        optional(section, "color")?,
    );
    let errors = [
        interval(section, ["x_low", "x_high"])?,
        interval(section, ["y_low", "y_high"])?,
    ];
    let axes = [
        AxisSpec::read(section, "x")?,
        AxisSpec::read(section, "y")?,
        AxisSpec::read(section, "color")?,
    ];
    let label = section.text("label")?;
    section.finish()?;
    if let (Some(goal), None) = (&color_goal, &color) {
        return Err(goal.error("`color_goal` needs `color`, the third objective"));
    }
    Ok(Box::new(Spec {
        x: Expr::parse(section.required("x", x)?)?,
        y: Expr::parse(section.required("y", y)?)?,
        errors,
        color,
        goals: [
            section.required("x_goal", x_goal)?.value,
            section.required("y_goal", y_goal)?.value,
        ],
        color_goal: color_goal.map(|goal| goal.value),
        label,
        axes,
    }))
}

impl Kind for Spec {
    fn columns(&self) -> Vec<&At<String>> {
        let errors = self.errors.iter().flatten();
        let errors = errors.flat_map(|(low, high)| [low, high]);
        let formulas = [&self.x, &self.y]
            .into_iter()
            .chain(&self.color)
            .chain(errors);
        formulas
            .flat_map(Expr::columns)
            .chain(&self.label)
            .collect()
    }

    fn figure(&self, page: Page, rows: &Rows<'_>) -> Result<Figure, PlotError> {
        let points: Vec<ScatterPoint> = rows
            .ok
            .iter()
            .map(|row| self.point(row))
            .collect::<Result<_, _>>()?;
        let costs: Vec<Vec<f64>> = points.iter().map(|point| self.costs(point)).collect();
        let front = front(&costs);
        let mut on = vec![false; points.len()];
        for &index in &front {
            on[index] = true;
        }
        let (best, mut beaten): (Vec<_>, Vec<_>) =
            points.into_iter().zip(on).partition(|(_, on)| *on);
        for (point, _) in &mut beaten {
            // Only the front is worth a text and error bars.
            point.label = None;
            (point.x_error, point.y_error) = (None, None);
        }
        let group = |name: &str, points: Vec<(ScatterPoint, bool)>, light| PointGroup {
            name: format!("{name} ({})", points.len()),
            points: points.into_iter().map(|(point, _)| point).collect(),
            light,
        };
        let stairs = (self.color_goal.is_none()).then(|| Curve {
            name: None,
            points: self.stairs(&best),
        });
        let mut groups = vec![group("Pareto front", best, false)];
        if !beaten.is_empty() {
            groups.push(group("dominated", beaten, true));
        }
        let [x, y, color] = &self.axes;
        Ok(Figure::from(ScatterPlot {
            page,
            x: x.axis(&self.x.text.value),
            y: y.axis(&self.y.text.value),
            color: self
                .color
                .as_ref()
                .map(|formula| color.axis(&formula.text.value)),
            curves: stairs.into_iter().collect(),
            groups,
        }))
    }
}

impl Spec {
    fn point(&self, row: &Row<'_>) -> Result<ScatterPoint, PlotError> {
        let color = self.color.as_ref().map(|formula| row.number(formula));
        let error = |at: usize| match &self.errors[at] {
            Some((low, high)) => Ok(Some((row.number(low)?, row.number(high)?))),
            None => Ok(None),
        };
        Ok(ScatterPoint {
            x: row.number(&self.x)?,
            y: row.number(&self.y)?,
            x_error: error(0)?,
            y_error: error(1)?,
            color: color.transpose()?,
            label: self
                .label
                .as_ref()
                .map(|column| row.text(column).to_owned()),
        })
    }

    fn costs(&self, point: &ScatterPoint) -> Vec<f64> {
        let third = self.color_goal.zip(point.color);
        let mut costs = vec![self.goals[0].cost(point.x), self.goals[1].cost(point.y)];
        costs.extend(third.map(|(goal, value)| goal.cost(value)));
        costs
    }

    /// What the front attains: from each point on at its y until the next point is better.
    fn stairs(&self, best: &[(ScatterPoint, bool)]) -> Vec<(f64, f64)> {
        let mut corners: Vec<(f64, f64)> = best.iter().map(|(at, _)| (at.x, at.y)).collect();
        corners.sort_by(|a, b| self.goals[0].cost(a.0).total_cmp(&self.goals[0].cost(b.0)));
        let mut line: Vec<(f64, f64)> = Vec::new();
        for corner in corners {
            line.extend(line.last().map(|last| (corner.0, last.1)));
            line.push(corner);
        }
        line
    }
}

/// The points that no other dominates: none is at most as costly in everything and less so in something. Equal points do not
/// dominate each other.
pub(crate) fn front(costs: &[Vec<f64>]) -> Vec<usize> {
    let lexical = |a: &[f64], b: &[f64]| {
        let pairs = a.iter().zip(b).map(|(a, b)| a.total_cmp(b));
        pairs.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    };
    let mut order: Vec<usize> = (0..costs.len()).collect();
    order.sort_by(|&a, &b| lexical(&costs[a], &costs[b]));
    // In this order a point can only be dominated by an earlier one, and then also by one of the front.
    let mut front: Vec<usize> = Vec::new();
    for index in order {
        let point = &costs[index];
        let beaten = front.iter().any(|&other| {
            let other = &costs[other];
            other != point && other.iter().zip(point).all(|(other, own)| other <= own)
        });
        if !beaten {
            front.push(index);
        }
    }
    front
}
