//! Sweeps: files, points, conditions, rows, the cache.

mod cache;
mod expression;
mod rows;
mod spec;
mod support;
mod technology;
