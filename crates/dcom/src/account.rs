//! The account of a timed run, as text, JSON and CSV: shared by `run` and `decompose`.

use dcom_arch::Arch;
use dcom_config::Mark;
use dcom_isa::Verified;
use dcom_report::{Cell, Column, engineering, significant, thousands};
use dcom_timing::{Activity, LowerBound, Run, Summary, UnitKind, lower_bound};
use serde_json::{Map, Value, json};

use crate::setup::{Parameter, Setup};
use crate::text::{Facts, Record, count_cell, percent, percent_cell, section};

/// Largest part of the critical path that is still listed.
const SMALLEST_SHARE: f64 = 0.01;

/// What a run took, beside what it could at least have taken.
pub(crate) struct Account<'a> {
    setup: &'a Setup,
    arch: &'a Arch,
    summary: Summary,
    bound: LowerBound,
    extrapolated_iterations: u64,
    program_instructions: usize,
}

impl<'a> Account<'a> {
    pub(crate) fn new(setup: &'a Setup, program: &Verified<'a>, run: &Run) -> Account<'a> {
        Account {
            setup,
            arch: program.arch(),
            summary: run.summary(program),
            bound: lower_bound(program),
            extrapolated_iterations: run.extrapolated_iterations,
            program_instructions: program.program().instrs.len(),
        }
    }

    fn prompts(&self) -> u32 {
        self.setup.workload.prompts
    }

    fn time_us_per_prompt(&self) -> f64 {
        self.summary.time_us / f64::from(self.prompts())
    }

    /// The lower bound as a share of the run.
    fn bound_share(&self) -> f64 {
        ratio(self.bound.cycles, self.summary.cycles)
    }

    /// What was run on what, for the first line.
    pub(crate) fn title(&self) -> String {
        let w = &self.setup.workload;
        let prompts = if w.prompts == 1 { "1 prompt".to_owned() } else { format!("{} prompts", thousands(w.prompts)) };
        format!(
            "{} on {}: {prompts} of {} x {}, rank {} in {} iterations\n",
            w.name,
            self.arch.name,
            w.rows,
            w.columns,
            w.rank.min(w.rows).min(w.columns),
            w.iterations.min(w.rows).min(w.columns)
        )
    }

    /// Time, cycles, bound, bottleneck.
    pub(crate) fn facts(&self, facts: &mut Facts) {
        let s = &self.summary;
        facts.add("time per prompt", engineering(self.time_us_per_prompt() * 1e-6, "s"));
        if self.prompts() > 1 {
            facts.add("time", format!("{} for {} prompts", engineering(s.time_us * 1e-6, "s"), thousands(self.prompts())));
        }
        let method = match self.extrapolated_iterations {
            0 => "simulated in full".to_owned(),
            1 => "1 loop iteration extrapolated: it repeats exactly".to_owned(),
            n => format!("{} loop iterations extrapolated: they repeat exactly", thousands(n)),
        };
        facts.add("cycles", format!("{} at {} MHz, {method}", thousands(s.cycles), thousands(self.arch.clock_mhz)));
        facts.add(
            "lower bound",
            format!(
                "{} cycles, {} % of the run, set by {}",
                thousands(self.bound.cycles),
                percent(self.bound_share()),
                limiter(self.bound.limiter)
            ),
        );
        let share = s.critical_path.first().map_or(0.0, |(_, share)| *share);
        facts.add("bottleneck", format!("{}, {} % of the critical path", s.bottleneck, percent(share)));
        facts.add("program", format!("{} instructions, {} executed", thousands(count(self.program_instructions)), thousands(s.activity.instructions)));
    }

    /// Phases, critical path, units, ops and activity as tables.
    pub(crate) fn tables(&self) -> String {
        [self.phase_table(), self.path_table(), self.unit_table(), self.op_table(), self.activity_table()].concat()
    }

    pub(crate) fn phase_table(&self) -> String {
        let rows = self.summary.phases.iter().filter(|(_, cycles)| *cycles > 0);
        let rows = rows.map(|(phase, cycles)| {
            let share = ratio(*cycles, self.summary.cycles);
            let us = self.summary.time_us * share / f64::from(self.prompts());
            vec![Cell::from(*phase), (*cycles).into(), percent_cell(share), Cell::Text(fixed_us(us))]
        });
        let columns = vec![
            Column::new("phase"),
            Column::new("cycles"),
            Column::new("share").unit("%"),
            Column::new("per prompt").unit("us"),
        ];
        section(columns, rows.collect())
    }

    fn path_table(&self) -> String {
        let shown = self.summary.critical_path.iter().filter(|(_, share)| *share >= SMALLEST_SHARE);
        let mut rows: Vec<Vec<Cell>> = shown.map(|(name, share)| vec![Cell::from(name.as_str()), number(percent(*share))]).collect();
        let rest: f64 = self.summary.critical_path.iter().map(|(_, share)| share).filter(|share| **share < SMALLEST_SHARE).sum();
        if rest > 0.0 {
            rows.push(vec![Cell::from("everything else"), number(percent(rest))]);
        }
        section(vec![Column::new("critical path"), Column::new("share").unit("%")], rows)
    }

    fn unit_table(&self) -> String {
        let used = self.summary.utilization.iter().filter(|u| u.busiest > 0.0 || u.stall_cycles > 0);
        let rows = used.map(|u| {
            let bound = self.bound.units.iter().find(|(kind, _)| kind.name() == u.unit).map_or(0, |(_, cycles)| *cycles);
            vec![
                Cell::from(u.unit),
                percent_cell(u.utilization),
                percent_cell(u.busiest),
                count_cell(u.stall_cycles),
                count_cell(bound),
            ]
        });
        let columns = vec![
            Column::new("unit"),
            Column::new("busy, mean").unit("%"),
            Column::new("busiest one").unit("%"),
            Column::new("issue waited").unit("cycles"),
            Column::new("least work").unit("cycles"),
        ];
        section(columns, rows.collect())
    }

    fn op_table(&self) -> String {
        let mut ops: Vec<_> = self.summary.ops.iter().collect();
        ops.sort_by(|a, b| b.cycles.cmp(&a.cycles).then_with(|| b.executed.cmp(&a.executed)));
        let rows = ops.into_iter().map(|op| {
            vec![
                Cell::from(op.op),
                op.executed.into(),
                count_cell(op.skipped),
                count_cell(op.cycles),
                percent_cell(ratio(op.cycles, self.summary.cycles)),
                count_cell(op.stall_cycles),
            ]
        });
        let columns = vec![
            Column::new("op"),
            Column::new("executed"),
            Column::new("skipped"),
            Column::new("cycles"),
            Column::new("share").unit("%"),
            Column::new("others waited").unit("cycles"),
        ];
        section(columns, rows.collect())
    }

    fn activity_table(&self) -> String {
        let counters = Activity::NAMES.iter().zip(self.summary.activity.values());
        let rows = counters.filter(|(_, value)| *value > 0).map(|(name, value)| {
            vec![Cell::from(*name), value.into(), per_prompt(value, self.prompts())]
        });
        let columns = vec![Column::new("activity"), Column::new("total"), Column::new("per prompt")];
        section(columns, rows.collect())
    }

    /// Files, hashes, overrides, version, and which numbers are not the paper's.
    pub(crate) fn provenance(&self) -> String {
        let mut facts = Facts::default();
        let (arch, workload) = (&self.setup.arch, &self.setup.workload);
        facts.add("machine", format!("{}, hash {}", arch.document().name(), self.arch.hash));
        facts.add("workload", format!("{}, hash {}", workload.document().name(), workload.hash()));
        for (key, value) in &self.setup.overrides {
            facts.add("override", format!("{key} = {value}"));
        }
        facts.add("version", format!("dcom {}", env!("CARGO_PKG_VERSION")));
        let parameters = self.setup.parameters();
        let marked = |mark| parameters.iter().filter(move |p| p.mark == Some(mark));
        for parameter in marked(Mark::Fitted) {
            facts.add("fitted", valued(parameter));
        }
        facts.add("assumed", format!("{} parameters; --explain-parameters lists them with their sources", marked(Mark::Assumed).count()));
        format!("\n{}", facts.to_text())
    }

    /// Everything, for programs. Times are in the unit of the name, all else in cycles or counts.
    pub(crate) fn json(&self, out: &mut Map<String, Value>) {
        let s = &self.summary;
        let (arch, workload) = (&self.setup.arch, &self.setup.workload);
        out.insert("version".into(), env!("CARGO_PKG_VERSION").into());
        out.insert("arch".into(), json!({"name": self.arch.name, "file": arch.document().name(), "hash": self.arch.hash}));
        out.insert("workload".into(), json!({"name": workload.name, "file": workload.document().name(), "hash": workload.hash()}));
        out.insert("overrides".into(), self.setup.overrides.iter().map(|(k, v)| (k.clone(), v.clone().into())).collect::<Map<_, _>>().into());
        out.insert("prompts".into(), self.prompts().into());
        out.insert("clock_mhz".into(), self.arch.clock_mhz.into());
        out.insert("method".into(), s.method.into());
        out.insert("extrapolated_iterations".into(), self.extrapolated_iterations.into());
        out.insert("cycles".into(), s.cycles.into());
        out.insert("time_us".into(), s.time_us.into());
        out.insert("time_us_per_prompt".into(), self.time_us_per_prompt().into());
        out.insert("lower_bound_cycles".into(), self.bound.cycles.into());
        let units: Map<_, _> = self.bound.units.iter().map(|(kind, cycles)| (kind.name().to_owned(), (*cycles).into())).collect();
        out.insert("lower_bound".into(), json!({"limiter": self.bound.limiter, "chain": self.bound.chain, "units": units}));
        out.insert("bottleneck".into(), s.bottleneck.clone().into());
        let path: Vec<Value> = s.critical_path.iter().map(|(name, share)| json!({"name": name, "share": share})).collect();
        out.insert("critical_path".into(), path.into());
        out.insert("phases".into(), s.phases.iter().map(|(name, cycles)| ((*name).to_owned(), (*cycles).into())).collect::<Map<_, _>>().into());
        let utilization = s.utilization.iter().map(|u| {
            (u.unit.to_owned(), json!({"mean": u.utilization, "busiest": u.busiest, "stall_cycles": u.stall_cycles}))
        });
        out.insert("utilization".into(), utilization.collect::<Map<_, _>>().into());
        let ops = s.ops.iter().map(|op| {
            let numbers = json!({"executed": op.executed, "skipped": op.skipped, "cycles": op.cycles, "stall_cycles": op.stall_cycles});
            (op.op.to_owned(), numbers)
        });
        out.insert("ops".into(), ops.collect::<Map<_, _>>().into());
        let activity = Activity::NAMES.iter().zip(s.activity.values());
        out.insert("activity".into(), activity.map(|(name, value)| ((*name).to_owned(), value.into())).collect::<Map<_, _>>().into());
        let parameters = self.setup.parameters();
        let marked: Vec<&Parameter<'_>> =
            parameters.iter().filter(|p| matches!(p.mark, Some(Mark::Assumed | Mark::Fitted))).collect();
        out.insert("marks".into(), json!(marked));
    }

    /// The same as one record, without the marks.
    pub(crate) fn record(&self, out: &mut Record) {
        let s = &self.summary;
        out.add("arch", &self.arch.name);
        out.add("workload", &self.setup.workload.name);
        out.add("prompts", self.prompts());
        out.add("cycles", s.cycles);
        out.add("time_us", s.time_us);
        out.add("time_us_per_prompt", self.time_us_per_prompt());
        out.add("lower_bound_cycles", self.bound.cycles);
        out.add("lower_bound_limiter", self.bound.limiter);
        out.add("bottleneck", &s.bottleneck);
        out.add("method", s.method);
        for (phase, cycles) in &s.phases {
            out.add(format!("{phase}_cycles"), cycles);
        }
        for unit in &s.utilization {
            out.add(format!("{}_utilization", unit.unit), unit.utilization);
            out.add(format!("{}_stall_cycles", unit.unit), unit.stall_cycles);
        }
        for (name, value) in Activity::NAMES.iter().zip(s.activity.values()) {
            out.add(*name, value);
        }
        let overrides: Vec<String> = self.setup.overrides.iter().map(|(key, value)| format!("{key}={value}")).collect();
        out.add("overrides", overrides.join(" "));
        out.add("arch_hash", &self.arch.hash);
        out.add("workload_hash", self.setup.workload.hash());
        out.add("version", env!("CARGO_PKG_VERSION"));
    }
}

