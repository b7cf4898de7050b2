//! Algorithms with their parameters.

use dcom_config::ConfigError;
use dcom_llm as llm;
use dcom_mapper::{Algorithm, WorkloadParams};

/// Vectors beyond the rank that are tried. Assumed: none, as in the paper; five, the default of `dcom decompose`; and ten.
const MORE_VECTORS: [u32; 3] = [0, 5, 10];

/// Block sizes that are tried. Assumed: what divides the lanes of the paper's clusters.
const BLOCK_SIZES: [u32; 2] = [2, 4];

/// Power iterations that are tried; more change little (Halko et al., section 4.5).
const POWER_ITERATIONS: [u32; 3] = [0, 1, 2];

/// Gram-Schmidt passes that are tried for the algorithms with a three-term recurrence.
const PASSES: [u32; 2] = [1, 2];

/// Most vectors that a workload may have.
const MOST_VECTORS: u32 = 512;

/// Gram-Schmidt passes for blocks. One pass alone is unsafe in fp16 with massive activations, and blocks have no three-term
/// recurrence that would help (`docs/algorithms.md`).
const BLOCK_PASSES: u32 = 2;

/// An algorithm with its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// Vectors of either basis.
    pub iterations: u32,
    /// Vectors of a block; 1 where there are none.
    pub block_size: u32,
    /// Power iterations; 0 where there are none.
    pub power_iterations: u32,
    /// Gram-Schmidt passes.
    pub gram_schmidt_passes: u32,
}

/// Everything that is tried for a rank, where the smaller side of the matrix has `smaller` elements.
#[must_use]
pub fn candidates(rank: u32, smaller: u32) -> Vec<Candidate> {
    let mut all = Vec::new();
    let mut sizes: Vec<u32> = MORE_VECTORS
        .iter()
        .map(|more| (rank + more).min(smaller).min(MOST_VECTORS))
        .collect();
    sizes.dedup();
    let mut add = |algorithm, block_size, power_iterations, gram_schmidt_passes| {
        all.extend(sizes.iter().map(|&iterations| Candidate {
            algorithm,
            iterations,
            block_size,
            power_iterations,
            gram_schmidt_passes,
        }));
    };
    for algorithm in [Algorithm::GolubKahan, Algorithm::OneRead] {
        for passes in PASSES {
            add(algorithm, 1, 0, passes);
        }
    }
    for size in BLOCK_SIZES {
        add(Algorithm::Block, size, 0, BLOCK_PASSES);
    }
    for power in POWER_ITERATIONS {
        add(Algorithm::Randomized, 1, power, BLOCK_PASSES);
    }
    all
}

impl Candidate {
    /// The algorithm's name in workload files.
    #[must_use]
    pub fn name(&self) -> &'static str {
        let known = Algorithm::ALL.iter().find(|(a, _)| *a == self.algorithm);
        known.expect("every algorithm is in the list").1
    }

    /// The algorithm with its parameters, but for the number of vectors.
    #[must_use]
    pub fn label(&self) -> String {
        let passes = match self.gram_schmidt_passes {
            1 => String::new(),
            n => format!(", {n} passes"),
        };
        match self.algorithm {
            Algorithm::GolubKahan => format!("Golub-Kahan{passes}"),
            Algorithm::OneRead => format!("one read{passes}"),
            Algorithm::Block => format!("block of {}", self.block_size),
            Algorithm::Randomized => format!("randomized, power {}", self.power_iterations),
        }
    }

    /// A workload with this algorithm.
    ///
    /// # Errors
    /// More vectors than a workload may have.
    pub fn applied(&self, workload: &WorkloadParams) -> Result<WorkloadParams, ConfigError> {
        let mut workload = workload.clone();
        workload.set("workload.algorithm", self.name())?;
        workload.set("workload.iterations", &self.iterations.to_string())?;
        if matches!(self.algorithm, Algorithm::Block | Algorithm::Randomized) {
            workload.set("workload.block_size", &self.block_size.to_string())?;
            workload.set(
                "workload.power_iterations",
                &self.power_iterations.to_string(),
            )?;
        }
        let passes = self.gram_schmidt_passes.to_string();
        workload.set("mapping.gram_schmidt_passes", &passes)?;
        Ok(workload)
    }

    /// The algorithm as the GPU's model knows it.
    #[must_use]
    pub fn on_gpu(&self) -> llm::Algorithm {
        match self.algorithm {
            Algorithm::GolubKahan => llm::Algorithm::GolubKahan,
            Algorithm::OneRead => llm::Algorithm::OneRead,
            Algorithm::Block => llm::Algorithm::Block {
                size: self.block_size.into(),
            },
            Algorithm::Randomized => llm::Algorithm::Randomized {
                power: self.power_iterations.into(),
            },
        }
    }
}
