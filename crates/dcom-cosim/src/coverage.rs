//! What random programs contain: counted over what executor and timing model say that they do, without the RTL.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use dcom_isa::{BufferKind, Instr, Mat, Op, Store, Verified, op::OPS};
use dcom_timing::{Options, simulate};

use crate::build::Build;
use crate::campaign::{Kind, PerKind, TrialError, trial};
use crate::check::{Case, CheckError};

/// How often each thing occurs, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<String, u64>);

/// Ops that cannot be guarded, and why nothing waits for some ops: they write nothing that can be read.
const NEVER_GUARDED: [&str; 3] = ["ingest", "ldt", "loop"];
const NEVER_AWAITED: [&str; 3] = ["out", "bar", "loop"];

/// Ops whose work is repeated for every round of a layout.
const ROUNDS: [&str; 18] = [
    "in", "out", "ld", "st", "gather", "mvn", "mvt", "ldt", "tmvn", "tmvt", "narrow", "dot",
    "puth", "putw", "corr", "axpy", "scale", "comb",
];

/// What else must occur.
const OTHERS: [&str; 40] = [
    "mvn axis=rows",
    "mvn axis=columns",
    "mvt axis=rows",
    "mvt axis=columns",
    "tmvn axis=rows",
    "tmvn axis=columns",
    "tmvt axis=rows",
    "tmvt axis=columns",
    "mvn add",
    "mvt add",
    "tmvn add",
    "tmvt add",
    "product to vector",
    "product to wide",
    "product to partial",
    "stream from memory",
    "stream from one copy in the banks",
    "stream from two copies in the banks",
    "exponent in another register than s0",
    "gather to full",
    "gather to vector",
    "axpy with scalar",
    "axpy with coefs",
    "corr with several passes",
    "csum with several passes",
    "comb with several passes",
    "start mean",
    "start ones",
    "start e1",
    "start alternating",
    "start signs",
    "guard p0",
    "guard p1",
    "guard p2",
    "guard p3",
    "loop count=1",
    "loop count=2",
    "loop count=3",
    "two loops",
    "instructions outside of loops",
];

impl Coverage {
    /// What the first `programs` programs of either kind contain that a build has room for.
    ///
    /// # Errors
    /// A seed without a program, or that does not run.
    pub fn of(build: &Build, seeds: Range<u64>, programs: u64) -> Result<Coverage, String> {
        let mut coverage = Coverage::default();
        let mut counted = PerKind::<u64>::default();
        for seed in seeds {
            let kind = Kind::of(seed) as usize;
            if counted[kind] >= programs {
                continue;
            }
            match trial(build, seed) {
                Ok((build, case)) => coverage
                    .add(&build, &case)
                    .map_err(|e| format!("seed {seed}: {e}"))?,
                Err(TrialError::NoRoom(_)) => continue,
                Err(TrialError::Wrong(message)) => return Err(format!("seed {seed}: {message}")),
            }
            counted[kind] += 1;
        }
        Ok(coverage)
    }

    /// Adds what another one has counted.
    pub fn join(&mut self, other: Coverage) {
        for (name, times) in other.0 {
            *self.0.entry(name).or_default() += times;
        }
    }

    /// What should occur and does not.
    #[must_use]
    pub fn missing(&self) -> BTreeSet<String> {
        let mut expected: BTreeSet<String> = OTHERS.map(str::to_owned).into();
        for op in OPS.iter().map(|op| op.mnemonic) {
            expected.insert(format!("{op} without guard"));
            if !NEVER_GUARDED.contains(&op) {
                expected.insert(format!("{op} guarded, executed"));
                expected.insert(format!("{op} guarded, skipped"));
            }
            if ROUNDS.contains(&op) {
                expected.insert(format!("{op} with several rounds"));
            }
            if !NEVER_AWAITED.contains(&op) {
                expected.insert(format!("stall for the result of {op}"));
            }
        }
        expected
            .extend(dcom_timing::UnitKind::ALL.map(|unit| format!("stall for {}", unit.name())));
        expected.retain(|name| !self.0.contains_key(name));
        expected
    }

    fn count(&mut self, name: String) {
        *self.0.entry(name).or_default() += 1;
    }

