//! Designs to compare with.

use dcom_arch::Arch;
use dcom_fp::Accumulate;
use dcom_power::{
    A100_MULTIPLIERS, Dataflow, Design, Designs, GpuCore, Systolic, Technology, Work,
};
use dcom_timing::Activity;

use crate::{activity, arch, near};

pub(crate) fn designs_with<'a>(
    arch: &'a Arch,
    technology: &'a Technology,
    products: u64,
) -> Designs<'a> {
    let activity = Activity {
        memory_read_bytes: 2 * products,
        ..activity(products)
    };
    Designs {
        arch,
        technology,
        work: Work {
            matrix_products: products,
            vector_products: products / 10,
            steps: 100,
            other_cycles: 1000,
            activity,
        },
        activity,
        cycles: products / 1000,
    }
}

const ARRAY: Systolic = Systolic {
    dataflow: Dataflow::WeightStationary,
    sums: Accumulate::M16A32,
    side: 128,
    operands_fetched: 1,
    staged: false,
};

/// By hand: one column of 128 of one 128 x 128 array, 128 products per cycle; 100 steps of 128 additions of two cycles and
/// four cycles of memory.
#[test]
fn a_systolic_array_takes_the_time_of_its_engaged_column() {
    let (arch, technology) = (arch(&[]), Technology::nangate15());
    let compared = designs_with(&arch, &technology, 1_280_000).compare(&Design::Systolic(ARRAY));
    let cycles = 10_000.0 + 1_000.0 + 100.0 * (128.0 * 2.0 + 4.0) + 1000.0;
    assert!(near(compared.time_s.nominal, cycles * 1e-9), "{compared:?}");
}

#[test]
fn fetching_more_costs_energy_but_no_area() {
    let (arch, technology) = (arch(&[]), Technology::nangate15());
    let designs = designs_with(&arch, &technology, 1_280_000);
    let one = designs.compare(&Design::Systolic(ARRAY));
    let two = designs.compare(&Design::Systolic(Systolic {
        operands_fetched: 2,
        ..ARRAY
    }));
    let staged = designs.compare(&Design::Systolic(Systolic {
        staged: true,
        ..ARRAY
    }));
    assert!(one.area_um2 == two.area_um2 && two.area_um2 == staged.area_um2);
    assert!(two.chip_j.nominal > one.chip_j.nominal && staged.chip_j.nominal > one.chip_j.nominal);
}

#[test]
fn draws_are_repeatable_and_surround_the_nominal_ratio() {
    let (arch, technology) = (arch(&[]), Technology::nangate15());
    let designs = designs_with(&arch, &technology, 10_000_000);
    let gpu = Design::Gpu(GpuCore {
        multipliers: A100_MULTIPLIERS,
    });
    for design in [Design::Systolic(ARRAY), gpu] {
        let ratio = designs.ratios(&design, 100, 7);
        assert_eq!(ratio, designs.ratios(&design, 100, 7));
        assert!(ratio.area.low < ratio.area.high && ratio.power.low < ratio.power.high);
    }
    assert!(
        designs.ratios(&gpu, 0, 7).area.nominal < 1.0,
        "an A100 has more multipliers"
    );
}

/// By hand, nominal at 15 nm: per product an exact multiplication of two stages (506 fJ and 38 registers of 3.9), an fp32 addition of
/// as many stages as the machine's (665 and 40 registers per further stage), half an instruction of 15 pJ. Its operands are in the
/// instruction's energy, so a register file that is free to read takes nothing away.
#[test]
fn an_instruction_of_the_core_holds_its_operands() {
    let arch = arch(&[]);
    let mut technology = Technology::nangate15();
    // Leaves the datapath and the instructions alone.
    for key in [
        "sram.read_fj_per_bit",
        "sram.read_wire_fj_per_bit",
        "sram.leakage_uw_per_kib",
        "wire.energy_fj_per_bit_mm",
        "register.clock_fj",
        "logic.leakage_nw_per_um2",
    ] {
        technology.set(key, "0").expect("in range");
    }
    let products = 1_000_000;
    let designs = designs_with(&arch, &technology, products);
    let core = Design::Gpu(GpuCore { multipliers: 1024 });
    let further = f64::from(u32::try_from(arch.cluster.add32_cycles).expect("few") - 1);
    let product = 506.0 + 38.0 * 3.9 + 665.0 + further * 40.0 * 3.9 + 15e3 / 2.0;
    // A tenth as many products of vectors.
    let expected = 1.1e6 * product * 1e-15;
    let energy = designs.compare(&core).chip_j.nominal;
    assert!(near(energy, expected), "{energy} {expected}");
}
