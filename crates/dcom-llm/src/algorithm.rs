//! Decomposition on a GPU: the algorithms of D-com as the kernels that a PyTorch program launches and as few fused ones, and the
//! direct algorithms of the paper's Fig. 2.

use crate::gpu::Gpu;
use crate::op::Decomposition;
use crate::real;

/// A batch of matrices to decompose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Matrices.
    pub prompts: u64,
    /// Rows of each.
    pub rows: u64,
    /// Columns of each.
    pub columns: u64,
    /// Lanczos iterations, K.
    pub iterations: u64,
    /// Bytes of an element.
    pub element_bytes: u64,
    /// Gram-Schmidt passes over the basis per new vector.
    pub gram_schmidt_passes: u64,
}

/// One kind of kernel of a sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelGroup {
    /// What it does.
    pub name: &'static str,
    /// Launches.
    pub launches: u64,
    /// Time of all of them (us).
    pub us: f64,
}

/// Kernels that a decomposition launches, in groups.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sequence {
    /// The groups, in order of first use.
    pub groups: Vec<KernelGroup>,
}

impl Sequence {
    /// Time of all kernels (us).
    #[must_use]
    pub fn us(&self) -> f64 {
        self.groups.iter().map(|group| group.us).sum()
    }

    /// Time of a group (us); zero if there is none of that name.
    #[must_use]
    pub fn group_us(&self, name: &str) -> f64 {
        let found = self.groups.iter().find(|group| group.name == name);
        found.map_or(0.0, |group| group.us)
    }

    fn push(&mut self, name: &'static str, launches: u64, us: f64) {
        self.groups.push(KernelGroup { name, launches, us });
    }
}

/// Group names of [`lanczos_eager`] and [`lanczos_fused`].
pub const MATVEC: &str = "A v, A^T u";
/// Re-orthogonalization of U.
pub const REORTH_U: &str = "re-orthogonalization of U";
/// Re-orthogonalization of V.
pub const REORTH_V: &str = "re-orthogonalization of V";
/// Norms and scaling.
pub const NORM: &str = "norms, scaling, tests";
/// The SVD of the bidiagonal matrix, prompt by prompt.
pub const SMALL_SVD: &str = "small SVD, prompt by prompt";

/// Kernels of a re-orthogonalization step: product, sum, product, difference.
pub(crate) const STEP_KERNELS: u64 = 4;
/// Kernels per new vector: square, sum, root, division, store into the basis, comparison.
const VECTOR_KERNELS: u64 = 6;

impl Problem {
    /// A decomposition of the graph.
    #[must_use]
    pub fn of(decomposition: &Decomposition, element_bytes: u64) -> Problem {
        Problem {
            prompts: decomposition.prompts.into(),
            rows: decomposition.rows.into(),
            columns: decomposition.columns.into(),
            iterations: decomposition.iterations.into(),
            element_bytes,
            gram_schmidt_passes: 1,
        }
    }

    fn matrix_bytes(&self) -> f64 {
        real(self.prompts * self.rows * self.columns * self.element_bytes)
    }

    /// What the operations of a product of A and so many vectors take alone (us).
    fn product_us(&self, gpu: &Gpu, vectors: u64) -> f64 {
        real(2 * self.prompts * self.rows * self.columns * vectors) / gpu.flops_per_us()
    }

