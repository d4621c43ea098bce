"""A rule pack of somebody else's, installed from a directory of its own, runs beside the built-in one."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import FIXTURES, RunAnecheck

MODEL = FIXTURES / "zoo/clip_text.mlpackage"

RULE = '''
"""House rules."""

from collections.abc import Iterator

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Match, OperationRule
from anecheck.mil.graph import Graph, Node


class NoSigmoid(OperationRule):
    """Our product has no sigmoids.

    ## What it means
    The house rule of a pack that anecheck has never heard of.

    ## Instead
    Use something else.
    """

    code = "XYZ101"
    name = "no-sigmoid"
    operations = frozenset({"sigmoid"})
    blocks = frozenset()
    severity = Severity.WARNING
    rewrite = "use something else"
    evidence = (cite("arith", Confidence.COMMUNITY),)

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag every sigmoid."""
        yield self.finding(operation, "a sigmoid")


RULES = (NoSigmoid,)
'''

NAME = "house_rules-1.0"
WHEEL = {
    "house_rules.py": RULE,
    f"{NAME}.dist-info/METADATA": "Metadata-Version: 2.1\nName: house-rules\nVersion: 1.0\n",
    f"{NAME}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    f"{NAME}.dist-info/entry_points.txt": "[anecheck.rules]\nhouse = house_rules:RULES\n",
}
"""What a build of the pack would put into its wheel; written out, because building one needs the package index."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip installed the pack to, from a folder outside of the repository and of the environment."""
    source, target = tmp_path_factory.mktemp("house-rules"), tmp_path_factory.mktemp("installed")
    wheel = source / f"{NAME}-py3-none-any.whl"
    record = "".join(f"{name},,\n" for name in (*WHEEL, f"{NAME}.dist-info/RECORD"))
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in {**WHEEL, f"{NAME}.dist-info/RECORD": record}.items():
            archive.writestr(name, text)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    return target


def test_its_rule_runs_and_explains_itself(anecheck: RunAnecheck, installed: Path) -> None:
    path = {"PYTHONPATH": str(installed)}
    assert "no-sigmoid" in anecheck("rule", "XYZ101", **path).stdout
    result = anecheck("lint", MODEL, "--select", "XYZ", "--ignore", "ANE012", "--format", "json", **path)
    findings = json.loads(result.stdout)["models"][0]["findings"]
    assert [(finding["code"], finding["message"]) for finding in findings] == [("XYZ101", "a sigmoid")] * 12
    assert result.returncode == 1


def test_the_built_in_rules_run_beside_it(anecheck: RunAnecheck, installed: Path) -> None:
    alone = anecheck("lint", MODEL, "--format", "json").stdout
    beside = anecheck("lint", MODEL, "--format", "json", PYTHONPATH=str(installed)).stdout
    codes = [[finding["code"] for finding in json.loads(text)["models"][0]["findings"]] for text in (alone, beside)]
    assert codes[0] == [code for code in codes[1] if not code.startswith("XYZ")] != []


def test_without_it_nobody_knows_the_code(anecheck: RunAnecheck) -> None:
    assert anecheck("rule", "XYZ101").returncode == 2
