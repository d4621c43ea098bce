"""What is known of targets, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from anecheck.knowledge.evidence import Confidence
from anecheck.knowledge.tables import Knowledge
from anecheck.report.standing import STANDING

Row = Mapping[str, Any]
"""A row of a table, or a part of the content, as `targets.details` gives it."""


def listing(knowledge: Knowledge) -> str:
    """All chips, families and releases as tables of a few columns."""
    lines = ["chip      family  year  devices"]
    for chip in knowledge.chips.values():
        devices = ", ".join(chip.devices[:3]) + (" …" if len(chip.devices) > 3 else "")
        lines.append(f"{chip.slug:<9} {chip.family:<7} {chip.year}  {devices}")
    lines += ["", "family  measured  chips"]
    for family in knowledge.families.values():
        lines.append(f"{family.name:<7} {'yes' if family.measured else 'no':<9} {', '.join(family.chips)}")
    lines += ["", "specification  opset     iOS     macOS"]
    for release in knowledge.releases.values():
        lines.append(f"{release.specification_version:<14} {release.opset:<9} {release.ios:<7} {release.macos}")
    lines += ["", "A target is a chip, device or family, with an OS if you like: a17pro, iphone-15-pro, h14/ios17."]
    return "\n".join(lines)


def text(content: Mapping[str, Any]) -> str:
    """What `details` gave, a line for each number: value, unit, note, how sure it is, and the keys of its sources."""
    lines: list[str] = []
    for key, value in content.items():
        if not isinstance(value, dict) and key != "thermal":
            lines.append(f"{key}: {', '.join(map(str, value)) if isinstance(value, list) else _plain(value)}")
        elif value:
            lines += ["", _TITLES.get(key, key), *(f"  {line}" for line in _SECTIONS.get(key, _numbers)(value))]
    return "\n".join(lines)


def _numbers(rows: Row) -> Iterator[str]:
    for name, row in rows.items():
        amount = f"{_number(row['value'])} {row.get('unit', '')}".rstrip()
        note = f", {row['note']}" if row.get("note") else ""
        yield f"{name}: {amount}{note} {_standing(row)}"


def _series(rows: list[Row]) -> Iterator[str]:
    for row in rows:
        points = zip(row["seconds"], row["retained"], strict=True)
        kept = ", ".join(f"{share:.3g} at {seconds} s" for seconds, share in points)
        note = f"; {row['note']}" if row.get("note") else ""
        yield f"{row['device']}, {row['workload']}: {kept}{note} {_standing(row)}"


def _curves(rows: Row) -> Iterator[str]:
    for device, row in rows.items():
        if "minutes" not in row:
            yield f"{device}: {row['note']}"
            continue
        points = zip(row["minutes"], row["low"], row["high"], strict=True)
        kept = ", ".join(f"{_share(low, high)} after {minutes:.2g} min" for minutes, low, high in points)
        machines = f"{row['devices']} device{'s' if row['devices'] != 1 else ''}: {', '.join(row['measured_on'])}"
        carried = f"carried over from the {row['carried_over_from']}, " if "carried_over_from" in row else ""
        yield f"{device}: {kept}; {carried}measured on {machines} {_standing(row)}"
        yield f"  {row['note']}"


def _observations(rows: Row) -> Iterator[str]:
    for name, row in rows.items():
        yield f"{name}: {row['text']} {_standing(row)}"


def _addresses(rows: Row) -> Iterator[str]:
    for key, row in rows.items():
        note = f" ({row['note']})" if row["note"] else ""
        yield f"{key}: {row['title']}{note} {row['url'] or '(no address)'}"


_SECTIONS: Any = {"thermal": _series, "heat": _curves, "observations": _observations, "sources": _addresses}
"""How the sections of the text are written that are no numbers by name."""


_TITLES = {
    "rates": "rates (from which times are estimated)",
    "thermal": "thermal (share of the first samples' rate that was left)",
    "heat": "heat (share of the burst rate that devices of its class are taken to keep)",
}


def _share(low: float, high: float) -> str:
    return f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"


def _standing(row: Row) -> str:
    sure, keys = row["confidence"], row.get("sources") or (row["source"],)
    return f"({STANDING[sure] if isinstance(sure, Confidence) else sure}) [{', '.join(keys)}]"


def _plain(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _number(value: object) -> str:
    if isinstance(value, bool):
        return _plain(value)
    if isinstance(value, (list, tuple)):
        return " / ".join(map(_number, value))
    if isinstance(value, (int, float)):
        return f"{value:,.0f}" if float(value).is_integer() else f"{value:g}"
    return _plain(value)
