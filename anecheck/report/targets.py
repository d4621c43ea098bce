"""What is known of targets, as data: the list of all, and every number of one with its source."""

from __future__ import annotations

from collections.abc import Iterator

from anecheck.knowledge.evidence import Device
from anecheck.knowledge.heat import Curve, Observation
from anecheck.knowledge.rows import Chip, Family, Figure, Thermal
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import Target
from anecheck.predict.heat import unmeasured
from anecheck.predict.rates import rates


def everything(knowledge: Knowledge) -> dict[str, object]:
    """All chips, families and releases."""
    return {
        "chips": [_chip(chip) for chip in knowledge.chips.values()],
        "families": [_family(family) for family in knowledge.families.values()],
        "releases": [release._asdict() for release in knowledge.releases.values()],
    }


def details(family: str, chip: Chip | None, knowledge: Knowledge) -> dict[str, object]:
    """Everything known of a family ("none": no engine that Core ML can reach), and of a chip where one is named.

    `figures` are what the chip is sold with, `readings` single measurements of it, `thermal` measured series, `heat` what
    its class of devices is taken to keep under lasting work; `sources` says where each of the keys that occur leads.
    """
    row = knowledge.families.get(family)
    content: dict[str, object] = {"family": family, "measured": row is not None and row.measured}
    if chip is not None:
        content = {"chip": chip.name, "year": chip.year, "devices": list(chip.devices), **content}
        content["device_class"] = chip.device_class
        content.update({name: text for name, text in (("arch", chip.arch), ("note", chip.note)) if text})
        content["figures"] = {name: _filled(figure) for name, figure in chip.figures.items()}
        content["readings"] = {name: _filled(figure) for name, figure in chip.readings.items()}
        content["thermal"] = [_filled(series) for series in chip.thermal]
        content["heat"] = {device.value: _heat(chip, device, knowledge) for device in (Device.ANE, Device.GPU)}
        seen = [each for each in knowledge.heat.observations if each.device_class == chip.device_class]
        content["observations"] = {each.subject: _filled(each) for each in seen}
    if row is not None:
        content["rates"] = _rates(Target(family, chip.slug if chip is not None else None), knowledge)
    if row is not None and row.note:
        content["family_note"] = row.note
    limits = {limit.name: limit for (_, where), limit in knowledge.limits.items() if where == family}
    content["capabilities"] = {item.name: item._asdict() for item in (row.capability if row is not None else ())}
    content["limits"] = {name: limit._asdict() for name, limit in sorted(limits.items())}
    cited = sorted(set(_cited(content)))
    content["sources"] = {key: knowledge.sources[key]._asdict() for key in cited}
    return content


def _rates(target: Target, knowledge: Knowledge) -> dict[str, object]:
    """The numbers from which times are estimated: fitted to published latencies, or carried over and less sure."""
    found = rates(target, knowledge)
    sure = "medium" if found.standing == "fitted" else "low"
    units = {"tflops": "TFLOPS", "gbps": "GB/s", "floor_ms": "ms", "int8_speedup": "x", "spread": "x, up or down"}
    return {
        name: {
            "value": round(getattr(found, name), 3),
            "unit": unit,
            "source": "latency-fit",
            "confidence": sure,
            "note": found.note,
        }
        for name, unit in units.items()
    }


def _heat(chip: Chip, device: Device, knowledge: Knowledge) -> dict[str, object]:
    """The curve of a chip's class, points of the class it is carried over from included; or why there is none."""
    row = knowledge.heat.curve(chip.device_class, device.value)
    if row is None:
        return {"note": unmeasured(chip.device_class, device, knowledge)}
    points = knowledge.heat.measured(row)
    own = {"minutes", "low", "high", "series", "measured_on", "devices"}
    return _filled(row._replace(**{name: getattr(points, name) for name in own}))


def _filled(row: Figure | Thermal | Curve | Observation) -> dict[str, object]:
    """A row without its empty texts."""
    return {name: value for name, value in row._asdict().items() if value != ""}


def _chip(chip: Chip) -> dict[str, object]:
    own = {name: value for name, value in chip._asdict().items() if name not in {"figures", "more"}}
    return {**own, **{name: _filled(figure) for name, figure in chip.figures.items()}, **chip.more}


def _family(family: Family) -> dict[str, object]:
    return {**family._asdict(), "capability": [item._asdict() for item in family.capability]}


def _cited(content: object) -> Iterator[str]:
    """Every key of a source, at any depth."""
    if isinstance(content, (list, tuple)):
        for item in content:
            yield from _cited(item)
    elif isinstance(content, dict):
        for key, value in content.items():
            if key == "source":
                yield value
            elif key == "sources":
                yield from value
            else:
                yield from _cited(value)
