//! The numbers of a design point by name: what result files, filters, queries and plots refer to.
//!
//! A name ends in its unit; a name without one is a count or a share.

use dcom_isa::Phase;

use crate::point::Point;

/// One number of a design point.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Column name.
    pub name: &'static str,
    /// Unit for axes; empty for counts and shares.
    pub unit: &'static str,
    /// What it is.
    pub doc: &'static str,
    value: fn(&Point) -> f64,
}

impl Metric {
    /// The metric's value at a point.
    #[must_use]
    pub fn of(&self, point: &Point) -> f64 {
        (self.value)(point)
    }

    /// The metric of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Metric> {
        METRICS.iter().find(|m| m.name == name)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts below 2^53 are exact, larger ones are reported to 16 digits"
)]
fn number(count: u64) -> f64 {
    count as f64
}

fn phase(point: &Point, phase: Phase) -> f64 {
    number(point.summary.phases[phase as usize].1)
}

fn utilization(point: &Point, unit: &str) -> f64 {
    let found = point.summary.utilization.iter().find(|u| u.unit == unit);
    found.map_or(0.0, |u| u.utilization)
}

/// Energy of the batch (J) as energy per prompt (uJ).
fn per_prompt_uj(point: &Point, joule: f64) -> f64 {
    joule * 1e6 * point.time_us_per_prompt / point.summary.time_us
}

macro_rules! metrics {
    ($($name:literal, $unit:literal, $doc:literal, $value:expr;)*) => {
        /// Every metric, in the order of columns.
        pub static METRICS: &[Metric] = &[$(Metric { name: $name, unit: $unit, doc: $doc, value: $value }),*];
    };
}

metrics! {
    "time_us_per_prompt", "us", "time of the batch divided by its prompts", |p| p.time_us_per_prompt;
    "time_us", "us", "time of the whole batch", |p| p.summary.time_us;
    "cycles", "cycles", "cycles of the whole batch", |p| number(p.summary.cycles);
    "prompts_per_s", "1/s", "prompts decomposed per second", |p| 1e6 / p.time_us_per_prompt;
    "clusters", "", "clusters of the machine", |p| number(p.machine.clusters);
    "banks", "", "banks of the machine", |p| number(p.machine.banks);
    "multipliers", "", "fp16 multipliers of the machine", |p| number(p.machine.multipliers);
    "bank_bytes", "B", "capacity of all banks", |p| number(p.machine.bank_bytes);
    "buffer_bytes", "B", "capacity of all cluster buffers", |p| number(p.machine.buffer_bytes);
    "ingest_cycles", "cycles", "phase: A arrives, statistics, start vector", |p| phase(p, Phase::Ingest);
    "matvec_cycles", "cycles", "phase: A v and A^T u with the gather of their inputs", |p| phase(p, Phase::MatVec);
    "reorth_cycles", "cycles", "phase: re-orthogonalization", |p| phase(p, Phase::Reorth);
    "norm_cycles", "cycles", "phase: norm, breakdown test, scaling", |p| phase(p, Phase::Norm);
    "small_svd_cycles", "cycles", "phase: SVD of the bidiagonal matrix", |p| phase(p, Phase::SmallSvd);
    "factors_cycles", "cycles", "phase: forming the factors", |p| phase(p, Phase::Factors);
    "transfer_cycles", "cycles", "phase: the factors leave", |p| phase(p, Phase::Transfer);
    "control_cycles", "cycles", "phase: anything else", |p| phase(p, Phase::Control);
    "lanes_utilization", "", "busy share of the lanes, mean over banks", |p| utilization(p, "lanes");
    "port_utilization", "", "busy share of the banks' read ports, mean", |p| utilization(p, "port");
    "memory_utilization", "", "busy share of the memory channels, mean", |p| utilization(p, "memory");
    "link_in_utilization", "", "busy share of the incoming link", |p| utilization(p, "link_in");
    "multiplications", "", "products in the lanes, masked ones left out", |p| number(p.summary.activity.multiplications);
    "additions", "", "additions in the clusters, masked ones left out", |p| number(p.summary.activity.additions);
    "memory_read_bytes", "B", "bytes read from memory", |p| number(p.summary.activity.memory_read_bytes);
    "link_in_bytes", "B", "bytes over the link towards the machine", |p| number(p.summary.activity.link_in_bytes);
    "area_mm2", "mm2", "placed area of the chip", |p| p.power.area_um2.nominal * 1e-6;
    "area_mm2_low", "mm2", "placed area of the chip, lowest", |p| p.power.area_um2.low * 1e-6;
    "area_mm2_high", "mm2", "placed area of the chip, highest", |p| p.power.area_um2.high * 1e-6;
    "energy_uj_per_prompt", "uJ", "energy of the chip per prompt", |p| per_prompt_uj(p, p.power.chip_j.nominal);
    "energy_uj_per_prompt_low", "uJ", "energy of the chip per prompt, lowest", |p| per_prompt_uj(p, p.power.chip_j.low);
    "energy_uj_per_prompt_high", "uJ", "energy of the chip per prompt, highest", |p| per_prompt_uj(p, p.power.chip_j.high);
    "dynamic_uj_per_prompt", "uJ", "of it by activity", |p| per_prompt_uj(p, p.power.dynamic_j.nominal);
    "clock_uj_per_prompt", "uJ", "of it by the clock", |p| per_prompt_uj(p, p.power.clock_j.nominal);
    "leakage_uj_per_prompt", "uJ", "of it by leakage", |p| per_prompt_uj(p, p.power.leakage_j.nominal);
    "power_w", "W", "average power of the chip", |p| p.power.chip_w.nominal;
    "power_w_low", "W", "average power of the chip, lowest", |p| p.power.chip_w.low;
    "power_w_high", "W", "average power of the chip, highest", |p| p.power.chip_w.high;
    "memory_uj_per_prompt", "uJ", "energy of the traffic of memory, not on the chip", |p| per_prompt_uj(p, p.power.memory_j.nominal);
    "memory_uj_per_prompt_low", "uJ", "energy of the traffic of memory, not on the chip, lowest", |p| per_prompt_uj(p, p.power.memory_j.low);
    "memory_uj_per_prompt_high", "uJ", "energy of the traffic of memory, not on the chip, highest", |p| per_prompt_uj(p, p.power.memory_j.high);
    "link_uj_per_prompt", "uJ", "energy of the traffic of the link, not on the chip", |p| per_prompt_uj(p, p.power.link_j.nominal);
    "link_uj_per_prompt_low", "uJ", "energy of the traffic of the link, not on the chip, lowest", |p| per_prompt_uj(p, p.power.link_j.low);
    "link_uj_per_prompt_high", "uJ", "energy of the traffic of the link, not on the chip, highest", |p| per_prompt_uj(p, p.power.link_j.high);
    "edp_uj_us", "uJ us", "energy of the chip per prompt times time per prompt", |p| per_prompt_uj(p, p.power.chip_j.nominal) * p.time_us_per_prompt;
    "edp_uj_us_low", "uJ us", "energy of the chip per prompt times time per prompt, lowest", |p| per_prompt_uj(p, p.power.chip_j.low) * p.time_us_per_prompt;
    "edp_uj_us_high", "uJ us", "energy of the chip per prompt times time per prompt, highest", |p| per_prompt_uj(p, p.power.chip_j.high) * p.time_us_per_prompt;
}
