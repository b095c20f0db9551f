"""What it costs a kernel to list 1,000 variables for the sidebar, beside IPython's own list of them, ``%who_ls``."""

from __future__ import annotations

import time
from statistics import median

import numpy as np
import torch
from IPython.core.interactiveshell import InteractiveShell

from dyn_explorer.kernel_listing import expression

VARIABLES = 1000
RUNS = 21
DEEP = 10


def kernel() -> InteractiveShell:
    """A shell that holds tensors, arrays, models and texts."""
    shell = InteractiveShell.instance()
    small = [torch.zeros(3, 2), np.zeros((3, 2)), torch.nn.Linear(3, 2), "text"]
    shell.user_ns.update({f"x{i}": small[i % len(small)] for i in range(VARIABLES - DEEP)})
    shell.user_ns.update({f"deep{i}": deep_model() for i in range(DEEP)})
    return shell


def deep_model() -> torch.nn.Module:
    blocks = (torch.nn.Sequential(torch.nn.Conv2d(8, 8, 3), torch.nn.BatchNorm2d(8)) for _ in range(50))
    return torch.nn.Sequential(*blocks)


def milliseconds(run) -> float:
    times = []
    for _ in range(RUNS):
        began = time.process_time()
        run()
        times.append(1000 * (time.process_time() - began))
    return median(times)


def main() -> None:
    shell = kernel()
    asked = {"listing": expression()}
    found = shell.user_expressions(asked)["listing"]["data"]["application/json"]
    ours = milliseconds(lambda: shell.user_expressions(asked))
    theirs = milliseconds(lambda: shell.run_line_magic("who_ls", ""))
    looked_at = len(found["models"]) + len(found["inputs"])
    print(f"{VARIABLES} variables, {DEEP} of them models of 100 layers; medians of {RUNS}, processor time")
    print(f"listing {ours:.1f} ms (asked: under 50), %who_ls {theirs:.1f} ms")
    print(f"{looked_at} listed, {found['not_looked_at']} not looked at")


if __name__ == "__main__":
    main()
