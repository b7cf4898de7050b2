//! Operand kinds: how each is encoded in 16-bit words, printed and parsed.

use std::fmt;

/// Words of an instruction that hold its operands.
pub(crate) const OPERAND_WORDS: usize = 14;

/// Reads or writes operand words in order.
pub(crate) struct Words<'a> {
    pub(crate) words: &'a mut [u16; OPERAND_WORDS],
    pub(crate) next: usize,
}

impl Words<'_> {
    fn put(&mut self, word: u16) {
        self.words[self.next] = word;
        self.next += 1;
    }

    fn take(&mut self) -> u16 {
        let word = self.words[self.next];
        self.next += 1;
        word
    }
}

/// One operand kind.
pub(crate) trait Operand: Sized {
    /// What the documentation calls it.
    const KIND: &'static str;
    /// Operand words that it takes.
    const WORDS: usize = 1;
    fn encode(&self, words: &mut Words<'_>);
    fn decode(words: &mut Words<'_>) -> Result<Self, String>;
    fn print(&self) -> String;
    fn parse(text: &str) -> Result<Self, String>;
}

macro_rules! index_operand {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u16);

        impl $name {
            /// As an index into its table.
            #[must_use]
            pub fn index(self) -> usize {
                usize::from(self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl Operand for $name {
            const KIND: &'static str = $kind;
            fn encode(&self, words: &mut Words<'_>) {
                words.put(self.0);
            }
            fn decode(words: &mut Words<'_>) -> Result<Self, String> {
                Ok($name(words.take()))
            }
            fn print(&self) -> String {
                self.to_string()
            }
            fn parse(text: &str) -> Result<Self, String> {
                text.strip_prefix($prefix)
                    .and_then(|n| n.parse().ok())
                    .map($name)
                    .ok_or_else(|| format!(concat!("`{}`: expected ", $kind, " such as `", $prefix, "0`"), text))
            }
        }
    };
}

index_operand!(/** A region of every cluster's buffer. */ Buf, "b", "a buffer region");
index_operand!(/** A region of the global broadcast memory. */ Glob, "g", "a global memory region");
index_operand!(/** A scalar register (fp32). */ Reg, "s", "a scalar register");
index_operand!(/** A matrix. */ Mat, "a", "a matrix");
index_operand!(/** A register for partial sums, one value per slice. */ Part, "r", "a partial-sum register");
index_operand!(/** A layout. */ Lay, "l", "a layout");
index_operand!(/** A predicate: a sticky bit and the number of tests passed. */ Pred, "p", "a predicate");

/// A vector in the banks: entry `index` of the stack of vectors `stack`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BankVec {
    /// The stack, an entry of the program's bank table.
    pub stack: u16,
    /// The vector within the stack.
    pub index: u16,
}

impl fmt::Display for BankVec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m{}[{}]", self.stack, self.index)
    }
}

impl Operand for BankVec {
    const KIND: &'static str = "a vector in the banks";
    const WORDS: usize = 2;
    fn encode(&self, words: &mut Words<'_>) {
        words.put(self.stack);
        words.put(self.index);
    }
    fn decode(words: &mut Words<'_>) -> Result<Self, String> {
        Ok(BankVec {
            stack: words.take(),
            index: words.take(),
        })
    }
    fn print(&self) -> String {
        self.to_string()
    }
    fn parse(text: &str) -> Result<Self, String> {
        text.strip_prefix('m')
            .and_then(|t| t.strip_suffix(']'))
            .and_then(|t| t.split_once('['))
            .and_then(|(s, i)| {
                Some(BankVec {
                    stack: s.parse().ok()?,
                    index: i.parse().ok()?,
                })
            })
            .ok_or_else(|| format!("`{text}`: expected a vector in the banks such as `m0[2]`"))
    }
}

macro_rules! keyword_operand {
    ($(#[$doc:meta])* $name:ident, $kind:literal { $($(#[$vdoc:meta])* $variant:ident = $code:literal $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),* }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $($name::$variant => $word),* })
            }
        }

        impl Operand for $name {
            const KIND: &'static str = $kind;
            fn encode(&self, words: &mut Words<'_>) {
                words.put(match self { $($name::$variant => $code),* });
            }
            fn decode(words: &mut Words<'_>) -> Result<Self, String> {
                match words.take() {
                    $($code => Ok($name::$variant),)*
                    other => Err(format!(concat!("{}: not a code of ", $kind), other)),
                }
            }
            fn print(&self) -> String {
                self.to_string()
            }
            fn parse(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok($name::$variant),)*
                    _ => Err(format!(concat!("`{}`: expected ", $kind, ": one of {}"), text, [$($word),*].join(", "))),
                }
            }
        }
    };
}

keyword_operand!(
    /// How a matrix is cut over partitions.
    Axis, "an axis" {
        /// By rows: a cluster holds whole rows of tiles.
        Rows = 0 "rows",
        /// By columns: a cluster holds whole columns of tiles.
        Columns = 1 "columns",
    }
);
keyword_operand!(
    /// A factor of the decomposition.
    Side, "a side" {
        /// U, over the rows of A.
        U = 0 "u",
        /// V, over the columns of A.
        V = 1 "v",
    }
);
keyword_operand!(
    /// The start vector of the iteration.
    StartKind, "a start vector" {
        /// Column means of A.
        Mean = 0 "mean",
        /// All ones.
        Ones = 1 "ones",
        /// The first unit vector.
        E1 = 2 "e1",
        /// +1, -1, +1, ...
        Alternating = 3 "alternating",
        /// Signs from a hash of the index.
        Signs = 4 "signs",
    }
);

macro_rules! number_operand {
    ($type:ty, $kind:literal, $words:literal, $put:expr, $take:expr, $parse:expr) => {
        impl Operand for $type {
            const KIND: &'static str = $kind;
            const WORDS: usize = $words;
            fn encode(&self, words: &mut Words<'_>) {
                let put: fn(&$type, &mut Words<'_>) = $put;
                put(self, words);
            }
            fn decode(words: &mut Words<'_>) -> Result<Self, String> {
                let take: fn(&mut Words<'_>) -> Result<$type, String> = $take;
                take(words)
            }
            fn print(&self) -> String {
                self.to_string()
            }
            fn parse(text: &str) -> Result<Self, String> {
                let parse: fn(&str) -> Option<$type> = $parse;
                parse(text).ok_or_else(|| format!(concat!("`{}`: expected ", $kind), text))
            }
        }
    };
}

number_operand!(
    u16,
    "a number from 0 to 65535",
    1,
    |v, w| w.put(*v),
    |w| Ok(w.take()),
    |t| t.parse().ok()
);
number_operand!(
    u32,
    "a number from 0 to 4294967295",
    2,
    |v, w| {
        w.put((v & 0xffff) as u16);
        w.put((v >> 16) as u16);
    },
    |w| Ok(u32::from(w.take()) | u32::from(w.take()) << 16),
    |t| t.parse().ok()
);
number_operand!(
    f32,
    "a finite number",
    2,
    |v, w| v.to_bits().encode(w),
    |w| Some(f32::from_bits(u32::decode(w)?))
        .filter(|v| v.is_finite())
        .ok_or_else(|| "not a finite number".to_owned()),
    |t| t.parse().ok().filter(|v: &f32| v.is_finite())
);
number_operand!(
    bool,
    "true or false",
    1,
    |v, w| w.put(u16::from(*v)),
    |w| match w.take() {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(format!("{other}: not a code of true (1) or false (0)")),
    },
    |t| t.parse().ok()
);
