"""A line for each finding, as editors read them: concise, and as clang writes them for Xcode."""

from __future__ import annotations

from anecheck.lint.finding import Source
from anecheck.report import concise, xcode
from tests.report.consumers import CLANG, CONCISE
from tests.report.reports import HERE, OF_FIXTURES, finding, full_report, model, real_report, report


def test_a_line_has_place_severity_rule_message_and_operation() -> None:
    assert concise.render(report(model(finding())), HERE) == (
        "models/a.mlpackage:13:38: warning ANE104 cumulative-sum: cumulative sum over axis -1 [sum_1]\n"
    )


def test_xcode_gets_an_absolute_path_and_the_code_last() -> None:
    assert xcode.render(report(model(finding())), HERE) == (
        "/repository/models/a.mlpackage:13:38: warning: cumulative sum over axis -1 [sum_1] [ANE104]\n"
    )


def test_everything_that_counts_is_told_and_nothing_else() -> None:
    lines = concise.render(full_report(), HERE).splitlines()
    assert lines == [
        "models/a.mlpackage:13:38: warning ANE104 cumulative-sum: cumulative sum over axis -1 [sum_1]",
        "models/a.mlpackage:13:38: warning ANE104 cumulative-sum: cumulative sum over axis -1 [sum_2]",
        "src/net.py:42:1: warning ANE104 cumulative-sum: cumulative sum over axis -1 [written_1]",
        "models/a.mlpackage:13:38: warning ANE104 cumulative-sum: cumulative sum over axis -1 [inferred_1]",
        "models/a.mlpackage:1:1: info ANE301 too-small-to-pay: too small",
        "models/a.mlpackage:13:38: error ANE805 does-not-compile: fails [bad_1]",
        "models/b.mlpackage:1:1: error ANE002: it is empty",
        "build/listed.mil:13:38: warning ANE104 cumulative-sum: cumulative sum over axis -1 [sum_1]",
        "anecheck.toml:7:1: warning ANE041 unused-suppression: nothing was suppressed by it",
        "anecheck: info ANE042 outdated-baseline: it was made by another version",
    ]
    clang = xcode.render(full_report(), HERE).splitlines()
    assert clang[2:3] + clang[4:8] + clang[8:] == [
        "/repository/src/net.py:42:1: warning: cumulative sum over axis -1 [written_1] [ANE104]",
        "/repository/models/a.mlpackage:1:1: note: too small [ANE301]",
        "/repository/models/a.mlpackage:13:38: error: fails [bad_1] [ANE805]",
        "/repository/models/b.mlpackage:1:1: error: it is empty [ANE002]",
        "/repository/build/listed.mil:13:38: warning: cumulative sum over axis -1 [sum_1] [ANE104]",
        "/repository/anecheck.toml:7:1: warning: nothing was suppressed by it [ANE041]",
        "note: it was made by another version [ANE042]",
    ]


def test_editors_understand_every_line_of_real_reports() -> None:
    found = real_report()
    expected = sum(len(each.findings) + bool(each.error) for each in found.models)
    for text, form in ((concise.render(found, OF_FIXTURES), CONCISE), (xcode.render(found, OF_FIXTURES), CLANG)):
        lines = text.splitlines()
        assert len(lines) == expected
        assert [line for line in lines if not form.fullmatch(line)] == []


def test_a_colon_in_a_path_does_not_end_it() -> None:
    odd = report(model(finding(source=Source(file="a:1:1: error X: y/net.py", line=2))))
    match = CONCISE.fullmatch(concise.render(odd, HERE).strip())
    assert match is not None
    assert match.groups()[:4] == ("a\\x3a1\\x3a1\\x3a error X\\x3a y/net.py", "2", "1", "warning")


def test_nothing_found_is_nothing_said() -> None:
    assert concise.render(report(model()), HERE) == xcode.render(report(model()), HERE) == ""
