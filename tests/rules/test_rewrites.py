"""Every rewrite that a rule's example promises, executed: before and after compute the same numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import pytest
from anecheck_rules import RULES

from anecheck.lint.rule import Example, Rule
from anecheck.mil.parser import parse
from anecheck.mil.program import Function, walk
from anecheck.mil.types import Type
from tests.reference.app import APPS, App
from tests.reference.feeds import feeds
from tests.reference.interpreter import run
from tests.reference.table import TABLE
from tests.reference.tensors import Array, InterpreterError

ROUNDING: Final = 2.0**-9
"""How far two fp16 results may differ, relative to the largest magnitude of the output: four units of rounding, for two
programs that compute the same but round after different operations."""

OVER_THE_REALS: Final = 1e-9
"""How far they may differ where nothing is rounded: float64 in another order."""

APPROXIMATION: Final = 1e-2
"""How far an approximation may differ, relative to the largest magnitude, unless its reason says "within …"."""

WITHOUT_NUMBERS: Final = {"custom_layer": "its class is in the app"}
"""Operations of examples that no reference can execute."""

EXAMPLES: Final[dict[tuple[str, int], Example]] = {
    (rule.code, number): example for rule in RULES for number, example in enumerate(rule.EXAMPLES, 1)
}


def named(keys: list[tuple[str, int]]) -> list[object]:
    return [pytest.param(key, id=f"{key[0]}-{key[1]}") for key in keys]


def executable(example: Example) -> bool:
    texts = [example.before, example.after or ""]
    return not any(operation.type in WITHOUT_NUMBERS for text in texts for operation in operations(text))


def operations(text: str) -> list[object]:
    return [operation for function in parse(text).functions.values() for operation in walk(function.block)] if text else []


REWRITES: Final = [key for key, example in EXAMPLES.items() if example.after and example.equal]
APPROXIMATIONS: Final = [
    key for key, example in EXAMPLES.items() if not example.equal and example.reason.startswith("approximation: ")
]
REDESIGNS: Final = [
    key for key, example in EXAMPLES.items() if not example.equal and example.reason.startswith("redesign: ")
]
