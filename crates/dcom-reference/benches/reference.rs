//! Speed of the references at the size of a Llama-2-7B activation, 4096 x 4096.

use dcom_reference::synthetic::{Variant, llama_like};
use dcom_reference::{best_rank_errors, reconstruction};
use dcom_tensor::{Factors, Matrix};
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

fn activation(size: usize) -> Matrix {
    llama_like(size, size, 1, Variant::PostNorm).expect("not empty")
}

#[divan::bench(args = [10, 20, 50], sample_count = 10)]
fn reconstruct_4096(bencher: Bencher, rank: usize) {
    let matrix = activation(4096);
    let values = (0..4096 * rank)
        .map(|i| if i % 3 == 0 { 0.02 } else { -0.01 })
        .collect::<Vec<_>>();
    let factors =
        Factors::new(4096, 4096, values.clone(), vec![100.0; rank], values).expect("fits");
    bencher.bench(|| reconstruction(black_box(&matrix), black_box(&factors)));
}

#[divan::bench(args = [256, 1024, 4096], sample_count = 3, sample_size = 1)]
fn best_rank_10(bencher: Bencher, size: usize) {
    let matrix = activation(size);
    bencher.bench(|| best_rank_errors(black_box(&matrix), &[1, 5, 10]));
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn generate_4096() -> Matrix {
    activation(black_box(4096))
}
