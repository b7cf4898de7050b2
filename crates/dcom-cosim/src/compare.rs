//! The first difference between a run of the RTL and what executor and timing model say.

use std::fmt;
use std::ops::Add;

use dcom_arch::Arch;
use dcom_exec::{Outcome, State};
use dcom_fp::Accumulate;
use dcom_isa::{BankVec, Buf, BufferKind, Glob, Lay, Part, Pred, Reg, Shape, Verified};

use crate::case::{Issued, Run};

/// Where RTL and models differ, and what either says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The place: an instruction, or an element of a memory.
    pub place: String,
    /// What the models say.
    pub expected: String,
    /// What the RTL did.
    pub found: String,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: the models say {}, the RTL {}",
            self.place, self.expected, self.found
        )
    }
}

/// How much was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Executed instructions, in two cycles each.
    pub instructions: u64,
    /// Values of memories, registers and factors.
    pub values: u64,
}

impl Add for Compared {
    type Output = Compared;

    fn add(self, other: Compared) -> Compared {
        Compared {
            instructions: self.instructions + other.instructions,
            values: self.values + other.values,
        }
    }
}

/// Compares the cycles of every executed instruction.
///
/// # Errors
/// The first difference, in the order of issue.
pub(crate) fn cycles(
    program: &Verified<'_>,
    expected: &[Issued],
    run: &Run,
) -> Result<Compared, Box<Divergence>> {
    for i in 0..expected.len().max(run.issued.len()) {
        let (e, f) = (expected.get(i), run.issued.get(i));
        if e != f {
            let at = e.or(f).map_or(0, |issued| issued.instr);
            let show = |issued: Option<&Issued>| match issued {
                Some(i) => format!(
                    "instruction {} iteration {} {} at {}, done at {}",
                    i.instr,
                    i.iteration,
                    if i.skipped { "skipped" } else { "issued" },
                    i.issue,
                    i.done
                ),
                None => "nothing".to_owned(),
            };
            return Err(Box::new(Divergence {
                place: format!(
                    "executed instruction {i}, `{}`",
                    program.program().instrs[at as usize]
                ),
                expected: show(e),
                found: show(f),
            }));
        }
    }
    Ok(Compared {
        instructions: expected.len() as u64,
        values: 0,
    })
}

/// Compares memories, registers and factors.
///
/// # Errors
/// The first difference.
pub(crate) fn values(
    program: &Verified<'_>,
    outcome: &Outcome,
    state: &State,
    run: &Run,
) -> Result<Compared, Box<Divergence>> {
    let mut comparison = Comparison {
        program,
        arch: program.arch(),
        state,
        run,
        values: 0,
    };
    comparison.registers()?;
    comparison.globals()?;
    comparison.parts()?;
    comparison.banks()?;
    comparison.buffers()?;
    comparison.factors(outcome)?;
    Ok(Compared {
        instructions: 0,
        values: comparison.values,
    })
}

struct Comparison<'a> {
    program: &'a Verified<'a>,
    arch: &'a Arch,
    state: &'a State,
    run: &'a Run,
    values: u64,
}

type Check = Result<(), Box<Divergence>>;

fn usize_of(n: u64) -> usize {
    usize::try_from(n).expect("builds are small")
}

