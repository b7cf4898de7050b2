//! Vectors and coefficients: transfers, sums over partitions, corrections.

use super::body::{PARTS, Writer};
use super::tables::{
    ELSEWHERE, ELSEWHERE_VECTORS, FEW, FULL, GLOBALS, MANY, PARTIAL, SCALAR, SINGLE, STRIPS, Side,
    VECTORS, WIDE,
};

/// Columns of factors that leave.
const COLUMNS: u64 = 4;

fn index(n: u64) -> usize {
    usize::try_from(n).expect("small")
}

impl Writer<'_> {
    pub(super) fn transfer(&mut self) -> String {
        let side = self.side();
        let (l, vectors) = (side.l, self.tables.vectors);
        let stacked = self.random.below(vectors);
        let elsewhere = self.random.below(ELSEWHERE_VECTORS);
        match self.random.below(13) {
            0 | 1 => format!("ld dst={} src=m{l}[{stacked}]", self.vector(side)),
            2 | 3 => format!("st dst=m{l}[{stacked}] src={}", self.vector(side)),
            4 | 5 => {
                let strip = self.random.below(STRIPS);
                self.full_copy(side, strip)
            }
            6 => {
                let from = self.random.below(VECTORS);
                format!("gather dst=b{ELSEWHERE} src=b{from} start=0")
            }
            7 => {
                let to = self.random.below(VECTORS);
                format!("gather dst=b{to} src=b{ELSEWHERE} start=0")
            }
            8 => format!("st dst=m2[{elsewhere}] src=b{ELSEWHERE}"),
            9 => format!("ld dst=b{ELSEWHERE} src=m2[{elsewhere}]"),
            10 => format!(
                "in dst=m{l}[{stacked}] host={}",
                l * vectors + self.random.below(vectors)
            ),
            _ => {
                let (side, from) = match (l, self.random.below(3)) {
                    (0, 0) => ("u", format!("m2[{elsewhere}]")),
                    (0, _) => ("u", format!("m0[{stacked}]")),
                    _ => ("v", format!("m1[{stacked}]")),
                };
                let (matrix, column) = (self.matrix(), self.random.below(COLUMNS));
                format!("out matrix=a{matrix} side={side} index={column} src={from}")
            }
        }
    }

    pub(super) fn reduction(&mut self) -> String {
        let side = self.side();
        match self.random.below(11) {
            0 | 1 => {
                let strip = self.random.below(STRIPS);
                self.preduce(side, strip)
            }
            2 | 3 => self.greduce(side),
            4 | 5 => format!("narrow dst={} src={}", self.vector(side), side.buffer(WIDE)),
            6 | 7 => self.dot(side),
            8 => self.dot_of(&format!("b{ELSEWHERE}"), &format!("b{ELSEWHERE}")),
            _ => {
                let g = self.random.below(GLOBALS);
                self.put(g)
            }
        }
    }

    pub(super) fn combination(&mut self) -> String {
        let side = self.side();
        let (z, other) = (self.random.below(VECTORS), self.random.within(1, 2));
        let (z, v) = (side.buffer(z), side.buffer((z + other) % VECTORS));
        let any = self.random.pick(&[MANY, MANY, SINGLE, FEW]);
        match self.random.below(10) {
            0 | 1 => self.broadcast(side, any),
            2 | 3 => format!("corr z={z} v={v} c={}", side.buffer(any)),
            4 => {
                let c = self.random.pick(&[SCALAR, SINGLE]);
                format!("axpy z={z} v={v} c={}", side.buffer(c))
            }
            5 => format!("csum dst={} src={}", side.buffer(SINGLE), side.buffer(any)),
            6 => {
                let (dst, src) = (self.vector(side), self.vector(side));
                format!("scale dst={dst} src={src} c={}", side.buffer(SCALAR))
            }
            7 => {
                let tables = self.tables;
                let first = self.random.within(0, tables.vectors - tables.few);
                let (dst, c) = (self.vector(side), side.buffer(FEW));
                format!("comb dst={dst} src=m{}[{first}] c={c}", side.l)
            }
            8 => format!("sbc dst={} src={}", side.buffer(SCALAR), self.register()),
            _ => {
                let kinds = ["mean", "mean", "ones", "e1", "alternating", "signs"];
                let (columns, matrix) = (&self.tables.sides[1], self.matrix());
                format!(
                    "start dst={} matrix=a{matrix} kind={} exponent={} shift={}",
                    self.vector(columns),
                    self.random.pick(&kinds),
                    self.exponent(),
                    self.random.below(4)
                )
            }
        }
    }

    /// Part of a vector of the other side to every cluster.
    pub(super) fn full_copy(&mut self, side: &Side, strip: u64) -> String {
        let other = &self.tables.sides[usize::from(side.l == 0)];
        let elements = side.strips[index(strip)].elements;
        let (src, start) = (
            self.vector(other),
            self.random.within(0, side.along - elements),
        );
        format!(
            "gather dst={} src={src} start={start}",
            side.buffer(FULL + strip)
        )
    }

    /// Partial sums to a region that is long enough.
    pub(super) fn preduce(&mut self, side: &Side, strip: u64) -> String {
        let elements = side.strips[index(strip)].elements;
        let needed = elements * self.tables.shapes[index(side.l)].engaged_partitions;
        let g = self.random.below(GLOBALS);
        let fits = self.tables.words[index(g)] >= needed;
        format!(
            "preduce dst=g{} src={} layout=l{}",
            if fits { g } else { 2 + side.l },
            side.buffer(PARTIAL + strip),
            side.l
        )
    }

    /// A few elements of any vector become sums of what a region holds, for the partitions of any layout.
    fn greduce(&mut self, side: &Side) -> String {
        let (g, l) = (self.random.below(GLOBALS), self.random.below(3));
        let there = self.tables.words[index(g)] / self.tables.shapes[index(l)].engaged_partitions;
        let n = self.random.within(1, there.min(side.len));
        let start = self.random.within(0, side.len - n);
        format!(
            "greduce dst={} src=g{g} layout=l{l} start={start} n={n}",
            self.vector(side)
        )
    }

    pub(super) fn dot(&mut self, side: &Side) -> String {
        let (a, b) = (self.vector(side), self.vector(side));
        self.dot_of(&a, &b)
    }

    fn dot_of(&mut self, a: &str, b: &str) -> String {
        let register = self.random.below(PARTS as u64);
        self.parts[index(register)] = true;
        format!("dot dst=r{register} a={a} b={b}")
    }

    /// A register of partial sums to a region; a dot product if none is known.
    pub(super) fn put(&mut self, g: u64) -> String {
        let known: Vec<usize> = (0..PARTS).filter(|r| self.parts[*r]).collect();
        if known.is_empty() {
            let side = self.side();
            return self.dot(side);
        }
        let register = self.random.pick(&known);
        let op = self.random.pick(&["puth", "putw"]);
        format!("{op} dst=g{g} src=r{register}")
    }

    pub(super) fn broadcast(&mut self, side: &Side, region: u64) -> String {
        let n = match region {
            MANY => self.tables.many,
            FEW => self.tables.few,
            _ => 1,
        };
        let g = self.random.below(GLOBALS);
        let start = self.random.within(0, self.tables.words[index(g)] - n);
        format!("bc dst={} src=g{g} start={start}", side.buffer(region))
    }
}
