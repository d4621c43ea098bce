"""What a target on the command line means: a chip, a device or a family, with or without an OS release."""

from __future__ import annotations

import pytest

from anecheck.knowledge.evidence import FAMILIES
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import DEFAULT_TARGET, ComputeUnits, Target, UnknownTargetError, parse_target

KNOWLEDGE = Knowledge()


@pytest.mark.parametrize(
    ("text", "target", "shown"),
    [
        ("a17pro", Target("H16", "a17pro"), "a17pro (H16)"),
        ("A17Pro", Target("H16", "a17pro"), "a17pro (H16)"),
        ("  m4\t", Target("H16", "m4"), "m4 (H16)"),
        ("iphone-15-pro", Target("H16", "a17pro"), "a17pro (H16)"),
        ("iPhone-15", Target("H15", "a16"), "a16 (H15)"),
        ("mac-studio-m1ultra", Target("H13", "m1ultra"), "m1ultra (H13)"),
        ("h16", Target("H16"), "H16"),
        ("H11", Target("H11"), "H11"),
        ("m4/macos26", Target("H16", "m4", "macos26"), "m4 (H16)/macos26"),
        ("a17pro/iOS18.2.1", Target("H16", "a17pro", "ios18.2.1"), "a17pro (H16)/ios18.2.1"),
        ("h13/ipados17", Target("H13", None, "ipados17"), "H13/ipados17"),
        ("vision-pro-2025/visionOS2", Target("H17", "m5", "visionos2"), "m5 (H17)/visionos2"),
        ("a13/tvos16", Target("H12", "a13", "tvos16"), "a13 (H12)/tvos16"),
        ("a13/watchos10", Target("H12", "a13", "watchos10"), "a13 (H12)/watchos10"),
    ],
)
def test_targets(text: str, target: Target, shown: str) -> None:
    assert parse_target(text, KNOWLEDGE) == target
    assert str(target) == shown


def test_every_chip_device_and_family_is_a_target_but_a11() -> None:
    for chip in KNOWLEDGE.chips.values():
        for name in (chip.slug, *chip.devices):
            if chip.slug == "a11":
                with pytest.raises(UnknownTargetError, match="A11 has no engine that Core ML can reach"):
                    parse_target(name, KNOWLEDGE)
            else:
                assert parse_target(name, KNOWLEDGE) == Target(chip.family, chip.slug)
    assert [parse_target(name.lower(), KNOWLEDGE) for name in FAMILIES] == [Target(name) for name in FAMILIES]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a11", "A11 has no engine that Core ML can reach; choose a newer chip"),
        ("iphone-x/ios16", "A11 has no engine that Core ML can reach; choose a newer chip"),
        ("m4por", "there is no chip, device or family 'm4por'; did you mean m4pro or m5pro or m3pro?"),
        ("a17 pro", "there is no chip, device or family 'a17 pro'; did you mean a17pro or a19pro or a18pro?"),
        ("h10", "there is no chip, device or family 'h10'; did you mean h18 or h17 or h16?"),
        ("snapdragon", "there is no chip, device or family 'snapdragon'; `anecheck targets` lists them"),
        ("none", "there is no chip, device or family 'none'; `anecheck targets` lists them"),
        ("", "there is no chip, device or family ''; `anecheck targets` lists them"),
        ("/ios18", "there is no chip, device or family ''; `anecheck targets` lists them"),
        ("m4/linux", "'linux' is no OS release; write for example ios18 or macos26"),
        ("m4/ios", "'ios' is no OS release; write for example ios18 or macos26"),
        ("m4/ios18.", "'ios18.' is no OS release; write for example ios18 or macos26"),
        ("m4/ios18/x", "'ios18/x' is no OS release; write for example ios18 or macos26"),
        ("nowhere/ios", "'ios' is no OS release; write for example ios18 or macos26"),
    ],
)
def test_what_is_no_target_says_what_is_near(text: str, message: str) -> None:
    with pytest.raises(UnknownTargetError) as caught:
        parse_target(text, KNOWLEDGE)
    assert str(caught.value) == message


def test_the_default_is_a_target() -> None:
    assert parse_target(DEFAULT_TARGET, KNOWLEDGE).family == "H16"


def test_the_engine_is_among_some_compute_units() -> None:
    assert {units.value: units.has_engine for units in ComputeUnits} == {
        "all": True,
        "cpu-and-ne": True,
        "cpu-and-gpu": False,
        "cpu-only": False,
    }
