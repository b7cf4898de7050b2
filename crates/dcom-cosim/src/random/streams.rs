//! Products with A, from memory, banks or buffers.

use dcom_isa::Axis;

use super::body::Writer;
use super::tables::{FULL, MATRICES, PARTIAL, STRIPS, Side, TILES, VECTORS, WIDE};

impl Writer<'_> {
    pub(super) fn product(&mut self) -> String {
        let side = self.side();
        let strip = self.random.below(STRIPS);
        let matrix = self.streamed(side);
        let y = self.random.within(0, VECTORS);
        let loaded = self.tiles[index(side.l)][index(strip)];
        match (self.random.below(9), loaded) {
            (0, _) => self.along(side, strip, matrix, y, false),
            (1, _) => self.along(side, strip, matrix, WIDE, true),
            (2, _) => self.across(side, strip, matrix),
            (3 | 4, Some(_)) => {
                let add = self.random.below(2) > 0;
                let stream = self.along(side, strip, matrix, if add { WIDE } else { y }, add);
                self.with_tiles(side, strip, matrix, &stream)
            }
            (5 | 6, Some(_)) => {
                let stream = self.across(side, strip, matrix);
                self.with_tiles(side, strip, matrix, &stream)
            }
            (7, _) => {
                let matrix = self.matrix();
                self.ingest(matrix)
            }
            _ => self.load_tiles(side, strip, matrix),
        }
    }

    /// A matrix that can be streamed past a side.
    pub(super) fn streamed(&mut self, side: &Side) -> u64 {
        let matrix = self.random.below(MATRICES);
        // The first one always can.
        if self.tables.streams(matrix, side) {
            matrix
        } else {
            0
        }
    }

    /// The product that takes a full copy of the strip.
    pub(super) fn along(
        &mut self,
        side: &Side,
        strip: u64,
        matrix: u64,
        y: u64,
        add: bool,
    ) -> String {
        let op = if side.axis == Axis::Rows {
            "mvn"
        } else {
            "mvt"
        };
        let (x, y) = (side.buffer(FULL + strip), side.buffer(y));
        self.stream(op, side, strip, matrix, &x, &y, add)
    }

    /// The product that leaves partial sums of the strip.
    pub(super) fn across(&mut self, side: &Side, strip: u64, matrix: u64) -> String {
        let op = if side.axis == Axis::Rows {
            "mvt"
        } else {
            "mvn"
        };
        let (x, y) = (self.vector(side), side.buffer(PARTIAL + strip));
        self.stream(op, side, strip, matrix, &x, &y, false)
    }

    #[expect(clippy::too_many_arguments, reason = "those of the op")]
    fn stream(
        &mut self,
        op: &str,
        side: &Side,
        strip: u64,
        matrix: u64,
        x: &str,
        y: &str,
        add: bool,
    ) -> String {
        format!(
            "{op} {}axis={} x={x} y={y} {}add={add} exponent={}",
            streamed_matrix(matrix),
            side.axis,
            tile_positions(side, strip),
            self.exponent()
        )
    }

    /// The product that a stream computes, with the strip from the buffers.
    fn with_tiles(&mut self, side: &Side, strip: u64, matrix: u64, stream: &str) -> String {
        let tiles = format!("tiles={} ", side.buffer(TILES + strip));
        format!("t{stream}")
            .replace(&streamed_matrix(matrix), &tiles)
            .replace(&tile_positions(side, strip), "")
    }

    pub(super) fn load_tiles(&mut self, side: &Side, strip: u64, matrix: u64) -> String {
        self.tiles[index(side.l)][index(strip)] = Some(matrix);
        format!(
            "ldt dst={} {}axis={} {}",
            side.buffer(TILES + strip),
            streamed_matrix(matrix),
            side.axis,
            tile_positions(side, strip)
        )
    }
}

fn index(n: u64) -> usize {
    usize::try_from(n).expect("small")
}

fn streamed_matrix(matrix: u64) -> String {
    format!("matrix=a{matrix} ")
}

fn tile_positions(side: &Side, strip: u64) -> String {
    let strip = side.strips[index(strip)];
    format!(
        "first_tile={} end_tile={} ",
        strip.first_tile, strip.end_tile
    )
}
