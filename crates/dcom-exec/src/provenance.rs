//! For which prompt an operation works.
//!
//! The machine does not know; results per prompt need it. What an operation writes belongs to the prompt of what it
//! reads, beginning at the matrices.

use dcom_isa::{Buf, Glob, Op, Part, Program};

/// The prompt whose data each memory region holds, if it is that of one.
pub(crate) struct Provenance {
    buffers: Vec<Option<usize>>,
    stacks: Vec<Option<usize>>,
    globals: Vec<Option<usize>>,
    parts: Vec<Option<usize>>,
}

impl Provenance {
    pub(crate) fn new(program: &Program, partial_registers: usize) -> Provenance {
        Provenance {
            buffers: vec![None; program.buffers.len()],
            stacks: vec![None; program.banks.len()],
            globals: vec![None; program.globals.len()],
            parts: vec![None; partial_registers],
        }
    }

    /// Follows an operation; `prompt` is that of its matrix, if it has one. Returns the prompt it works for.
    pub(crate) fn follow(&mut self, op: &Op, prompt: Option<usize>) -> Option<usize> {
        match *op {
            Op::In { dst, .. } => self.stacks[usize::from(dst.stack)] = None,
            Op::Ld { dst, src } => return self.buffer(dst, self.stacks[usize::from(src.stack)]),
            Op::St { dst, src } => self.stacks[usize::from(dst.stack)] = self.buffers[src.index()],
            Op::Comb { dst, src, c: _ } => {
                return self.buffer(dst, self.stacks[usize::from(src.stack)]);
            }
            Op::LdT { dst, .. } => return self.buffer(dst, prompt),
            Op::MvN { y, .. } | Op::MvT { y, .. } | Op::TMvN { y, .. } | Op::TMvT { y, .. } => {
                return self.buffer(y, prompt);
            }
            Op::Start { dst, .. } => return self.buffer(dst, prompt),
            Op::Gather { dst, src, .. }
            | Op::Narrow { dst, src }
            | Op::CSum { dst, src }
            | Op::Scale { dst, src, .. } => {
                return self.buffer(dst, self.buffers[src.index()]);
            }
            Op::Corr { z, .. } | Op::Axpy { z, .. } => return self.buffers[z.index()],
            Op::PReduce { dst, src, .. } => return self.global(dst, self.buffers[src.index()]),
            Op::GReduce { dst, src, .. } | Op::Bc { dst, src, .. } => {
                return self.buffer(dst, self.globals[src.index()]);
            }
            Op::Dot { dst, a, .. } => return self.part(dst, self.buffers[a.index()]),
            Op::PutH { dst, src } | Op::PutW { dst, src } => {
                return self.global(dst, self.parts[src.index()]);
            }
            Op::Svd { u, v, .. } | Op::TSvd { u, v, .. } => {
                self.global(u, prompt);
                return self.global(v, prompt);
            }
            Op::Ingest { .. }
            | Op::Out { .. }
            | Op::Ldi { .. }
            | Op::Sum { .. }
            | Op::Mul { .. }
            | Op::Div { .. }
            | Op::Sqrt { .. }
            | Op::Max { .. }
            | Op::Log2 { .. }
            | Op::Sbc { .. }
            | Op::Stat { .. }
            | Op::Brk { .. }
            | Op::Clr { .. }
            | Op::Bar {}
            | Op::Loop { .. } => {}
        }
        prompt
    }

    fn buffer(&mut self, dst: Buf, prompt: Option<usize>) -> Option<usize> {
        self.buffers[dst.index()] = prompt;
        prompt
    }

    fn global(&mut self, dst: Glob, prompt: Option<usize>) -> Option<usize> {
        self.globals[dst.index()] = prompt;
        prompt
    }

    fn part(&mut self, dst: Part, prompt: Option<usize>) -> Option<usize> {
        self.parts[dst.index()] = prompt;
        prompt
    }
}
