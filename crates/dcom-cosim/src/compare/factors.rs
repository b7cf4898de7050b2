//! What left the machine: factors, and questions to the small SVD.

use std::collections::BTreeMap;

use dcom_exec::Outcome;
use dcom_isa::{Op, Side, Verified};

use super::{Check, Comparison, Divergence};
use crate::case::{Asked, Run};

/// A column of a factor: prompt, 0 for U and 1 for V, index.
type Column = (usize, usize, usize);

impl Comparison<'_> {
    /// Every element of every column that left, as often as the column did, and nothing else. The executor keeps what
    /// left last.
    pub(super) fn factors(&mut self, outcome: &Outcome) -> Check {
        let run = self.run;
        let mut found: BTreeMap<(Column, usize), (u64, u16)> = BTreeMap::new();
        for left in &run.left {
            let column = (left.prompt, left.side, left.index);
            let (times, bits) = found.entry((column, left.element)).or_default();
            *times += 1;
            *bits = left.bits;
        }
        let times = deliveries(self.program, run);
        for (i, prompt) in outcome.prompts.iter().enumerate() {
            for (side, columns) in [&prompt.u, &prompt.v].into_iter().enumerate() {
                for (index, elements) in columns.iter().enumerate() {
                    let column = (i, side, index);
                    let times = times.get(&column).copied().unwrap_or(1);
                    for (element, expected) in elements.iter().enumerate() {
                        let (count, bits) = found.remove(&(column, element)).unwrap_or((0, 0));
                        let place = || name(column, element);
                        if count != times {
                            return Err(often(place(), times, count));
                        }
                        self.equal(dcom_fp::to_bits(*expected).into(), bits.into(), place)?;
                    }
                }
            }
        }
        match found.first_key_value() {
            Some(((column, element), (count, _))) => Err(often(name(*column, *element), 0, *count)),
            None => Ok(()),
        }
    }

    /// What small SVDs were asked.
    pub(super) fn questions(&mut self, outcome: &Outcome) -> Check {
        let expected: Vec<Asked> = outcome
            .small_svds
            .iter()
            .map(|svd| Asked {
                predicate: svd.predicate.map(|p| (p.set, p.passed)),
                registers: svd.asked.clone(),
            })
            .collect();
        let run = self.run;
        for i in 0..expected.len().max(run.asked.len()) {
            let (e, f) = (expected.get(i), run.asked.get(i));
            if e != f {
                return Err(Box::new(Divergence {
                    place: format!("question {i} to the small SVD"),
                    expected: format!("{e:x?}"),
                    found: format!("{f:x?}"),
                }));
            }
            self.values += e.map_or(0, |e| e.registers.len() as u64);
        }
        Ok(())
    }
}

fn name((prompt, side, index): Column, element: usize) -> String {
    let side = if side == 0 { "U" } else { "V" };
    format!("prompt {prompt}: element {element} of column {index} of {side}")
}

fn often(place: String, expected: u64, found: u64) -> Box<Divergence> {
    let times = |n| format!("it leaves {n} times");
    Box::new(Divergence {
        place,
        expected: times(expected),
        found: times(found),
    })
}

/// How often each column leaves: by the instructions that issued, which are compared with their cycles.
fn deliveries(program: &Verified<'_>, run: &Run) -> BTreeMap<Column, u64> {
    let mut prompts = BTreeMap::new();
    let mut times = BTreeMap::new();
    for issued in run.issued.iter().filter(|i| !i.skipped) {
        match program
            .program()
            .instrs
            .get(issued.instr as usize)
            .map(|i| i.op)
        {
            Some(Op::Ingest {
                matrix,
                prompt,
                stride,
            }) => {
                prompts.insert(
                    matrix,
                    prompt as usize + stride as usize * issued.iteration as usize,
                );
            }
            Some(Op::Out {
                matrix,
                side,
                index,
                ..
            }) => {
                let side = match side {
                    Side::U => 0,
                    Side::V => 1,
                };
                if let Some(prompt) = prompts.get(&matrix) {
                    *times
                        .entry((*prompt, side, usize::from(index)))
                        .or_default() += 1;
                }
            }
            _ => {}
        }
    }
    times
}
