"""`anecheck targets`: what `--target` understands."""

from __future__ import annotations

import json

import click

from anecheck.knowledge.rows import Chip, Family, Figure
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import UnknownTargetError, parse_target


@click.command("targets", short_help="List chips, families and releases.")
@click.argument("name", required=False)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(name: str | None, format_: str) -> None:
    """List the chips, engine families and OS releases known, or everything known of the target NAME.

    Rules speak of engine families; a family measured directly gives the surest findings.
    """
    knowledge = Knowledge()
    if name is None:
        content = _everything(knowledge)
        click.echo(json.dumps(content, indent=2) if format_ == "json" else _list(knowledge))
        return
    try:
        target = parse_target(name, knowledge)
    except UnknownTargetError as error:
        raise click.UsageError(str(error)) from error
    content = _details(target.family, knowledge.chips[target.chip] if target.chip else None, knowledge)
    click.echo(json.dumps(content, indent=2) if format_ == "json" else _text(content))


def _everything(knowledge: Knowledge) -> dict[str, object]:
    return {
        "chips": [_chip(chip) for chip in knowledge.chips.values()],
        "families": [
            {**family._asdict(), "capability": [item._asdict() for item in family.capability]}
            for family in knowledge.families.values()
        ],
        "releases": [release._asdict() for release in knowledge.releases.values()],
    }


def _family(family: Family) -> dict[str, object]:
    return {**family._asdict(), "capability": [item._asdict() for item in family.capability]}


def _chip(chip: Chip) -> dict[str, object]:
    own = {name: value for name, value in chip._asdict().items() if name not in {"figures", "more"}}
    return {**own, **{name: _figure(figure) for name, figure in chip.figures.items()}, **chip.more}


def _figure(figure: Figure) -> dict[str, object]:
    return {name: value for name, value in figure._asdict().items() if value != ""}


def _list(knowledge: Knowledge) -> str:
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


def _details(family: str, chip: Chip | None, knowledge: Knowledge) -> dict[str, object]:
    row = knowledge.families[family]
    limits = {limit.name: limit for (_, where), limit in knowledge.limits.items() if where == family}
    content: dict[str, object] = {"family": family, "measured": row.measured}
    if chip is not None:
        content = {"chip": chip.name, "year": chip.year, "devices": list(chip.devices), **content}
        content["figures"] = {name: _figure(figure) for name, figure in chip.figures.items()}
    content["capabilities"] = {item.name: item._asdict() for item in row.capability}
    content["limits"] = {name: limit._asdict() for name, limit in sorted(limits.items())}
    return content


def _text(content: dict[str, object]) -> str:
    lines = []
    for key, value in content.items():
        if not isinstance(value, dict):
            lines.append(f"{key}: {', '.join(map(str, value)) if isinstance(value, (list, tuple)) else value}")
            continue
        lines += ["", key]
        for name, row in value.items():
            source = row.get("source") or ", ".join(row.get("sources", ()))
            lines.append(
                f"  {name}: {_number(row['value'])} {row.get('unit', '')}".rstrip()
                + f"  [{source}, {row['confidence']}]"
            )
    return "\n".join(lines)


def _number(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return " / ".join(map(_number, value))
    if isinstance(value, (int, float)):
        return f"{value:,.0f}" if float(value).is_integer() else f"{value:g}"
    return str(value)
