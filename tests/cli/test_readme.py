"""What the README shows is what happens."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import jsonschema
import tomli

from anecheck.lint.registry import load_registry
from anecheck.lint.waivers import own_waivers
from anecheck.report.formats import FORMATS
from tests.conftest import REPOSITORY, RunAnecheck
from tests.lint.files import write

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_the_finding_shown_is_what_the_first_command_prints(anecheck: RunAnecheck) -> None:
    (shown,) = re.findall(r"## What a finding looks like\n\n```text\n(.*?)```", README, re.DOTALL)
    printed = anecheck("lint", "fixtures/zoo/bert_base.mlpackage", "--fail-on", "never").stdout
    assert printed.startswith(shown)


def test_the_footprint_shown_is_what_the_command_prints(anecheck: RunAnecheck) -> None:
    (shown,) = re.findall(r"## How much memory, how long\n.*?```text\n(.*?)```", README, re.DOTALL)
    assert anecheck("footprint", "fixtures/zoo/resnet50.mlpackage").stdout == shown


def test_the_commands_and_options_named_exist(anecheck: RunAnecheck) -> None:
    for command in set(re.findall(r"`anecheck ([a-z]+)", README)):
        assert anecheck(command, "--help").returncode == 0, command
    options = anecheck("lint", "--help").stdout
    table = README.partition("| option of `lint` |")[2].partition("\n\n")[0]
    named = set(re.findall(r"`(--[a-z-]+)", table))
    assert len(named) > 10
    assert {option for option in named if option not in options} == set()


def test_the_configuration_shown_is_understood(anecheck: RunAnecheck, tmp_path: Path) -> None:
    (shown,) = re.findall(r"## Configuration\n.*?```toml\n(.*?)```", README, re.DOTALL)
    write(tmp_path / "always_on/anecheck.toml", "")
    write(tmp_path / "anecheck.toml", shown)
    result = anecheck("config", "always_on/M.mlpackage", "--config", "anecheck.toml", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert 'target                                            = ["a16"]  # anecheck.toml, section 1' in result.stdout
    assert "rules.pooling-kernel.limits.max-pool-kernel-width = 7.0" in result.stdout
    content = json.loads(json.dumps(tomli.loads(shown), default=str))
    schema = json.loads(anecheck("schema", "configuration").stdout)
    jsonschema.validate(content, schema, jsonschema.Draft202012Validator)


def test_the_three_steps_with_old_models_end_green(anecheck: RunAnecheck, tmp_path: Path) -> None:
    (shown,) = re.findall(r"### Old models and known findings\n.*?```shell\n(.*?)```", README, re.DOTALL)
    shutil.copytree(REPOSITORY / "fixtures/flagged/cumsum.mlpackage", tmp_path / "M.mlpackage")
    steps = [line.partition("#")[0].split() for line in shown.splitlines()]
    assert [anecheck(*step[1:], cwd=tmp_path).returncode for step in steps] == [0, 0, 0]
    assert anecheck("lint", "--no-baseline", cwd=tmp_path).returncode == 1


def test_what_a_model_is_shown_to_ask_is_understood() -> None:
    (text,) = re.findall(r'user_defined_metadata\["com.anecheck.ignore"\] = "(.*)"', README)
    waivers, wrong = own_waivers({"com.anecheck.ignore": text}, load_registry())
    assert wrong == []
    assert (waivers[0].operation, waivers[0].reason) == ("inputs_embeds*", "looked up on the CPU")


def test_the_formats_named_are_those_there_are() -> None:
    row = next(line for line in README.splitlines() if line.startswith("| `--format NAME[=FILE]`"))
    assert set(FORMATS) == set(re.findall(r"`([a-z]+)`", row))


def test_the_sections_are_in_the_order_in_which_a_new_user_needs_them() -> None:
    assert re.findall(r"^## (.*)$", README, re.MULTILINE) == [
        "What a finding looks like",
        "The three uses",
        "Configuration",
        "What it can't know",
        "How it works",
        "Add a rule",
        "Licence",
    ]


def test_links_within_the_page_lead_somewhere() -> None:
    headings = {
        re.sub(r"[^\w\s-]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", README, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]*)\)", README)) <= headings


def test_every_link_into_the_repository_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (REPOSITORY / target).exists(), target
