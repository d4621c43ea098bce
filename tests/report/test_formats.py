"""The list of formats."""

from __future__ import annotations

import subprocess
import sys

import pytest

from anecheck.report.formats import ALIASES, FORMATS, renderer
from anecheck.report.presentation import Presentation
from tests.report.reports import HERE, full_report

OTHERS = ("pydantic", "xml.etree", "networkx", "numpy")


@pytest.mark.parametrize("name", [*FORMATS, *ALIASES])
def test_every_format_writes_a_report_that_ends_its_last_line(name: str) -> None:
    written = renderer(name)(full_report(), HERE)
    assert "cumulative-sum" in written or name == "xcode"
    assert written.endswith("\n") or name == "json"


@pytest.mark.parametrize("name", [*FORMATS, *ALIASES])
def test_a_report_is_written_the_same_each_time(name: str) -> None:
    assert renderer(name)(full_report(), HERE) == renderer(name)(full_report(), HERE)


def test_an_unknown_format_is_told_the_known_ones() -> None:
    with pytest.raises(ValueError, match="there is no format 'xml'; the formats are text, concise, json"):
        renderer("xml")


@pytest.mark.parametrize("name", ["text", "concise", "xcode", "github", "gitlab", "markdown"])
def test_formats_do_not_import_what_only_others_need(name: str) -> None:
    program = f"import sys; from anecheck.report.formats import renderer; renderer({name!r}); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert not set(OTHERS) & set(run.stdout.split())


def test_text_takes_what_is_wanted_of_it() -> None:
    text = renderer("text")
    assert "\x1b[" in text(full_report(), Presentation(colour=True))
    assert "models checked" not in text(full_report(), Presentation(quiet=True))
    headline = text(full_report(), Presentation(width=40)).splitlines()[1]
    assert headline == "  ML Program (opset ios17) for m4 (H16):"
