//! A program with its data on the RTL of the whole machine: `rtl/tb/dcom_tb`.

use std::fmt::Write as _;
use std::time::Duration;

use dcom_base::Rate;
use dcom_exec::Outcome;
use dcom_isa::Verified;
use dcom_tensor::Matrix;
use dcom_timing::Rates;

use crate::schedule::{Activity, Issued, Planned};
use crate::verilator::{Bench, CosimError, file_error};

/// What a run needs beside the program.
#[derive(Clone, Copy, Debug)]
pub struct Data<'a> {
    /// One matrix per prompt, all of one size.
    pub prompts: &'a [Matrix],
    /// Host vectors.
    pub host_vectors: &'a [Vec<f32>],
}

/// An element of a factor that left the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// Prompt.
    pub prompt: usize,
    /// 0 for U, 1 for V.
    pub side: usize,
    /// Column of the factor.
    pub index: usize,
    /// Element of the column.
    pub element: usize,
    /// fp16 bits.
    pub bits: u16,
}

/// What a small SVD was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Predicate of `svd`: set, tests passed.
    pub predicate: Option<(bool, u32)>,
    /// Registers.
    pub registers: Vec<u32>,
}

/// What was seen of a run. Memories hold what is not zero.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Instructions in the order of issue.
    pub issued: Vec<Issued>,
    /// Cycles in which the set of units in use changes, in order.
    pub activity: Vec<Activity>,
    /// What the sequencer plans, by instruction of the program.
    pub plans: Vec<Planned>,
    /// Factors.
    pub left: Vec<Left>,
    /// What small SVDs were asked: set and passed of a predicate, registers.
    pub asked: Vec<Asked>,
    /// Elements of the clusters' buffers, by cluster.
    pub buffers: Vec<Vec<u16>>,
    /// Elements of the banks, by bank.
    pub banks: Vec<Vec<u16>>,
    /// Words of the global broadcast memory.
    pub globals: Vec<u32>,
    /// Words of accumulate precision of the registers of partial sums.
    pub parts: Vec<Vec<u32>>,
    /// Scalar registers.
    pub registers: Vec<u32>,
    /// Predicates: set, tests passed.
    pub predicates: Vec<(bool, u32)>,
    /// Processor time of the bench, with loading of program and data.
    pub processor: Duration,
}

impl Bench {
    /// Runs a verified program; the small SVD answers what the executor has computed.
    ///
    /// # Errors
    /// A case that the bench has no room for, files, an assertion of the RTL, a program that does not fit the build or takes
    /// more than `limit` cycles.
    pub fn machine(
        &self,
        name: &str,
        program: &Verified<'_>,
        data: Data<'_>,
        outcome: &Outcome,
        limit: u64,
    ) -> Result<Run, CosimError> {
        let text = text(program, data, outcome, limit)?;
        // Other processes may run a case of this name.
        let file = format!("{name}.{}.txt", std::process::id());
        let input = self.file(&file);
        std::fs::write(&input, text).map_err(|e| file_error(&input, e))?;
        let mut argument = std::ffi::OsString::from("+case=");
        argument.push(&input);
        let output = self.run(&[argument])?;
        self.remove(&file)?;
        Run::parse(program, &output)
    }
}

/// What `rtl/tb/dcom_tb.sv` has room for: words of a program; elements of all prompts, and of all host vectors; elements
/// of a matrix in memory; host vectors; words that small SVDs give.
const WORDS: usize = 1 << 16;
const ELEMENTS: usize = 1 << 17;
const MATRIX: usize = ELEMENTS / 4;
const VECTORS: usize = 256;
const ANSWERS: usize = 1 << 14;

/// Checks that the bench has room for a case. Small SVDs come no faster than the bench gives their words, so that 64 of them
/// never wait.
fn check_room(words: usize, data: Data<'_>, answers: usize) -> Result<(), CosimError> {
    let prompts = data.prompts.iter().map(|m| m.data().len());
    let vectors = data.host_vectors.iter().map(Vec::len);
    for (what, needed, room) in [
        ("words of the program", words, WORDS),
        ("elements of prompts", prompts.clone().sum(), ELEMENTS),
        (
            "elements of a matrix",
            prompts.max().unwrap_or_default(),
            MATRIX,
        ),
        ("host vectors", vectors.len(), VECTORS),
        ("elements of host vectors", vectors.sum(), ELEMENTS),
        ("words of small SVDs", answers, ANSWERS),
    ] {
        if needed > room {
            return Err(CosimError::NoRoom(format!(
                "{needed} {what}: the bench has room for {room}"
            )));
        }
    }
    Ok(())
}

