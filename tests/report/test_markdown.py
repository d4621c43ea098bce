"""Markdown, as it comes out in a browser."""

from __future__ import annotations

import pytest

from anecheck.cli.output import STEP_SUMMARY
from anecheck.lint.finding import Rewrite
from anecheck.report.markdown import render
from anecheck.report.markdown_text import block, code, prose
from anecheck.report.presentation import Presentation
from tests.report.consumers import page
from tests.report.reports import HERE, OF_FIXTURES, WHOLE, finding, full_report, model, real_report, report


def test_the_verdict_comes_first() -> None:
    assert render(full_report(), HERE).splitlines()[0] == (
        "**anecheck fails**: 1 error, 5 warnings, 1 info in 3 models, 1 model that cannot be read; "
        "1 suppressed, 1 in the baseline."
    )
    assert render(report(model()), HERE).startswith("**anecheck passes**: nothing found in 1 model.\n")
    assert render(report(model(WHOLE)), HERE).startswith("**anecheck passes**: 1 info in 1 model.\n")
    assert render(report(model(WHOLE, fail_on="info")), HERE).startswith("**anecheck fails**")


def test_a_table_has_the_numbers_of_each_model() -> None:
    read = page(render(full_report(), HERE))
    assert read.tags.count("table") == 1
    assert read.inside("th") == ["model", "operations", "engine", "kept off", "segments", "ms a call", "findings"]
    cells = read.inside("td")
    assert cells[0] == "models/a.mlpackage"
    assert cells[1:4] == ["40", "30", "8"]
    assert "1 error, 4 warnings, 1 info; 1 suppressed, 1 in the baseline" in cells


def test_a_rule_is_told_once_with_its_operations_and_a_rewrite() -> None:
    read = page(render(full_report(), HERE))
    assert read.inside("summary") == [
        "error ANE805 does-not-compile, 1 finding, measured",
        "warning ANE104 cumulative-sum, 5 findings, measured",
        "info ANE301 too-small-to-pay, 1 finding, measured",
    ]
    for shown in (
        "cumulative sum over axis -1 in models/a.mlpackage: sum_1, sum_2, written_1 (/repository/src/net.py:42), ",
        ", inferred_1 (encoder.layers.0, by its weights' names)\n",
        "cumulative sum over axis -1 in models/listed.mlmodelc: sum_1\n",
        "Instead: multiply by a triangle\n",
        "too small in models/a.mlpackage\n",
    ):
        assert shown in read.text
    assert "quiet_1" not in read.text
    assert "old_1" not in read.text
    assert read.inside("pre")[:2] == ["a()\n", "b()\n"]


def test_what_is_no_finding_has_lists_of_its_own() -> None:
    read = page(render(full_report(), HERE))
    items = read.inside("li")
    assert "models/b.mlpackage: ANE002 it is empty" in items
    assert "models/a.mlpackage: ANE107 dynamic-gather: 3 gone from the baseline" in items
    notice = "warning ANE041 unused-suppression: nothing was suppressed by it (/repository/anecheck.toml:7)"
    assert notice in items
    assert "info ANE042 outdated-baseline: it was made by another version" in items


def test_of_one_model_no_line_repeats_which() -> None:
    assert "cumulative sum over axis -1: sum_1\n" in page(render(report(model(finding())), HERE)).text


def test_a_rewrite_known_only_as_a_program_is_shown_as_one() -> None:
    rewrite = Rewrite(title="x", text="", before="old = `1`;\n", after="new;\n")
    read = page(render(report(model(finding(rewrite=rewrite))), HERE))
    assert read.inside("pre") == ["old = `1`;\n", "new;\n"]


def test_many_lines_are_counted_unless_all_are_wanted() -> None:
    many = report(model(*(finding(message=f"sum {number}", operation=None) for number in range(30))))
    assert len(page(render(many, HERE)).inside("li")) == 21
    assert "and 10 more like these" in render(many, HERE)
    assert len(page(render(many, Presentation(verbose=True))).inside("li")) == 30


@pytest.mark.parametrize("limit", [600, 1_000, 2_000, 5_000, 20_000, 65_536, STEP_SUMMARY])
def test_it_fits_and_says_what_did_not(limit: int) -> None:
    found = real_report()
    written = render(found, OF_FIXTURES._replace(room=limit))
    assert len(written.encode()) <= limit
    read = page(written)
    told = sum(int(each.split(", ")[1].split()[0]) for each in read.inside("summary"))
    total = sum(len(each.findings) for each in found.models)
    note = [line for line in written.splitlines() if line.startswith("*Left out for want of room:")]
    assert (f" {total - told} finding" in note[0]) if told < total else not any("finding" in line for line in note)
    assert written.startswith("**anecheck fails**")


def test_whole_reports_have_only_the_elements_that_they_should() -> None:
    read = page(render(real_report(), OF_FIXTURES._replace(room=STEP_SUMMARY)))
    expected = {
        "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "code", "pre", "details", "summary", "b",
        "em",
    }  # fmt: skip
    assert set(read.tags) <= expected
    assert read.links == []


@pytest.mark.parametrize(
    "text",
    [
        "plain words, with_names and a/path.py:3",
        "*a* _b_ **c** __d__ ~~e~~ `f` ``g` $h$",
        "[a](javascript:x) ![b](c) <d> <https://e.f> &amp; &#65; [^1] [x]: y",
        "a | b \\| c \\\\| d \\",
        "# heading",
        "1. one",
        "- - two",
        "---",
        "=== ",
        "> quote",
        "it's 'quoted' \"so\"",
    ],
)
def test_text_of_others_is_nothing_but_text(text: str) -> None:
    read = page(f"- {prose(text)}\n- {code(text)}\n\n| a |\n| --- |\n| {code(text)} |\n")
    assert read.inside("li") == [text.strip(), text.strip()]
    assert read.inside("td") == [text.strip()]
    assert set(read.tags) == {"ul", "li", "code", "table", "thead", "tbody", "tr", "th", "td"}


@pytest.mark.parametrize("text", ["@someone", "a@b.example", "#12", "GH-12", "owner/project#12"])
def test_nobody_is_mentioned_and_nothing_linked(text: str) -> None:
    """GitHub looks at each piece of text between tags and comments."""
    pieces = [piece for piece, _ in page(f"x {prose(text)} {code(text)}").texts]
    assert text in "".join(pieces)
    assert not any(text in piece for piece in pieces)


def test_addresses_are_not_written_as_such() -> None:
    assert "://" not in prose("https://example.com")
    assert "www." not in prose("www.example.com")


def test_a_program_cannot_end_its_block() -> None:
    program = "a\n```\n<b>\n````\n"
    read = page(block(program))
    assert read.inside("pre") == [program]
    assert read.tags == ["pre", "code"]
