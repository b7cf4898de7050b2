//! Design points in numbers: one point, a sweep over keys, and the sweeps that reproduce the paper.
//!
//! * [`Base`] and [`evaluate`]: a machine and a workload become a [`Point`].
//! * [`SweepSpec`], [`Space`] and [`run`]: axes over any key, conditions on them, all cores, one row per point, a run that
//!   can be killed and started again.
//! * [`Cache`]: points by content, across sweeps.
//! * [`explain`]: what a point's time consists of, and what each parameter would buy.
//! * [`find`]: the best point of a sweep space under constraints.
//! * [`sensitivity`]: for which machines the paper's claims hold, over everything that it leaves open.
//! * [`roofline`]: D-com and the A100 beside what the memory bandwidth allows.
//! * [`fig12`] and [`fit`]: the paper's Fig. 12, and the constant fitted to its Table 2.

mod metric;
mod point;

mod expression;
mod expression_text;
mod keys;

mod mistake;
mod range;
mod spec;
mod spec_reader;

mod cache;
mod outcome;
mod space;

mod latency;
mod parquet_file;
mod result_file;
mod sweep;

pub mod explain;
pub mod fig12;
pub mod find;
pub mod fit;
pub mod roofline;
pub mod sensitivity;

pub use cache::{
    CACHE_VARIABLE, Cache, CacheError, Contents, Key, clear, contents, default_folder, entries,
};
pub use expression::{Expression, ExpressionError, Name, Names, Scalar};
pub use keys::{find as find_key, keys, schemas};
pub use latency::latency_plot;
pub use metric::{METRICS, Metric};
pub use mistake::{Mistake, SpecError};
pub use outcome::{Numbers, Outcome};
pub use parquet_file::MANIFEST_KEY;
pub use point::{Base, MachineSize, Point, PointError, evaluate};
pub use result_file::{Status, header};
pub use space::{Column, SOURCES, Space, VERSION};
pub use spec::{Axis, MAX_POINTS, SweepSpec};
pub use sweep::{Counts, Finished, Options, PARQUET_ROWS, SweepError, dry_run, run};
