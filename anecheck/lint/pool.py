"""Linting in several processes; the report is the same as one process makes."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from anecheck.artifact.locate import shown
from anecheck.lint.diagnostics import WORKER_DIED
from anecheck.lint.examine import target_reports
from anecheck.lint.plan import Task
from anecheck.lint.reports import ModelReport, ReadError
from anecheck.lint.run import Companies, Outcome, lint_task


@dataclass(frozen=True, slots=True)
class Processes:
    """Lints tasks in `jobs` processes, and gives the outcomes in the tasks' order.

    Each process gets every n-th task in one parcel, and reads the tables of what is known once.
    """

    jobs: int

    def __call__(
        self, tasks: Sequence[Task], companies: Companies, progress: Callable[[Path], None] | None = None
    ) -> Iterator[Outcome]:
        """Lint. `companies` stay behind: each process reads what it needs of them."""
        count = max(1, min(self.jobs, len(tasks)))
        parcels = [tasks[start::count] for start in range(count)]
        # Started anew rather than forked, which is the same on every system and safe whatever else runs in this one.
        with ProcessPoolExecutor(count, get_context("spawn")) as pool:
            futures = [pool.submit(lint_parcel, parcel) for parcel in parcels]
            outcomes = [_outcomes(parcel, future) for parcel, future in zip(parcels, futures, strict=True)]
        for place, task in enumerate(tasks):
            if progress:
                progress(task.path)
            yield outcomes[place % count][place // count]


def lint_parcel(tasks: Sequence[Task]) -> list[Outcome]:
    """Lint tasks in a process of the pool; they come together so that settings that they share stay shared."""
    gc.disable()
    gc.freeze()
    companies = Companies(())
    outcomes = []
    for task in tasks:
        outcomes.append(lint_task(task, companies.of(task.settings)))
        gc.collect()
    return outcomes


def _outcomes(parcel: Sequence[Task], future: Future[list[Outcome]]) -> list[Outcome]:
    try:
        return future.result()
    except BrokenProcessPool:
        return [_alone(task) for task in parcel]


def _alone(task: Task) -> Outcome:
    """Lint a task in a process of its own, after one that it shared has died; if that dies too, it is this one's fault."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        try:
            return pool.submit(lint_parcel, [task]).result()[0]
        except BrokenProcessPool:
            message = "the process that linted it was killed, perhaps for want of memory"
            return Outcome(
                ModelReport(
                    path=shown(task.path),
                    targets=target_reports(task.settings),
                    fail_on=task.settings.fail_on,
                    error=ReadError(code=WORKER_DIED.code, message=message),
                )
            )
