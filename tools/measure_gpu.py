#!/usr/bin/env python3
"""Measures the kernels that the GPU model predicts, with PyTorch: one CSV row per kernel and size.

Decomposition: the kernel sequence of Lanczos bidiagonalization of B prompts at once (batched y = A v and z = A^T u for A of S x H,
dot and axpy of one re-orthogonalization step, norm, scaling, small SVD), kernel by kernel and as a whole. Layer: the GEMMs of
a Llama decoder layer, attention, softmax, norm, rotary embedding, SiLU product, residual. Memory: a copy.

A row's time is the median over `--repeats` measurements; on CUDA each lies between two events after warm-up, so that it is the time on
the device with launches queued; `eager` rows are wall time with a synchronization before and after. `m`, `n`, `k` are those of a
product (m x k)(k x n), or m rows of n elements.
"""

import argparse
import csv
import platform
import statistics
import sys
import time

import torch
import torch.nn.functional as F

COLUMNS = ["kernel", "batch", "m", "n", "k", "dtype", "repeats", "microseconds", "least", "greatest", "timer", "device", "torch"]


class Bench:
    """Times functions and writes rows as they come."""

    def __init__(self, args, out):
        self.device = torch.device(args.device)
        self.cuda = self.device.type == "cuda"
        self.dtype = getattr(torch, args.dtype)
        self.args = args
        self.name = torch.cuda.get_device_name(self.device) if self.cuda else f"CPU {platform.machine()}, {torch.get_num_threads()} threads"
        self.writer = csv.writer(out, lineterminator="\n")
        self.out = out
        self.writer.writerow(COLUMNS)

    def tensor(self, *shape):
        return torch.randn(*shape, device=self.device, dtype=torch.float32).to(self.dtype)

    def synchronize(self):
        if self.cuda:
            torch.cuda.synchronize()

    def once(self, work):
        """Microseconds of one call on the device."""
        if not self.cuda:
            start = time.perf_counter_ns()
            work()
            return (time.perf_counter_ns() - start) / 1e3
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        work()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) * 1e3

    def wall(self, work):
        """Microseconds of one call as Python sees it."""
        self.synchronize()
        start = time.perf_counter_ns()
        work()
        self.synchronize()
        return (time.perf_counter_ns() - start) / 1e3

    def row(self, kernel, sizes, work, eager=False, dtype=None):
        """Measures and writes one row; `sizes` are batch, m, n, k."""
        measure = self.wall if eager else self.once
        try:
            for _ in range(self.args.warmup):
                work()
            self.synchronize()
            times = [measure(work) for _ in range(self.args.repeats)]
        except torch.cuda.OutOfMemoryError:
            torch.cuda.empty_cache()
            print(f"{kernel} {sizes}: does not fit the device's memory, left out", file=sys.stderr)
            return
        timer = "wall" if eager or not self.cuda else "cuda_event"
        found = [f"{x:.3f}" for x in (statistics.median(times), min(times), max(times))]
        name = str(dtype or self.dtype).removeprefix("torch.")
        self.writer.writerow([kernel, *sizes, name, self.args.repeats, *found, timer, self.name, torch.__version__])
        self.out.flush()


def lanczos(a, iterations, basis_u, basis_v):
    """Golub-Kahan bidiagonalization of every prompt with one Gram-Schmidt pass, vector by vector, as the paper's baseline would.

    A re-orthogonalization step is four kernels: product, sum, product, difference, as `lanczos_eager` of dcom-llm counts."""
    batch = a.shape[0]
    at = a.transpose(1, 2)
    v = a.mean(dim=1, keepdim=True).transpose(1, 2)
    v = v / v.norm(dim=1, keepdim=True)
    alphas, betas, u = [], [], None
    for j in range(iterations):
        basis_v[j] = v
        z = torch.bmm(a, v)
        for i in range(j):
            c = (basis_u[i] * z).sum(dim=1, keepdim=True)
            z = z - basis_u[i] * c
        alpha = z.norm(dim=1, keepdim=True)
        u = z / alpha
        basis_u[j] = u
        z = torch.bmm(at, u)
        for i in range(j + 1):
            c = (basis_v[i] * z).sum(dim=1, keepdim=True)
            z = z - basis_v[i] * c
        beta = z.norm(dim=1, keepdim=True)
        v = z / beta
        alphas.append(alpha)
        betas.append(beta)
    small = torch.zeros(batch, iterations, iterations, device=a.device, dtype=torch.float32)
    for j in range(iterations):
        small[:, j, j] = alphas[j][:, 0, 0].float()
        if j + 1 < iterations:
            small[:, j, j + 1] = betas[j][:, 0, 0].float()
    p, s, qt = torch.linalg.svd(small)
    left = torch.cat(basis_u, dim=2) @ p.to(a.dtype)
    right = torch.cat(basis_v, dim=2) @ qt.transpose(1, 2).to(a.dtype)
    return left, s, right


