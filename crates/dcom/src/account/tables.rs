//! The tables of a printed account.

use dcom_report::{Cell, Column};
use dcom_timing::{Activity, OpClassCycles};

use super::{Account, ratio};
use crate::text::{count_cell, fixed_cell, percent_cell, section};

/// Smallest part of the critical path that is listed.
const SMALLEST_SHARE: f64 = 0.01;

/// Smallest share of the cycles, spent or waited for, for which an op has a row of its own.
const SMALLEST_OP_SHARE: f64 = 0.005;

impl Account<'_> {
    /// Phases, critical path, units, ops and activity as tables.
    pub(crate) fn tables(&self) -> String {
        [
            self.phase_table(),
            self.path_table(),
            self.unit_table(),
            self.op_table(),
            self.activity_table(),
        ]
        .concat()
    }

    pub(crate) fn phase_table(&self) -> String {
        let rows = self.summary.phases.iter().filter(|(_, cycles)| *cycles > 0);
        let rows = rows.map(|(phase, cycles)| {
            let share = ratio(*cycles, self.summary.cycles);
            let us = self.summary.time_us * share / f64::from(self.prompts());
            vec![
                Cell::from(*phase),
                (*cycles).into(),
                percent_cell(share),
                fixed_cell(us, 2),
            ]
        });
        let columns = vec![
            Column::new("phase"),
            Column::new("cycles"),
            Column::new("share").unit("%"),
            Column::new("per prompt").unit("us"),
        ];
        section(columns, rows.collect())
    }

    pub(crate) fn path_table(&self) -> String {
        let shown = self
            .summary
            .critical_path
            .iter()
            .filter(|(_, share)| *share >= SMALLEST_SHARE);
        let mut rows: Vec<Vec<Cell>> = shown
            .map(|(name, share)| vec![Cell::from(name.as_str()), percent_cell(*share)])
            .collect();
        let rest: f64 = self
            .summary
            .critical_path
            .iter()
            .map(|(_, share)| share)
            .filter(|share| **share < SMALLEST_SHARE)
            .sum();
        if rest > 0.0 {
            rows.push(vec![Cell::from("everything else"), percent_cell(rest)]);
        }
        section(
            vec![Column::new("critical path"), Column::new("share").unit("%")],
            rows,
        )
    }

    pub(crate) fn unit_table(&self) -> String {
        let used = self
            .summary
            .utilization
            .iter()
            .filter(|u| u.busiest > 0.0 || u.stall_cycles > 0);
        let rows = used.map(|u| {
            vec![
                Cell::from(u.unit),
                percent_cell(u.utilization),
                percent_cell(u.busiest),
                count_cell(u.stall_cycles),
            ]
        });
        let columns = vec![
            Column::new("unit"),
            Column::new("busy, mean").unit("%"),
            Column::new("busiest").unit("%"),
            Column::new("waited for").unit("cycles"),
        ];
        section(columns, rows.collect())
    }

    /// The ops that matter, the others in one row.
    pub(crate) fn op_table(&self) -> String {
        let mut ops: Vec<_> = self.summary.ops.iter().collect();
        ops.sort_by(|a, b| {
            b.cycles
                .cmp(&a.cycles)
                .then_with(|| b.executed.cmp(&a.executed))
        });
        let row = |name: String, executed: u64, skipped: u64, cycles: u64, stalls: u64| {
            let share = percent_cell(ratio(cycles, self.summary.cycles));
            vec![
                Cell::from(name),
                executed.into(),
                count_cell(skipped),
                count_cell(cycles),
                share,
                count_cell(stalls),
            ]
        };
        let (shown, rest): (Vec<_>, Vec<_>) = ops.into_iter().partition(|op| {
            ratio(op.cycles.max(op.stall_cycles), self.summary.cycles) >= SMALLEST_OP_SHARE
        });
        let mut rows: Vec<_> = shown
            .iter()
            .map(|op| {
                row(
                    op.op.to_owned(),
                    op.executed,
                    op.skipped,
                    op.cycles,
                    op.stall_cycles,
                )
            })
            .collect();
        if !rest.is_empty() {
            let sum = |part: fn(&OpClassCycles) -> u64| rest.iter().map(|op| part(op)).sum();
            let name = format!("{} others", rest.len());
            rows.push(row(
                name,
                sum(|op| op.executed),
                sum(|op| op.skipped),
                sum(|op| op.cycles),
                sum(|op| op.stall_cycles),
            ));
        }
        let columns = vec![
            Column::new("op"),
            Column::new("executed"),
            Column::new("skipped"),
            Column::new("cycles"),
            Column::new("share").unit("%"),
            Column::new("waited for").unit("cycles"),
        ];
        let footnote = "\n  waited for: cycles in which the next instruction could not issue because of this unit or result\n";
        section(columns, rows) + footnote
    }

    fn activity_table(&self) -> String {
        let counters = Activity::NAMES.iter().zip(self.summary.activity.values());
        let rows = counters
            .filter(|(_, value)| *value > 0)
            .map(|(name, value)| {
                vec![
                    Cell::from(*name),
                    value.into(),
                    per_prompt(value, self.prompts()),
                ]
            });
        let columns = vec![
            Column::new("activity"),
            Column::new("total"),
            Column::new("per prompt"),
        ];
        section(columns, rows.collect())
    }
}

#[expect(clippy::cast_precision_loss, reason = "reporting")]
fn per_prompt(total: u64, prompts: u32) -> Cell {
    let prompts = u64::from(prompts);
    if total.is_multiple_of(prompts) || total >= 1000 * prompts {
        ((total + prompts / 2) / prompts).into()
    } else {
        Cell::real(total as f64 / prompts as f64, 4)
    }
}
