"""`--measured` of `anecheck placement`: a plan that a Mac made of the same model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from anecheck.artifact.locate import shown
from anecheck.cli.judgement import JudgementOptions
from anecheck.knowledge.tables import Knowledge
from anecheck.lint.measured import chip_of, system_of, with_measured
from anecheck.lint.reports import Report
from anecheck.measured.plan import MeasuredPlan, PlanError
from anecheck.measured.read import read_plan
from anecheck.report.escape import visible


@dataclass(frozen=True, slots=True)
class Comparison:
    """A measured plan and the file that it is from."""

    plan: MeasuredPlan
    file: str
    knowledge: Knowledge

    def judgement(self, given: JudgementOptions) -> JudgementOptions:
        """What to predict for: what the file was measured on, where the options do not say."""
        chip, system = chip_of(self.plan, self.knowledge), system_of(self.plan)
        if chip and not given.targets:
            given = given._replace(targets=(f"{chip}/{system}" if system else chip,))
        if self.plan.compute_units and given.compute_units is None:
            given = given._replace(compute_units=self.plan.compute_units.value)
        return given

    def compared(self, report: Report) -> Report:
        """Add the comparison to a report; a plan of another model is a usage error."""
        try:
            return with_measured(report, self.plan, self.file, self.knowledge)
        except PlanError as error:
            raise _refused(self.file, error) from error


def open_comparison(file: str) -> Comparison:
    """Read a file; one that holds no plan is a usage error."""
    knowledge = Knowledge()
    try:
        return Comparison(read_plan(Path(file), knowledge.operators.keys()), shown(file), knowledge)
    except PlanError as error:
        raise _refused(shown(file), error) from error


def _refused(file: str, error: PlanError) -> click.UsageError:
    return click.UsageError(visible(f"--measured '{file}': {error}"))
