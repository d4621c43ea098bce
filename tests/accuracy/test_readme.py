"""What the README says of the accuracy of estimated times is what the published ones give."""

from __future__ import annotations

import re
from statistics import median

from anecheck.knowledge.tables import Knowledge
from tests.accuracy.latency import Row, by_chip, read_rows
from tests.conftest import REPOSITORY


def test_the_table_of_errors_is_that_of_the_published_times() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    table = readme.partition("| chip | published times fitted to |")[2].partition("\n\n")[0]
    shown = re.findall(r"^\| ([^|-]+) \| (.+) \|$", table, re.MULTILINE)
    knowledge = Knowledge()
    rows = {
        knowledge.chips[chip].name: found for chip, found in by_chip(read_rows()).items() if chip in knowledge.rates
    }
    assert dict(shown) == {name: _line(found) for name, found in rows.items()}


def _line(rows: list[Row]) -> str:
    tests = [row for row in rows if row.is_test]
    errors = [abs(row.error) for row in tests]
    figures = (f"{median(errors):.0%}".replace("%", " %"), f"{max(errors):.0%}".replace("%", " %"))
    inside = sum(row.is_inside for row in tests)
    return " | ".join((str(len(rows) - len(tests)), str(len(tests)), *figures, str(inside)))
