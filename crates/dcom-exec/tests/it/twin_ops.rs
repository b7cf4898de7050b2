//! The naive machine's operations.

use dcom_isa::{Axis, BankVec, Buf, BufferKind, Glob, Lay, Mat, Op, Part, Reg, Side, StartKind};
use dcom_reference::small_svd;

use crate::twin::{Twin, padded, round16, tree, value16};

/// What the instructions that stream a matrix have in common.
#[derive(Clone, Copy)]
struct Stream {
    matrix: Mat,
    axis: Axis,
    /// A^T instead of A.
    transposed: bool,
    first_tile: usize,
    add: bool,
    exponent: i32,
}

impl Stream {
    fn lanes(self, twin: &Twin<'_>) -> usize {
        usize::try_from(if self.transposed {
            twin.arch.cluster.lanes_y
        } else {
            twin.arch.cluster.lanes_x
        })
        .expect("small")
    }

    /// Element of A for output `o` and summation index `k`; none beyond the matrix.
    fn element(self, twin: &Twin<'_>, o: usize, k: usize) -> Option<f32> {
        let matrix = twin.held(self.matrix);
        let (row, column) = if self.transposed { (k, o) } else { (o, k) };
        (row < matrix.rows() && column < matrix.cols()).then(|| value16(matrix.get(row, column)))
    }

    fn first(self, twin: &Twin<'_>) -> usize {
        let tile = match self.axis {
            Axis::Rows => twin.arch.cluster.lanes_x,
            Axis::Columns => twin.arch.cluster.lanes_y,
        };
        self.first_tile * usize::try_from(tile).expect("small")
    }
}

