"""What a configuration file may say, as pydantic reads it; the schema for editors comes from here."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from anecheck.lint.asked.wanted import positive, share, size
from anecheck.lint.finding import Severity


def _hyphened(name: str) -> str:
    return name.replace("_", "-")


STRICT: Final = ConfigDict(
    extra="forbid",
    frozen=True,
    populate_by_name=True,
    use_attribute_docstrings=True,
    alias_generator=_hyphened,
)


def _several(value: object) -> object:
    """One text stands for a list of one."""
    return [value] if isinstance(value, str) else value


def _told(value: object) -> object:
    """A text that says something."""
    if isinstance(value, str) and not value.strip():
        raise ValueError("say why")
    return value


Texts = Annotated[tuple[str, ...], BeforeValidator(_several, json_schema_input_type=str | list[str])]
Positive = Annotated[float, BeforeValidator(positive, json_schema_input_type=float | str)]
Share = Annotated[float, BeforeValidator(share, json_schema_input_type=float | str)]
Size = Annotated[float, BeforeValidator(size, json_schema_input_type=float | str)]


class BudgetTable(BaseModel):
    """What the app can afford, as `lint`'s options of the same names."""

    model_config = STRICT

    fps: Positive | None = None
    """Frames a second."""
    headroom: Share | None = None
    """What of a frame is kept for the system, as "20%" or 0.2."""
    sustained: Positive | None = None
    """Minutes that the rate has to hold for."""
    residency: Literal["single", "always"] | None = None
    """Memory of a model that is resident alone (150 MB), or always (50 MB)."""
    load: Literal["cold", "camera"] | None = None
    """Loading where a person waits (100 ms), or a camera (50 ms)."""
    memory_limit: Size | None = None
    """Bytes, or a text such as "150MB"."""
    beside: Texts | None = Field(default=None, alias="with")
    """Models that run in the same frame, relative to this file; one that is linted itself is not beside itself."""


class RuleTable(BaseModel):
    """What is set for one rule, or for all that a prefix means."""

    model_config = STRICT

    severity: Severity | None = None
    """"error", "warning" or "info" in place of the rule's own."""
    limits: dict[str, float] = {}
    """Other limits for this rule alone; `anecheck rule CODE` names them."""


class JudgedTable(BaseModel):
    """What models are judged for and by."""

    model_config = STRICT

    target: Texts = ()
    """Chips, devices or families, each with an optional OS ("a17pro/ios18")."""
    compute_units: Literal["all", "cpu-and-ne", "cpu-and-gpu", "cpu-only"] | None = None
    """Which devices the app lets Core ML use."""
    select: Texts = ()
    """Only these rules: codes, prefixes ("ANE1") or names."""
    extend_select: Texts = ()
    """These rules as well."""
    ignore: Texts = ()
    """Not these rules."""
    limits: dict[str, float] = {}
    """Other limits than the known ones to judge by, by name."""
    rules: dict[str, RuleTable] = {}
    """What is set for single rules, by code, prefix or name."""
    budgets: BudgetTable = BudgetTable()
    """What the app can afford."""
    fail_on: Literal["error", "warning", "info", "never"] | None = None
    """The least severity that makes the exit code 1."""


class ModelTable(JudgedTable):
    """What holds for some models: those whose path from the file's folder, or whose name, fits a glob of `path`."""

    path: Texts
    """Globs: `*` stays within a folder, `**` does not; one without a slash fits names anywhere."""


class SuppressTable(BaseModel):
    """Findings that somebody has looked at and decided to live with."""

    model_config = STRICT

    rule: str
    """A code, a prefix or a name."""
    model: Texts = ("**",)
    """Globs of models, as `path` of a section."""
    operation: str = "*"
    """A glob of operations' names, or of `function/name`."""
    reason: Annotated[str, BeforeValidator(_told, json_schema_input_type=str)]
    """Why; whoever comes next will ask."""
    expires: date | None = None
    """The last day on which it holds."""


class Tables(JudgedTable):
    """A configuration file."""

    extend: str | None = None
    """Another configuration, relative to this file, which holds where this one says nothing."""
    include: Texts = ("**/*.mlpackage", "**/*.mlmodel", "**/*.mlmodelc")
    """The models that `anecheck lint` lints where it is given no path, as globs from this file's folder."""
    exclude: Texts = ()
    """Globs of models that are never linted, but where they are named one by one."""
    baseline: str | None = None
    """The baseline, relative to this file; where there is none at that place, nothing is in it."""
    format: Texts = ()
    """Formats of the report, "NAME" or "NAME=FILE"."""
    suppress: tuple[SuppressTable, ...] = ()
    """Findings that do not count."""
    models: tuple[ModelTable, ...] = ()
    """What holds for some models; the last section that fits has the last word."""


def schema() -> str:
    """The JSON schema of a configuration file; the docstrings of the settings are its descriptions."""
    content = Tables.model_json_schema(by_alias=True)
    content["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    content["title"] = "anecheck configuration"
    return json.dumps(content, indent=2)
