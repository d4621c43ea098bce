"""Configuration files: what they may say, of which models, and how it is told what is wrong with them."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from anecheck.knowledge.tables import Knowledge
from anecheck.lint.asked.config import Configuration, ConfigurationError, read_configuration
from anecheck.lint.asked.discovery import Discovery
from anecheck.lint.asked.options import NOTHING_ASKED, Options, RuleOptions, Selection
from anecheck.lint.asked.wanted import Wanted
from anecheck.lint.finding import Severity
from anecheck.lint.registry import load_registry
from tests.lint.files import write


def configured(folder: Path, text: str, name: str = "anecheck.toml") -> Configuration:
    """What a file says."""
    return read_configuration(write(folder / name, text))


MODELS = """
[budgets]
fps = 30
headroom = "10%"

[[models]]
path = "camera/*"
budgets = { fps = 60, load = "camera" }

[[models]]
path = "Matting*.mlpackage"
budgets = { headroom = 0.25, residency = "always" }

[[models]]
path = "camera/MattingFast.mlpackage"
budgets = { fps = 120 }
"""


@pytest.mark.parametrize(
    ("model", "wanted"),
    [
        ("Other.mlpackage", Wanted(fps=30, headroom=0.1)),
        ("deep/Other.mlpackage", Wanted(fps=30, headroom=0.1)),
        ("camera/Other.mlpackage", Wanted(fps=60, headroom=0.1, load="camera")),
        ("any/where/Matting2.mlpackage", Wanted(fps=30, headroom=0.25, residency="always")),
        ("camera/Matting.mlpackage", Wanted(fps=60, headroom=0.25, load="camera", residency="always")),
        ("camera/MattingFast.mlpackage", Wanted(fps=120, headroom=0.25, load="camera", residency="always")),
        ("camera/../Other.mlpackage", Wanted(fps=30, headroom=0.1)),
    ],
)
def test_the_last_section_that_fits_wins_then_the_general_one(tmp_path: Path, model: str, wanted: Wanted) -> None:
    given = configured(tmp_path, MODELS).options(tmp_path / model).budgets
    assert given.over(Wanted(beside=())) == wanted.over(Wanted(beside=()))


def test_sizes_and_shares_as_texts(tmp_path: Path) -> None:
    text = '[budgets]\nheadroom = "15%"\nmemory-limit = "1.5GiB"\nfps = "60"\nsustained = 10\n'
    wanted = configured(tmp_path, text).options(tmp_path / "M.mlpackage").budgets
    assert wanted.headroom == pytest.approx(0.15)
    assert (wanted.memory_limit, wanted.fps, wanted.sustained) == (1.5 * 2**30, 60, 10)
    assert (
        configured(tmp_path, "[budgets]\nmemory-limit = 150_000_000").options(tmp_path / "M").budgets.memory_limit
        == 150e6
    )


def test_models_beside_are_relative_to_the_file(tmp_path: Path) -> None:
    file = configured(tmp_path / "app", '[budgets]\nwith = ["../B.mlpackage", "/opt/C.mlpackage"]\n')
    beside = file.options(tmp_path / "app/deep/A.mlpackage").budgets.beside
    assert beside == (tmp_path / "app/../B.mlpackage", Path("/opt/C.mlpackage"))
    one = configured(tmp_path / "app", '[budgets]\nwith = "B.mlpackage"\n')
    assert one.options(tmp_path / "app/A.mlpackage").budgets.beside == (tmp_path / "app/B.mlpackage",)


def test_a_model_is_not_beside_itself_and_a_section_may_be_alone(tmp_path: Path) -> None:
    text = """
        budgets.with = ["A.mlpackage", "B.mlpackage"]
        [[models]]
        path = "Alone.mlpackage"
        budgets.with = []
    """
    file = configured(tmp_path, text)
    assert file.options(tmp_path / "A.mlpackage").budgets.beside == (tmp_path / "B.mlpackage",)
    assert file.options(tmp_path / "x/../B.mlpackage").budgets.beside == (tmp_path / "A.mlpackage",)
    assert len(file.options(tmp_path / "C.mlpackage").budgets.beside or ()) == 2
    assert file.options(tmp_path / "Alone.mlpackage").budgets.beside == ()


def test_an_empty_file_wants_nothing(tmp_path: Path) -> None:
    assert configured(tmp_path, "").options(tmp_path / "M") == NOTHING_ASKED


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[budgets]\nfsp = 60", "there is no setting 'budgets.fsp'; did you mean 'fps'?"),
        ("[budget]\nfps = 60", "there is no setting 'budget'; did you mean 'budgets'?"),
        ("[budgets]\nmemory_limits = 1", "there is no setting 'budgets.memory_limits'; did you mean 'memory-limit'?"),
        ("[budgets]\nzzz = 1", "there is no setting 'budgets.zzz'$"),
        ("[[models]]\npath = 'a'\n[[models]]\npath = 'b'\nbudgets.lod = 'cold'", "'models.2.budgets.lod'; did you mean 'load'"),
        ("[budgets]\nfps = 0", "budgets.fps: '0' is no number above 0"),
        ("[budgets]\nfps = nan", "budgets.fps: 'nan' is no number above 0"),
        ("[budgets]\nfps = true", "budgets.fps: 'True' is no number above 0"),
        ("[budgets]\nheadroom = '100%'", "budgets.headroom: '100%' is no share of a frame; write for example 20%"),
        ("[budgets]\nmemory-limit = '5parsecs'", "budgets.memory-limit: '5parsecs' is no amount of memory"),
        ("[budgets]\nresidency = 'twice'", "budgets.residency: Input should be 'single' or 'always'"),
        ("[budgets]\nwith = 3", "budgets.with: write a list"),
        ("[[models]]\nbudgets.fps = 3", "models.1.path: Field required"),
        ("[models]\npath = 'x'", "models: write a list"),
        ("budgets = 3", "budgets: write a table"),
        ("[budgets\nfps = 3", "line 1"),
        ("[budgets]\nfps = 3\nfps = 4\n", "line 3"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_file_and_place(tmp_path: Path, text: str, message: str) -> None:
    file = write(tmp_path / "anecheck.toml", text)
    with pytest.raises(ConfigurationError, match=f"^{re.escape(str(file))}: .*{_pattern(message)}"):
        read_configuration(file)


def test_what_is_wrong_in_a_pyproject_is_told_with_its_table(tmp_path: Path) -> None:
    file = write(tmp_path / "pyproject.toml", "[tool.anecheck.budgets]\nfps = 0\n")
    with pytest.raises(
        ConfigurationError, match=r"pyproject.toml: tool.anecheck.budgets.fps: '0' is no number above 0"
    ):
        read_configuration(file)
    write(file, "[tool.anecheck.budget]\nfps = 1\n")
    with pytest.raises(ConfigurationError, match=r"no setting 'tool.anecheck.budget'; did you mean 'budgets'"):
        read_configuration(file)


def _pattern(message: str) -> str:
    return re.escape(message).replace(r"\$", "$")


def test_a_table_that_is_none(tmp_path: Path) -> None:
    file = write(tmp_path / "pyproject.toml", "[tool]\nanecheck = 3\n")
    assert Discovery().file_for(tmp_path / "M.mlpackage") == file
    with pytest.raises(ConfigurationError, match=r"tool.anecheck: write a table"):
        read_configuration(file)
    write(file, "tool = 3\n")
    assert Discovery().file_for(tmp_path / "M.mlpackage") != file


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "anecheck.toml").write_bytes(b"[budgets]\nload = '\xff'")
    with pytest.raises(ConfigurationError, match=r"anecheck.toml: it is no UTF-8 text"):
        read_configuration(tmp_path / "anecheck.toml")
    with pytest.raises(ConfigurationError, match=r"gone.toml: cannot be read: No such file"):
        read_configuration(tmp_path / "gone.toml")


EVERYTHING = """
target = ["a16/ios18", "m4"]
compute-units = "all"
select = ["ANE1", "ANE2"]
extend-select = "frame-budget"
ignore = "ANE104"
fail-on = "error"
limits = { conv-kernel-width = 11 }

