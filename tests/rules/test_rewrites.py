"""Every rewrite that a rule's example promises, executed: before and after compute the same numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import pytest
from anecheck_rules import RULES

from anecheck.lint.rule import Example
from anecheck.mil.parser import parse
from anecheck.mil.program import Function, Operation, Program, walk
from anecheck.mil.types import StateType, Type
from tests.reference.app import APPS, App, Arrays
from tests.reference.feeds import feeds
from tests.reference.interpreter import run
from tests.reference.table import TABLE
from tests.reference.tensors import Array

ROUNDING: Final = 2.0**-9
"""How far two fp16 results may differ, relative to the largest magnitude of the output (at least 2⁻¹⁴, the smallest normal
number): a few units of rounding, for programs that compute the same but round after different operations."""

OVER_THE_REALS: Final = 1e-9
"""How far each number may differ, relative to itself, where nothing is rounded: float64 in another order."""

APPROXIMATION: Final = 1e-2
"""How far an approximation may differ, relative to the largest magnitude, unless its reason says "within …"."""

WITHOUT_NUMBERS: Final = {"custom_layer": "its class is in the app"}
"""Operations of examples that no reference can execute."""

Key = tuple[str, int]

EXAMPLES: Final[dict[Key, Example]] = {
    (rule.code, number): example for rule in RULES for number, example in enumerate(rule.EXAMPLES, 1)
}
REWRITES: Final = [key for key, example in EXAMPLES.items() if example.after and example.equal]
APPROXIMATIONS: Final = [key for key, example in EXAMPLES.items() if example.reason.startswith("approximation: ")]
REDESIGNS: Final = [key for key, example in EXAMPLES.items() if example.reason.startswith("redesign: ")]


def named(key: Key) -> str:
    return f"{key[0]}-{key[1]}"


def operations(example: Example) -> list[Operation]:
    programs = [parse(text) for text in (example.before, example.after) if text]
    return [node for program in programs for function in program.functions.values() for node in walk(function.block)]


def executable(example: Example) -> bool:
    return not any(operation.type in WITHOUT_NUMBERS for operation in operations(example))


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two programs compare over all inputs tried: errors and the inputs that gave the largest."""

    exact: bool
    rounding: float
    rounding_at: str
    over_the_reals: float
    over_the_reals_at: str

    def __str__(self) -> str:
        return (
            f"largest error {self.rounding:.2e} of the largest magnitude ({self.rounding_at}), "
            f"over the reals {self.over_the_reals:.1e} ({self.over_the_reals_at})"
        )


@cache
def compared(key: Key) -> Comparison:
    """Execute before and after on every input, as rounded by fp16 and over the reals."""
    example, app = EXAMPLES[key], APPS.get(key, App())
    before, after = parse(example.before), parse(example.after or "")
    exact, rounding, reals = True, (0.0, "any input"), (0.0, "any input")
    for feed, inputs in feeds(before, app.given):
        handed = app.hand_over(before, inputs)
        pairs = results(key, before, after, (inputs, handed))
        exact &= all(np.array_equal(old, new, equal_nan=old.dtype.kind == "f") for old, new in pairs)
        rounding = max(rounding, *((relative_to_largest(old, new), feed) for old, new in pairs))
        pairs = results(key, before, after, (inputs, handed), exact=True)
        reals = max(reals, *((relative_to_each(old, new), feed) for old, new in pairs))
    return Comparison(exact, *rounding, *reals)


def results(
    key: Key, before: Program, after: Program, inputs: tuple[Arrays, Arrays], *, exact: bool = False
) -> list[tuple[Array, Array]]:
    """What before and after give, pair by pair: their outputs and, where they keep the same states, what is left in those."""
    kept = [{name: array.copy() for name, array in given.items()} for given in inputs]
    expected, found = (
        list(run(program, own, exact=exact).values()) for program, own in zip((before, after), kept, strict=True)
    )
    pairs = list(zip(expected, APPS.get(key, App()).outputs(found), strict=True))
    names = [variable.name for variable in before.functions["main"].inputs if isinstance(variable.type, StateType)]
    return pairs + [(kept[0][name], kept[1][name]) for name in names if EXAMPLES[key].equal]


