"""What the name of a weight says of the module that it belongs to.

coremltools names the constant of a parameter after its path in the PyTorch module, dots written as underscores, and its passes
add what they did: `layers.0.fc1.weight` becomes `layers_0_fc1_weight_to_fp16_palettized`. Programs of `torch.export` have
parameters as inputs, whose names are in lower case and begin with `p_` (`b_` for buffers).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

SOURCE: Final = "com.github.apple.coremltools.source"
DIALECT: Final = "com.github.apple.coremltools.source_dialect"
EXPORTED: Final = "TorchExport"

ADDED: Final = (
    *("_to_fp16", "_to_fp32"),
    *("_palettized", "_palettized_pcs", "_quantized", "_sparsified", "_affine_dequantized"),
)
BIASES: Final = ("bias", "beta")
"""The parameters to which an operation's own bias is bound. What is called a bias and added by an `add` may be anything."""
NUMBERED: Final = "var_"
"""What coremltools puts before names that begin with a digit, such as that of a `Sequential`'s first layer."""
LONGEST: Final = 1000
"""Longer names are no paths of modules."""


def is_torch(metadata: Mapping[str, str]) -> bool:
    """Whether a model may come from PyTorch: its metadata say so, or do not say where it comes from."""
    return metadata.get(SOURCE, "torch").startswith("torch")


def is_exported(metadata: Mapping[str, str]) -> bool:
    """Whether a model was converted by way of `torch.export`."""
    return metadata.get(DIALECT, "").startswith(EXPORTED)


def owner(name: str, parameter: str = "weight", *, exported: bool = False) -> str | None:
    """The module whose weight a constant called `name` is, as the name spells it (`layers_0_fc1`); none if it is no weight.

    `parameter` is what it is bound to: a bias counts as one only where it is bound to an operation's bias.
    """
    if len(name) > LONGEST:
        return None
    name = _as_converted(name)
    if exported:
        name = name[2:] if name.startswith(("p_", "b_")) else name
    elif name.startswith(NUMBERED) and name[len(NUMBERED) :][:1].isdecimal():
        name = name.removeprefix(NUMBERED)
    endings = ("_in_proj_bias", "_bias") if parameter in BIASES else ("_in_proj_weight", "_weight")
    for ending in endings:
        if name.endswith(ending):
            return name.removesuffix(ending) or None
    return None


def dotted(spelt: str) -> str:
    """The path of a module whose dots were written as underscores, as far as can be told: `layers_0_fc1` as `layers.0.fc1`.

    Only numbers are certain to stand between dots (nearly: `ln_1` becomes `ln.1`); any other underscore may be one.
    """
    parts = spelt.split("_")
    path = parts[0]
    for before, part in pairwise(parts):
        path += f".{part}" if before.isdecimal() or part.isdecimal() else f"_{part}"
    return path


def _as_converted(name: str) -> str:
    """A name without what the passes added."""
    while (ending := next((ending for ending in ADDED if name.endswith(ending)), None)) is not None:
        name = name.removesuffix(ending)
    return name