fn text(
    program: &Verified<'_>,
    data: Data<'_>,
    outcome: &Outcome,
    limit: u64,
) -> Result<String, CosimError> {
    let bytes = program.program().encode();
    let (words, _) = bytes.as_chunks::<4>();
    let answers: Vec<u64> = outcome
        .small_svds
        .iter()
        .flat_map(|c| c.u.iter().chain(&c.v))
        .map(|&w| w.into())
        .collect();
    check_room(words.len(), data, answers.len())?;
    let mut text = String::new();
    let mut numbers = |list: &mut dyn Iterator<Item = u64>| {
        for n in list {
            write!(text, "{n:x} ").expect("writing to a string");
        }
        text.push('\n');
    };
    let rates = Rates::new(program);
    numbers(&mut [limit].into_iter());
    for rate in [rates.link, rates.channel, rates.ingest] {
        numbers(&mut fraction(rate).into_iter());
    }
    numbers(&mut [words.len() as u64].into_iter());
    numbers(&mut words.iter().map(|w| u32::from_le_bytes(*w).into()));
    let size = data
        .prompts
        .first()
        .map_or((1, 1), |m| (m.rows(), m.cols()));
    numbers(
        &mut [data.prompts.len(), size.0, size.1]
            .map(|n| n as u64)
            .into_iter(),
    );
    for prompt in data.prompts {
        numbers(&mut prompt.data().iter().map(|&e| e.into()));
    }
    numbers(&mut [data.host_vectors.len() as u64].into_iter());
    for vector in data.host_vectors {
        numbers(&mut [vector.len() as u64].into_iter());
        numbers(&mut vector.iter().map(|&x| dcom_fp::to_bits(x).into()));
    }
    numbers(&mut [answers.len() as u64].into_iter());
    numbers(&mut answers.into_iter());
    Ok(text)
}

/// Bytes and cycles of a rate in lowest terms.
fn fraction(rate: Rate) -> [u64; 2] {
    let (mut a, mut b) = (rate.bytes(), rate.cycles());
    while b > 0 {
        (a, b) = (b, a % b);
    }
    [rate.bytes() / a, rate.cycles() / a]
}

impl Run {
    pub(crate) fn parse(program: &Verified<'_>, output: &str) -> Result<Run, CosimError> {
        let arch = program.arch();
        let size = |n: u64| usize::try_from(n).expect("builds are small");
        let beat = size(arch.bank.port_elements);
        let mut run = Run {
            buffers: vec![vec![0; size(arch.lanes() * arch.buffer_rows())]; size(arch.clusters())],
            banks: vec![vec![0; beat * size(arch.bank_rows())]; size(arch.banks())],
            globals: vec![0; size(arch.broadcast.capacity_words)],
            parts: vec![Vec::new(); size(arch.sequencer.partial_registers)],
            registers: vec![0; size(arch.scalar.registers)],
            predicates: vec![(false, 0); size(arch.sequencer.predicates)],
            ..Run::default()
        };
        for line in output.lines() {
            run.line(line, beat)
                .ok_or_else(|| CosimError::Unexpected(line.to_owned()))?;
        }
        Ok(run)
    }

    fn line(&mut self, line: &str, beat: usize) -> Option<()> {
        let mut words = line.split(' ');
        let kind = words.next()?;
        let words: Vec<&str> = words.collect();
        let number = |i: usize| -> Option<u64> { words.get(i)?.parse().ok() };
        let index = |i: usize| -> Option<usize> { words.get(i)?.parse().ok() };
        let hex = |i: usize| -> Option<u32> { u32::from_str_radix(words.get(i)?, 16).ok() };
        match kind {
            "issue" => self.issued.push(Issued {
                instr: u32::try_from(number(0)?).ok()?,
                iteration: u32::try_from(number(1)?).ok()?,
                skipped: number(2)? != 0,
                issue: number(3)?,
                done: number(4)?,
                units: hex(5)?,
            }),
            "active" => self.activity.push(Activity {
                cycle: number(0)?,
                units: u64::from_str_radix(words.get(1)?, 16).ok()?,
            }),
            "plan" => {
                let release = number(1)?;
                self.plans.push(Planned {
                    release,
                    ..Planned::default()
                });
            }
            "use" => {
                let used = (number(2)?, number(3)?, hex(4)?.into());
                self.plans.get_mut(index(0)?)?.uses.insert(index(1)?, used);
            }
            "out" => self.left.push(Left {
                prompt: index(0)?,
                side: index(1)?,
                index: index(2)?,
                element: index(3)?,
                bits: u16::try_from(hex(4)?).ok()?,
            }),
            "buffer" => {
                let cluster = self.buffers.get_mut(index(0)?)?;
                *cluster.get_mut(index(1)?)? = u16::try_from(hex(2)?).ok()?;
            }
            "bank" => {
                let (bank, at) = (self.banks.get_mut(index(0)?)?, index(1)? * beat);
                elements(words.get(2)?, bank.get_mut(at..at + beat)?)?;
            }
            "global" => *self.globals.get_mut(index(0)?)? = hex(1)?,
            "part" => {
                let (register, i) = (self.parts.get_mut(index(0)?)?, index(1)?);
                register.resize(register.len().max(i + 1), 0);
                register[i] = hex(2)?;
            }
            "register" => *self.registers.get_mut(index(0)?)? = hex(1)?,
            "predicate" => {
                *self.predicates.get_mut(index(0)?)? =
                    (number(1)? != 0, u32::try_from(number(2)?).ok()?);
            }
            "processor" => self.processor = Duration::from_micros(number(0)?),
            "svd" => self.asked.push(Asked {
                predicate: Some((number(0)? != 0, u32::try_from(number(1)?).ok()?)),
                registers: (2..words.len()).map(hex).collect::<Option<_>>()?,
            }),
            "tsvd" => self.asked.push(Asked {
                predicate: None,
                registers: (0..words.len()).map(hex).collect::<Option<_>>()?,
            }),
            "-" => {}
            _ => return None,
        }
        Some(())
    }
}

/// A row in one hexadecimal number, the last element first.
fn elements(text: &str, row: &mut [u16]) -> Option<()> {
    let digits = text.as_bytes();
    (digits.len() == 4 * row.len()).then_some(())?;
    for (element, digits) in row.iter_mut().zip(digits.rchunks_exact(4)) {
        *element = u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(())
}
