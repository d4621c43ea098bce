"""What shells offer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from anecheck.cli.main import COMMANDS
from anecheck.report.formats import FORMATS
from tests.uses.snippets import bash, environment, snippets

(LINE,) = snippets("In an editor", "bash")


def offered(place: Path, words: str) -> list[tuple[str, str]]:
    """The kind and the value of what bash is offered for the last of the words."""
    count = len(words.split(" ")) - 1
    variables = environment(place, _ANECHECK_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(count))
    result = subprocess.run([place / "anecheck"], env=variables, capture_output=True, text=True, check=False)
    assert result.stderr == ""
    pairs = (line.split(",", 1) for line in result.stdout.splitlines())
    return [(kind, value) for kind, value in pairs]


def values(place: Path, words: str) -> list[str]:
    pairs = offered(place, words)
    assert {kind for kind, _ in pairs} <= {"plain"}
    return [value for _, value in pairs]


def test_commands_and_options_are_offered(place: Path) -> None:
    assert values(place, "anecheck ") == list(COMMANDS)
    assert values(place, "anecheck me") == ["measure", "merge"]
    assert values(place, "anecheck --v") == ["--version"]
    options = values(place, "anecheck lint --")
    assert {"--target", "--format", "--listing", "--shard", "--fps", "--help"} <= set(options)
    assert values(place, "anecheck lint --fail-on ") == ["error", "warning", "info", "never"]


def test_formats_are_offered(place: Path) -> None:
    for command in ("lint", "merge"):
        assert values(place, f"anecheck {command} --format ") == list(FORMATS)
    assert values(place, "anecheck lint --format x") == ["xcode"]


def test_rules_are_offered_by_code_and_name(place: Path) -> None:
    assert values(place, "anecheck rule ANE10") == [f"ANE10{digit}" for digit in range(1, 10)]
    assert values(place, "anecheck rule ane104") == ["ANE104"]
    assert values(place, "anecheck rule cumulative") == ["cumulative-sum"]
    assert values(place, "anecheck rule ANE001") == ["ANE001"]
    for option in ("--select", "--extend-select", "--ignore"):
        assert values(place, f"anecheck lint {option} ANE1,cumul") == ["ANE1,cumulative-sum"]


def test_targets_are_offered(place: Path) -> None:
    everything = values(place, "anecheck lint --target ")
    assert {"a17pro", "m4", "h16"} <= set(everything)
    assert not any(name.startswith("iphone") for name in everything), "there are many devices"
    assert "iphone-15-pro" in values(place, "anecheck lint --target iphone-15")
    assert values(place, "anecheck targets a17") == ["a17pro"]
    for name in everything:
        assert name == name.lower()


def test_whatever_is_offered_as_a_target_is_one(place: Path) -> None:
    from anecheck.knowledge.tables import Knowledge  # noqa: PLC0415
    from anecheck.knowledge.target import parse_target  # noqa: PLC0415

    knowledge = Knowledge()
    names = [name for start in ("", "i", "m") for name in values(place, f"anecheck lint --target {start}")]
    assert len(names) > 80
    for name in names:
        assert parse_target(name, knowledge)


@pytest.mark.parametrize(
    "words",
    [
        "anecheck lint mod", "anecheck show ", "anecheck compare a.mlpackage b", "anecheck merge r", "anecheck config ",
        "anecheck placement m", "anecheck footprint m", "anecheck baseline m", "anecheck measure m",
        "anecheck lint --config a", "anecheck lint --baseline b", "anecheck lint --listing l", "anecheck lint --with w",
        "anecheck lint --output-file o", "anecheck placement --measured m",
    ],
)  # fmt: skip
def test_where_a_path_goes_the_shell_completes_paths(place: Path, words: str) -> None:
    assert offered(place, words) == [("file", words.rsplit(" ", maxsplit=1)[-1])]


def test_the_line_of_the_readme_makes_bash_complete(tmp_path: Path, place: Path) -> None:
    asked = 'COMP_WORDS=(anecheck lint --format s); COMP_CWORD=3; _anecheck_completion anecheck; echo "${COMPREPLY[@]}"'
    result = bash(f"{LINE}\ncomplete -p anecheck\n{asked}", tmp_path, environment(place))
    assert result.stdout.splitlines() == ["complete -o nosort -F _anecheck_completion anecheck", "sarif"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_a_script_too(place: Path, shell: str) -> None:
    variables = environment(place, _ANECHECK_COMPLETE=f"{shell}_source")
    result = subprocess.run([place / "anecheck"], env=variables, capture_output=True, text=True, check=True)
    assert f"_ANECHECK_COMPLETE={shell}_complete" in result.stdout


def test_a_lint_imports_nothing_of_it() -> None:
    script = (
        "import sys; from anecheck.cli.main import main\n"
        "try: main(['lint', 'fixtures/ok/spec08_ios17_conv.mlpackage'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print([name for name in sys.modules if 'completion' in name], file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stderr == "[]\n"