    /// Counts what a case contains.
    fn add(&mut self, build: &Build, case: &Case) -> Result<(), CheckError> {
        let program = case.program.clone().verify(&build.arch)?;
        let outcome = dcom_exec::execute(&program, &case.prompts, &case.host_vectors)?;
        let options = Options {
            tests: Some(&outcome.trace.passed),
            full: true,
        };
        let run = simulate(&program, options)?;
        for executed in &run.executed {
            let at = executed.instr as usize;
            let instr = &program.program().instrs[at];
            let op = instr.op.mnemonic();
            self.count(match (instr.guard, executed.skipped) {
                (None, _) => format!("{op} without guard"),
                (Some(_), false) => format!("{op} guarded, executed"),
                (Some(_), true) => format!("{op} guarded, skipped"),
            });
            if !executed.skipped {
                self.operands(&program, at, instr);
            }
        }
        self.loops(&program);
        let summary = run.summary(&program);
        for unit in summary.utilization.iter().filter(|u| u.stall_cycles > 0) {
            self.count(format!("stall for {}", unit.unit));
        }
        for op in summary.ops.iter().filter(|op| op.stall_cycles > 0) {
            self.count(format!("stall for the result of {}", op.op));
        }
        Ok(())
    }

    fn loops(&mut self, program: &Verified<'_>) {
        let instrs = &program.program().instrs;
        let (mut loops, mut inside) = (0, 0);
        for instr in instrs {
            if let Op::Loop { count, length } = instr.op {
                self.count(format!("loop count={count}"));
                loops += 1;
                inside += length as usize + 1;
            }
        }
        if loops > 1 {
            self.count("two loops".to_owned());
        }
        if inside < instrs.len() {
            self.count("instructions outside of loops".to_owned());
        }
    }

    fn operands(&mut self, program: &Verified<'_>, at: usize, instr: &Instr) {
        let op = instr.op.mnemonic();
        if let Some(p) = instr.guard {
            self.count(format!("guard {p}"));
        }
        if program.shape(program.governing(at)).rounds > 1 && ROUNDS.contains(&op) {
            self.count(format!("{op} with several rounds"));
        }
        let kind = |b: dcom_isa::Buf| program.program().buffers[b.index()].kind;
        let name = |b: dcom_isa::Buf| match kind(b) {
            BufferKind::Vector => "vector",
            BufferKind::Wide => "wide",
            BufferKind::Full(_) => "full",
            BufferKind::Partial(_) => "partial",
            BufferKind::Coefs(_) => "coefs",
            BufferKind::Scalar => "scalar",
            BufferKind::Tiles(_) => "tiles",
        };
        match instr.op {
            Op::MvN {
                matrix,
                axis,
                y,
                add,
                exponent,
                ..
            }
            | Op::MvT {
                matrix,
                axis,
                y,
                add,
                exponent,
                ..
            } => {
                self.product(op, &axis.to_string(), name(y), add, exponent.0);
                self.count(store(program, matrix).to_owned());
            }
            Op::TMvN {
                axis,
                y,
                add,
                exponent,
                ..
            }
            | Op::TMvT {
                axis,
                y,
                add,
                exponent,
                ..
            } => self.product(op, &axis.to_string(), name(y), add, exponent.0),
            Op::Gather { dst, .. } => self.count(format!("gather to {}", name(dst))),
            Op::Axpy { c, .. } => self.count(format!("axpy with {}", name(c))),
            Op::Corr { c, .. } | Op::CSum { src: c, .. } | Op::Comb { c, .. } => {
                if let BufferKind::Coefs(n) = kind(c)
                    && u64::from(n) > program.arch().cluster.lanes_x
                {
                    self.count(format!("{op} with several passes"));
                }
            }
            Op::Start { kind, .. } => self.count(format!("start {kind}")),
            _ => {}
        }
    }

    fn product(&mut self, op: &str, axis: &str, y: &str, add: bool, exponent: u16) {
        self.count(format!("{op} axis={axis}"));
        self.count(format!("product to {y}"));
        if add {
            self.count(format!("{op} add"));
        }
        if exponent != 0 {
            self.count("exponent in another register than s0".to_owned());
        }
    }
}

fn store(program: &Verified<'_>, matrix: Mat) -> &'static str {
    match program.program().matrices[matrix.index()].store {
        Store::Memory => "stream from memory",
        Store::Banks { .. } => "stream from one copy in the banks",
        Store::BanksBoth { .. } => "stream from two copies in the banks",
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, times) in &self.0 {
            writeln!(f, "{times:>8}  {name}")?;
        }
        Ok(())
    }
}
