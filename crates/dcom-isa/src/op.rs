//! The op list. Encoding, decoding, printing, parsing and the reference table all derive from it.

use std::fmt;

use crate::operand::{
    Axis, BankVec, Buf, Glob, Lay, Mat, OPERAND_WORDS, Operand, Part, Pred, Reg, Side, StartKind,
    Words,
};

/// What an instruction serves, for the breakdown of time; no effect on the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// A arrives, its statistics and the start vector.
    Ingest,
    /// A v and A^T u, with the gather of their inputs.
    MatVec,
    /// Re-orthogonalization.
    Reorth,
    /// Norm, breakdown test, scaling.
    Norm,
    /// SVD of the bidiagonal matrix.
    SmallSvd,
    /// Forming the factors.
    Factors,
    /// The factors leave.
    Transfer,
    /// Anything else.
    Control,
}

impl Phase {
    /// All phases with their names, in the order of reports.
    pub const ALL: [(Phase, &'static str); 8] = [
        (Phase::Ingest, "ingest"),
        (Phase::MatVec, "matvec"),
        (Phase::Reorth, "reorth"),
        (Phase::Norm, "norm"),
        (Phase::SmallSvd, "small_svd"),
        (Phase::Factors, "factors"),
        (Phase::Transfer, "transfer"),
        (Phase::Control, "control"),
    ];

    /// The phase's name in programs and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        Phase::ALL[self as usize].1
    }
}

/// One entry of the reference table.
pub struct OpInfo {
    /// Code in the binary form.
    pub opcode: u8,
    /// Name in the text form.
    pub mnemonic: &'static str,
    /// Operands: name and kind.
    pub operands: &'static [(&'static str, &'static str)],
    /// 16-bit words that each operand takes in the binary form, in order, from word 2 of the instruction on.
    pub operand_words: &'static [usize],
    /// Effect on values.
    pub effect: &'static str,
}

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Instr {
    /// What it does.
    pub op: Op,
    /// Skipped when this predicate is set.
    pub guard: Option<Pred>,
    /// What it serves.
    pub phase: Phase,
}

macro_rules! ops {
    ($($(#[doc = $doc:literal])* $code:literal $variant:ident $mnemonic:literal { $($field:ident: $type:ty),* $(,)? })*) => {
        /// An operation of the machine. Fields are named as in the text form.
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[allow(missing_docs, reason = "the fields are documented with their op, in one form")]
        pub enum Op {
            $($(#[doc = $doc])* $variant { $($field: $type),* },)*
        }

        /// The reference table: every op once, in the order of opcodes.
        pub const OPS: &[OpInfo] = &[$(OpInfo {
            opcode: $code,
            mnemonic: $mnemonic,
            operands: &[$((stringify!($field), <$type as Operand>::KIND)),*],
            operand_words: &[$(<$type as Operand>::WORDS),*],
            effect: concat!($($doc, "\n"),*),
        }),*];

        impl Op {
            /// Code in the binary form.
            #[must_use]
            pub fn opcode(&self) -> u8 {
                match self { $(Op::$variant { .. } => $code),* }
            }

            /// Name in the text form.
            #[must_use]
            pub fn mnemonic(&self) -> &'static str {
                match self { $(Op::$variant { .. } => $mnemonic),* }
            }

            /// Position in [`OPS`].
            #[must_use]
            pub fn position(&self) -> usize {
                enum Position { $($variant),* }
                match self { $(Op::$variant { .. } => Position::$variant as usize),* }
            }

            pub(crate) fn encode(&self, words: &mut [u16; OPERAND_WORDS]) {
                let words = &mut Words { words, next: 0 };
                match self { $(Op::$variant { $($field),* } => { $($field.encode(words);)* })* }
            }

            pub(crate) fn decode(opcode: u8, words: &mut [u16; OPERAND_WORDS]) -> Result<Op, String> {
                let words = &mut Words { words, next: 0 };
                let op = match opcode {
                    $($code => Op::$variant { $($field: <$type as Operand>::decode(words)?),* },)*
                    other => return Err(format!("{other}: not an opcode")),
                };
                match words.words[words.next..].iter().find(|w| **w != 0) {
                    Some(word) => Err(format!("`{}`: unused operand word is {word}, not 0", op.mnemonic())),
                    None => Ok(op),
                }
            }

            pub(crate) fn parse(mnemonic: &str, operands: &[(&str, &str)]) -> Result<Op, String> {
                match mnemonic {
                    $($mnemonic => {
                        let rest = &mut Operands { mnemonic, operands };
                        let op = Op::$variant { $($field: rest.next(stringify!($field))?),* };
                        rest.end()?;
                        Ok(op)
                    })*
                    other => {
                        let known = OPS.iter().map(|o| o.mnemonic).collect::<Vec<_>>().join(", ");
                        Err(format!("`{other}`: not an instruction; there are {known}"))
                    }
                }
            }
        }

        impl fmt::Display for Op {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.mnemonic())?;
                match self { $(Op::$variant { $($field),* } => { $(write!(f, " {}={}", stringify!($field), Operand::print($field))?;)* Ok(()) })* }
            }
        }
    };
}

struct Operands<'a> {
    mnemonic: &'a str,
    operands: &'a [(&'a str, &'a str)],
}

