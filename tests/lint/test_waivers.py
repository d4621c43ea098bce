"""What suppressions excuse, until when, and what is said of those that excuse nothing."""

from __future__ import annotations

from datetime import date

import pytest

from anecheck.knowledge.evidence import Confidence
from anecheck.lint.finding import Finding, Severity
from anecheck.lint.registry import load_registry
from anecheck.lint.waivers import Waiver, excuse, excuse_itself, own_waivers

REGISTRY = load_registry()
ALL = frozenset(rule.code for rule in REGISTRY.rules)
TODAY = date(2030, 6, 15)


def found(code: str, operation: str | None = "op", function: str = "main") -> Finding:
    return Finding(
        code=code,
        name=code.lower(),
        severity=Severity.WARNING,
        confidence=Confidence.MEASURED,
        message=f"{code} at {operation}",
        function=function,
        operation=operation,
    )


FINDINGS = [found("ANE104", "cumsum_0"), found("ANE104", "other"), found("ANE107", "gather_0"), found("ANE301", None)]


def excused(*waivers: Waiver) -> list[bool]:
    return [finding.suppressed for finding in excuse(FINDINGS, waivers, "configuration", TODAY)[0]]


def waiver(code: str, operation: str = "*", expires: date | None = None) -> Waiver:
    return Waiver(code, frozenset({code}), "known", operation, expires=expires)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (waiver("ANE104"), [True, True, False, False]),
        (waiver("ANE104", "cumsum*"), [True, False, False, False]),
        (waiver("ANE104", "main/cumsum*"), [True, False, False, False]),
        (waiver("ANE104", "encoder/*"), [False, False, False, False]),
        (waiver("ANE104", "CUMSUM*"), [False, False, False, False]),
        (waiver("ANE301"), [False, False, False, True]),
        (waiver("ANE301", "cumsum*"), [False, False, False, False]),
        (waiver("ANE104", expires=date(2030, 6, 15)), [True, True, False, False]),
        (waiver("ANE104", expires=date(2030, 6, 14)), [False, False, False, False]),
    ],
)
def test_rule_operation_and_day_must_fit(given: Waiver, expected: list[bool]) -> None:
    assert excused(given) == expected


def test_a_finding_says_why_it_does_not_count_and_who_excused_it_is_counted() -> None:
    first, second = waiver("ANE104", "cumsum*", date(2031, 1, 1)), waiver("ANE104")
    findings, used = excuse(FINDINGS, [first, second], "configuration", TODAY)
    why = findings[0].suppression
    assert why is not None
    assert (why.kind, why.reason, why.expires) == ("configuration", "known", "2031-01-01")
    assert used == {first: 1, second: 2}


def test_what_is_excused_already_stays_so_but_counts_as_use() -> None:
    once, _ = excuse(FINDINGS, [waiver("ANE104")], "model", TODAY)
    twice, used = excuse(once, [waiver("ANE104")], "configuration", TODAY)
    assert twice == once
    assert sum(used.values()) == 2


@pytest.mark.parametrize(
    ("text", "rules", "operations", "days"),
    [
        ("ANE104: known", ["ANE104"], ["*"], [None]),
        ("dynamic-gather[embed*]: the app does it", ["dynamic-gather"], ["embed*"], [None]),
        ("ANE104 until 2031-01-01: later", ["ANE104"], ["*"], [date(2031, 1, 1)]),
        ("ANE1[a;b] until 2031-01-01: x: y;\n ANE2 : z;", ["ANE1", "ANE2"], ["a;b", "*"], [date(2031, 1, 1), None]),
        ("", [], [], []),
    ],
)
def test_a_model_says_what_to_ignore_in_its_metadata(
    text: str, rules: list[str], operations: list[str], days: list[date | None]
) -> None:
    waivers, wrong = own_waivers({"com.anecheck.ignore": text}, REGISTRY)
    assert wrong == []
    assert [waiver.rule for waiver in waivers] == rules
    assert [waiver.operation for waiver in waivers] == operations
    assert [waiver.expires for waiver in waivers] == days


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ANE104", "write `CODE: reason`"),
        ("ANE104:", "write `CODE: reason`"),
        ("ANE104 until soon: x", "'soon' is no day; write YYYY-MM-DD"),
        ("ANE999: x", "there is no rule 'ANE999'"),
        ("\x1b[31m: x", "write `CODE: reason`"),
    ],
)
def test_what_cannot_be_understood_is_a_finding_and_the_rest_holds(text: str, message: str) -> None:
    findings = excuse_itself(FINDINGS, {"com.anecheck.ignore": f"{text}; ANE107: known"}, REGISTRY, ALL, TODAY)
    assert [finding.suppressed for finding in findings] == [False, False, True, False, False]
    assert findings[-1].code == "ANE042"
    assert message in findings[-1].message


def test_unused_and_expired_entries_of_a_model_are_findings() -> None:
    text = "ANE104 until 2030-01-01: old; ANE108: never there; ANE107: known"
    findings = excuse_itself(FINDINGS, {"com.anecheck.ignore": text}, REGISTRY, ALL, TODAY)
    assert [finding.code for finding in findings[len(FINDINGS) :]] == ["ANE041", "ANE040"]
    assert "until 2030-01-01, which is past (old)" in findings[-2].message
    assert "ANE108, which finds nothing there (never there)" in findings[-1].message


def test_a_rule_that_does_not_speak_leaves_its_entry_alone() -> None:
    metadata = {"com.anecheck.ignore": "ANE108: never there"}
    assert excuse_itself([], metadata, REGISTRY, ALL - {"ANE108"}, TODAY) == []
