//! Seeded random legal programs with their data: every op on random layouts, in loops and between them, with guards.
//!
//! `tables` has layouts and regions, `body` the order of instructions, loops and guards; `vectors`, `streams` and `scalars` write
//! the instructions themselves.

mod body;
mod scalars;
mod streams;
mod tables;
mod vectors;

use dcom_arch::Arch;
use dcom_isa::{VerifyError, assemble};

use crate::check::Case;
use crate::values::{Random, Values};
use body::Writer;
use tables::{PROMPTS, Tables};

/// What a random program is to be like.
#[derive(Clone, Copy, Debug)]
pub struct Wishes {
    /// Values of its vectors and matrices.
    pub values: Values,
    /// Rows and columns of its matrices.
    pub sizes: [u64; 2],
}

/// Programs drawn for a seed until one fits.
const DRAWS: u64 = 10;

impl Case {
    /// The case of a seed. A few do not fit its memories: they do not verify.
    #[must_use]
    pub fn random(arch: &Arch, seed: u64) -> Case {
        let random = &mut Random::new(seed);
        let draw = |random: &mut Random| {
            let wishes = Wishes {
                values: random.pick(&[Values::Tame, Values::Finite, Values::Any]),
                sizes: sizes(random),
            };
            let mut case = Case::wished(arch, random, wishes);
            case.name = format!("seed-{seed}");
            case
        };
        let mut case = draw(random);
        for _ in 1..DRAWS {
            match case.program.clone().verify(arch) {
                Err(e) if is_for_lack_of_room(&e) => case = draw(random),
                _ => break,
            }
        }
        case
    }

    /// A random program for a machine.
    #[must_use]
    pub fn wished(arch: &Arch, random: &mut Random, wishes: Wishes) -> Case {
        let Wishes {
            values,
            sizes: [rows, columns],
        } = wishes;
        let tables = Tables::new(random, arch, [rows, columns]);
        let mut text = tables.text(random);
        for line in Writer::new(random, arch, &tables).program() {
            text += &line;
            text.push('\n');
        }
        let mut program = assemble(&text)
            .unwrap_or_else(|e| panic!("the generator writes programs: {e}\n{text}"));
        tables.place(random, &mut program, arch);
        let prompts = (0..PROMPTS)
            .map(|_| values.matrix(random, rows, columns))
            .collect();
        let mut host = |len| {
            let bits = values.list(random, len);
            bits.into_iter().map(dcom_fp::from_bits).collect()
        };
        let host_vectors = tables
            .host_vectors()
            .map(|side| host(if side == 0 { rows } else { columns }))
            .collect();
        Case {
            name: "random".to_owned(),
            program,
            prompts,
            host_vectors,
        }
    }
}

/// Whether a random program is sound, but for memories that are too small for it.
pub(crate) fn is_for_lack_of_room(e: &VerifyError) -> bool {
    let too_small = ["there are only", "the sequencer has", "the memory holds"];
    !e.place.starts_with("instruction") && too_small.iter().any(|s| e.message.contains(s))
}

/// Rows and columns: mostly a few tiles, now and then so many that sums are deep.
fn sizes(random: &mut Random) -> [u64; 2] {
    let [most_rows, most_columns] = random.pick(&[
        [14, 14],
        [14, 14],
        [14, 14],
        [14, 14],
        [30, 30],
        [30, 30],
        [8, 120],
        [200, 10],
    ]);
    [random.within(1, most_rows), random.within(1, most_columns)]
}
