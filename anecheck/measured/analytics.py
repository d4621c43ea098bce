"""The `analytics.mil` that Core ML's compiler leaves in the cache of e5rt bundles: the program with what was weighed.

    tensor<fp16, [1, 64]> y = ios16.gather(axis = …, x = x)[name = string("y"),
        BackendSupport = …, EstimatedRuntime = dict<string, fp64>({{"ane", 0.0018}, {"bnns", 0.0021}}),
        SelectedBackend = string("bnns"), ValidationMessage = dict<string, string>({{"ane", "Unsupported …"}})];

What is known of it: 751K (Apple-Neural-Engine-Microarchitecture-Study-M6, macOS 27 on M4) published the fields, that a slot of
BackendSupport is a backend's name or "unsupported", that a refused backend has no estimate, that estimates are milliseconds,
and that inputs pass through operations `tensor_buffer_to_tensor`; deCoreML 0.4.0 reads EstimatedRuntime and ValidationMessage
as dictionaries, SelectedBackend as a string, and knows a backend `mps_graph`. How the rest is laid out was never published,
such as the types of buffers and whether BackendSupport is a list or a dictionary. So nothing but brackets is insisted on, and
whichever of the attributes are there are read; an operation without any counts as one of which nothing is said.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final

from anecheck.knowledge.evidence import Device
from anecheck.measured.plan import CONST, Form, MeasuredOperation, MeasuredPlan, PlanError, plain_type
from anecheck.measured.text import DEPTH, Literal, Tokens, by_key

PROGRAM: Final = re.compile(r"\s*(?://[^\n]*\n\s*)*(?:program\b|func\b)")
ATTRIBUTES: Final = ("BackendSupport", "EstimatedRuntime", "SelectedBackend", "ValidationMessage")
BACKENDS: Final = {
    "ane": Device.ANE,
    "bnns": Device.CPU,
    "classic_cpu": Device.CPU,
    "e5_minimal_cpu": Device.CPU,
    "jit_call": Device.CPU,
    "mps_graph": Device.GPU,
}
"""Which device a backend stands for; the names of the two CPU backends after `classic_cpu` are inferred by 751K."""
REFUSED: Final = {"", "unsupported", "false", "no"}
HANDOVER: Final = {"tensor_buffer_to_tensor", "tensor_to_tensor_buffer"}
"""How inputs and outputs pass between the app and the program: no operations of the model."""


def is_program(text: str) -> bool:
    """Whether a text begins like MIL."""
    return bool(PROGRAM.match(text))


def read(text: str) -> MeasuredPlan:
    """Read what the attributes of every operation say.

    Raises:
        PlanError: brackets do not match, or no operation has any of the attributes.
    """
    reader = _Reader(text)
    reader.program()
    if not reader.is_analytics:
        raise PlanError(
            f"it is MIL text, but no operation has {', '.join(ATTRIBUTES[:-1])} or {ATTRIBUTES[-1]}; "
            "give the analytics.mil of the bundle cache, not a model.mil"
        )
    return MeasuredPlan(Form.ANALYTICS, tuple(reader.operations))


class _Reader(Tokens):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.operations: list[MeasuredOperation] = []
        self.is_analytics = False

    def program(self) -> None:
        """Read the body of every function; what is around them is stepped over."""
        if self.accept("program"):
            while self.token in {"(", "["}:
                self.skip()
            self.expect("{")
        while self.kind != "end":
            if self.accept("func"):
                function = self.name()
                while self.token in {"<", "(", "["}:
                    self.skip()
                self._body(function, (), 0)
            else:
                self.advance()

    def _body(self, function: str, block: tuple[tuple[int, int], ...], depth: int) -> None:
        """Read `{ statement; … }`."""
        if depth > DEPTH:
            self.fail(f"at most {DEPTH} blocks in each other")
        self.expect("{")
        position = 0
        while not self.accept("}"):
            position += self._statement(function, block, position)

    def _statement(self, function: str, block: tuple[tuple[int, int], ...], position: int) -> int:
        """Read `TYPE name, … = type(…)[attribute = value, …] { block … };` and say how many operations it is."""
        names, kind = self._head()
        if self.token != "(":
            self.fail("'('")
        self.skip()
        attributes = self._attributes() if self.token == "[" else {}
        counts = plain_type(kind) not in {CONST, *HANDOVER}
        if counts:
            self.is_analytics = self.is_analytics or not attributes.keys().isdisjoint(ATTRIBUTES)
            self.operations.append(_operation(plain_type(kind), function, names, block, attributes))
        if self.accept("{"):
            self._blocks(function, block, position)
        while not self.accept(";"):
            if self.kind == "end" or self.token == "}":
                self.fail("';'")
            self.skip()
        return int(counts)

    def _head(self) -> tuple[list[str], str]:
        """The names of the results and the type of the operation."""
        names: list[str] = []
        last = self.name()
        while self.token != "(":
            if self.accept("="):
                return [*names, last], self.name()
            if self.accept(","):
                names.append(last)
            elif self.kind in {"name", "quoted"}:
                last = self.name()
            elif self.token in {"<", "["}:
                self.skip()
            else:
                self.fail("the results and the type of an operation")
        return [], last

    def _attributes(self) -> dict[str, Literal]:
        self.expect("[")
        found: dict[str, Literal] = {}
        while not self.accept("]"):
            name = self.name()
            self.expect("=")
            if name in ATTRIBUTES:
                found[name] = self.literal()
            while self.token not in {",", "]"}:
                if self.kind == "end":
                    self.fail("']'")
                self.skip()
            self.accept(",")
        return found

    def _blocks(self, function: str, block: tuple[tuple[int, int], ...], position: int) -> None:
        """Read the nested blocks of the operation at `position` up to its closing brace."""
        number = 0
        while not self.accept("}"):
            if self.token == "{":
                self._body(function, (*block, (position, number)), len(block) + 1)
                number += 1
            elif self.kind == "end":
                self.fail("'}'")
            else:
                self.skip()


def _operation(
    kind: str,
    function: str,
    names: list[str],
    block: tuple[tuple[int, int], ...],
    attributes: Mapping[str, Literal],
) -> MeasuredOperation:
    selected = attributes.get("SelectedBackend")
    weighed = by_key(attributes.get("EstimatedRuntime"))
    estimates = {
        backend: value
        for backend, value in weighed.items()
        if backend in BACKENDS and isinstance(value, float) and math.isfinite(value)
    }
    messages = by_key(attributes.get("ValidationMessage"))
    return MeasuredOperation(
        type=kind,
        function=function,
        name=names[0] if names else None,
        block=block,
        device=BACKENDS.get(selected) if isinstance(selected, str) else None,
        supported=_supported(attributes.get("BackendSupport"), estimates),
        estimates_ms=estimates,
        messages={backend: text for backend, text in messages.items() if isinstance(text, str) and text},
    )


def _supported(slots: Literal | None, estimates: Mapping[str, float]) -> frozenset[Device] | None:
    """The devices that are not refused; where nothing says so, those that have an estimate."""
    if slots is None and not estimates:
        return None
    backends = set(estimates)
    if slots is not None:
        pairs = by_key(slots)
        items = slots if isinstance(slots, list) else [slots]
        backends = (
            {backend for backend, answer in pairs.items() if str(answer).lower() not in REFUSED}
            if pairs and pairs.keys() & BACKENDS.keys()
            else {item for item in items if isinstance(item, str)}
        )
    return frozenset(BACKENDS[backend] for backend in backends if backend in BACKENDS)