def decomposition(bench, batch, rows, columns, iterations):
    a = bench.tensor(batch, rows, columns)
    at = a.transpose(1, 2)
    v, u = bench.tensor(batch, columns, 1), bench.tensor(batch, rows, 1)
    bench.row("matvec", (batch, rows, 1, columns), lambda: torch.bmm(a, v))
    bench.row("matvec_transposed", (batch, columns, 1, rows), lambda: torch.bmm(at, u))
    for length, z, q in [(rows, u, bench.tensor(batch, rows, 1)), (columns, v, bench.tensor(batch, columns, 1))]:
        c = bench.tensor(batch, 1, 1)
        bench.row("dot", (batch, 1, 1, length), lambda: torch.bmm(q.transpose(1, 2), z))
        bench.row("axpy", (batch, length, 1, 1), lambda: z - q * c)
        bench.row("norm", (batch, 1, 1, length), lambda: z.norm(dim=1, keepdim=True))
        bench.row("scale", (batch, length, 1, 1), lambda: z / c)
        step = lambda: z - q * (q * z).sum(dim=1, keepdim=True)
        bench.row("reorthogonalization_step_eager", (batch, length, 1, 1), step, eager=True)
    for k in sorted(set(iterations)):
        small = torch.randn(batch, k, k, device=bench.device)
        bench.row("small_svd", (batch, k, k, k), lambda: torch.linalg.svd(small), eager=True, dtype=torch.float32)
        basis_u, basis_v = [None] * k, [None] * k
        bench.row("lanczos_eager", (batch, rows, columns, k), lambda: lanczos(a, k, basis_u, basis_v), eager=True)
    mean, threshold = a.float().std().item(), 6.0
    scan = lambda: (a.abs() > threshold * mean).sum(dim=1)
    bench.row("outlier_scan", (batch, rows, columns, 1), scan)


def direct(bench, rows, columns):
    """The algorithms of the paper's Fig. 2 beside Lanczos, for one prompt: QR iteration and divide and conquer."""
    a = torch.randn(rows, columns, device=bench.device)
    bench.row("qr", (1, rows, columns, 1), lambda: torch.linalg.qr(a), eager=True, dtype=torch.float32)
    if bench.cuda:
        for name, driver in [("svd_qr", "gesvd"), ("svd_jacobi", "gesvdj"), ("svd_approximate", "gesvda")]:
            work = lambda driver=driver: torch.linalg.svd(a, full_matrices=False, driver=driver)
            bench.row(name, (1, rows, columns, 1), work, eager=True, dtype=torch.float32)
    else:
        work = lambda: torch.linalg.svd(a, full_matrices=False)
        bench.row("svd_divide_and_conquer", (1, rows, columns, 1), work, eager=True, dtype=torch.float32)


