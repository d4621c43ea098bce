"""A rule: the unit of knowledge. What it flags, why, how sure we are, and what to write instead, all in one class."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from anecheck.knowledge.evidence import FAMILIES, Citation, Device
from anecheck.knowledge.rows import EngineVerdict, Limit
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import ComputeUnits, Target
from anecheck.lint.finding import Severity
from anecheck.mil.graph import Graph, Node
from anecheck.mil.model import Interface, Model
from anecheck.mil.types import TensorType
from anecheck.predict.assess import Assessment
from anecheck.predict.budget import NO_BUDGETS, Budgets
from anecheck.predict.placement import Placement


@dataclass(frozen=True, slots=True)
class Example:
    """A program that raises a rule, and what to write instead, as MIL text and as the PyTorch that leads to it.

    `flags` names the operations of `before` that the rule must find, and no others ("" stands for the whole model); `also`
    are the codes of other rules that have something to say of `before`. `after` must raise no rule at all; without it there
    is no rewrite inside the program, and `reason` says so. `equal` promises that both compute the same numbers at fp16
    tolerance; where it is false, `reason` gives the error (`approximation: … within 1e-3`) or the redesign (`redesign: …`).
    `target` is what both are judged for, and `interface` what the model says of its inputs and outputs where that matters.

    `pytorch_before` and `pytorch_after` are what a person writes to get there; where `before` is a known conversion,
    `pattern` names its package in `fixtures/conversions/`, whose operations it has.
    """

    before: str
    flags: tuple[str, ...]
    after: str | None = None
    equal: bool = True
    reason: str = ""
    target: str = "m4"
    also: tuple[str, ...] = ()
    interface: Interface | None = None
    interface_after: Interface | None = None
    pytorch_before: str = ""
    pytorch_after: str = ""
    pattern: str = ""


def mil(text: str) -> str:
    """Tidy a program written inside Python: take away the first line's indentation, and the blank lines around it."""
    body = text.strip("\n")
    indentation = body[: len(body) - len(body.lstrip(" "))]
    return body.removeprefix(indentation).replace("\n" + indentation, "\n").rstrip() + "\n"


pytorch = mil
"""The same for PyTorch."""


@dataclass(frozen=True, slots=True, eq=False)
class GraphContext:
    """A function under judgement; `label` is how reports name it (`encoder/main` in a pipeline)."""

    label: str
    graph: Graph


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What a rule may look at: the model, all its functions, the target, and what is known of it."""

    model: Model
    functions: tuple[GraphContext, ...]
    target: Target
    compute_units: ComputeUnits
    knowledge: Knowledge
    placements: tuple[Placement, ...] = ()
    """The predicted placement of each of `functions`; empty while operation rules run, which it is made from."""
    assessments: tuple[Assessment, ...] = ()
    """The numbers of each of `functions`: working set, weights, time. Empty while operation rules run."""
    budgets: Budgets = NO_BUDGETS
    """What the app can afford; nothing of it is set unless somebody asks."""

    def limit(self, name: str) -> Limit | None:
        """A limit for the target's family; `None` where nobody knows it."""
        return self.knowledge.limit(name, self.target.family)

    def families_below(self, name: str, value: float) -> tuple[str, ...]:
        """The families whose limit `name` lies below `value`."""
        limits = ((family, self.knowledge.limit(name, family)) for family in FAMILIES)
        return tuple(family for family, limit in limits if limit is not None and value > limit.value)

    def verdict(self, operation: str) -> EngineVerdict | None:
        """What the target's engine does with a MIL operation; `None` for operations that nobody described."""
        return self.knowledge.engine_verdict(operation, self.target.family)

    def families_without(self, operation: str) -> tuple[str, ...]:
        """The families whose engine never runs a MIL operation."""
        rows = ((family, self.knowledge.engine_verdict(operation, family)) for family in FAMILIES)
        return tuple(family for family, row in rows if row is not None and row.status == "never")


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """A place where a rule speaks.

    `related` are nodes that share the fate of `node` and are blocked with it. `blocks` are the devices that the rule keeps
    them all from. `explains` says that nothing more needs to be said of why these nodes leave, by rules that defer; what
    blocks them explains it anyway. `evidence` takes the place of the rule's own where a table knows better.
    """

    rule: Rule
    message: str
    node: Node | None = None
    function: GraphContext | None = None
    families: tuple[str, ...] = FAMILIES
    related: tuple[Node, ...] = ()
    blocks: frozenset[Device] = frozenset()
    blocks_node: bool = True
    severity: Severity | None = None
    evidence: tuple[Citation, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)
    reject: str = ""
    explains: bool = False