impl Twin<'_> {
    pub(crate) fn operate(&mut self, op: &Op, iteration: u32) {
        let stream = |twin: &Self, matrix, axis, first_tile, add, exponent, transposed| Stream {
            matrix,
            axis,
            transposed,
            first_tile: first_tile as usize,
            add,
            exponent: twin.exponent(exponent),
        };
        match *op {
            Op::Ingest {
                matrix,
                prompt,
                stride,
            } => {
                self.matrices[matrix.index()] = Some((prompt + stride * iteration) as usize);
            }
            Op::In { dst, host } => {
                let values: Vec<f32> = self.host_vectors[usize::from(host)]
                    .iter()
                    .map(|&x| round16(x.into()))
                    .collect();
                for (element, (cluster, address)) in
                    self.stack_place(dst).of.clone().into_iter().enumerate()
                {
                    self.bank(cluster, dst)[address] = values[element];
                }
            }
            Op::Out {
                matrix,
                side,
                index,
                src,
            } => self.out(matrix, side, index.into(), src),
            Op::Ld { dst, src } => {
                for c in self.window(dst) {
                    self.clusters[c].regions[dst.index()] = self.bank(c, src).clone();
                }
            }
            Op::St { dst, src } => {
                for c in self.window(src) {
                    *self.bank(c, dst) = self.clusters[c].regions[src.index()].clone();
                }
            }
            Op::Gather { dst, src, start } => self.gather(dst, src, start as usize),
            Op::MvN {
                matrix,
                axis,
                x,
                y,
                first_tile,
                end_tile: _,
                add,
                exponent,
            } => {
                self.product_with(
                    stream(self, matrix, axis, first_tile, add, exponent, false),
                    x,
                    y,
                );
            }
            Op::MvT {
                matrix,
                axis,
                x,
                y,
                first_tile,
                end_tile: _,
                add,
                exponent,
            } => {
                self.product_with(
                    stream(self, matrix, axis, first_tile, add, exponent, true),
                    x,
                    y,
                );
            }
            Op::MvNT {
                matrix,
                axis,
                x,
                y,
                u,
                w,
                first_tile,
                end_tile: _,
                add,
                exponent,
            } => {
                let plain = stream(self, matrix, axis, first_tile, add, exponent, false);
                let transposed = Stream {
                    transposed: true,
                    ..plain
                };
                let mut products = [(plain, x, y), (transposed, u, w)];
                // Inputs are read before results are written.
                if axis == Axis::Rows {
                    products.reverse();
                }
                for (stream, x, y) in products {
                    self.product_with(stream, x, y);
                }
            }
            Op::PReduce { dst, src, layout } => self.preduce(dst, src, layout),
            Op::GReduce {
                dst,
                src,
                layout,
                start,
                n,
            } => self.greduce(dst, src, layout, start as usize, n as usize),
            Op::Narrow { dst, src } => self.map(dst, |twin, c, k| {
                let wide = twin.clusters[c].regions[src.index()][k];
                (round16(wide.into()), vec![wide])
            }),
            Op::Dot { dst, a, b } => self.dot(dst, a, b),
            Op::PutH { dst, src } | Op::PutW { dst, src } => {
                for p in 0..self.part_layouts[src.index()] {
                    let value = self.parts[src.index()][p];
                    let word = if matches!(op, Op::PutH { .. }) {
                        round16(value.into())
                    } else {
                        value
                    };
                    self.globals[dst.index()][p] = word;
                    self.note(word, &[value]);
                }
            }
            Op::Bc { dst, src, start } => {
                let n = self.clusters[0].regions[dst.index()].len();
                let words = self.globals[src.index()][start as usize..][..n].to_vec();
                let values: Vec<f32> = words.iter().map(|&w| round16(w.into())).collect();
                (0..n).for_each(|i| self.note(values[i], &[words[i]]));
                self.everywhere(dst, &values);
            }
            Op::Corr { z, v, c } => self.map(z, |twin, cluster, k| {
                let regions = &twin.clusters[cluster].regions;
                let (before, v, coefficients) = (
                    regions[z.index()][k],
                    regions[v.index()][k],
                    &regions[c.index()],
                );
                let products: Vec<f32> = coefficients
                    .iter()
                    .map(|&c| twin.product(c, v, 0))
                    .collect();
                let operands = coefficients.iter().copied().chain([before, v]).collect();
                (twin.subtract16(before, twin.passes(&products)), operands)
            }),
            Op::Axpy { z, v, c } => self.map(z, |twin, cluster, k| {
                let regions = &twin.clusters[cluster].regions;
                let (before, v, c) = (
                    regions[z.index()][k],
                    regions[v.index()][k],
                    &regions[c.index()],
                );
                let exponent = c.get(1).map_or(0, |&e| e as i32);
                (
                    twin.subtract16(before, twin.product(c[0], v, exponent)),
                    vec![before, v, c[0]],
                )
            }),
            Op::CSum { dst, src } => {
                // Every cluster has the same coefficients: one result, however many copies.
                let window = self.window(dst);
                let operands = self.clusters[window[0]].regions[src.index()].clone();
                self.note(round16(self.passes(&operands).into()), &operands);
                for c in window {
                    let sum = self.passes(&self.clusters[c].regions[src.index()]);
                    self.clusters[c].regions[dst.index()] = vec![round16(sum.into())];
                }
            }
            Op::Scale { dst, src, c } => self.map(dst, |twin, cluster, k| {
                let regions = &twin.clusters[cluster].regions;
                let (src, scalar) = (regions[src.index()][k], &regions[c.index()]);
                let exact = f64::from(src) * f64::from(scalar[0]) * 2.0_f64.powi(scalar[1] as i32);
                (round16(exact), vec![src, scalar[0]])
            }),
            Op::Comb { dst, src, c } => self.map(dst, |twin, cluster, k| {
                let coefficients = &twin.clusters[cluster].regions[c.index()];
                let stack =
                    &twin.clusters[cluster].banks[usize::from(src.stack)][usize::from(src.index)..];
                let (mut products, mut operands) = (Vec::new(), Vec::new());
                for (&c, vector) in coefficients.iter().zip(stack) {
                    operands.push(c);
                    if c == 0.0 {
                        products.push(0.0);
                    } else {
                        operands.push(vector[k]);
                        products.push(twin.product(c, vector[k], 0));
                    }
                }
                (round16(twin.passes(&products).into()), operands)
            }),
            Op::Ldi { dst, value } => self.set(dst, value),
            Op::Sum { dst, src, start, n } => {
                let words = &self.globals[src.index()][start as usize..][..n as usize];
                let width = usize::try_from(self.arch.broadcast.width_words)
                    .expect("small")
                    .min(words.len());
                let fp32 = |a: f32, b: f32| a + b;
                let groups: Vec<f32> = words
                    .chunks(width)
                    .map(|g| tree(&fp32, &padded(g, width)))
                    .collect();
                self.set(dst, tree(&fp32, &groups));
            }
            Op::Mul { dst, a, b } => self.set(dst, self.get(a) * self.get(b)),
            Op::Div { dst, a, b } => self.set(dst, self.get(a) / self.get(b)),
            Op::Sqrt { dst, a } => self.set(dst, self.get(a).sqrt()),
            Op::Max { dst, a, b } => {
                let (a, b) = (self.get(a), self.get(b));
                let key = |x: f32| {
                    if x.is_nan() {
                        f64::NEG_INFINITY
                    } else if x == 0.0 {
                        f64::from(x.signum()) * 1e-60
                    } else {
                        x.into()
                    }
                };
                let larger = if a.is_nan() || (!b.is_nan() && key(b) > key(a)) {
                    b
                } else {
                    a
                };
                self.set(dst, larger);
            }
            Op::Log2 { dst, a } => {
                let a = f64::from(self.get(a));
                let exponent = (-149..128)
                    .rev()
                    .find(|&e| 2.0_f64.powi(e) <= a)
                    .unwrap_or(0);
                self.set(
                    dst,
                    if a > 0.0 && a.is_finite() {
                        exponent as f32
                    } else {
                        0.0
                    },
                );
            }
            Op::Sbc { dst, src } => {
                let (mantissa, exponent) = mantissa_and_exponent(self.get(src));
                self.everywhere(dst, &[mantissa, exponent as f32]);
            }
            Op::Stat { dst, matrix } => {
                let fp32 = |a: f32, b: f32| a + b;
                let width = usize::try_from(self.arch.ingest.width_elements).expect("small");
                let squares: Vec<f32> = self
                    .held(matrix)
                    .data()
                    .iter()
                    .map(|&a| value16(a).powi(2))
                    .collect();
                let groups: Vec<f32> = squares
                    .chunks(self.held(matrix).cols())
                    .flat_map(|row| row.chunks(width))
                    .map(|g| tree(&fp32, &padded(g, width)))
                    .collect();
                self.set(dst, tree(&fp32, &groups));
            }
            Op::Start {
                dst,
                matrix,
                kind,
                exponent,
                shift,
            } => self.start(dst, matrix, kind, exponent, shift),
            Op::Brk {
                p,
                x,
                max,
                tolerance,
            } => {
                let passes = self.get(x) > 2.0_f32.powi(-i32::from(tolerance)) * self.get(max);
                self.trace.push(passes);
                let predicate = &mut self.predicates[p.index()];
                *predicate = if passes {
                    (predicate.0, predicate.1 + 1)
                } else {
                    (true, predicate.1)
                };
            }
            Op::Clr { p } => self.predicates[p.index()] = (false, 0),
            Op::Svd { .. } => self.svd(op),
            Op::Bar {} | Op::Loop { .. } => {}
        }
    }

    fn get(&self, register: Reg) -> f32 {
        self.registers[register.index()]
    }

    fn set(&mut self, register: Reg, value: f32) {
        self.registers[register.index()] = value;
    }

    fn exponent(&self, register: Reg) -> i32 {
        self.get(register).trunc().clamp(-40.0, 40.0) as i32
    }

    fn window(&self, buffer: Buf) -> Vec<usize> {
        self.place(buffer).window().collect()
    }

    fn bank(&mut self, cluster: usize, vector: BankVec) -> &mut Vec<f32> {
        &mut self.clusters[cluster].banks[usize::from(vector.stack)][usize::from(vector.index)]
    }

    fn everywhere(&mut self, dst: Buf, values: &[f32]) {
        for c in self.window(dst) {
            self.clusters[c].regions[dst.index()] = values.to_vec();
        }
    }

    /// Every unmasked element of a vector becomes the value of `f` at its cluster and address, given with its operands.
    fn map(&mut self, dst: Buf, f: impl Fn(&Self, usize, usize) -> (f32, Vec<f32>)) {
        for (cluster, address) in self.place(dst).of.clone() {
            let (result, operands) = f(self, cluster, address);
            self.note(result, &operands);
            self.clusters[cluster].regions[dst.index()][address] = result;
        }
    }

    fn logical(&self, buffer: Buf) -> Vec<f32> {
        self.place(buffer)
            .of
            .iter()
            .map(|&(c, address)| self.clusters[c].regions[buffer.index()][address])
            .collect()
    }

    fn out(&mut self, matrix: Mat, side: Side, index: usize, src: BankVec) {
        let place = self.stack_place(src).of.clone();
        let vector: Vec<f32> = place
            .into_iter()
            .map(|(c, address)| self.bank(c, src)[address])
            .collect();
        let result = &mut self.results[self.matrices[matrix.index()].expect("ingested")];
        let columns = if side == Side::U {
            &mut result.u
        } else {
            &mut result.v
        };
        columns.resize(columns.len().max(index + 1), Vec::new());
        columns[index] = vector;
    }

    fn gather(&mut self, dst: Buf, src: Buf, start: usize) {
        let words = self.logical(src);
        if let BufferKind::Full(n) = self.program.buffers[dst.index()].kind {
            self.everywhere(dst, &words[start..start + n as usize]);
        } else {
            for (element, (c, address)) in self.place(dst).of.clone().into_iter().enumerate() {
                self.clusters[c].regions[dst.index()][address] = words[element];
            }
        }
    }

    fn product_with(&mut self, stream: Stream, x: Buf, y: Buf) {
        if (stream.axis == Axis::Rows) == stream.transposed {
            self.across(stream, x, y)
        } else {
            self.along(stream, x, y)
        }
    }

    fn along(&mut self, stream: Stream, x: Buf, y: Buf) {
        let (lanes, first) = (stream.lanes(self), stream.first(self));
        let wide = self.program.buffers[y.index()].kind == BufferKind::Wide;
        for (output, (cluster, address)) in self.place(y).of.clone().into_iter().enumerate() {
            let x = &self.clusters[cluster].regions[x.index()];
            let (mut tiles, mut operands) = (Vec::new(), x.clone());
            for tile in 0..x.len().div_ceil(lanes) {
                let mut products = vec![0.0; lanes];
                for (lane, product) in products.iter_mut().enumerate() {
                    let k = tile * lanes + lane;
                    if let Some(&x) = x.get(k) {
                        let a = stream
                            .element(self, output, first + k)
                            .expect("within the strip");
                        operands.push(a);
                        *product = self.product(a, x, stream.exponent);
                    }
                }
                tiles.push(self.tree(&products));
            }
            let mut sum = self.tree(&tiles);
            if stream.add {
                let previous = self.clusters[cluster].regions[y.index()][address];
                operands.push(previous);
                sum = self.add(previous, sum);
            }
            let result = if wide { sum } else { round16(sum.into()) };
            self.note(result, &operands);
            self.clusters[cluster].regions[y.index()][address] = result;
        }
    }

    fn across(&mut self, stream: Stream, x: Buf, y: Buf) {
        let first = stream.first(self);
        for cluster in self.window(x) {
            for j in 0..self.clusters[cluster].regions[y.index()].len() {
                let place = self.place(x);
                let local = &self.clusters[cluster].regions[x.index()];
                let (mut running, mut operands) = (None, Vec::new());
                for (block, held) in place.held[cluster]
                    .chunks(place.layout.granule as usize)
                    .enumerate()
                {
                    if held[0].is_none() {
                        continue;
                    }
                    let mut products = Vec::new();
                    for (i, element) in held.iter().enumerate() {
                        products.push(element.map_or(0.0, |k| {
                            let a = stream
                                .element(self, first + j, k)
                                .expect("within the matrix");
                            let x = local[block * held.len() + i];
                            operands.extend([a, x]);
                            self.product(a, x, stream.exponent)
                        }));
                    }
                    let sum = self.tree(&products);
                    running = Some(running.map_or(sum, |running| self.add(running, sum)));
                }
                let result = running.unwrap_or(0.0);
                self.note(result, &operands);
                self.clusters[cluster].regions[y.index()][j] = result;
            }
        }
    }

    fn preduce(&mut self, dst: Glob, src: Buf, layout: Lay) {
        let place = &self.places[layout.index()];
        let n = self.clusters[0].regions[src.index()].len();
        for (k, clusters) in place.partitions.iter().take(place.parts).enumerate() {
            for j in 0..n {
                let operands: Vec<f32> = clusters
                    .iter()
                    .map(|&c| self.clusters[c].regions[src.index()][j])
                    .collect();
                let sum = self.partition_sum(place.layout.reduction, &operands);
                self.overflows +=
                    u64::from(!sum.is_finite() && operands.iter().all(|x| x.is_finite()));
                self.globals[dst.index()][k * n + j] = sum;
            }
        }
    }

    fn greduce(&mut self, dst: Buf, src: Glob, layout: Lay, start: usize, n: usize) {
        let place = &self.places[layout.index()];
        let engaged = place.parts.min(place.partitions.len());
        for j in 0..n {
            let words: Vec<f32> = (0..engaged)
                .map(|k| self.globals[src.index()][k * n + j])
                .collect();
            let result = round16(self.tree(&words).into());
            self.note(result, &words);
            let (cluster, address) = self.place(dst).of[start + j];
            self.clusters[cluster].regions[dst.index()][address] = result;
        }
    }

    fn dot(&mut self, dst: Part, a: Buf, b: Buf) {
        let (x, y) = (self.arch.cluster.lanes_x, self.arch.cluster.lanes_y);
        let (x, y) = (
            usize::try_from(x).expect("small"),
            usize::try_from(y).expect("small"),
        );
        for slice in 0..self.place(a).parts {
            let place = self.place(a);
            let (round, partition) = (
                slice / place.partitions.len(),
                slice % place.partitions.len(),
            );
            let (mut sums, mut operands) = (Vec::new(), Vec::new());
            for &cluster in &place.partitions[partition] {
                let mut products = Vec::new();
                for address in round * place.round_len()..(round + 1) * place.round_len() {
                    let regions = &self.clusters[cluster].regions;
                    let pair = [regions[a.index()][address], regions[b.index()][address]];
                    let held = place.held[cluster][address].is_some();
                    if held {
                        operands.extend(pair);
                    }
                    products.push(if held {
                        self.product(pair[0], pair[1], 0)
                    } else {
                        0.0
                    });
                }
                let chunk_sum = |chunk: &[f32]| {
                    let chunk = padded(chunk, x * y);
                    self.tree(
                        &chunk
                            .chunks(x)
                            .map(|row| self.tree(row))
                            .collect::<Vec<_>>(),
                    )
                };
                sums.push(self.tree(&products.chunks(x * y).map(chunk_sum).collect::<Vec<_>>()));
            }
            let value = self.partition_sum(place.layout.reduction, &sums);
            self.note(value, &operands);
            self.parts[dst.index()][slice] = value;
        }
    }

    fn start(&mut self, dst: Buf, matrix: Mat, kind: StartKind, exponent: Reg, shift: u16) {
        let signs = |k: usize| {
            if (k as u32 + 1).wrapping_mul(0x9E37_79B1) & 0x8000_0000 == 0 {
                1.0
            } else {
                -1.0
            }
        };
        let (power, a) = (
            self.exponent(exponent) - i32::from(shift),
            self.held(matrix),
        );
        let mut vector: Vec<f32> = Vec::new();
        for k in 0..a.cols() {
            vector.push(match kind {
                StartKind::Ones => 1.0,
                StartKind::E1 => f32::from(u8::from(k == 0)),
                StartKind::Alternating => [1.0, -1.0][k % 2],
                StartKind::Signs => signs(k),
                StartKind::Mean => {
                    let sum = (0..a.rows()).fold(0.0_f32, |sum, row| sum + value16(a.get(row, k)));
                    let mean = round16(f64::from(sum) * 2.0_f64.powi(power));
                    self.note(mean, &[sum]);
                    mean
                }
            });
        }
        if vector.iter().all(|&x| x == 0.0) {
            vector = (0..a.cols()).map(signs).collect();
        }
        for (element, (c, address)) in self.place(dst).of.clone().into_iter().enumerate() {
            self.clusters[c].regions[dst.index()][address] = vector[element];
        }
    }

    fn svd(&mut self, op: &Op) {
        let Op::Svd {
            matrix,
            u,
            v,
            alpha,
            beta,
            k,
            r,
            exponent,
            p,
        } = *op
        else {
            panic!("not an svd")
        };
        let (k, r) = (usize::from(k), usize::from(r));
        let (set, passed) = self.predicates[p.index()];
        let (mut a, mut b) = (
            self.registers[alpha.index()..][..k].to_vec(),
            self.registers[beta.index()..][..k - 1].to_vec(),
        );
        if set {
            a.iter_mut()
                .skip((passed as usize).div_ceil(2))
                .for_each(|x| *x = 0.0);
            b.iter_mut()
                .skip(passed as usize / 2)
                .for_each(|x| *x = 0.0);
        }
        let mut matrix_b = vec![0.0; k * k];
        (0..k).for_each(|i| matrix_b[i * k + i] = a[i].into());
        (0..k - 1).for_each(|i| matrix_b[i * k + i + 1] = b[i].into());
        let finite = matrix_b.iter().all(|x: &f64| x.is_finite());
        let svd = small_svd(&if finite { matrix_b } else { vec![0.0; k * k] }, k)
            .expect("small and finite");
        for (words, vectors) in [(u, &svd.u), (v, &svd.v)] {
            for column in 0..r {
                for row in 0..k {
                    let x = if svd.s[column] == 0.0 {
                        0.0
                    } else {
                        round16(vectors[row * k + column])
                    };
                    self.globals[words.index()][column * k + row] =
                        if finite { x } else { f32::NAN };
                }
            }
        }
        let exponent = self.exponent(exponent);
        let result = &mut self.results[self.matrices[matrix.index()].expect("ingested")];
        result.s = svd.s[..r]
            .iter()
            .map(|s| {
                if finite {
                    s / 2.0_f64.powi(exponent)
                } else {
                    f64::NAN
                }
            })
            .collect();
        (result.alpha, result.beta, result.exponent) = (a, b, exponent);
        result.broke_down_after = set.then_some(passed);
    }
}

fn mantissa_and_exponent(x: f32) -> (f32, i32) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    let mut exponent = (-149..128)
        .rev()
        .find(|&e| 2.0_f64.powi(e) <= f64::from(x.abs()))
        .expect("in range");
    let mut mantissa = round16(f64::from(x) / 2.0_f64.powi(exponent));
    if mantissa.abs() == 2.0 {
        (mantissa, exponent) = (mantissa / 2.0, exponent + 1);
    }
    (mantissa, exponent.clamp(-64, 64))
}