impl Comparison<'_> {
    fn equal(&mut self, expected: u32, found: u32, place: impl Fn() -> String) -> Check {
        self.values += 1;
        if expected == found {
            return Ok(());
        }
        Err(Box::new(Divergence {
            place: place(),
            expected: format!("{expected:#x}"),
            found: format!("{found:#x}"),
        }))
    }

    fn registers(&mut self) -> Check {
        for i in 0..self.run.registers.len() {
            let register = Reg(u16::try_from(i).expect("16-bit numbers"));
            self.equal(self.state.register(register), self.run.registers[i], || {
                register.to_string()
            })?;
        }
        for i in 0..self.run.predicates.len() {
            let number = Pred(u16::try_from(i).expect("16-bit numbers"));
            let (predicate, (set, passed)) = (self.state.predicate(number), self.run.predicates[i]);
            self.equal(predicate.set.into(), set.into(), || number.to_string())?;
            self.equal(predicate.passed, passed, || {
                format!("tests passed of {number}")
            })?;
        }
        Ok(())
    }

    fn globals(&mut self) -> Check {
        for (i, decl) in self.program.program().globals.iter().enumerate() {
            let global = Glob(u16::try_from(i).expect("16-bit numbers"));
            for (word, expected) in self.state.global(global).into_iter().enumerate() {
                let found = self.run.globals[decl.word as usize + word];
                self.equal(expected, found, || format!("word {word} of {global}"))?;
            }
        }
        Ok(())
    }

    fn parts(&mut self) -> Check {
        for i in 0..self.run.parts.len() {
            let register = Part(u16::try_from(i).expect("16-bit numbers"));
            for (value, expected) in self.state.partial_sums(register).into_iter().enumerate() {
                let found = self.run.parts[i].get(value).copied().unwrap_or_default();
                // In m16a16 the register has the fp16 pattern.
                let found = match self.arch.cluster.accumulate {
                    Accumulate::M16A16 => {
                        dcom_fp::from_bits(u16::try_from(found).expect("16 bits")).to_bits()
                    }
                    Accumulate::M16A32 | Accumulate::X32 => found,
                };
                self.equal(expected, found, || format!("value {value} of {register}"))?;
            }
        }
        Ok(())
    }

    fn banks(&mut self) -> Check {
        for (i, decl) in self.program.program().banks.iter().enumerate() {
            let shape = self.program.shape(decl.layout);
            let places = bank_places(shape, self.arch);
            for index in 0..decl.vectors {
                let vector = BankVec {
                    stack: u16::try_from(i).expect("16-bit numbers"),
                    index,
                };
                let row = u64::from(decl.row) + u64::from(index) * shape.vector_beats;
                let expected = self.state.bank(vector).to_vec();
                for (element, expected) in expected.into_iter().enumerate() {
                    let (bank, beat, offset) = places[element];
                    let at = (row + beat) * self.arch.bank.port_elements + offset;
                    let found = self.run.banks[bank][usize_of(at)];
                    self.equal(expected.into(), found.into(), || {
                        format!("element {element} of {vector}")
                    })?;
                }
            }
        }
        Ok(())
    }

    fn buffers(&mut self) -> Check {
        for (i, decl) in self.program.program().buffers.iter().enumerate() {
            let buffer = Buf(u16::try_from(i).expect("16-bit numbers"));
            let shape = self.program.shape(decl.layout);
            let base = u64::from(decl.row) * self.arch.lanes();
            let expected = self.state.buffer(buffer);
            match decl.kind {
                BufferKind::Vector | BufferKind::Wide => {
                    for (element, expected) in expected.into_iter().enumerate() {
                        let (cluster, local) = place(shape, self.arch, element as u64);
                        let found =
                            self.element(cluster, base, local, decl.kind == BufferKind::Wide);
                        self.equal(expected, found, || {
                            format!("element {element} of {buffer}, in cluster {cluster}")
                        })?;
                    }
                }
                BufferKind::Full(_) | BufferKind::Coefs(_) | BufferKind::Scalar => {
                    for cluster in shape.clusters(self.arch).into_iter().flatten() {
                        for (element, expected) in expected.iter().enumerate() {
                            let found = self.element(cluster, base, element as u64, false);
                            // The exponent of a scalar is an element as well.
                            self.equal(expected & 0xffff, found, || {
                                format!("element {element} of {buffer}, in cluster {cluster}")
                            })?;
                        }
                    }
                }
                BufferKind::Partial(n) => {
                    self.partial_sums(buffer, decl.layout, base, n, &expected)?
                }
            }
        }
        Ok(())
    }

    /// Every cluster that holds a block has its sums; the others count as +0 wherever they are read.
    fn partial_sums(
        &mut self,
        buffer: Buf,
        layout: Lay,
        base: u64,
        n: u32,
        expected: &[u32],
    ) -> Check {
        let shape = self.program.shape(layout);
        let (first, count) = (shape.layout().first, shape.layout().count);
        let mut holds = vec![false; usize_of(self.arch.clusters())];
        for element in 0..shape.layout().len {
            holds[usize_of(place(shape, self.arch, element.into()).0)] = true;
        }
        let mut at = 0;
        for k in 0..count {
            for cluster in shape.cluster_order(self.arch, u64::from(first + k)) {
                for element in 0..n {
                    if holds[usize_of(cluster)] {
                        let found = self.element(cluster, base, element.into(), true);
                        self.equal(expected[at], found, || {
                            format!("sum {element} of {buffer} in cluster {cluster}")
                        })?;
                    }
                    at += 1;
                }
            }
        }
        Ok(())
    }

    fn element(&self, cluster: u64, base: u64, local: u64, wide: bool) -> u32 {
        let buffer = &self.run.buffers[usize_of(cluster)];
        if wide {
            let at = usize_of(base + 2 * local);
            u32::from(buffer[at]) | u32::from(buffer[at + 1]) << 16
        } else {
            buffer[usize_of(base + local)].into()
        }
    }

    fn factors(&mut self, outcome: &Outcome) -> Check {
        let mut seen = vec![[Vec::new(), Vec::new()]; outcome.prompts.len()];
        for left in &self.run.left {
            let columns: &mut Vec<Vec<u16>> = &mut seen[left.prompt][left.side];
            columns.resize(columns.len().max(left.index + 1), Vec::new());
            let column = &mut columns[left.index];
            column.resize(column.len().max(left.element + 1), 0);
            column[left.element] = left.bits;
        }
        for (i, (prompt, found)) in outcome.prompts.iter().zip(&seen).enumerate() {
            for (name, expected, found) in
                [("U", &prompt.u, &found[0]), ("V", &prompt.v, &found[1])]
            {
                for (column, expected) in expected.iter().enumerate() {
                    for (element, expected) in expected.iter().enumerate() {
                        let bits = found.get(column).and_then(|c| c.get(element));
                        let bits = bits.map_or(u32::MAX, |&b| b.into());
                        self.equal(dcom_fp::to_bits(*expected).into(), bits, || {
                            format!("prompt {i}: element {element} of column {column} of {name}")
                        })?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Cluster and local address of an element.
fn place(shape: &Shape, arch: &Arch, element: u64) -> (u64, u64) {
    let l = shape.layout();
    let (q, g, count) = (
        u64::from(l.granule),
        u64::from(l.clusters),
        u64::from(l.count),
    );
    let (slice, offset) = (element / shape.slice_len, element % shape.slice_len);
    let (block, within) = (offset / q, offset % q);
    let (round, k) = (slice / count, slice % count);
    let order = shape.cluster_order(arch, u64::from(l.first) + k);
    let cluster = order[usize_of(shape.cluster_of(slice, block))];
    (cluster, (round * shape.slots + block / g) * q + within)
}

/// Bank, beat of the vector and place in the beat of every element: the blocks of a round and slot come in the
/// order of their clusters, and the banks of a window keep step.
fn bank_places(shape: &Shape, arch: &Arch) -> Vec<(usize, u64, u64)> {
    let q = u64::from(shape.layout().granule);
    let port = arch.bank.port_elements;
    let (per_beat, parts) = ((port / q).max(1), q.div_ceil(port));
    let bank_of = |cluster: u64| usize_of(cluster / arch.rows / arch.bank.columns);
    let places: Vec<(u64, u64)> = (0..u64::from(shape.layout().len))
        .map(|e| place(shape, arch, e))
        .collect();
    // Clusters of each bank with a block in each round and slot, in order.
    let groups = usize_of(shape.rounds * shape.slots);
    let mut members = vec![vec![Vec::new(); usize_of(arch.banks())]; groups];
    for (cluster, local) in &places {
        let here = &mut members[usize_of(local / q)][bank_of(*cluster)];
        if !here.contains(cluster) {
            here.push(*cluster);
        }
    }
    let mut first = Vec::with_capacity(groups);
    let mut beats = 0;
    for banks in &mut members {
        first.push(beats);
        let most = banks
            .iter()
            .map(|here| (here.len() as u64).div_ceil(per_beat) * parts);
        beats += most.max().unwrap_or_default();
        banks.iter_mut().for_each(|here| here.sort_unstable());
    }
    places
        .into_iter()
        .map(|(cluster, local)| {
            let (group, within) = (usize_of(local / q), local % q);
            let bank = bank_of(cluster);
            let rank = members[group][bank].iter().position(|c| *c == cluster);
            let rank = rank.expect("collected above") as u64;
            let beat = first[group] + rank / per_beat * parts + within / port;
            (bank, beat, rank % per_beat * q + within % port)
        })
        .collect()
}