/// `svd.round_trip_cycles = 27000 cycles`.
fn valued(parameter: &Parameter<'_>) -> String {
    let unit = parameter.unit.map(|unit| format!(" {unit}")).unwrap_or_default();
    format!("{} = {}{unit}", parameter.key, parameter.value)
}

fn limiter(name: &str) -> String {
    if UnitKind::ALL.iter().any(|kind| kind.name() == name) {
        format!("the {name} unit")
    } else {
        "the longest chain of dependent instructions".to_owned()
    }
}

/// Microseconds with a fixed point, so that a column of them lines up.
fn fixed_us(us: f64) -> String {
    if us > 0.0 && us < 0.005 { "<0.01".to_owned() } else { format!("{us:.2}") }
}

#[expect(clippy::cast_precision_loss, reason = "reporting")]
fn per_prompt(total: u64, prompts: u32) -> Cell {
    let each = total as f64 / f64::from(prompts);
    if total.is_multiple_of(prompts.into()) { (total / u64::from(prompts)).into() } else { Cell::Text(significant(each, 4)) }
}

#[expect(clippy::cast_precision_loss, reason = "reporting")]
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn number(text: String) -> Cell {
    Cell::Text(text)
}

fn count(n: usize) -> i128 {
    i128::try_from(n).expect("counts fit 127 bits")
}
