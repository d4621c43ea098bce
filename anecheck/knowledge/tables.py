"""Typed access to the tables: each is read when it is first asked for, and kept as long as the `Knowledge` is."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import tomli

from anecheck.knowledge.costs import ComputeFloor, CostClass, Costs, GpuCosts, PathCosts, UncountedParameters
from anecheck.knowledge.evidence import FAMILIES, Confidence
from anecheck.knowledge.rows import (
    Capability,
    Chip,
    EngineVerdict,
    Family,
    Figure,
    Limit,
    Operator,
    Rate,
    Release,
    Source,
    Verdict,
)

if TYPE_CHECKING:
    from anecheck.knowledge.heat import Heat
    from anecheck.knowledge.loads import Loads

R = TypeVar("R")

SURE = {confidence.value: confidence for confidence in Confidence}

OWN_LIMIT = "own-limit"
"""The source of a limit that whoever lints has set."""


class UnknownLimitError(ValueError):
    """No limit has the name given."""


class Knowledge:
    """What is known of chips, releases, operations and limits.

    `limits` are other values than the tables', by the names of the limits, from whoever lints.

    Raises:
        UnknownLimitError: the tables have no limit of a name; names what is near.

    """

    def __init__(self, limits: Mapping[str, float] | None = None) -> None:
        self._set = dict(limits or {})
        names = {name for name, _ in self.limits} if self._set else set()
        for name in self._set:
            if name not in names:
                near = difflib.get_close_matches(name, sorted(names))
                hint = f"did you mean {' or '.join(near)}?" if near else "`anecheck rule CODE` names a rule's limits"
                raise UnknownLimitError(f"there is no limit '{name}'; {hint}")

    def __reduce__(self) -> tuple[type[Knowledge], tuple[dict[str, float]]]:
        """What another process needs: it reads the tables for itself."""
        return Knowledge, (self._set,)

    @cached_property
    def sources(self) -> dict[str, Source]:
        """Sources by key."""
        return {key: _row(Source, row) for key, row in _read("sources").items()}

    @cached_property
    def limits(self) -> dict[tuple[str, str], Limit]:
        """Limits by name and family."""
        rows = [self._as_set(_row(Limit, row)) for row in _read("limits")["limit"]]
        return {(row.name, family): row for row in rows for family in row.families}

    def _as_set(self, row: Limit) -> Limit:
        if row.name not in self._set:
            return row
        return row._replace(value=self._set[row.name], sources=(OWN_LIMIT, *row.sources))

    @cached_property
    def families(self) -> dict[str, Family]:
        """Engine families by name."""
        return {
            row["name"]: _row(Family, row, capability=tuple(_row(Capability, each) for each in row["capability"]))
            for row in _read("families")["family"]
        }

    @cached_property
    def chips(self) -> dict[str, Chip]:
        """Chips by slug."""
        return {row["slug"]: _chip(row) for row in _read("chips")["chip"]}

    @cached_property
    def releases(self) -> dict[int, Release]:
        """Core ML releases by specification version."""
        return {row["specification_version"]: _row(Release, row) for row in _read("releases")["release"]}

    @cached_property
    def operators(self) -> dict[str, Operator]:
        """MIL operations by name."""
        return {name: _row(Operator, row) for name, row in self._operator_tables["operator"].items()}

    @cached_property
    def verdicts(self) -> dict[str, Verdict]:
        """What engines do with operations, by the key that `Operator.verdict` names."""
        return {
            name: Verdict(tuple(_row(EngineVerdict, each) for each in row["engine"]), row["gpu"])
            for name, row in self._operator_tables["verdict"].items()
        }

    @cached_property
    def _operator_tables(self) -> dict[str, Any]:
        tables: dict[str, Any] = _read("operators")
        return tables

    @cached_property
    def costs(self) -> Costs:
        """What Core ML's segmenter takes operations to cost."""
        table = _read("costs")
        return Costs(
            sources=tuple(table["sources"]),
            confidence=Confidence(table["confidence"]),
            families=tuple(table["families"]),
            path=_row(PathCosts, table["path"]),
            gpu=_row(GpuCosts, table["gpu"]),
            compute_floor=_row(ComputeFloor, table["compute_floor"]),
            uncounted_parameters=_row(UncountedParameters, table["uncounted_parameters"]),
            classes=tuple(_row(CostClass, row) for row in table["class"]),
            measured_memory=frozenset(table["measured_memory"]["types"]),
        )

    @cached_property
    def rates(self) -> dict[str, Rate]:
        """How fast chips run whole networks, by slug: only those with published latencies."""
        return {row["chip"]: _row(Rate, row) for row in self._latency_table["rate"]}

    @cached_property
    def rate_spread(self) -> dict[str, float]:
        """How far estimates of time may be off, as factors, by what a chip's rates are taken from."""
        spread = self._latency_table["spread"]
        return {standing: float(spread[standing]) for standing in ("family", "other")}

    @cached_property
    def _latency_table(self) -> dict[str, Any]:
        table: dict[str, Any] = _read("latency")
        return table

    @cached_property
    def heat(self) -> Heat:
        """What classes of devices keep of their rate under lasting work."""
        from anecheck.knowledge.heat import Curve, Heat, Observation, Unmeasured  # noqa: PLC0415  # few runs ask

        table = _read("heat")
        return Heat(
            curves=tuple(_row(Curve, row) for row in table["curve"]),
            unmeasured=tuple(_row(Unmeasured, row) for row in table["unmeasured"]),
            observations=tuple(_row(Observation, row) for row in table["observation"]),
        )

    @cached_property
    def loads(self) -> Loads:
        """How long models were seen to load."""
        from anecheck.knowledge.loads import LoadConstant, Loads, LoadSample  # noqa: PLC0415  # few runs ask

        table = _read("loads")
        return Loads(
            samples=tuple(_row(LoadSample, row) for row in table["load"]),
            constants={row["name"]: _row(LoadConstant, row) for row in table["constant"]},
        )

    def families_of(self, limit: str) -> tuple[str, ...]:
        """The families for which a limit is known."""
        return tuple(family for family in FAMILIES if (limit, family) in self.limits)

    def families_without(self, capability: str) -> tuple[str, ...]:
        """The families that are known to lack a capability."""
        return tuple(
            family.name
            for family in self.families.values()
            if any(item.name == capability and item.value is False for item in family.capability)
        )

    def families_with(self, capability: str) -> tuple[str, ...]:
        """The families that are known to have a capability."""
        return tuple(
            family.name
            for family in self.families.values()
            if any(item.name == capability and item.value is True for item in family.capability)
        )

    def limit(self, name: str, family: str) -> Limit | None:
        """A limit on a family; `None` where it is unknown there.

        Raises:
            KeyError: no family has a limit of that name.
        """
        found = self.limits.get((name, family))
        if found is None and name not in self._limit_names:
            raise KeyError(f"limits.toml has no limit '{name}'")
        return found

    @cached_property
    def _limit_names(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.limits)

    def engine_verdict(self, operation: str, family: str) -> EngineVerdict | None:
        """What a family's engine does with a MIL operation; `None` for operations that the table lacks."""
        return self._engine_verdicts.get((operation, family))

    def lacks_gpu(self, operation: str) -> bool:
        """Whether Core ML's plan had no GPU for a MIL operation."""
        return operation in self._without_gpu

    @cached_property
    def _without_gpu(self) -> frozenset[str]:
        return frozenset(name for name, row in self.operators.items() if self.verdicts[row.verdict].gpu == "lacks")

    @cached_property
    def _engine_verdicts(self) -> dict[tuple[str, str], EngineVerdict]:
        return {
            (name, family): row
            for name, operator in self.operators.items()
            for row in self.verdicts[operator.verdict].engine
            for family in row.families
        }


def _chip(row: Mapping[str, Any]) -> Chip:
    """A chip's row: what the class names, then its figures, which are tables with a value, then the rest."""
    own = set(Chip._fields) & row.keys()
    figures = {name: _row(Figure, each) for name, each in row.items() if isinstance(each, dict) and "value" in each}
    more = {name: each for name, each in row.items() if name not in own and name not in figures}
    return _row(Chip, {name: row[name] for name in own}, figures=figures, more=more)


def _row(kind: type[R], row: Mapping[str, Any], **made: Any) -> R:  # noqa: ANN401  # a row holds anything
    """A row of a table as a `kind`: lists become tuples, and a word for how sure we are becomes a `Confidence`.

    `made` are values that the caller has built already. The tests hold the tables against the types of the classes.
    """
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    sure = SURE.get(str(values.get("confidence")))
    if sure is not None:
        values["confidence"] = sure
    return kind(**{**values, **made})


def _read(table: str) -> Any:  # noqa: ANN401  # the rows are validated where they are built
    return tomli.loads(Path(__file__).with_name(f"{table}.toml").read_text(encoding="utf-8"))