[rules.ANE118]
severity = "info"
limits = { conv-kernel-height = 5 }

[[models]]
path = ["big/**", "Other*"]
target = "a14"
ignore = ["ANE2"]
fail-on = "never"
"""


def test_everything_that_a_model_is_judged_by(tmp_path: Path) -> None:
    options = configured(tmp_path, EVERYTHING).options(tmp_path / "M.mlpackage")
    assert options == Options(
        ("a16/ios18", "m4"),
        "all",
        (Selection(("ANE1", "ANE2"), ("frame-budget",), ("ANE104",)),),
        (("conv-kernel-width", 11.0),),
        (RuleOptions("ANE118", Severity.INFO, (("conv-kernel-height", 5.0),)),),
        fail_on="error",
    )


@pytest.mark.parametrize("model", ["big/deep/M.mlpackage", "any/OtherOne.mlpackage"])
def test_a_section_adds_what_can_be_added_and_replaces_the_rest(tmp_path: Path, model: str) -> None:
    options = configured(tmp_path, EVERYTHING).options(tmp_path / model)
    assert (options.targets, options.compute_units, options.fail_on) == (("a14",), "all", "never")
    assert [selection.ignore for selection in options.selections] == [("ANE104",), ("ANE2",)]


def test_keys_may_be_written_with_underscores(tmp_path: Path) -> None:
    assert configured(tmp_path, 'fail_on = "info"').options(tmp_path / "M").fail_on == "info"


def test_a_file_extends_another_whose_paths_stay_its_own(tmp_path: Path) -> None:
    write(
        tmp_path / "base/anecheck.toml",
        'target = "a14"\nignore = "ANE1"\nbaseline = "base.json"\ninclude = "*.mlmodel"',
    )
    own = configured(tmp_path / "app", 'extend = "../base/anecheck.toml"\nignore = "ANE2"\ncompute-units = "all"')
    options = own.options(tmp_path / "app/M.mlpackage")
    assert (options.targets, options.compute_units) == (("a14",), "all")
    assert [selection.ignore for selection in options.selections] == [("ANE1",), ("ANE2",)]
    assert own.baseline == tmp_path / "base/base.json"
    assert own.includes(tmp_path / "base/M.mlmodel")
    assert not own.includes(tmp_path / "app/deep/M.mlpackage")


def test_a_file_cannot_extend_itself(tmp_path: Path) -> None:
    write(tmp_path / "other.toml", 'extend = "anecheck.toml"')
    with pytest.raises(ConfigurationError, match=r"other.toml: extend: 'anecheck.toml' extends this file itself"):
        configured(tmp_path, 'extend = "other.toml"')
    with pytest.raises(ConfigurationError, match=r"gone.toml: cannot be read"):
        configured(tmp_path, 'extend = "gone.toml"')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("selct = ['ANE1']", "there is no setting 'selct'; did you mean 'select'?"),
        ("select = ['ANE999']", "select: there is no rule 'ANE999'"),
        ("ignore = 'cumulativ-sum'", "ignore: there is no rule 'cumulativ-sum'; did you mean cumulative-sum"),
        ("extend-select = 'x'", "extend-select: there is no rule 'x'"),
        ("target = 'a17por'", "target: there is no chip, device or family 'a17por'; did you mean a17pro"),
        ("compute-units = 'ne'", "compute-units: Input should be 'all', 'cpu-and-ne'"),
        ("fail-on = 'hint'", "fail-on: Input should be 'error', 'warning'"),
        ("limits = { conv-kernel-with = 3 }", "limits: there is no limit 'conv-kernel-with'; did you mean conv-kernel-width"),
        ("[rules.ANE999]\nseverity = 'info'", "rules: there is no rule 'ANE999'"),
        ("[rules.ANE118]\nseverity = 'off'", "rules.ANE118.severity: Input should be 'error', 'warning' or 'info'"),
        ("[rules.ANE118.limits]\nconv-kernel-with = 3", "ANE118.limits: the rule has no limit 'conv-kernel-with'; did you mean"),
        ("[rules.ANE104.limits]\nconv-kernel-width = 3", "ANE104.limits: the rule has no limit 'conv-kernel-width'; it has none"),
        ("[[models]]\npath = 'a'\nselect = ['ANE999']", "models.1.select: there is no rule 'ANE999'"),
        ("[[suppress]]\nrule = 'ANE104'", "suppress.1.reason: Field required"),
        ("[[suppress]]\nrule = 'ANE104'\nreason = '  '", "suppress.1.reason: say why"),
        ("[[suppress]]\nrule = 'ANE104'\nreason = 'x'\nexpires = 'soon'", "suppress.1.expires: Input should be a valid date"),
        ("[[suppress]]\nrule = 'ANE999'\nreason = 'x'", "suppress.1.rule: there is no rule 'ANE999'"),
        ("[[suppress]]\nrule = 'ANE104'\nresaon = 'x'", "there is no setting 'suppress.1.resaon'; did you mean 'reason'?"),
    ],
)  # fmt: skip
def test_what_does_not_exist_is_told_with_what_is_near(tmp_path: Path, text: str, message: str) -> None:
    file = write(tmp_path / "anecheck.toml", text)
    with pytest.raises(ConfigurationError, match=f"^{re.escape(str(file))}: .*{_pattern(message)}"):
        read_configuration(file).check(load_registry(), Knowledge())


SUPPRESS = """# two of them
[[suppress]]
rule = "ANE104"
reason = "known"

  [[ suppress ]]
rule = "dynamic-gather"
model = ["a/**", "b.mlpackage"]
operation = "embed*"
reason = " the app does it "
expires = 2030-01-31
"""


def test_suppressions_know_their_line_their_day_and_their_models(tmp_path: Path) -> None:
    first, second = (waiver for waiver, _, _ in configured(tmp_path, SUPPRESS).waivers(load_registry()))
    assert (first.line, first.codes, first.model, first.operation, first.expires) == (
        2,
        frozenset({"ANE104"}),
        "**",
        "*",
        None,
    )
    assert (second.line, second.codes, second.reason) == (6, frozenset({"ANE107"}), "the app does it")
    assert (second.model, second.expires) == ("a/**, b.mlpackage", date(2030, 1, 31))


def test_suppressions_in_a_pyproject_have_lines_too(tmp_path: Path) -> None:
    text = "[project]\nname = 'x'\n" + SUPPRESS.replace("suppress ]]", "tool.anecheck.suppress ]]").replace(
        "[[suppress]]", "[[tool.anecheck.suppress]]"
    )
    waivers = configured(tmp_path, text, "pyproject.toml").waivers(load_registry())
    assert [waiver.line for waiver, _, _ in waivers] == [4, 8]