    /// Kernels of the algorithm, counted.
    fn passes(&self, algorithm: Algorithm) -> Passes {
        let k = self.iterations;
        match algorithm {
            Algorithm::GolubKahan => Passes {
                products: vec![1; usize_of(2 * k - 1)],
                library_products: vec![1; usize_of(2 * k - 1)],
                bases: (1, 1),
                updates: 0,
            },
            Algorithm::OneRead => Passes {
                products: vec![1; usize_of(k)],
                library_products: vec![1; usize_of(2 * k - 1)],
                bases: (1, 1),
                updates: (k - 1) * k.saturating_sub(2) / 2,
            },
            Algorithm::Block { size } => {
                let size = size.clamp(1, k);
                let widths = (0..k).step_by(usize_of(size)).map(|at| size.min(k - at));
                let forth: Vec<u64> = widths.collect();
                let back = forth.iter().skip(1).copied();
                let products: Vec<u64> = forth.iter().copied().chain(back).collect();
                Passes {
                    library_products: products.clone(),
                    products,
                    bases: (1, 1),
                    updates: 0,
                }
            }
            Algorithm::Randomized { power } => {
                let products = vec![k; usize_of(2 + 2 * power)];
                Passes {
                    library_products: products.clone(),
                    products,
                    bases: (1 + power, 1 + power),
                    updates: 0,
                }
            }
        }
    }
}

/// What finds the factors, with its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Golub-Kahan-Lanczos: A is read twice per vector.
    GolubKahan,
    /// Golub-Kahan-Lanczos that reads A once per vector.
    OneRead,
    /// Golub-Kahan with blocks of vectors.
    Block {
        /// Vectors per block.
        size: u64,
    },
    /// Randomized SVD.
    Randomized {
        /// Times through A^T and A again.
        power: u64,
    },
}

/// How often A is read, and what else there is to do.
struct Passes {
    /// Vectors that each pass over A multiplies, if kernels may be written for it.
    products: Vec<u64>,
    /// The same with a library's products, of which none gives A v and A^T A v at once.
    library_products: Vec<u64>,
    /// Times that K vectors of U and of V are made orthonormal.
    bases: (u64, u64),
    /// Vectors over columns that are subtracted beside that.
    updates: u64,
}

fn usize_of(n: u64) -> usize {
    usize::try_from(n).expect("iterations are few")
}

/// Golub-Kahan with full re-orthogonalization, as PyTorch runs it: see [`eager`].
#[must_use]
pub fn lanczos_eager(gpu: &Gpu, problem: &Problem) -> Sequence {
    eager(gpu, problem, Algorithm::GolubKahan)
}

/// Golub-Kahan with everything fused that can be: see [`fused`].
#[must_use]
pub fn lanczos_fused(gpu: &Gpu, problem: &Problem) -> Sequence {
    fused(gpu, problem, Algorithm::GolubKahan)
}

/// An algorithm as PyTorch runs it: batched products of A with a vector or a block, and per earlier vector four kernels on arrays of
/// `prompts x length` elements. With a library's products the one read is no saving.
#[must_use]
pub fn eager(gpu: &Gpu, problem: &Problem, algorithm: Algorithm) -> Sequence {
    let mut sequence = Sequence::default();
    let passes = problem.passes(algorithm);
    let products = passes.library_products.iter().map(|&vectors| {
        let efficiency = if vectors == 1 {
            gpu.matvec_efficiency
        } else {
            gpu.memory_efficiency
        };
        let memory = problem.matrix_bytes() / (gpu.bandwidth * 1e3 * efficiency);
        memory.max(problem.product_us(gpu, vectors)) + gpu.eager_us
    });
    sequence.push(MATVEC, passes.library_products.len() as u64, products.sum());
    let k = problem.iterations;
    for (name, bases, updates, length) in [
        (REORTH_U, passes.bases.0, 0, problem.rows),
        (REORTH_V, passes.bases.1, passes.updates, problem.columns),
    ] {
        let steps = bases * (k * (k - 1) / 2) + updates;
        let launches = steps * problem.gram_schmidt_passes * STEP_KERNELS;
        // Three operands pass per kernel: two in, one out.
        let bytes = real(3 * problem.prompts * length * problem.element_bytes);
        sequence.push(
            name,
            launches,
            real(launches) * gpu.bytes_us(bytes).max(gpu.eager_us),
        );
    }
    let launches = (passes.bases.0 + passes.bases.1) * k * VECTOR_KERNELS;
    sequence.push(NORM, launches, real(launches) * gpu.eager_us);
    sequence.push(
        SMALL_SVD,
        problem.prompts,
        real(problem.prompts) * gpu.decomposition_prompt_us,
    );
    sequence
}

