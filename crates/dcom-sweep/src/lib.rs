//! Design points in numbers: one point, a sweep over keys, and the sweeps that reproduce the paper.
//!
//! * [`Base`] and [`evaluate`]: a machine and a workload become a [`Point`].
//! * [`Sweep`]: axes over any key of machine and workload, all cores, one CSV row per point.
//! * [`fig12`] and [`fit`]: the paper's Fig. 12, and the constant fitted to its Table 2.
//! * [`fig13`]: its claims on area and power.

mod metric;
mod point;
mod spec;
mod sweep;

pub mod fig12;
pub mod fig13;
pub mod fit;

pub use metric::{METRICS, Metric};
pub use point::{Base, MachineSize, Point, PointError, PointPower, evaluate};
pub use spec::{Axis, SpecError, SweepSpec};
pub use sweep::{Row, Sweep, SweepError};
