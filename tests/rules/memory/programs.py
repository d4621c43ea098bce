"""Programs of any size for the rules on memory, and what these say of them."""

from __future__ import annotations

from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import ComputeUnits, parse_target
from anecheck.lint.engine import functions_of, judge
from anecheck.lint.rule import Match
from tests.predict.programs import PACK, model_of

KNOWLEDGE = Knowledge()


def tensor(*shape: int, dtype: str = "fp16") -> str:
    """A tensor's type."""
    return f"tensor<{dtype}, {list(shape)}>"


def function(inputs: str, *rows: str, outputs: str = "y") -> str:
    """A function around some operations."""
    return f"func main<ios18>({inputs}) {{\n" + "\n".join(rows) + f"\n}} -> ({outputs});"


def blob(shape: tuple[int, ...], offset: int = 64) -> str:
    """Weights in a file."""
    return f'{tensor(*shape)}(BLOBFILE(path = string("@model_path/w.bin"), offset = uint64({offset})))'


def conv(x: str, y: str, out: tuple[int, ...], kernel: tuple[int, ...], offset: int = 64, groups: int = 1) -> str:
    """A convolution of two axes."""
    return (
        f"{tensor(*out)} {y} = conv(dilations = tensor<int32, [2]>([1, 1]), groups = int32({groups}), "
        f'pad = tensor<int32, [4]>([0, 0, 0, 0]), pad_type = string("same"), strides = tensor<int32, [2]>([1, 1]), '
        f"weight = {blob(kernel, offset)}, x = {x});"
    )


def linear(x: str, y: str, rows: int, kernel: tuple[int, int], offset: int = 64) -> str:
    """A linear layer over so many rows."""
    return f"{tensor(rows, kernel[0])} {y} = linear(weight = {blob(kernel, offset)}, x = {x});"


def found(code: str, text: str, target: str = "m4", units: ComputeUnits = ComputeUnits.CPU_AND_NE) -> list[Match]:
    """What a rule finds in a program."""
    model = model_of(text)
    judgement = judge(model, functions_of(model), PACK, parse_target(target, KNOWLEDGE), units, KNOWLEDGE)
    assert judgement.crashes == []
    return [match for _, match in judgement.matches if match.rule.code == code]


def messages(code: str, text: str, target: str = "m4", units: ComputeUnits = ComputeUnits.CPU_AND_NE) -> list[str]:
    """What a rule says of a program."""
    return [match.message for match in found(code, text, target, units)]