class Rule:
    """What every rule says of itself. The docstring is its page: a title line, then sections under `## ` headings."""

    code: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity] = Severity.WARNING
    evidence: ClassVar[tuple[Citation, ...]]
    rewrite: ClassVar[str] = ""
    """What to write instead, in one line."""
    reject: ClassVar[str] = ""
    """What Core ML's own compiler answers, verbatim, where one answer fits all of the rule's findings."""
    covers: ClassVar[tuple[str, ...]] = ()
    """The restrictions of `rules/coverage/` that the rule takes care of, by their identifiers."""
    limits: ClassVar[tuple[str, ...]] = ()
    """The rows of `limits.toml` that the rule compares with; whoever lints may set others."""
    releases: ClassVar[str] = ""
    """On which releases of the systems the rule holds, where it is not all."""
    engine_only: ClassVar[bool] = True
    """Whether the rule is about staying on the engine, and says nothing where the app does not use it."""
    per_target: ClassVar[bool] = False
    """Whether what it says holds for one target, and is said of each that was asked for."""
    EXAMPLES: ClassVar[tuple[Example, ...]] = ()

    @property
    def page(self) -> str:
        """The docstring, tidied."""
        return inspect.cleandoc(type(self).__doc__ or "")

    @property
    def title(self) -> str:
        """The docstring's first line."""
        return self.page.partition("\n")[0]

    def section(self, heading: str) -> str:
        """The text under a heading of the docstring; empty where there is none."""
        _, found, rest = self.page.partition(f"## {heading}\n")
        return rest.partition("\n## ")[0].strip() if found else ""


REASONS = ("Why it leaves the engine", "Why it costs", "Why it goes wrong", "What it means")
"""The headings under which a page gives the reason of its rule."""


class OperationRule(Rule):
    """Looks at one operation in its graph.

    `operations` limits the rule to these types; `None` means all. A rule that `defers` is silent where a more specific
    one has spoken of the same operation, but still blocks it.
    """

    operations: ClassVar[frozenset[str] | None] = None
    blocks: ClassVar[frozenset[Device]] = frozenset({Device.ANE})
    defers: ClassVar[bool] = False

    def concerns(self, kind: str, context: Context) -> bool:
        """Whether operations of a type need a look at all; asked once for each type of a program."""
        return self.operations is None or kind in self.operations

    def concerns_tensor(self, tensor: TensorType, context: Context) -> bool:
        """Whether operations that take or give such a tensor need a look; asked once for each type of tensor.

        A rule that overrides this is called only for operations with a run-time tensor that concerns it.
        """
        return True

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Yield a match for each thing wrong with `operation`."""
        raise NotImplementedError

    def finding(  # noqa: PLR0913  # each is one column of the report
        self,
        operation: Node,
        message: str,
        *,
        families: tuple[str, ...] = FAMILIES,
        related: tuple[Node, ...] = (),
        blocks: bool = True,
        severity: Severity | None = None,
        evidence: tuple[Citation, ...] = (),
        reject: str = "",
        **data: object,
    ) -> Match:
        """Describe a match at `operation`; with `blocks=False` the rule's devices are kept only from `related`."""
        return Match(
            self,
            message,
            operation,
            None,
            families,
            related,
            self.blocks,
            blocks,
            severity,
            evidence,
            dict(data),
            reject,
        )


class ModelRule(Rule):
    """Looks at a whole model."""

    def check(self, context: Context) -> Iterator[Match]:
        """Yield a match for each thing wrong with the model."""
        raise NotImplementedError

    def finding(  # noqa: PLR0913  # each is one column of the report
        self,
        message: str,
        *,
        node: Node | None = None,
        function: GraphContext | None = None,
        families: tuple[str, ...] = FAMILIES,
        related: tuple[Node, ...] = (),
        explains: bool = False,
        severity: Severity | None = None,
        evidence: tuple[Citation, ...] = (),
        **data: object,
    ) -> Match:
        """Describe a match, at `node` where one operation stands for it, or for a whole `function`."""
        return Match(
            self,
            message,
            node,
            function,
            families,
            related,
            severity=severity,
            evidence=evidence,
            data=dict(data),
            explains=explains,
        )