def layer(bench, args, batch, tokens):
    hidden, ffn, heads, kv_heads = args.hidden, args.ffn, args.heads, args.kv_heads
    head, rows = args.head_size, batch * tokens
    for name, k, n in [
        ("gemm_q", hidden, heads * head),
        ("gemm_kv", hidden, kv_heads * head),
        ("gemm_o", heads * head, hidden),
        ("gemm_up", hidden, ffn),
        ("gemm_down", ffn, hidden),
    ]:
        x, w = bench.tensor(rows, k), bench.tensor(n, k)
        bench.row(name, (1, rows, n, k), lambda: F.linear(x, w))
        del x, w
    q = bench.tensor(batch, heads, tokens, head)
    keys = bench.tensor(batch, heads, tokens, head)
    values = bench.tensor(batch, heads, tokens, head)
    fused = lambda: F.scaled_dot_product_attention(q, keys, values, is_causal=True)
    bench.row("attention_fused", (batch * heads, tokens, tokens, head), fused)
    if batch * heads * tokens * tokens * q.element_size() <= args.most_bytes:
        bench.row("attention_scores", (batch * heads, tokens, tokens, head), lambda: q @ keys.transpose(2, 3))
        scores = bench.tensor(batch, heads, tokens, tokens)
        softmax = lambda: torch.softmax(scores, dim=-1, dtype=torch.float32).to(scores.dtype)
        bench.row("softmax", (batch * heads, tokens, tokens, 1), softmax)
        bench.row("attention_values", (batch * heads, tokens, head, tokens), lambda: scores @ values)
        del scores
    del keys, values
    x, weight = bench.tensor(rows, hidden), bench.tensor(hidden)
    y = bench.tensor(rows, hidden)

    def rms_norm():
        wide = x.to(torch.float32)
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-5)
        return weight * wide.to(x.dtype)

    bench.row("rms_norm_eager", (1, rows, hidden, 1), rms_norm)
    bench.row("rms_norm_fused", (1, rows, hidden, 1), lambda: F.rms_norm(x, (hidden,), weight, 1e-5))
    bench.row("residual", (1, rows, hidden, 1), lambda: x + y)
    cos, sin = bench.tensor(tokens, head), bench.tensor(tokens, head)
    half = head // 2
    rope = lambda: q * cos + torch.cat((-q[..., half:], q[..., :half]), dim=-1) * sin
    bench.row("rope", (batch * heads, tokens, head, 1), rope)
    gate, up = bench.tensor(rows, ffn), bench.tensor(rows, ffn)
    bench.row("silu_multiply", (1, rows, ffn, 1), lambda: F.silu(gate) * up)


def copy(bench, megabytes):
    source = torch.empty(megabytes << 20, dtype=torch.uint8, device=bench.device)
    target = torch.empty_like(source)
    bench.row("copy", (1, 1, megabytes << 20, 1), lambda: target.copy_(source), dtype=torch.uint8)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, help="CSV file to write")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--dtype", default="float16", choices=["float16", "bfloat16", "float32"])
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 64], help="prompts")
    parser.add_argument("--tokens", type=int, nargs="+", default=[468, 2048, 4096])
    parser.add_argument("--iterations", type=int, nargs="+", default=[1, 10, 20], help="Lanczos iterations")
    parser.add_argument("--hidden", type=int, default=4096, help="sizes of Llama-2-7B unless given")
    parser.add_argument("--ffn", type=int, default=11008)
    parser.add_argument("--heads", type=int, default=32)
    parser.add_argument("--kv-heads", type=int, default=32)
    parser.add_argument("--head-size", type=int, default=128)
    parser.add_argument("--copy-megabytes", type=int, nargs="+", default=[64, 1024, 8192])
    parser.add_argument("--most-bytes", type=int, default=24 << 30, help="score matrices beyond this are left out")
    parser.add_argument("--warmup", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=20)
    return parser.parse_args()


@torch.no_grad()
def main():
    args = arguments()
    if args.device.startswith("cuda") and not torch.cuda.is_available():
        sys.exit("--device cuda: PyTorch finds no GPU here")
    torch.manual_seed(0)
    with open(args.output, "w", newline="") as out:
        bench = Bench(args, out)
        for megabytes in args.copy_megabytes:
            copy(bench, megabytes)
        for tokens in args.tokens:
            direct(bench, tokens, args.hidden)
            for batch in args.batch:
                decomposition(bench, batch, tokens, args.hidden, args.iterations)
                layer(bench, args, batch, tokens)


if __name__ == "__main__":
    main()
