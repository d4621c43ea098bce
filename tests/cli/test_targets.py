"""`targets NAME`: every number that is known of a chip, with its source."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from anecheck.knowledge.tables import Knowledge
from tests.conftest import RunAnecheck

KNOWLEDGE = Knowledge()


def known(anecheck: RunAnecheck, name: str) -> dict[str, Any]:
    """What the command says as JSON."""
    result = anecheck("targets", name, "--format", "json")
    assert result.returncode == 0, result.stderr
    content: dict[str, Any] = json.loads(result.stdout)
    return content


def cited(content: object) -> set[str]:
    """Every key of a source in a content, whatever it stands beside."""
    found: set[str] = set()
    if isinstance(content, list):
        found = set().union(*map(cited, content))
    elif isinstance(content, dict):
        own = {content["source"]} if isinstance(content.get("source"), str) else set()
        several = content.get("sources")
        own |= set(several) if isinstance(several, list) else set()
        found = own.union(*(cited(value) for value in content.values()))
    return found


@pytest.mark.parametrize("name", ["a19pro", "m1max", "m4", "a12x", "m2ultra"])
def test_json_has_all_that_the_tables_hold_of_a_chip(anecheck: RunAnecheck, name: str) -> None:
    content, chip = known(anecheck, name), KNOWLEDGE.chips[name]
    assert content["figures"].keys() == chip.figures.keys()
    assert content["readings"].keys() == chip.more.get("measured", {}).keys()
    for figure, row in chip.more.get("measured", {}).items():
        assert content["readings"][figure] == row
    assert content["thermal"] == chip.more.get("thermal", [])
    assert content["capabilities"].keys() == {item.name for item in KNOWLEDGE.families[chip.family].capability}
    assert content["limits"].keys() == {limit for limit, family in KNOWLEDGE.limits if family == chip.family}
    assert content["heat"].keys() == {"ane", "gpu"}
    rest = {key: value for key, value in content.items() if key != "sources"}
    assert content["sources"].keys() == cited(rest)
    for key, source in content["sources"].items():
        assert source == KNOWLEDGE.sources[key]._asdict()


@pytest.mark.parametrize("name", ["a19pro", "m1max", "m4", "a12x"])
def test_text_has_a_line_for_every_number_that_ends_with_the_keys_of_its_sources(
    anecheck: RunAnecheck, name: str
) -> None:
    content = known(anecheck, name)
    lines = anecheck("targets", name).stdout.splitlines()
    for section in ("figures", "readings", "capabilities", "limits"):
        for figure, row in content[section].items():
            keys = ", ".join(row.get("sources") or [row["source"]])
            (line,) = [line for line in lines if line.startswith(f"  {figure}: ") and line.endswith(f"[{keys}]")]
            assert str(row.get("unit", "")) in line
            assert str(row.get("note", "")) in line
    for row in content["thermal"]:
        (line,) = [line for line in lines if line.startswith(f"  {row['device']}, {row['workload']}: ")]
        assert line.endswith(f"[{row['source']}]")
        samples = zip(row["seconds"], row["retained"], strict=True)
        assert all(f"{share:.3g} at {seconds} s" in line for seconds, share in samples)
    listed = lines[lines.index("sources") + 1 :]
    for (key, source), line in zip(content["sources"].items(), listed, strict=True):
        assert line.startswith(f"  {key}: {source['title']}")
        assert line.endswith(source["url"] or "(no address)")


def test_every_key_in_the_text_is_listed_at_its_end(anecheck: RunAnecheck) -> None:
    text = anecheck("targets", "m5pro").stdout
    body, _, listed = text.partition("\nsources\n")
    keys = {key for found in re.findall(r"\[([^\]]+)\]$", body, re.MULTILINE) for key in found.split(", ")}
    assert "ane-guide" in keys
    assert keys == {line.strip().partition(":")[0] for line in listed.splitlines()}


def test_numbers_of_a_phone_read_as_they_were_measured(anecheck: RunAnecheck) -> None:
    text = anecheck("targets", "iphone-17-pro").stdout
    assert "  ane, language model: 1 at 0 s, 0.988 at 30 s, " in text
    assert "0.67 to 0.75 after 10 min; measured on 1 device: iphone-17-pro (reported by users) [llm-bench]" in text
    assert "that is scheduling, not heat" in text


def test_the_heat_of_a_class_that_was_not_measured_is_carried_over_or_unknown(anecheck: RunAnecheck) -> None:
    tablet = anecheck("targets", "a12x").stdout
    assert "carried over from the phone, measured on 1 device: iphone-17-pro (extrapolated from other chips)" in tablet
    mac = anecheck("targets", "m1max").stdout
    assert "  ane: 1 after 0 min, 1 after 3.5 min; measured on 1 device: m1max (reverse-engineered) [ane-guide]" in mac
    assert "  gpu: Nobody published how long the GPU of a Mac" in mac
    assert "dispatch_floor_ms: 0.19 / 0.23 ms (high) [ane-guide]" in mac
    assert "activation-stream: 10 / 24 GB/s, alone (high) [ane-guide]" in mac


def test_a_family_has_its_limits_and_no_chip(anecheck: RunAnecheck) -> None:
    content = known(anecheck, "h13")
    assert content.keys() - {"family_note"} == {"family", "measured", "rates", "capabilities", "limits", "sources"}
    assert content["limits"]["load-cold-ms"]["value"] == 100
    assert "chip" not in anecheck("targets", "h13").stdout.splitlines()[0]


def test_a_chip_whose_engine_core_ml_cannot_reach_has_its_figures(anecheck: RunAnecheck) -> None:
    content = known(anecheck, "a11")
    assert content["figures"].keys() == KNOWLEDGE.chips["a11"].figures.keys()
    assert (content["capabilities"], content["limits"]) == ({}, {})
    assert known(anecheck, "iPhone-X") == content
    assert "note: Core ML does not reach this engine" in anecheck("targets", "a11").stdout
    assert "no engine that Core ML can reach" in anecheck("targets", "a11/ios16").stderr


def test_the_rates_behind_estimated_times_are_told(anecheck: RunAnecheck) -> None:
    own = anecheck("targets", "a17pro").stdout
    assert "year: 2023" in own
    assert "fitted to 6 published latencies on A17 Pro (medium) [latency-fit]" in own
    rates = json.loads(anecheck("targets", "m3", "--format", "json").stdout)["rates"]
    assert rates["gbps"]["value"] == 63.1, "what its engine was seen to draw"
    assert "carried over from A16" in rates["tflops"]["note"]
    assert rates["spread"]["value"] > 1.8
