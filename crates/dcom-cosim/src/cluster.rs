//! Programs on one cluster: `rtl/tb/cluster_tb`.
//!
//! The bench stands for the sequencer of the machine and for the bank: it presents an op as soon as its
//! operands allow, and gives the beats of A when the cluster asks for them.

use std::fmt::Write as _;
use std::str::FromStr;

use crate::verilator::{Bench, CosimError, file_error};

/// What the bench has to know of the cluster it was built for.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    /// Lanes, and elements of a buffer row.
    pub lanes: usize,
    /// Elements of a beat of A.
    pub beat_elements: usize,
    /// Latency of the bank (cycles).
    pub bank_read_cycles: u64,
}

/// An op as the cluster gets it; see `op_t` in `rtl/src/cluster_pkg.sv`.
#[derive(Clone, Debug, Default)]
pub struct Op {
    /// Opcode of the ISA.
    pub kind: u8,
    /// Rounds of `dot`, rows of `axpy` and `scale`, `lanes_y` elements of `corr`, blocks of a stream.
    pub groups: u64,
    /// Chunks of `dot`, passes of `corr`, tile positions of a stream.
    pub passes: u64,
    /// First buffer row of v, or a of `dot`.
    pub row_a: u64,
    /// First buffer row of coefficients, scalar, full copy, or b of `dot`.
    pub row_b: u64,
    /// First buffer row of z or the destination.
    pub row_z: u64,
    /// Elements of a group that are not masked.
    pub elements: u64,
    /// The same for the last group.
    pub elements_last: u64,
    /// `axpy`: the coefficient has an exponent.
    pub scalar: bool,
    /// Exponent of a stream's products.
    pub exponent: i8,
    /// Issues in the cycle after everything before is done, or later.
    pub barrier: bool,
    /// Buffer rows to show when the op is done: the first, and how many.
    pub shown: (u64, u64),
    /// Row and element to watch for a change.
    pub watched: Option<(u64, u64)>,
    /// Ops whose results it reads or overwrites.
    pub after_done: Vec<usize>,
    /// Ops whose sources it overwrites.
    pub after_release: Vec<usize>,
    /// Beats of A, in the order of the stream.
    pub beats: Vec<Vec<u16>>,
}

/// A buffer and the ops to run on it.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// The buffer at the start, row by row.
    pub buffer: Vec<Vec<u16>>,
    /// The ops, in order.
    pub ops: Vec<Op>,
}

/// A sum of `dot` at the input of the partition network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partial {
    /// When.
    pub cycle: u64,
    /// Bits in accumulate precision.
    pub bits: u32,
}

/// What was seen of one op. Cycles count from the start of the program; 0 means never.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// When it issued.
    pub issue: u64,
    /// The first cycle in which an op may issue that overwrites its sources.
    pub release: u64,
    /// The first cycle in which an op may issue that uses its results.
    pub done: u64,
    /// The first cycle in which a read of the watched element sees another value than at issue.
    pub changed: u64,
    /// The shown rows when it was done.
    pub rows: Vec<u16>,
    /// Sums of `dot`.
    pub partials: Vec<Partial>,
}

impl Bench {
    /// Runs programs one after the other.
    ///
    /// # Errors
    /// Files, an assertion of the RTL, a program that does not end.
    pub fn cluster(
        &self,
        geometry: Geometry,
        name: &str,
        programs: &[Program],
    ) -> Result<Vec<Vec<Observed>>, CosimError> {
        let input = self.file(&format!("{name}.txt"));
        let text: String = programs.iter().map(Program::text).collect();
        std::fs::write(&input, text).map_err(|e| file_error(&input, e))?;
        let Geometry {
            lanes,
            beat_elements,
            bank_read_cycles,
        } = geometry;
        let numbers =
            [lanes as u64, beat_elements as u64, bank_read_cycles].map(|n| n.to_string().into());
        let [lanes, beat_elements, bank_read_cycles] = numbers;
        let output = self.run(&[
            lanes,
            beat_elements,
            bank_read_cycles,
            input.into_os_string(),
        ])?;
        parse(&output, programs)
    }
}

impl Program {
    fn text(&self) -> String {
        let mut text = String::new();
        let mut numbers = |list: &mut dyn Iterator<Item = u64>| {
            for n in list {
                write!(text, "{n:x} ").expect("writing to a string");
            }
            text.push('\n');
        };
        numbers(&mut [self.buffer.len() as u64].into_iter());
        for row in &self.buffer {
            numbers(&mut row.iter().map(|&e| e.into()));
        }
        numbers(&mut [self.ops.len() as u64].into_iter());
        for op in &self.ops {
            let (watched_row, watched_element) = op.watched.unwrap_or_default();
            let fields = [
                op.kind.into(),
                op.groups,
                op.passes,
                op.row_a,
                op.row_b,
                op.row_z,
                op.elements,
                op.elements_last,
                op.scalar.into(),
                op.exponent.cast_unsigned().into(),
                op.barrier.into(),
                op.shown.0,
                op.shown.1,
                op.watched.is_some().into(),
                watched_row,
                watched_element,
            ];
            numbers(&mut fields.into_iter());
            for list in [&op.after_done, &op.after_release] {
                numbers(
                    &mut [list.len() as u64]
                        .into_iter()
                        .chain(list.iter().map(|&i| i as u64)),
                );
            }
            numbers(&mut [op.beats.len() as u64].into_iter());
            for beat in &op.beats {
                numbers(&mut beat.iter().map(|&e| e.into()));
            }
        }
        text
    }
}

fn parse(output: &str, programs: &[Program]) -> Result<Vec<Vec<Observed>>, CosimError> {
    let mut runs: Vec<Vec<Observed>> = Vec::new();
    for line in output.lines() {
        let unexpected = || CosimError::Unexpected(line.to_owned());
        let mut words = line.split(' ');
        let kind = words.next();
        if kind == Some("program") {
            let ops = programs.get(runs.len()).ok_or_else(unexpected)?.ops.len();
            runs.push(vec![Observed::default(); ops]);
            continue;
        }
        let id: usize = next(&mut words).ok_or_else(unexpected)?;
        let op = runs
            .last_mut()
            .and_then(|r| r.get_mut(id))
            .ok_or_else(unexpected)?;
        match kind {
            Some("op") => {
                for field in [
                    &mut op.issue,
                    &mut op.release,
                    &mut op.done,
                    &mut op.changed,
                ] {
                    *field = next(&mut words).ok_or_else(unexpected)?;
                }
            }
            Some("partial") => {
                let cycle = next(&mut words).ok_or_else(unexpected)?;
                let bits = words.next().and_then(|w| u32::from_str_radix(w, 16).ok());
                let bits = bits.ok_or_else(unexpected)?;
                op.partials.push(Partial { cycle, bits });
            }
            Some("rows") => {
                let elements = words.map(|w| u16::from_str_radix(w, 16));
                op.rows = elements
                    .collect::<Result<_, _>>()
                    .map_err(|_| unexpected())?;
            }
            _ => return Err(unexpected()),
        }
    }
    Ok(runs)
}

fn next<'a, T: FromStr>(words: &mut impl Iterator<Item = &'a str>) -> Option<T> {
    words.next()?.parse().ok()
}
