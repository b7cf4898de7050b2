//! The layouts of a mapping: vectors over rows and columns of A, for re-orthogonalization and for
//! the matrix-vector products.

use dcom_arch::Arch;
use dcom_isa::{Lay, Layout, Placement, Reduction, Side};

use crate::map::MapError;
use crate::params::{PlacementChoice, ReductionChoice, Windows, WorkloadParams};

/// The layouts that one prompt in flight uses, as numbers of the program's layout table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PromptLayouts {
    u: Lay,
    v: Lay,
    product_u: Lay,
    product_v: Lay,
}

impl PromptLayouts {
    /// The layout of basis vectors and of re-orthogonalization.
    pub(crate) fn basis(self, side: Side) -> Lay {
        match side {
            Side::U => self.u,
            Side::V => self.v,
        }
    }

    /// The layout that A streams past.
    pub(crate) fn product(self, side: Side) -> Lay {
        match side {
            Side::U => self.product_u,
            Side::V => self.product_v,
        }
    }
}

/// Builds the layout table for `in_flight` prompts.
pub(crate) fn layouts(
    arch: &Arch,
    w: &WorkloadParams,
    in_flight: u32,
) -> Result<(Vec<Layout>, Vec<PromptLayouts>), MapError> {
    let clusters = u64::from(w.clusters_per_partition);
    if clusters > arch.clusters() {
        return Err(MapError::new(
            "mapping.clusters_per_partition",
            format!(
                "{clusters} clusters per partition: the machine `{}` has {} clusters",
                arch.name,
                arch.clusters()
            ),
        ));
    }
    let partitions = u32::try_from(arch.clusters() / clusters).expect("at most 2^20 clusters");
    let available = match w.windows {
        Windows::Shared => partitions,
        Windows::Disjoint => partitions / in_flight,
    };
    if available == 0 {
        return Err(MapError::new(
            "mapping.prompts_in_flight",
            format!(
                "{in_flight} prompts with partitions of their own: the machine has {partitions} partitions of {clusters} clusters"
            ),
        ));
    }
    let count = w.expansion_factor.min(available);
    let granule = |side| match side {
        Side::U => u32::try_from(arch.cluster.lanes_y).expect("at most 256"),
        Side::V => u32::try_from(arch.cluster.lanes_x).expect("at most 256"),
    };
    let len = |side| match side {
        Side::U => w.rows,
        Side::V => w.columns,
    };
    let placement = match w.placement {
        PlacementChoice::Compact => Placement::Compact,
        PlacementChoice::Spread => Placement::Spread,
    };
    let reduction = match w.reduction {
        ReductionChoice::Tree => Reduction::Tree,
        ReductionChoice::Chain => Reduction::Chain,
    };
    let basis = |side, first| Layout {
        len: len(side),
        slices: w.expansion_factor,
        clusters: w.clusters_per_partition,
        first,
        count,
        granule: granule(side),
        placement,
        reduction,
    };

    let mut table = Vec::new();
    let mut add = |layout: Layout| {
        let at = table.iter().position(|l| *l == layout).unwrap_or_else(|| {
            table.push(layout);
            table.len() - 1
        });
        Lay(u16::try_from(at).expect("at most four layouts per prompt"))
    };
    let mut prompts = Vec::new();
    for prompt in 0..in_flight {
        let first = match w.windows {
            Windows::Shared => 0,
            Windows::Disjoint => prompt * count,
        };
        let (u, v) = (add(basis(Side::U, first)), add(basis(Side::V, first)));
        let (product_u, product_v) = if w.product_banks == 0 {
            (u, v)
        } else {
            let product = |side| product_layout(arch, w, len(side), granule(side), reduction);
            (add(product(Side::U)?), add(product(Side::V)?))
        };
        prompts.push(PromptLayouts {
            u,
            v,
            product_u,
            product_v,
        });
    }
    Ok((table, prompts))
}

/// One slice and one partition per bank.
fn product_layout(
    arch: &Arch,
    w: &WorkloadParams,
    len: u32,
    granule: u32,
    reduction: Reduction,
) -> Result<Layout, MapError> {
    let key = "mapping.product_banks";
    if w.windows == Windows::Disjoint {
        return Err(MapError::new(
            key,
            "banks of their own for the products need `mapping.windows = \"shared\"`".to_owned(),
        ));
    }
    let clusters = arch.rows * arch.bank.columns;
    let banks = arch.clusters() / clusters;
    if u64::from(w.product_banks) > banks {
        return Err(MapError::new(
            key,
            format!(
                "{} banks: the machine `{}` has {banks} full banks",
                w.product_banks, arch.name
            ),
        ));
    }
    Ok(Layout {
        len,
        slices: w.product_banks,
        clusters: u32::try_from(clusters).expect("at most 2^20 clusters"),
        first: 0,
        count: w.product_banks,
        granule,
        placement: Placement::Compact,
        reduction,
    })
}
