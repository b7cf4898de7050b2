//! Lowering of what keeps vectors orthonormal: Gram-Schmidt, norms, and the breakdown test.

use dcom_isa::opgraph::Test;
use dcom_isa::{BankVec, Buf, Glob, Op, Part, Phase, Reg, Side};

use crate::lower::{Emitter, nth};
use crate::prompt::{PARTIAL_REGISTERS, Scalars};

impl Emitter<'_> {
    fn slot(&self, side: Side, index: u16) -> Buf {
        let slots = &self.side(side).slots;
        slots[usize::from(index) % slots.len()]
    }

    fn load(&mut self, side: Side, index: u16) {
        self.emit(Op::Ld {
            dst: self.slot(side, index),
            src: self.basis(side, index),
        });
    }

    /// Loads the first basis vectors for the vector of a step while its product runs.
    pub(crate) fn prefetch(&mut self, side: Side, step: u16) {
        self.phase = Phase::Reorth;
        self.loaded = 0;
        let against = if self.w.gram_schmidt_passes > 0 {
            step
        } else {
            0
        };
        let ahead = u16::try_from(self.w.prefetch).expect("at most 16");
        while self.loaded < against.min(ahead) {
            self.load(side, self.loaded);
            self.loaded += 1;
        }
    }

    /// Where A^T u_i is kept.
    pub(crate) fn known(&self, index: u16) -> BankVec {
        let (stack, _) = self.prompt.known.expect("allocated for this algorithm");
        BankVec { index, ..stack }
    }

    /// The vector that goes through the same steps as the U vector, and where A^T u_i is when they need it.
    pub(crate) fn mirrored(&self, side: Side, index: u16) -> Option<(Buf, Buf)> {
        let z = self.mirror.filter(|_| side == Side::U)?;
        let (_, slots) = self.prompt.known?;
        Some((z, slots[usize::from(index) % slots.len()]))
    }

    /// Loads A^T u_i.
    pub(crate) fn load_known(&mut self, index: u16) {
        if let Some((_, dst)) = self.mirrored(Side::U, index) {
            let src = self.known(index);
            self.emit(Op::Ld { dst, src });
        }
    }

    /// Loads basis vector `index` and as many after it as prefetching says.
    fn load_ahead(&mut self, side: Side, index: u16, against: u16) {
        let ahead = u16::try_from(self.w.prefetch).expect("at most 16");
        while self.loaded < against.min(index + ahead + 1) {
            self.load(side, self.loaded);
            self.loaded += 1;
        }
    }

    /// Partial dot products of basis vector `index` with the vector, to global memory.
    fn partial_dots(&mut self, side: Side, step: u16, index: u16, dst: Glob) {
        let part = Part(self.prompt.first_part + self.next_part);
        self.next_part = (self.next_part + 1) % PARTIAL_REGISTERS;
        let (a, b) = (self.slot(side, index), self.vector(side, step));
        self.emit(Op::Dot { dst: part, a, b });
        self.emit(Op::PutH { dst, src: part });
    }

    /// z -= sum over p of c_p v, with the partial sums in `src`.
    fn correct(&mut self, side: Side, step: u16, index: u16, src: Glob) {
        let turn = self.next_coefficient;
        self.next_coefficient = 1 - turn;
        let regions = self.side(side);
        let (c, summed) = (
            regions.coefficients[turn],
            regions.summed.get(turn).copied(),
        );
        let single = regions.parts == 1;
        if self.mirrored(side, index).is_some() {
            self.load_known(index);
        }
        self.emit(Op::Bc {
            dst: c,
            src,
            start: 0,
        });
        if let Some(summed) = summed {
            self.emit(Op::CSum {
                dst: summed,
                src: c,
            });
        }
        let own = (self.vector(side, step), self.slot(side, index));
        let mirrored = self.mirrored(side, index);
        for (z, v) in [Some(own), mirrored].into_iter().flatten() {
            self.emit(match summed {
                Some(c) => Op::Axpy { z, v, c },
                None if single => Op::Axpy { z, v, c },
                None => Op::Corr { z, v, c },
            });
        }
    }

    /// The coefficient of column `step` with basis vector `index` becomes an entry of the triangular matrix.
    fn keep(&mut self, side: Side, step: u16, index: u16, src: Glob) {
        let n = self.side(side).parts;
        let diagonal = (step - index) * self.graph.iterations;
        let dst = nth(self.prompt.scalars.alpha, diagonal + index);
        self.emit(Op::Sum {
            dst,
            src,
            start: 0,
            n,
        });
    }

    pub(crate) fn modified(&mut self, side: Side, step: u16, against: u16, kept: u16) {
        for index in 0..against {
            self.load_ahead(side, index, against);
            let partials = &self.side(side).partials;
            let partials = partials[usize::from(index) % partials.len()];
            self.partial_dots(side, step, index, partials);
            self.correct(side, step, index, partials);
            if step - index <= kept {
                self.keep(side, step, index, partials);
            }
        }
        self.loaded = 0;
    }

    pub(crate) fn classical(&mut self, side: Side, step: u16, against: u16, kept: u16) {
        for index in 0..against {
            self.load_ahead(side, index, against);
            let partials = self.side(side).partials[usize::from(index)];
            self.partial_dots(side, step, index, partials);
        }
        self.loaded = 0;
        for index in 0..against {
            self.load_ahead(side, index, against);
            let partials = self.side(side).partials[usize::from(index)];
            self.correct(side, step, index, partials);
            if step - index <= kept {
                self.keep(side, step, index, partials);
            }
        }
        self.loaded = 0;
    }

    pub(crate) fn broadcast_scalar(&mut self, side: Side, src: Reg) -> Buf {
        let turn = self.next_scalar;
        self.next_scalar = 1 - turn;
        let dst = self.side(side).scalars[turn];
        self.emit(Op::Sbc { dst, src });
        dst
    }

    pub(crate) fn normalize(&mut self, side: Side, step: u16, column: u16, test: Test, kept: bool) {
        self.phase = Phase::Norm;
        let Scalars {
            alpha,
            beta,
            largest,
            work,
            ..
        } = self.prompt.scalars;
        let is_triangular = self.demand.band.is_some();
        let norm = match side {
            _ if test == Test::None => work,
            _ if is_triangular => self.prompt.scalars.norm,
            Side::U => nth(alpha, column),
            Side::V => nth(beta, column - 1),
        };
        let z = self.vector(side, step);
        let part = Part(self.prompt.first_part + self.next_part);
        self.next_part = (self.next_part + 1) % PARTIAL_REGISTERS;
        let regions = self.side(side);
        let (src, n) = (regions.partials[0], regions.parts);
        self.emit(Op::Dot {
            dst: part,
            a: z,
            b: z,
        });
        self.emit(Op::PutW {
            dst: src,
            src: part,
        });
        self.emit(Op::Sum {
            dst: norm,
            src,
            start: 0,
            n,
        });
        self.emit(Op::Sqrt { dst: norm, a: norm });
        if test == Test::None {
            self.reciprocal(norm);
        } else {
            self.emit(Op::Max {
                dst: largest,
                a: if test == Test::First { norm } else { largest },
                b: norm,
            });
            if is_triangular {
                self.deflate(norm, kept.then(|| nth(alpha, column)));
            } else {
                self.test(norm);
                self.guarded = true;
                self.reciprocal(norm);
            }
        }
        let c = self.broadcast_scalar(side, work);
        self.emit(Op::Scale { dst: z, src: z, c });
        self.emit(Op::St {
            dst: self.basis(side, column),
            src: z,
        });
    }

    /// The breakdown test of a norm.
    fn test(&mut self, norm: Reg) {
        let tolerance = u16::try_from(self.w.breakdown_tolerance_log2).expect("at most 126");
        self.emit(Op::Brk {
            p: self.prompt.pred,
            x: norm,
            max: self.prompt.scalars.largest,
            tolerance,
        });
    }

    fn reciprocal(&mut self, norm: Reg) {
        let Scalars { one, work, .. } = self.prompt.scalars;
        self.emit(Op::Div {
            dst: work,
            a: one,
            b: norm,
        });
    }

    /// A vector of a block that depends on those before it becomes zero, and its entry of the triangular matrix stays
    /// zero; the others go on.
    fn deflate(&mut self, norm: Reg, entry: Option<Reg>) {
        let Scalars { one, work, .. } = self.prompt.scalars;
        self.emit(Op::Clr {
            p: self.prompt.pred,
        });
        self.test(norm);
        self.emit(Op::Ldi {
            dst: work,
            value: 0.0,
        });
        self.guarded = true;
        self.reciprocal(norm);
        if let Some(dst) = entry {
            self.emit(Op::Mul {
                dst,
                a: norm,
                b: one,
            });
        }
        self.guarded = false;
    }
}
