"""What is printed is read back as the same program: invented ones, the fixtures, and real graphs."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from anecheck.mil.parser import parse
from anecheck.mil.printer import print_program
from anecheck.mil.program import Program
from tests.mil.corpus import fixture_models, placed_models, programs_of
from tests.mil.programs import programs


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(programs)
def test_any_program_survives(program: Program) -> None:
    text = print_program(program)
    assert parse(text) == program
    assert print_program(parse(text)) == text


@pytest.mark.parametrize(("folder", "least"), [("ok", 55), ("flagged", 124), ("zoo", 29)])
def test_every_readable_fixture_survives(folder: str, least: int) -> None:
    found = list(programs_of(fixture_models(folder)))
    assert len(found) >= least
    changed = [name for name, program in found if parse(print_program(program)) != program]
    assert changed == []


def test_every_graph_of_the_measured_placements_survives() -> None:
    changed = [name for name, program in programs_of(placed_models()) if parse(print_program(program)) != program]
    assert changed == []
