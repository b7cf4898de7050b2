//! The scalar unit: fp32 registers and predicates.

use dcom_isa::{Pred, Reg};

use crate::coefficients::exponent_of;
use crate::machine::Machine;
use crate::state::canonical;

impl Machine<'_> {
    pub(crate) fn register(&self, register: Reg) -> f32 {
        self.state.registers[register.index()]
    }

    pub(crate) fn set_register(&mut self, register: Reg, value: f32) {
        self.state.registers[register.index()] = canonical(value);
    }

    /// +0 is larger than -0, as in maximumNumber of IEEE 754-2019.
    pub(crate) fn max(&mut self, dst: Reg, a: Reg, b: Reg) {
        let (a, b) = (self.register(a), self.register(b));
        let first = b.is_nan() || a > b || (a == b && a.is_sign_positive());
        self.set_register(dst, if first { a } else { b });
    }

    #[expect(clippy::cast_precision_loss, reason = "at most 149")]
    pub(crate) fn log2(&mut self, dst: Reg, a: Reg) {
        let a = self.register(a);
        let log = if a > 0.0 && a.is_finite() {
            exponent_of(a) as f32
        } else {
            0.0
        };
        self.set_register(dst, log);
    }

    pub(crate) fn brk(&mut self, p: Pred, x: Reg, max: Reg, tolerance: u16) {
        // Normal: verification limits the tolerance to 126.
        let factor = f32::from_bits(u32::from(127 - tolerance) << 23);
        let passes = self.register(x) > factor * self.register(max);
        self.outcome.trace.passed.push(passes);
        let predicate = &mut self.state.predicates[p.index()];
        if passes {
            predicate.passed += 1;
        } else {
            predicate.set = true;
        }
    }
}