def difference(old: Array, new: Array) -> tuple[Array, Array]:
    """The magnitudes of `old` and of the differences; infinite where what is not finite or no float is not the same."""
    assert old.shape == new.shape
    assert old.dtype == new.dtype
    if old.dtype.kind != "f":
        return np.zeros(old.shape), np.where(old == new, 0, np.inf)
    a, b = old.astype(np.float64), new.astype(np.float64)
    finite = np.isfinite(a) & np.isfinite(b)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    apart = np.where(finite, np.abs(np.where(finite, a, 0) - np.where(finite, b, 0)), np.where(same, 0, np.inf))
    return np.abs(np.where(finite, a, 0)), apart


def relative_to_largest(old: Array, new: Array) -> float:
    size, apart = difference(old, new)
    return float(np.max(apart) / max(np.max(size), 2.0**-14))


def relative_to_each(old: Array, new: Array) -> float:
    size, apart = difference(old, new)
    return float(np.max(apart / np.maximum(size, max(1e-3 * np.max(size), 1e-12))))


def interface(function: Function) -> tuple[dict[str, Type], list[Type]]:
    """The inputs by name, and the types of the outputs in their order."""
    inputs = {variable.name: variable.type for variable in function.inputs}
    made = {variable.name: variable.type for node in function.block.operations for variable in node.outputs}
    return inputs, [{**inputs, **made}[name] for name in function.block.outputs]


def test_the_reference_knows_every_operation_of_the_examples() -> None:
    used = {operation.type for example in EXAMPLES.values() for operation in operations(example)}
    assert sorted(used - set(TABLE) - {"const"} - set(WITHOUT_NUMBERS)) == []


@pytest.mark.parametrize("key", REWRITES + APPROXIMATIONS, ids=named)
def test_the_rewrite_takes_and_gives_the_same_tensors(key: Key) -> None:
    before, after = (parse(text or "").functions["main"] for text in (EXAMPLES[key].before, EXAMPLES[key].after))
    assert interface(before) == interface(after)


@pytest.mark.parametrize("key", REWRITES, ids=named)
def test_the_rewrite_computes_the_same(key: Key) -> None:
    comparison = compared(key)
    print(f"{named(key)}: {comparison}")
    assert comparison.over_the_reals <= OVER_THE_REALS, f"{named(key)} computes something else: {comparison}"
    assert comparison.rounding <= ROUNDING, f"{named(key)} rounds too differently: {comparison}"


@pytest.mark.parametrize("key", APPROXIMATIONS, ids=named)
def test_the_approximation_stays_within_its_tolerance(key: Key) -> None:
    comparison, stated = compared(key), re.search(r"within (\d[\d.e-]*\d|\d)", EXAMPLES[key].reason)
    print(f"{named(key)}: {comparison}")
    assert comparison.rounding <= (float(stated[1]) if stated else APPROXIMATION), f"{named(key)}: {comparison}"


@pytest.mark.parametrize("key", REDESIGNS, ids=named)
def test_the_redesign_gives_what_the_old_model_gave(key: Key) -> None:
    if key not in APPS:
        pytest.skip("nobody described how the app uses it")
    comparison = compared(key)
    print(f"{named(key)}: {comparison}")
    assert comparison.rounding <= ROUNDING, f"{named(key)}: {comparison}"


@pytest.mark.parametrize("key", [key for key, example in EXAMPLES.items() if executable(example)], ids=named)
def test_the_programs_of_the_example_run_as_they_are_declared(key: Key) -> None:
    example = EXAMPLES[key]
    for text, given in ((example.before, APPS.get(key, App()).given), (example.after, App().given)):
        if text:
            program = parse(text)
            _, inputs = next(feeds(program, given))
            assert run(program, inputs)


def test_how_many_rewrites_are_exact(capsys: pytest.CaptureFixture[str]) -> None:
    exact = [key for key in REWRITES if compared(key).exact]
    rounded = [key for key in REWRITES if key not in exact]
    with capsys.disabled():
        print(
            f"\n{len(REWRITES)} rewrites: {len(exact)} exact, {len(rounded)} at fp16 tolerance "
            f"({', '.join(f'{named(key)} {compared(key).rounding:.1e}' for key in rounded)}); "
            f"{len(APPROXIMATIONS)} approximations; {len(REDESIGNS)} redesigns, {len(set(REDESIGNS) & set(APPS))} executed"
        )
    assert exact
