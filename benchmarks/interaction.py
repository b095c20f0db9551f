"""How fast one change of rank or window is, against a PyDMD fit of the same window and rank in the same run.

python benchmarks/interaction.py            # 200,704 x 128 and 802,816 x 64, some minutes
python benchmarks/interaction.py --small    # 20,000 x 64, seconds
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from dyn_explorer.analysis import CompressedSnapshots, compress, dmd


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def pydmd_seconds(matrix: np.ndarray, rank: int, window: tuple[int, int]) -> float:
    """Wall time of PyDMD's fit of the same window and rank."""
    from pydmd import DMD

    columns = np.ascontiguousarray(matrix[:, slice(*window)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return seconds(lambda: DMD(svd_rank=rank, exact=True).fit(columns))


def compare_compress(matrix: torch.Tensor, repeats: int) -> None:
    """Print compress against the factorisation of the whole matrix at once, interleaved."""
    ours, whole = [], []
    for _ in range(repeats):
        ours.append(seconds(lambda: compress(matrix)))
        whole.append(seconds(lambda: torch.linalg.qr(matrix, mode="r")))
    fast, slow = statistics.median(ours), statistics.median(whole)
    print(
        f"  compress                {fast:8.3f} s   torch.linalg.qr(mode='r') {slow:8.3f} s   ratio {fast / slow:.2f}"
    )


def compare_change_of_rank(compressed: CompressedSnapshots, matrix: np.ndarray, rank: int, repeats: int) -> None:
    """Print the time from one rank to the next in the same window, whose decomposition is remembered."""
    window = (0, compressed.n_snapshots)
    dmd(compressed, rank=rank)
    ours = statistics.median(seconds(lambda: dmd(compressed, rank=rank)) for _ in range(repeats))
    print_ratio(f"rank -> {rank}", ours, pydmd_seconds(matrix, rank, window))


def compare_change_of_window(compressed: CompressedSnapshots, matrix: np.ndarray, rank: int, repeats: int) -> None:
    """Print the time for a window that was never looked at."""
    n = compressed.n_snapshots
    times = []
    for _ in range(repeats):
        fresh = CompressedSnapshots(factor=compressed.factor, snapshots=compressed.snapshots)
        times.append(seconds(lambda fresh=fresh: dmd(fresh, rank=rank, window=(1, n))))
    print_ratio(f"window, rank {rank}", statistics.median(times), pydmd_seconds(matrix, rank, (1, n)))


def print_ratio(what: str, ours: float, theirs: float) -> None:
    """Print one line of the comparison with PyDMD."""
    print(f"  {what:22s} {ours * 1e3:8.2f} ms  PyDMD {theirs:28.2f} s   ratio {theirs / ours:,.0f}", flush=True)


def print_memory(n_features: int, n_snapshots: int, dtype: str) -> None:
    """Print the peak memory that compress takes, relative to the matrix, from a process of its own."""
    command = [sys.executable, __file__, "--memory", str(n_features), str(n_snapshots), dtype]
    extra, size = map(float, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    print(f"  extra memory, {dtype}  {extra / 2**20:8.1f} MiB  X {size / 2**20:.1f} MiB   ratio {extra / size:.2f}")


def measure_memory(n_features: int, n_snapshots: int, dtype: str) -> None:
    """Print peak resident memory during compress, above what was resident before it, and the matrix's size."""
    matrix = torch.randn(n_features, n_snapshots, dtype=getattr(torch, dtype))
    compress(matrix[:2000])
    before = resident_bytes()
    peak, done = [before], threading.Event()

    def watch() -> None:
        while not done.wait(0.0005):
            peak[0] = max(peak[0], resident_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    compress(matrix)
    done.set()
    watcher.join()
    print(peak[0] - before, matrix.numel() * matrix.element_size())


def resident_bytes() -> int:
    """Memory that this process holds (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def run(n_features: int, n_snapshots: int, repeats: int) -> None:
    """Print every comparison for one size."""
    print(f"X of {n_features:,} x {n_snapshots}, float64, {torch.get_num_threads()} threads")
    matrix = np.random.default_rng(0).standard_normal((n_features, n_snapshots))
    tensor = torch.from_numpy(matrix)
    compare_compress(tensor, repeats)
    compressed = compress(tensor)
    for rank in (min(20, n_snapshots - 2), n_snapshots - 2):
        compare_change_of_rank(compressed, matrix, rank, 25)
        compare_change_of_window(compressed, matrix, rank, 25)
    result = dmd(compressed, rank=20)
    lift = statistics.median(seconds(lambda: result.modes(0)) for _ in range(5))
    print(f"  one lifted mode        {lift * 1e3:8.2f} ms")
    if Path("/proc/self/statm").exists():
        for dtype in ("float64", "float32"):
            print_memory(n_features, n_snapshots, dtype)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="20,000 x 64 only: seconds")
    parser.add_argument("--repeats", type=int, default=5, help="factorisations per median (default 5)")
    parser.add_argument("--memory", nargs=3, metavar=("ROWS", "COLUMNS", "DTYPE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        rows, columns, dtype = options.memory
        measure_memory(int(rows), int(columns), dtype)
    elif options.small:
        run(20_000, 64, options.repeats)
    else:
        run(200_704, 128, options.repeats)
        run(802_816, 64, options.repeats)


if __name__ == "__main__":
    main()
