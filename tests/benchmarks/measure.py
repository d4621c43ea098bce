"""Time and memory of whole processes. Only the standard library is imported: see `run`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ANECHECK = (sys.executable, "-c", "from anecheck.cli.main import main; main()")
"""What the installed command does, whatever it is called and wherever it is."""
COREMLTOOLS = (sys.executable, "-c", "import coremltools")
FINE = (0, 1)
"""Exit codes of a run that did its work; 1 says that something was found."""


class FailedCommandError(RuntimeError):
    """A measured command failed, so that its time means nothing."""


@dataclass(frozen=True, slots=True)
class Run:
    """One process: wall-clock seconds and the most memory that it held, in bytes."""

    seconds: float
    peak: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Pairs of runs, the measured command and the yardstick in turn."""

    measured: tuple[Run, ...]
    yardstick: tuple[Run, ...]

    @property
    def seconds(self) -> float:
        """The median time of the command."""
        return median(run.seconds for run in self.measured)

    @property
    def ratio(self) -> float:
        """The median of the ratios within each pair: what slows the machine down mostly slows both."""
        return median(run.seconds / other.seconds for run, other in zip(self.measured, self.yardstick, strict=True))

    @property
    def peak(self) -> int:
        """The median peak of memory, in bytes."""
        return int(median(run.peak for run in self.measured))


def compare(command: Sequence[str], yardstick: Sequence[str], pairs: int, folder: Path) -> Comparison:
    """Run both commands once to warm up, then `pairs` times each, alternating, in `folder`."""
    run(command, folder)
    run(yardstick, folder)
    runs = [(run(command, folder), run(yardstick, folder)) for _ in range(pairs)]
    return Comparison(tuple(pair[0] for pair in runs), tuple(pair[1] for pair in runs))


def run(command: Sequence[str], folder: Path) -> Run:
    """Run a command and measure it.

    Linux counts what the parent held when it made the process to the child's peak, so whoever calls this must be small.

    Raises:
        FailedCommandError: it ended with neither 0 nor 1.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=_environment(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in FINE:
        raise FailedCommandError(f"{' '.join(command)} ended with {process.returncode}")
    return Run(seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def _environment(folder: Path) -> dict[str, str]:
    """Let the warm-up leave compiled modules in `folder`: an installed package has them, a development tree may not."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment
