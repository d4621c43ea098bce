"""Several processes: order, settings that cross over, and one that dies."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Iterator
from pathlib import Path

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.knowledge.tables import Knowledge
from anecheck.lint.asked.options import Options
from anecheck.lint.asked.settings import Settings, resolve
from anecheck.lint.company import Company
from anecheck.lint.plan import Task
from anecheck.lint.pool import Processes
from anecheck.lint.registry import load_registry
from anecheck.lint.rule import Context, Match, ModelRule
from anecheck.lint.run import Companies, lint_task, one_by_one
from tests.conftest import FIXTURES

NAMES = ("cumsum", "lstm", "sin", "tan", "rank_6", "mod")
TASKS = [Task(FIXTURES / f"flagged/{name}.mlpackage", resolve(Options(), load_registry())) for name in NAMES]


class KillsItsProcess(ModelRule):
    """Ends the process that lints one model, as the system does where memory runs out."""

    code, name, evidence = "XYZ901", "kills-its-process", (cite("hollance", Confidence.FOLKLORE),)

    def check(self, context: Context) -> Iterator[Match]:
        if Path(context.model.path).stem == "sin":
            os.kill(os.getpid(), signal.SIGKILL)
        return iter(())


def test_outcomes_come_in_the_order_of_the_tasks() -> None:
    assert list(Processes(3)(TASKS, Companies(()))) == list(one_by_one(TASKS, Companies(())))


def test_each_model_is_announced_once_and_in_order() -> None:
    seen: list[Path] = []
    list(Processes(2)(TASKS, Companies(()), seen.append))
    assert seen == [task.path for task in TASKS]


def test_settings_cross_over_without_their_tables() -> None:
    settings = resolve(Options(limits=(("conv-kernel-width", 5.0),)), load_registry())
    lint_task(TASKS[0]._replace(settings=settings), Company(settings))
    crossed: Settings = pickle.loads(pickle.dumps(settings))  # noqa: S301  # our own
    assert len(pickle.dumps(settings)) < 20_000
    assert crossed.knowledge.limit("conv-kernel-width", "H16") == settings.knowledge.limit("conv-kernel-width", "H16")
    assert vars(pickle.loads(pickle.dumps(Knowledge({})))) == {"_set": {}}  # noqa: S301


def test_a_process_that_is_killed_costs_only_the_model_that_kills_it() -> None:
    deadly = TASKS[0].settings._replace(rules=(*TASKS[0].settings.rules, KillsItsProcess()))
    outcomes = list(Processes(2)([task._replace(settings=deadly) for task in TASKS], Companies(())))
    errors = [outcome.report.error for outcome in outcomes]
    assert [error.code if error else None for error in errors] == [None, None, "ANE032", None, None, None]
    assert errors[2] is not None
    assert "was killed" in errors[2].message
    assert outcomes[0] == lint_task(TASKS[0], Company(TASKS[0].settings))
