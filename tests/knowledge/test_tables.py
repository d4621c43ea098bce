"""The tables of chips, releases, operations and limits: complete, consistent, and every row with its source."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli
from pydantic import TypeAdapter

import anecheck.knowledge
from anecheck.knowledge.costs import Costs
from anecheck.knowledge.evidence import FAMILIES, Citation, Confidence, cite
from anecheck.knowledge.heat import Heat
from anecheck.knowledge.loads import Loads
from anecheck.knowledge.rows import Chip, Family, Figure, Limit, Operator, Rate, Release, Source, Thermal, Verdict
from anecheck.knowledge.tables import Knowledge

FOLDER = Path(anecheck.knowledge.__file__).parent
TABLES = ("chips", "costs", "families", "heat", "latency", "limits", "loads", "operators", "releases", "sources")
KNOWLEDGE = Knowledge()

COREMLTOOLS = """
import json, logging, warnings
logging.getLogger("coremltools").setLevel(logging.ERROR)
warnings.simplefilter("ignore")
import coremltools
from coremltools.converters.mil.mil.ops.registry import SSAOpRegistry

prefix = "_SPECIFICATION_VERSION_IOS_"
print(json.dumps({
    "operations": {name: min(target.value for target in versions) for name, versions in SSAOpRegistry.core_ops.items()},
    "dialects": list(SSAOpRegistry.dialect_ops),
    "opsets": coremltools._OPSET,
    "targets": {target.value: target.name for target in coremltools.target},
    "versions": {name.removeprefix(prefix): getattr(coremltools, name) for name in dir(coremltools) if prefix in name},
    "first": coremltools._LOWEST_ALLOWED_SPECIFICATION_VERSION_FOR_MILPROGRAM,
}))
"""


def table(name: str) -> dict[str, Any]:
    """A table as it is written."""
    return tomli.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def coremltools() -> dict[str, Any]:
    """What coremltools knows of operations and releases."""
    output = subprocess.run([sys.executable, "-c", COREMLTOOLS], capture_output=True, text=True, check=True).stdout
    content: dict[str, Any] = json.loads(output)
    return content


def test_every_table_is_read_and_valid_and_none_is_forgotten() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.toml")) == list(TABLES)
    sizes = {
        name: len(getattr(KNOWLEDGE, name))
        for name in ("chips", "families", "operators", "verdicts", "releases", "sources")
    }
    assert len(KNOWLEDGE.costs.classes) == len(table("costs")["class"])
    assert sizes == {
        "chips": len(table("chips")["chip"]),
        "families": len(table("families")["family"]),
        "operators": len(table("operators")["operator"]),
        "verdicts": len(table("operators")["verdict"]),
        "releases": len(table("releases")["release"]),
        "sources": len(table("sources")),
    }
    assert min(sizes.values()) >= 7


ROWS: dict[type[object], Iterable[object]] = {
    Source: KNOWLEDGE.sources.values(),
    Limit: KNOWLEDGE.limits.values(),
    Family: KNOWLEDGE.families.values(),
    Chip: KNOWLEDGE.chips.values(),
    Release: KNOWLEDGE.releases.values(),
    Operator: KNOWLEDGE.operators.values(),
    Verdict: KNOWLEDGE.verdicts.values(),
    Costs: [KNOWLEDGE.costs],
    Rate: KNOWLEDGE.rates.values(),
    Heat: [KNOWLEDGE.heat],
    Loads: [KNOWLEDGE.loads],
    Figure: [
        figure for chip in KNOWLEDGE.chips.values() for figure in (*chip.figures.values(), *chip.readings.values())
    ],
    Thermal: [series for chip in KNOWLEDGE.chips.values() for series in chip.thermal],
}
"""The rows of each class. Nothing checks their types when they are read, which keeps the start short."""


@pytest.mark.parametrize("kind", ROWS, ids=lambda kind: kind.__name__)
def test_every_row_has_the_types_that_its_class_declares(kind: type[object]) -> None:
    adapter: TypeAdapter[object] = TypeAdapter(kind)
    for row in ROWS[kind]:
        assert adapter.validate_python(row, strict=True) == row


# Sources


def cited(content: object) -> Iterator[str]:
    """Every key of a source in a table, at any depth."""
    if isinstance(content, list):
        for item in content:
            yield from cited(item)
    elif isinstance(content, dict):
        for key, value in content.items():
            if key == "source":
                yield value
            elif key == "sources":
                yield from value
            else:
                yield from cited(value)


@pytest.mark.parametrize("name", [name for name in TABLES if name != "sources"])
def test_every_source_that_a_table_cites_exists(name: str) -> None:
    keys = set(cited(table(name)))
    assert keys
    assert keys - KNOWLEDGE.sources.keys() == set()


def test_sources_have_an_address_or_say_why_not() -> None:
    kinds = {"apple", "coremltools", "measurement", "reverse-engineering", "community", "arithmetic", "setting"}
    for key, source in KNOWLEDGE.sources.items():
        assert source.kind in kinds, key
        assert source.title, key
        assert source.url.startswith("https://") or (source.url == "" and source.note), key


# Operations


def test_every_operation_of_coremltools_is_known_and_write_state_which_files_have_too(
    coremltools: dict[str, Any],
) -> None:
    operations = coremltools["operations"].keys()
    assert len(operations) >= 168
    assert operations - KNOWLEDGE.operators.keys() == set()
    assert KNOWLEDGE.operators.keys() - operations == {"write_state", "coreml_update_state"}
    assert "coreml_update_state" in coremltools["dialects"]


def test_operations_exist_since_the_opset_that_coremltools_says(coremltools: dict[str, Any]) -> None:
    opsets = {int(version): opset for version, opset in coremltools["opsets"].items()}
    first = coremltools["first"]
    wrong = {
        name: KNOWLEDGE.operators[name].since
        for name, version in coremltools["operations"].items()
        if KNOWLEDGE.operators[name].since != opsets[max(version, first)]
    }
    assert wrong == {}


def test_every_verdict_speaks_of_each_family_exactly_once() -> None:
    for name, verdict in KNOWLEDGE.verdicts.items():
        assert Counter(family for row in verdict.engine for family in row.families) == Counter(FAMILIES), name


def test_every_verdict_has_a_known_status_and_sources() -> None:
    statuses = {row.status for verdict in KNOWLEDGE.verdicts.values() for row in verdict.engine}
    assert statuses == {"native", "conditional", "never", "unknown"}
    assert {verdict.gpu for verdict in KNOWLEDGE.verdicts.values()} == {"native", "lacks", "unknown"}
    assert all(row.sources for verdict in KNOWLEDGE.verdicts.values() for row in verdict.engine)


def test_operations_and_verdicts_belong_together() -> None:
    assert {operator.verdict for operator in KNOWLEDGE.operators.values()} == KNOWLEDGE.verdicts.keys()
    for name, operator in KNOWLEDGE.operators.items():
        statuses = {row.status for row in KNOWLEDGE.verdicts[operator.verdict].engine}
        assert ("conditional" in statuses) == bool(operator.condition), name


def test_what_an_engine_does_with_an_operation() -> None:
    never = KNOWLEDGE.engine_verdict("cumsum", "H16")
    assert never is not None
    assert (never.status, never.confidence) == ("never", Confidence.MEASURED)
    for name in KNOWLEDGE.operators:
        for family in FAMILIES:
            verdict = KNOWLEDGE.engine_verdict(name, family)
            assert verdict is not None
            assert family in verdict.families
    assert KNOWLEDGE.engine_verdict("frobnicate", "H16") is None


# Limits


def test_a_limit_has_at_most_one_row_for_a_family() -> None:
    rows = [(row["name"], family) for row in table("limits")["limit"] for family in row["families"]]
    assert [row for row, count in Counter(rows).items() if count > 1] == []
    assert KNOWLEDGE.limits.keys() == set(rows)
    assert {family for _, family in rows} == set(FAMILIES)


def test_limits_have_a_value_a_unit_and_a_source() -> None:
    for (name, family), limit in KNOWLEDGE.limits.items():
        assert limit.value > 0 or limit.unit == "value", name
        assert limit.unit, name
        assert limit.meaning.endswith("."), name
        assert family in limit.families
        assert [citation.source for citation in limit.citations] == list(limit.sources)
        assert limit.citations
        assert all(citation.on(family) is limit.confidence for citation in limit.citations)


def test_limits_are_looked_up_by_name_and_family() -> None:
    rank = KNOWLEDGE.limit("tensor-rank", "H16")
    assert rank is not None
    assert (rank.value, rank.unit, rank.confidence) == (5, "axes", Confidence.DOCUMENTED)
    assert KNOWLEDGE.limit("tensor-batch", "H18") is None
    with pytest.raises(KeyError, match=r"limits\.toml has no limit 'tensor-flavour'"):
        KNOWLEDGE.limit("tensor-flavour", "H16")


# Chips and families


def test_there_are_thirty_chips_each_with_devices_of_its_own() -> None:
    assert len(KNOWLEDGE.chips) == 30
    devices = Counter(device for chip in KNOWLEDGE.chips.values() for device in chip.devices)
    assert all(chip.devices for chip in KNOWLEDGE.chips.values())
    assert [device for device, count in devices.items() if count > 1] == []
    names = [*devices, *KNOWLEDGE.chips, *(family.lower() for family in FAMILIES)]
    assert len(names) == len(set(names))
    assert all(name == name.lower() and " " not in name for name in names)


def test_chips_and_families_name_each_other() -> None:
    assert tuple(KNOWLEDGE.families) == FAMILIES
    by_family = {
        name: tuple(chip.slug for chip in KNOWLEDGE.chips.values() if chip.family == name)
        for name in (*FAMILIES, "none")
    }
    assert by_family.pop("none") == ("a11",)
    assert by_family == {name: family.chips for name, family in KNOWLEDGE.families.items()}


def test_capabilities_stand_once_in_a_family_with_sources() -> None:
    for name, family in KNOWLEDGE.families.items():
        names = [capability.name for capability in family.capability]
        assert names, name
        assert len(names) == len(set(names)), name
        assert all(capability.sources for capability in family.capability), name


def test_figures_have_a_source_and_a_confidence() -> None:
    figures = [figure for chip in KNOWLEDGE.chips.values() for figure in chip.figures.values()]
    assert len(figures) > 200
    assert {figure.confidence for figure in figures} == {"high", "medium", "low"}
    assert all(figure.source in KNOWLEDGE.sources for figure in figures)
    measured = [figure for chip in KNOWLEDGE.chips.values() for figure in chip.readings.values()]
    assert len(measured) > 40
    assert all(figure.source in KNOWLEDGE.sources for figure in measured)
    assert KNOWLEDGE.chips["m4"].figures["dram_gbps"].unit == "GB/s"


# Releases


def test_releases_are_those_of_coremltools(coremltools: dict[str, Any]) -> None:
    releases = KNOWLEDGE.releases
    assert {str(version): release.opset for version, release in releases.items()} == coremltools["opsets"]
    assert {str(version): release.mil_text.replace("ios", "iOS") for version, release in releases.items()} == (
        coremltools["targets"]
    )
    assert {release.ios.removeprefix("iOS "): version for version, release in releases.items()} == coremltools[
        "versions"
    ]
    assert min(version for version, release in releases.items() if release.mlprogram) == coremltools["first"]


def test_releases_grow_and_have_ml_programs_from_ios_15_on() -> None:
    releases = list(KNOWLEDGE.releases.values())
    assert [release.specification_version for release in releases] == list(range(4, 11))
    assert [release.mlprogram for release in releases] == [False, False, True, True, True, True, True]
    opsets = {release.opset for release in releases if release.mlprogram}
    assert {operator.since for operator in KNOWLEDGE.operators.values()} <= opsets


# Evidence


def test_confidence_has_an_order() -> None:
    assert [confidence.rank for confidence in Confidence] == list(range(7))
    assert Confidence.DOCUMENTED.rank < Confidence.MEASURED.rank < Confidence.FOLKLORE.rank


def test_beyond_the_families_on_which_it_was_seen_a_claim_is_extrapolated() -> None:
    measured = cite("751k-dispatch", Confidence.MEASURED, "H16")
    assert measured == Citation("751k-dispatch", Confidence.MEASURED, ("H16",))
    assert (measured.on("H16"), measured.on("H13")) == (Confidence.MEASURED, Confidence.EXTRAPOLATED)
    assert cite("hollance", Confidence.FOLKLORE, "H11").on("H18") is Confidence.FOLKLORE
    everywhere = cite("apple-coreai", Confidence.DOCUMENTED)
    assert {everywhere.on(family) for family in FAMILIES} == {Confidence.DOCUMENTED}
