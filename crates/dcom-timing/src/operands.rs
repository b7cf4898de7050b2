//! Which resources an instruction reads and writes, in the order in which ties between them are broken.

use dcom_isa::{BankVec, Buf, Op, Reg, Verified};

use crate::job;
use crate::resource::Resources;

/// Collects the resources of one instruction.
pub(crate) struct Operands<'a> {
    pub(crate) resources: &'a Resources,
    pub(crate) reads: &'a mut Vec<u32>,
    pub(crate) writes: &'a mut Vec<u32>,
}

impl Operands<'_> {
    fn read(&mut self, resource: u32) {
        self.reads.push(resource);
    }

    fn write(&mut self, resource: u32) {
        self.writes.push(resource);
    }

    /// Buffers to buffer.
    fn buffers<const N: usize>(&mut self, from: [Buf; N], to: Buf) {
        for buffer in from {
            self.read(self.resources.buffer(buffer));
        }
        self.write(self.resources.buffer(to));
    }

    /// Registers to register.
    fn regs<const N: usize>(&mut self, from: [Reg; N], to: Reg) {
        for reg in from {
            self.read(self.resources.reg(reg));
        }
        self.write(self.resources.reg(to));
    }

    /// Adds the operands of instruction `instr`.
    pub(crate) fn add(&mut self, program: &Verified<'_>, instr: usize) {
        let r = self.resources;
        let instr = &program.program().instrs[instr];
        if let Some(p) = instr.guard {
            self.read(r.pred(p));
        }
        match instr.op {
            Op::Ingest { matrix, .. } => self.write(r.matrix(matrix)),
            Op::In { dst, host: _ } => self.write(r.bank(dst)),
            Op::Out { src, .. } => self.read(r.bank(src)),
            Op::Ld { dst, src } => {
                self.read(r.bank(src));
                self.write(r.buffer(dst));
            }
            Op::St { dst, src } => {
                self.read(r.buffer(src));
                self.write(r.bank(dst));
            }
            Op::Gather { dst, src, start: _ } => self.buffers([src], dst),
            Op::MvN {
                matrix,
                x,
                y,
                exponent,
                ..
            }
            | Op::MvT {
                matrix,
                x,
                y,
                exponent,
                ..
            } => {
                self.read(r.matrix(matrix));
                self.read(r.reg(exponent));
                self.buffers([x], y);
            }
            Op::LdT { dst, matrix, .. } => {
                self.read(r.matrix(matrix));
                self.write(r.buffer(dst));
            }
            Op::TMvN {
                tiles,
                x,
                y,
                exponent,
                ..
            }
            | Op::TMvT {
                tiles,
                x,
                y,
                exponent,
                ..
            } => {
                self.read(r.reg(exponent));
                self.buffers([tiles, x], y);
            }
            Op::PReduce {
                dst,
                src,
                layout: _,
            } => {
                self.read(r.buffer(src));
                self.write(r.global(dst));
            }
            Op::GReduce { dst, src, .. } | Op::Bc { dst, src, start: _ } => {
                self.read(r.global(src));
                self.write(r.buffer(dst));
            }
            Op::Narrow { dst, src } | Op::CSum { dst, src } => self.buffers([src], dst),
            Op::Scale { dst, src, c } => self.buffers([src, c], dst),
            Op::Axpy { z, v, c } | Op::Corr { z, v, c } => self.buffers([v, c, z], z),
            Op::Dot { dst, a, b } => {
                self.read(r.buffer(a));
                self.read(r.buffer(b));
                self.write(r.part(dst));
            }
            Op::PutH { dst, src } | Op::PutW { dst, src } => {
                self.read(r.part(src));
                self.write(r.global(dst));
            }
            Op::Comb { dst, src, c } => {
                let vectors = u16::try_from(job::length(program, c));
                let vectors = vectors.expect("verified: within the stack");
                for index in src.index..src.index + vectors {
                    self.read(r.bank(BankVec { index, ..src }));
                }
                self.buffers([c], dst);
            }
            Op::Ldi { dst, value: _ } => self.regs([], dst),
            Op::Mul { dst, a, b } | Op::Div { dst, a, b } | Op::Max { dst, a, b } => {
                self.regs([a, b], dst);
            }
            Op::Sqrt { dst, a } | Op::Log2 { dst, a } => self.regs([a], dst),
            Op::Sum { dst, src, .. } => {
                self.read(r.global(src));
                self.write(r.reg(dst));
            }
            Op::Sbc { dst, src } => {
                self.read(r.reg(src));
                self.write(r.buffer(dst));
            }
            Op::Stat { dst, matrix } => {
                self.read(r.matrix(matrix));
                self.write(r.reg(dst));
            }
            Op::Start {
                dst,
                matrix,
                exponent,
                ..
            } => {
                self.read(r.matrix(matrix));
                self.read(r.reg(exponent));
                self.write(r.buffer(dst));
            }
            Op::Brk { p, x, max, .. } => {
                self.read(r.reg(x));
                self.read(r.reg(max));
                self.write(r.pred(p));
            }
            Op::Clr { p } => self.write(r.pred(p)),
            Op::Svd {
                u,
                v,
                alpha,
                beta,
                k,
                exponent,
                p,
                ..
            } => {
                for (first, n) in [(alpha, k), (beta, k - 1)] {
                    for i in 0..n {
                        self.read(r.reg(Reg(first.0 + i)));
                    }
                }
                self.read(r.reg(exponent));
                self.read(r.pred(p));
                self.write(r.global(u));
                self.write(r.global(v));
            }
            Op::TSvd {
                u,
                v,
                t,
                band,
                k,
                exponent,
                ..
            } => {
                // From the first entry to the last, with what lies between.
                for i in 0..band * k + k - band {
                    self.read(r.reg(Reg(t.0 + i)));
                }
                self.read(r.reg(exponent));
                self.write(r.global(u));
                self.write(r.global(v));
            }
            Op::Bar {} | Op::Loop { .. } => {}
        }
    }
}
