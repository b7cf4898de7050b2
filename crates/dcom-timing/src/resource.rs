//! Numbers for everything that has a busy bit: regions, bank vectors, registers, predicates, matrices.

use dcom_isa::{BankVec, Buf, Glob, Mat, Part, Pred, Program, Reg};

/// Where each kind of resource starts in one flat numbering.
#[derive(Clone, Debug)]
pub(crate) struct Resources {
    stacks: Vec<u32>,
    globals: u32,
    matrices: u32,
    parts: u32,
    preds: u32,
    regs: u32,
}

impl Resources {
    pub(crate) fn new(program: &Program, arch: &dcom_arch::Arch) -> Resources {
        let small = |n: u64| u32::try_from(n).expect("sequencer limits fit 32 bits");
        let count = |n: usize| u32::try_from(n).expect("tables fit 32 bits");
        let mut next = count(program.buffers.len());
        let mut stacks = Vec::with_capacity(program.banks.len());
        for b in &program.banks {
            stacks.push(next);
            next += u32::from(b.vectors);
        }
        let globals = next;
        let matrices = globals + count(program.globals.len());
        let parts = matrices + count(program.matrices.len());
        let preds = parts + small(arch.sequencer.partial_registers);
        let regs = preds + small(arch.sequencer.predicates);
        Resources {
            stacks,
            globals,
            matrices,
            parts,
            preds,
            regs,
        }
    }

    /// Scalar registers and predicates are read at issue: the value travels with the op.
    pub(crate) fn travels(&self, resource: u32) -> bool {
        resource >= self.preds
    }

    #[expect(clippy::unused_self, reason = "one form for all kinds")]
    pub(crate) fn buffer(&self, b: Buf) -> u32 {
        b.0.into()
    }

    pub(crate) fn bank(&self, v: BankVec) -> u32 {
        self.stacks[usize::from(v.stack)] + u32::from(v.index)
    }

    pub(crate) fn global(&self, g: Glob) -> u32 {
        self.globals + u32::from(g.0)
    }

    pub(crate) fn matrix(&self, a: Mat) -> u32 {
        self.matrices + u32::from(a.0)
    }

    pub(crate) fn part(&self, r: Part) -> u32 {
        self.parts + u32::from(r.0)
    }

    pub(crate) fn pred(&self, p: Pred) -> u32 {
        self.preds + u32::from(p.0)
    }

    pub(crate) fn reg(&self, s: Reg) -> u32 {
        self.regs + u32::from(s.0)
    }
}
