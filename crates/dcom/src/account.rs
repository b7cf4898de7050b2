//! The account of a timed run, as text, JSON and CSV: shared by `run` and `decompose`.

pub(crate) mod power;
mod tables;

use dcom_arch::Arch;
use dcom_config::Mark;
use dcom_isa::Verified;
use dcom_power::{Area, Energy, PowerModel};
use dcom_report::{engineering, thousands};
use dcom_timing::{Activity, LowerBound, Run, Summary, UnitKind, lower_bound};
use serde_json::{Map, Value, json};

use crate::setup::{Parameter, Setup};
use crate::text::{Facts, Record, percent};

/// What a run took, beside what it could at least have taken.
pub(crate) struct Account<'a> {
    setup: &'a Setup,
    arch: &'a Arch,
    summary: Summary,
    /// None after a breakdown: the bound is that of a run in which nothing is skipped.
    bound: Option<LowerBound>,
    extrapolated_iterations: u64,
    program_instructions: usize,
    area: Area,
    energy: Energy,
    /// Energy of the chip by phase.
    phase_energy: Vec<(&'static str, Energy)>,
}

impl<'a> Account<'a> {
    pub(crate) fn new(setup: &'a Setup, program: &Verified<'a>, run: &Run) -> Account<'a> {
        let summary = run.summary(program);
        let model = PowerModel::new(program.arch(), &setup.technology);
        let phases = run.phase_activity(program).into_iter();
        let phase_energy = phases
            .zip(&summary.phases)
            .map(|((name, activity), (_, cycles))| (name, model.energy(&activity, *cycles)))
            .collect();
        let complete = summary.ops.iter().all(|op| op.skipped == 0);
        Account {
            setup,
            arch: program.arch(),
            area: model.area(),
            energy: model.energy(&summary.activity, summary.cycles),
            phase_energy,
            summary,
            bound: complete.then(|| lower_bound(program)),
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

    /// What was run on what, for the first line.
    pub(crate) fn title(&self) -> String {
        let w = &self.setup.workload;
        let prompts = if w.prompts == 1 {
            "1 prompt".to_owned()
        } else {
            format!("{} prompts", thousands(w.prompts))
        };
        format!(
            "{} on {}: {prompts} of {} x {}, rank {}, {} iterations\n",
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
        facts.add(
            "time per prompt",
            engineering(self.time_us_per_prompt() * 1e-6, "s"),
        );
        if self.prompts() > 1 {
            facts.add(
                "time",
                format!(
                    "{} for {} prompts",
                    engineering(s.time_us * 1e-6, "s"),
                    thousands(self.prompts())
                ),
            );
        }
        let method = match self.extrapolated_iterations {
            0 => "simulated in full".to_owned(),
            1 => "1 loop iteration extrapolated: it repeats exactly".to_owned(),
            n => format!(
                "{} loop iterations extrapolated: they repeat exactly",
                thousands(n)
            ),
        };
        facts.add(
            "cycles",
            format!(
                "{} at {} MHz, {method}",
                thousands(s.cycles),
                thousands(self.arch.clock_mhz)
            ),
        );
        let bound = match &self.bound {
            Some(bound) => format!(
                "{} cycles, {} % of the run, set by {}",
                thousands(bound.cycles),
                percent(ratio(bound.cycles, s.cycles)),
                limiter(bound.limiter)
            ),
            None => "none: a breakdown cut the run short".to_owned(),
        };
        facts.add("lower bound", bound);
        let share = s.critical_path.first().map_or(0.0, |(_, share)| *share);
        facts.add(
            "bottleneck",
            format!(
                "{}, {} % of the critical path",
                s.bottleneck,
                percent(share)
            ),
        );
        facts.add(
            "program",
            format!(
                "{} instructions, {} executed",
                thousands(count(self.program_instructions)),
                thousands(s.activity.instructions)
            ),
        );
        self.power_facts(facts);
    }

    /// Files, hashes, overrides, version, and which numbers are not the paper's.
    pub(crate) fn provenance(&self) -> String {
        let mut facts = Facts::default();
        let (arch, workload) = (&self.setup.arch, &self.setup.workload);
        facts.add(
            "machine",
            format!("{}, hash {}", arch.document().name(), self.arch.hash),
        );
        facts.add(
            "workload",
            format!("{}, hash {}", workload.document().name(), workload.hash()),
        );
        let technology = &self.setup.technology;
        facts.add(
            "technology",
            format!(
                "{}, hash {}",
                technology.document().name(),
                technology.hash()
            ),
        );
        for (key, value) in &self.setup.overrides {
            facts.add("override", format!("{key} = {value}"));
        }
        facts.add("version", format!("dcom {}", env!("CARGO_PKG_VERSION")));
        let parameters = self.setup.parameters();
        let marked = |mark| parameters.iter().filter(move |p| p.mark == Some(mark));
        for parameter in marked(Mark::Fitted) {
            facts.add("fitted", valued(parameter));
        }
        facts.add(
            "assumed",
            format!(
                "{} parameters; --explain-parameters lists them with their sources",
                marked(Mark::Assumed).count()
            ),
        );
        format!("\n{}", facts.to_text())
    }

    /// Everything, for programs. Times are in the unit of the name, all else in cycles or counts.
    pub(crate) fn json(&self, out: &mut Map<String, Value>) {
        let s = &self.summary;
        let (arch, workload) = (&self.setup.arch, &self.setup.workload);
        out.insert("version".into(), env!("CARGO_PKG_VERSION").into());
        out.insert(
            "arch".into(),
            json!({"name": self.arch.name, "file": arch.document().name(), "hash": self.arch.hash}),
        );
        out.insert("workload".into(), json!({"name": workload.name, "file": workload.document().name(), "hash": workload.hash()}));
        out.insert(
            "overrides".into(),
            self.setup
                .overrides
                .iter()
                .map(|(k, v)| (k.clone(), v.clone().into()))
                .collect::<Map<_, _>>()
                .into(),
        );
        out.insert("prompts".into(), self.prompts().into());
        out.insert("clock_mhz".into(), self.arch.clock_mhz.into());
        out.insert("method".into(), s.method.into());
        out.insert(
            "extrapolated_iterations".into(),
            self.extrapolated_iterations.into(),
        );
        out.insert("cycles".into(), s.cycles.into());
        out.insert("time_us".into(), s.time_us.into());
        out.insert(
            "time_us_per_prompt".into(),
            self.time_us_per_prompt().into(),
        );
        let cycles = self.bound.as_ref().map(|bound| bound.cycles);
        out.insert("lower_bound_cycles".into(), json!(cycles));
        let bound = self.bound.as_ref().map(|bound| {
            let units = bound.units.iter();
            let units: Map<_, _> = units
                .map(|(kind, cycles)| (kind.name().to_owned(), (*cycles).into()))
                .collect();
            json!({"limiter": bound.limiter, "chain": bound.chain, "units": units})
        });
        out.insert("lower_bound".into(), json!(bound));
        out.insert("bottleneck".into(), s.bottleneck.clone().into());
        let path: Vec<Value> = s
            .critical_path
            .iter()
            .map(|(name, share)| json!({"name": name, "share": share}))
            .collect();
        out.insert("critical_path".into(), path.into());
        out.insert(
            "phases".into(),
            s.phases
                .iter()
                .map(|(name, cycles)| ((*name).to_owned(), (*cycles).into()))
                .collect::<Map<_, _>>()
                .into(),
        );
        let utilization = s.utilization.iter().map(|u| {
            (u.unit.to_owned(), json!({"mean": u.utilization, "busiest": u.busiest, "stall_cycles": u.stall_cycles}))
        });
        out.insert(
            "utilization".into(),
            utilization.collect::<Map<_, _>>().into(),
        );
        let ops = s.ops.iter().map(|op| {
            let numbers = json!({"executed": op.executed, "skipped": op.skipped, "cycles": op.cycles, "stall_cycles": op.stall_cycles});
            (op.op.to_owned(), numbers)
        });
        out.insert("ops".into(), ops.collect::<Map<_, _>>().into());
        let activity = Activity::NAMES.iter().zip(s.activity.values());
        out.insert(
            "activity".into(),
            activity
                .map(|(name, value)| ((*name).to_owned(), value.into()))
                .collect::<Map<_, _>>()
                .into(),
        );
        self.power_json(out);
        let parameters = self.setup.parameters();
        let marked: Vec<&Parameter<'_>> = parameters
            .iter()
            .filter(|p| matches!(p.mark, Some(Mark::Assumed | Mark::Fitted)))
            .collect();
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
        let bound = self.bound.as_ref();
        out.add_some("lower_bound_cycles", bound.map(|bound| bound.cycles));
        out.add_some("lower_bound_limiter", bound.map(|bound| bound.limiter));
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
        self.power_record(out);
        let overrides: Vec<String> = self
            .setup
            .overrides
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        out.add("overrides", overrides.join(" "));
        out.add("arch_hash", &self.arch.hash);
        out.add("workload_hash", self.setup.workload.hash());
        out.add("technology_hash", self.setup.technology.hash());
        out.add("version", env!("CARGO_PKG_VERSION"));
    }
}

/// `svd.round_trip_cycles = 27000 cycles`.
fn valued(parameter: &Parameter<'_>) -> String {
    let unit = parameter
        .unit
        .map(|unit| format!(" {unit}"))
        .unwrap_or_default();
    format!("{} = {}{unit}", parameter.key, parameter.value)
}

fn limiter(name: &str) -> String {
    if UnitKind::ALL.iter().any(|kind| kind.name() == name) {
        format!("the {name} unit")
    } else {
        "the longest chain of dependent instructions".to_owned()
    }
}

#[expect(clippy::cast_precision_loss, reason = "reporting")]
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

fn count(n: usize) -> i128 {
    i128::try_from(n).expect("counts fit 127 bits")
}
