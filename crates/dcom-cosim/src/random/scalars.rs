//! Instructions of the scalar unit, the small SVD and the sequencer.

use super::body::{PREDICATES, REGISTERS, Writer};
use super::tables::GLOBALS;

/// Ops of which sums take no more groups than any build has room for.
const MOST_GROUPS: u64 = 32;

impl Writer<'_> {
    /// A register to read, often the one that was written last.
    pub(super) fn register(&mut self) -> String {
        let any = self.random.below(REGISTERS);
        format!("s{}", self.random.pick(&[any, any, self.recent]))
    }

    fn destination(&mut self) -> String {
        self.recent = self.random.below(REGISTERS);
        format!("s{}", self.recent)
    }

    /// The exponent of a product: mostly s0, which is tame more often than others.
    pub(super) fn exponent(&mut self) -> String {
        match self.random.below(4) {
            0 => self.register(),
            _ => "s0".to_owned(),
        }
    }

    pub(super) fn constant(&mut self, register: u64) -> String {
        let value = if register == 0 {
            self.random
                .pick(&["-3", "0", "2", "5", "-1.75", "17.9", "-100", "40.5"])
        } else {
            self.random.pick(&[
                "0", "-0", "1", "-2.5", "3e-41", "1e38", "0.3333", "70000", "12.25", "0.999999",
                "-1e38", "4", "-7",
            ])
        };
        format!("ldi dst=s{register} value={value}")
    }

    pub(super) fn scalar(&mut self) -> String {
        let (a, b) = (self.register(), self.register());
        match self.random.below(14) {
            0 => self.sum(),
            1 => format!("mul dst={} a={a} b={b}", self.destination()),
            2 => format!("div dst={} a={a} b={b}", self.destination()),
            3 => format!("sqrt dst={} a={a}", self.destination()),
            4 => format!("max dst={} a={a} b={b}", self.destination()),
            5 => format!("log2 dst={} a={a}", self.destination()),
            6 => format!("stat dst={} matrix=a{}", self.destination(), self.matrix()),
            7 => {
                let register = self.random.below(REGISTERS);
                self.constant(register)
            }
            8 => self.constant(0),
            9 => {
                let predicate = self.random.below(PREDICATES);
                self.test(predicate)
            }
            10 => format!("clr p={}", self.predicate()),
            11 => self.small_svd(),
            12 => self.triangular_svd(),
            _ => "bar".to_owned(),
        }
    }

    pub(super) fn sum(&mut self) -> String {
        let g = self.random.below(GLOBALS);
        let words = self.tables.words[usize::try_from(g).expect("small")];
        let start = self.random.below(words);
        let most = MOST_GROUPS * self.arch.broadcast.width_words;
        let n = self.random.within(1, most.min(words - start));
        format!(
            "sum dst={} src=g{g} start={start} n={n}",
            self.destination()
        )
    }

    pub(super) fn test(&mut self, predicate: u64) -> String {
        let (x, max) = (self.register(), self.register());
        let tolerance = self.random.pick(&[0, 0, 10, 126]);
        format!("brk p=p{predicate} x={x} max={max} tolerance={tolerance}")
    }

    pub(super) fn small_svd(&mut self) -> String {
        let k = self.random.within(1, 4);
        let (alpha, beta) = (
            self.random.within(0, REGISTERS - k),
            self.random.within(0, REGISTERS - k),
        );
        format!(
            "svd {} alpha=s{alpha} beta=s{beta} k={k} r={} exponent={} p={}",
            self.answers(),
            self.random.within(1, k),
            self.exponent(),
            self.predicate()
        )
    }

    fn triangular_svd(&mut self) -> String {
        let k = self.random.within(1, 4);
        let band = self.random.below(k);
        let t = self.random.within(0, REGISTERS - (band + 1) * k);
        format!(
            "tsvd {} t=s{t} band={band} k={k} r={} exponent={}",
            self.answers(),
            self.random.within(1, k),
            self.exponent()
        )
    }

    /// The matrix of a small SVD, and two regions for its vectors.
    fn answers(&mut self) -> String {
        let u = self.random.below(GLOBALS);
        let v = (u + self.random.within(1, GLOBALS - 1)) % GLOBALS;
        format!("matrix=a{} u=g{u} v=g{v}", self.matrix())
    }

    /// Any matrix: all have arrived.
    pub(super) fn matrix(&mut self) -> u64 {
        self.random.below(super::tables::MATRICES)
    }
}