/// The same algorithm with everything fused that can be: A streams at the full memory bandwidth, re-orthogonalization is two
/// products with the whole basis per vector, three kernels per new vector, no host.
#[must_use]
pub fn fused(gpu: &Gpu, problem: &Problem, algorithm: Algorithm) -> Sequence {
    let mut sequence = Sequence::default();
    let passes = problem.passes(algorithm);
    let products = passes.products.iter().map(|&vectors| {
        let memory = gpu.bytes_us(problem.matrix_bytes());
        memory.max(problem.product_us(gpu, vectors)) + gpu.launch_us
    });
    sequence.push(MATVEC, passes.products.len() as u64, products.sum());
    let k = problem.iterations;
    for (name, bases, updates, length) in [
        (REORTH_U, passes.bases.0, 0, problem.rows),
        (REORTH_V, passes.bases.1, passes.updates, problem.columns),
    ] {
        // Vector j reads the j before it twice: coefficients, then corrections.
        let reads = (bases * (k * (k - 1)) + updates) * problem.gram_schmidt_passes;
        let bytes = real(reads * problem.prompts * length * problem.element_bytes);
        let launches = 2 * bases * k.saturating_sub(1) * problem.gram_schmidt_passes;
        sequence.push(
            name,
            launches,
            gpu.bytes_us(bytes) + real(launches) * gpu.launch_us,
        );
    }
    let launches = (passes.bases.0 + passes.bases.1) * k;
    sequence.push(NORM, launches, real(launches) * gpu.launch_us);
    sequence
}

/// A direct algorithm for all singular vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direct {
    /// Bidiagonalization, implicit QR iterations that update all singular vectors.
    Qr,
    /// Bidiagonalization, divide and conquer on the bidiagonal matrix.
    DivideAndConquer,
}

/// Time of a direct decomposition of one matrix (us), whatever the rank that is kept.
///
/// Operations after Golub and Van Loan, Matrix Computations, 4th ed., Fig. 8.6.1 for m >= n: bidiagonalization of R after a QR
/// factorization, 2 m n^2 + 11 n^3 in all for U, s and V by QR iteration, where 2 m n^2 + 2 n^3 of it are products of blocks; divide and conquer
/// replaces the rotations of the QR iteration by products of matrices. Half of the bidiagonalization is products of a matrix and a
/// vector, which run at the memory's pace (4 n^3 / 3 operations on n^2 elements, a read of the trailing matrix per column and side).
#[must_use]
pub fn direct_us(gpu: &Gpu, direct: Direct, problem: &Problem) -> f64 {
    let m = real(problem.rows.max(problem.columns));
    let n = real(problem.rows.min(problem.columns));
    let element = 4.0;
    let cube = n * n * n;
    // Two sweeps of the shrinking n x n matrix per column: n^3 / 3 elements each.
    let matvecs = 2.0 * cube / 3.0 * element / (gpu.bandwidth * 1e3 * gpu.matvec_efficiency);
    // fp32 runs outside the fp16 units; taken at a sixteenth of their peak (A100: 19.5 of 312).
    let rate = gpu.tflops / 16.0 * 1e6 * gpu.product_efficiency;
    let blocks = (4.0 * m * n * n + 2.0 * cube) / rate;
    let launches = 2.0 * n * 4.0 * gpu.launch_us;
    let diagonal = match direct {
        // About two sweeps per singular value, each rotating both sets of vectors: memory traffic of 2 n vectors per sweep.
        Direct::Qr => {
            let rotations = 2.0 * n * 2.0 * n * n * element * 2.0;
            rotations / (gpu.bandwidth * 1e3 * gpu.memory_efficiency) + 2.0 * n * gpu.launch_us
        }
        Direct::DivideAndConquer => (8.0 / 3.0) * cube / rate + n.log2() * 10.0 * gpu.launch_us,
    };
    real(problem.prompts) * (matvecs + blocks + launches + diagonal)
}
