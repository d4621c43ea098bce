"""What the README shows is what happens."""

from __future__ import annotations

import re

from tests.conftest import REPOSITORY, RunAnecheck

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


def test_every_link_into_the_repository_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (REPOSITORY / target).exists(), target
