//! Reading of the project's TOML files: machine descriptions, workloads, technology data.
//!
//! One [`schema!`] per kind of file lists its keys once. From that list come the typed struct, the parser with
//! errors that name file, line, key, value and range, the `--set key=value` overrides, the canonical text and hash
//! that go into result files, and the reference table of the documentation.
//!
//! Assumptions: files are UTF-8 and at most 1 MiB; every key lives in a table; a key is written plain (`columns = 8`)
//! or with the label of its number (`columns = { value = 8, mark = "given", source = "section 5.1" }`).
//!
//! ```
//! use dcom_config::{Mark, Source};
//!
//! /// Where products are summed.
//! #[derive(Clone, Copy, Debug, PartialEq)]
//! pub enum Accumulate { Half, Single }
//!
//! dcom_config::schema! {
//!     /// Parameters of a machine, as read.
//!     pub struct ArchParams("arch", marks required) {
//!         /// Cluster columns of the array.
//!         "array.columns" columns: u32 in 1..=1024, unit "columns";
//!         /// Precision of the accumulators.
//!         "cluster.accumulate" accumulate: choice<Accumulate> { Half: "f16", Single: "f32" };
//!         /// Bandwidth of the off-chip memory.
//!         "memory.bandwidth" bandwidth: f64 in 0.001..=1e6, unit "GB/s", default 64.0;
//!     }
//! }
//!
//! let text = r#"
//! [array]
//! columns = { value = 16, mark = "given", source = "section 5.1" }
//! [cluster]
//! accumulate = { value = "f32", mark = "assumed", source = "the paper does not say" }
//! "#;
//! let mut arch = ArchParams::parse(Source::new("small.toml", text))?;
//! assert_eq!((arch.columns, arch.bandwidth), (16, 64.0));
//! assert_eq!(arch.document().origin("array.columns").mark(), Some(Mark::Given));
//!
//! arch.set("array.columns", "32")?;
//! assert_eq!(arch.columns, 32);
//! let error = arch.set("array.columns", "0").unwrap_err();
//! assert_eq!(error.to_string(), "--set array.columns=0: must be in 1..=1024 (columns)");
//! # Ok::<(), dcom_config::ConfigError>(())
//! ```

mod schema;

mod key;
mod value;

mod document;
mod reader;
mod section;
mod source;

mod error;
mod suggest;

pub use document::{Document, Entry, Mark, Origin};
pub use error::{ConfigError, ErrorKind};
pub use key::{KeyInfo, Kind, Marks, Schema, TEXT_LIMIT};
pub use reader::read;
pub use section::{At, Section, read_sections};
pub use source::{SIZE_LIMIT_BYTES, Source};
pub use suggest::nearest;
pub use value::{Coefficient, Field, Value};
