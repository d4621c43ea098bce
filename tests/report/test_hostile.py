"""Names, paths and messages that try to be more than text, in every format, as those who read the format see them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from junitparser import JUnitXml

import anecheck
from anecheck.lint.reports import Report
from anecheck.report.escape import CONTROL, short_name, short_text, visible
from anecheck.report.formats import FORMATS, renderer
from anecheck.report.presentation import Presentation
from tests.report.consumers import CLANG, CONCISE, page, workflow_commands
from tests.report.reports import HERE, OF_FIXTURES, finding, model, report

HOSTILE = {
    "escape": "\x1b[31mred",
    "command": "::error::x",
    "command anywhere": "x ##[error]y ##vso[task.complete]z",
    "cdata": "]]>",
    "pipe": "a|b\\|c",
    "lines": "a\nb\r\nc\u2028d\n\n::error::e",
    "script": "<script>alert(1)</script>",
    "backtick": "a`b``c",
    "mention": "@mention",
    "link": "[a](javascript:x)",
    "reordering": "a\u202eb",
    "nul": "a\x00b",
    "surrogate": "a\ud800b\udfff",
    "percent": "a%0Ab%25",
    "long": "n" * 10_000,
    "details": "</details></summary>",
    "c1": "\x9b31m",
    "no character": "a\ufffe\uffffb",
}
TOLD = Callable[[str], list[str]]


def in_text(output: str) -> list[str]:
    assert output.count("warning ANE104 cumulative-sum") == 1
    return [" ".join(output.split())]


def by_line(form: re.Pattern[str]) -> TOLD:
    def read(output: str) -> list[str]:
        matches = [form.fullmatch(line) for line in output.split("\n")[:-1]]
        assert all(matches)
        return [match[0] for match in matches if match]

    return read


def in_junit(output: str) -> list[str]:
    assert ET.fromstring(output).tag == "testsuites"  # noqa: S314  # our own
    cases = [case for suite in JUnitXml.fromstring(output.encode()) for case in suite]
    return [f"{case.result[0].text} {case.classname}" for case in cases]


def in_markdown(output: str) -> list[str]:
    read = page(output)
    harmless = page(renderer("markdown")(report(model(finding())), HERE))
    assert read.tags == harmless.tags
    assert read.links == []
    assert not any(re.search(r"@\w", piece) for piece, _ in read.texts)
    assert len(read.inside("summary")) == 1
    return [read.text]


def in_sarif(output: str) -> list[str]:
    (run,) = json.loads(output)["runs"]
    assert not any(re.search(r"\]\(", result["message"]["text"]) for result in run["results"])
    return [f"{result['message']['text']} {result['properties']['model']}" for result in run["results"]]


CONSUMERS: dict[str, TOLD] = {
    "text": in_text,
    "concise": by_line(CONCISE),
    "xcode": by_line(CLANG),
    "github": lambda output: [f"{c.message} {c.properties['file']}" for c in workflow_commands(output)],
    "gitlab": lambda output: [f"{issue['description']} {issue['location']['path']}" for issue in json.loads(output)],
    "junit": in_junit,
    "markdown": in_markdown,
    "sarif": in_sarif,
}


def hostile(text: str) -> Report:
    return report(model(finding(operation=text, message=f"of {text}"), path=f"{text}.mlmodel"))


def unmarked(text: str) -> str:
    """Without what a format may change in a text so that it is nothing more: blanks, and escaped colons."""
    return re.sub(r"\s", "", text).replace("\\x3a", ":")


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("format_", CONSUMERS)
def test_one_finding_comes_out_with_its_name_made_harmless(format_: str, kind: str) -> None:
    text = HOSTILE[kind]
    output = renderer(format_)(hostile(text), HERE)
    (told,) = CONSUMERS[format_](output)
    name = (
        short_name(text).replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")
        if format_ == "junit"
        else short_name(text)
    )
    assert unmarked(name) in unmarked(told)
    assert not CONTROL.search(told.replace("\n", ""))


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("format_", FORMATS)
def test_nothing_in_the_output_controls_or_commands(format_: str, kind: str) -> None:
    output = renderer(format_)(hostile(HOSTILE[kind]), HERE)
    assert not CONTROL.search(output.replace("\n", ""))
    assert not re.search(r"##(vso)?\[", output)
    assert len(workflow_commands(output)) == (format_ == "github")
    assert output.encode()


@pytest.mark.parametrize("width", [*range(1, 40), 80])
def test_no_line_of_text_is_a_command_however_it_is_wrapped(width: int) -> None:
    wrapped = report(model(finding(message="the sum ::error::x over ::add-mask::y")))
    output = renderer("text")(wrapped, Presentation(width=width))
    assert workflow_commands(output) == []
    assert "add-mask" in "".join(output.split())


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("format_", ["json", "jsonl"])
def test_json_carries_names_as_they_are(format_: str, kind: str) -> None:
    """But for halves of surrogates, which no file can hold."""
    content = json.loads(renderer(format_)(hostile(HOSTILE[kind]), HERE))
    found = content["models"][0]["findings"][0] if format_ == "json" else content
    text = re.sub("[\ud800-\udfff]", lambda half: visible(half[0]), HOSTILE[kind])
    assert (found["operation"], found["message"]) == (text, f"of {text}")


@pytest.mark.parametrize("format_", FORMATS)
def test_the_committed_package_with_hostile_names(format_: str) -> None:
    output = renderer(format_)(anecheck.lint("fixtures/flagged/hostile_names.mlpackage"), OF_FIXTURES)
    assert not CONTROL.search(output.replace("\n", ""))
    if format_ in CONSUMERS and format_ not in {"text", "markdown", "junit"}:
        assert len(CONSUMERS[format_](output)) == 2


@pytest.mark.parametrize("format_", ["gitlab", "github", "concise", "xcode", "markdown", "sarif"])
def test_a_message_longer_than_anybody_reads_is_cut(format_: str) -> None:
    output = renderer(format_)(report(model(finding(message="m" * 10_000))), HERE)
    assert "m" * 1000 not in output
    assert short_text("m" * 10_000) in "".join(CONSUMERS[format_](output))