impl Operands<'_> {
    fn next<T: Operand>(&mut self, name: &str) -> Result<T, String> {
        match self.operands.split_first() {
            Some(((given, value), rest)) if *given == name => {
                self.operands = rest;
                T::parse(value).map_err(|e| format!("{name}={e}"))
            }
            Some(((given, _), _)) => Err(format!(
                "`{}`: expected `{name}=`, found `{given}=`",
                self.mnemonic
            )),
            None => Err(format!(
                "`{}`: `{name}=` ({}) is missing",
                self.mnemonic,
                T::KIND
            )),
        }
    }

    fn end(&self) -> Result<(), String> {
        match self.operands.first() {
            Some((given, _)) => Err(format!(
                "`{}`: `{given}=` is one operand too many",
                self.mnemonic
            )),
            None => Ok(()),
        }
    }
}

ops! {
    /// The matrix of prompt `prompt` + `stride` x (iteration of the loop) arrives over the link as `matrix`,
    /// in memory or in the banks, and stays until the next one arrives there. The statistics unit takes the
    /// fp32 sum of squares (exact squares, trees of `ingest.width_elements`, then pairwise) and the
    /// fp32 column sums (running, in row order).
    0x01 Ingest "ingest" { matrix: Mat, prompt: u32, stride: u32 }
    /// Host input vector `host` arrives in bank vector `dst`.
    0x02 In "in" { dst: BankVec, host: u16 }
    /// Bank vector `src` leaves as column `index` of factor `side` of the prompt that `matrix` holds.
    0x03 Out "out" { matrix: Mat, side: Side, index: u16, src: BankVec }
    /// Bank vector `src` to buffer vector `dst` of the same layout.
    0x04 Ld "ld" { dst: Buf, src: BankVec }
    /// Buffer vector `src` to bank vector `dst` of the same layout.
    0x05 St "st" { dst: BankVec, src: Buf }
    /// The elements `[start, start + len(dst))` of the sliced vector `src` pass through the global
    /// broadcast memory into `dst`: every cluster's full copy, or another layout of the same vector.
    0x06 Gather "gather" { dst: Buf, src: Buf, start: u32 }

    /// y = A x over tile positions `[first_tile, end_tile)` along the rows of A. With `axis=rows` x is a
    /// full copy of that strip and y a sliced vector, rounded to fp16 if it is one; with `axis=columns` x is a
    /// sliced vector and y each cluster's partial sums of that strip. Products carry the factor
    /// 2^`exponent`. `add` adds to the sliced y, in accumulate precision.
    0x10 MvN "mvn" { matrix: Mat, axis: Axis, x: Buf, y: Buf, first_tile: u32, end_tile: u32, add: bool, exponent: Reg }
    /// y = A^T x, like `mvn` with rows and columns exchanged: with `axis=columns` x is a full copy of
    /// the strip, with `axis=rows` y holds partial sums of the strip.
    0x11 MvT "mvt" { matrix: Mat, axis: Axis, x: Buf, y: Buf, first_tile: u32, end_tile: u32, add: bool, exponent: Reg }
    /// The tiles of the strip `[first_tile, end_tile)` of A into every cluster's buffer. What is loaded once can be
    /// multiplied many times, at the pace of the lanes. Never guarded.
    0x12 LdT "ldt" { dst: Buf, matrix: Mat, axis: Axis, first_tile: u32, end_tile: u32 }
    /// Every partition of `layout` sums the partial vectors `src` of its clusters; partition k writes its
    /// sums to words `[k n, (k + 1) n)` of `dst`, n the length of `src`.
    0x13 PReduce "preduce" { dst: Glob, src: Buf, layout: Lay }
    /// Elements `[start, start + n)` of the sliced vector `dst` become the sums over the partitions of
    /// `layout` of the vectors of n words in `src`, adjacent pairs, rounded to fp16.
    0x14 GReduce "greduce" { dst: Buf, src: Glob, layout: Lay, start: u32, n: u32 }
    /// dst = the wide vector `src` rounded to fp16.
    0x15 Narrow "narrow" { dst: Buf, src: Buf }
    /// y = A x over the strip in `tiles`, as `mvn` over the strip that was loaded there.
    0x16 TMvN "tmvn" { tiles: Buf, axis: Axis, x: Buf, y: Buf, add: bool, exponent: Reg }
    /// y = A^T x over the strip in `tiles`, as `mvt` over the strip that was loaded there.
    0x17 TMvT "tmvt" { tiles: Buf, axis: Axis, x: Buf, y: Buf, add: bool, exponent: Reg }

    /// Partial dot products: slice p of `a` times slice p of `b` gives value p of `dst`.
    0x20 Dot "dot" { dst: Part, a: Buf, b: Buf }
    /// Partial sums to global memory, each rounded to fp16.
    0x21 PutH "puth" { dst: Glob, src: Part }
    /// Partial sums to global memory in accumulate precision.
    0x22 PutW "putw" { dst: Glob, src: Part }
    /// Words `[start, start + len(dst))` of `src`, rounded to fp16, to the coefficients `dst` of every cluster.
    0x23 Bc "bc" { dst: Buf, src: Glob, start: u32 }
    /// Expanded correction: z_k -= sum over p of c_p v_k. Lane j of a row takes the coefficients p = j
    /// mod lanes_x; the row tree sums over p; passes are combined pairwise. One rounding to fp16.
    0x24 Corr "corr" { z: Buf, v: Buf, c: Buf }
    /// z_k -= c v_k for a single coefficient (`coefs` of length 1) or a scalar with exponent.
    0x25 Axpy "axpy" { z: Buf, v: Buf, c: Buf }
    /// The coefficients `src` are summed in every cluster (row tree, passes pairwise) to the single coefficient `dst`, rounded to fp16.
    0x26 CSum "csum" { dst: Buf, src: Buf }
    /// dst_k = src_k times a scalar with exponent, rounded once to fp16.
    0x27 Scale "scale" { dst: Buf, src: Buf, c: Buf }
    /// dst_k = sum over i of c_i times element k of the first len(c) vectors of stack `src`, from index
    /// `src`: lane j of a row takes i = j mod lanes_x. A coefficient of zero contributes +0. Rounded to fp16.
    0x28 Comb "comb" { dst: Buf, src: BankVec, c: Buf }

    /// dst = the constant.
    0x30 Ldi "ldi" { dst: Reg, value: f32 }
    /// dst = the fp32 sum of words `[start, start + n)` of `src`: trees of `broadcast.width_words`, then pairwise.
    0x31 Sum "sum" { dst: Reg, src: Glob, start: u32, n: u32 }
    /// dst = a b
    0x32 Mul "mul" { dst: Reg, a: Reg, b: Reg }
    /// dst = a / b
    0x33 Div "div" { dst: Reg, a: Reg, b: Reg }
    /// dst = sqrt(a)
    0x34 Sqrt "sqrt" { dst: Reg, a: Reg }
    /// dst = the larger of a and b; the other one if one is NaN.
    0x35 Max "max" { dst: Reg, a: Reg, b: Reg }
    /// dst = floor(log2(a)), 0 if a is zero, negative or not finite.
    0x36 Log2 "log2" { dst: Reg, a: Reg }
    /// The scalar `src` to every cluster as an fp16 mantissa in [1, 2) and a power of two.
    0x37 Sbc "sbc" { dst: Buf, src: Reg }
    /// dst = the sum of squares of `matrix` from its ingest.
    0x38 Stat "stat" { dst: Reg, matrix: Mat }
    /// The start vector from the statistics of `matrix`: for `mean` the column sums times
    /// 2^(exponent - shift), rounded to fp16; hash signs instead when all of them are zero.
    0x39 Start "start" { dst: Buf, matrix: Mat, kind: StartKind, exponent: Reg, shift: u16 }
    /// Breakdown test: passes if x > 2^-tolerance max, else sets `p`. Counts the tests passed.
    0x3a Brk "brk" { p: Pred, x: Reg, max: Reg, tolerance: u16 }
    /// Clears predicate `p` and its count.
    0x3b Clr "clr" { p: Pred }
    /// SVD of the k x k upper bidiagonal of `alpha`.. and `beta`.. (consecutive registers; entries after
    /// the breakdown counted in `p` are zero). Coefficients of the r leading left and right vectors, column by
    /// column, to `u` and `v` as fp16; singular values times 2^-exponent to the prompt of `matrix`.
    0x3c Svd "svd" { matrix: Mat, u: Glob, v: Glob, alpha: Reg, beta: Reg, k: u16, r: u16, exponent: Reg, p: Pred }
    /// SVD of the k x k upper triangular matrix whose diagonals 0 .. `band` are k consecutive registers each from `t`
    /// on: entry (i, i + d) in register t + d k + i; entries beyond the matrix and the band are not read. Results
    /// as of `svd`.
    0x3d TSvd "tsvd" { matrix: Mat, u: Glob, v: Glob, t: Reg, band: u16, k: u16, r: u16, exponent: Reg }

    /// Waits until everything before it is done.
    0x40 Bar "bar" { }
    /// The next `length` instructions run `count` times.
    0x41 Loop "loop" { count: u32, length: u32 }
}
