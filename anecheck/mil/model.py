"""What a Core ML model says of itself, whatever its kind: interface, program, layers, parts, weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from anecheck.mil.program import Program


class Kind(str, Enum):
    """The kinds of Core ML models that matter here; `OTHER` covers trees, GLMs, feature engineering and the like."""

    ML_PROGRAM = "mlprogram"
    NEURAL_NETWORK = "neuralnetwork"
    PIPELINE = "pipeline"
    OTHER = "other"


class Flexibility(NamedTuple):
    """The shapes that a flexible input accepts.

    `kind` is "range" (one (lower, upper) pair in `bounds` for each dimension; upper `None` is unbounded) or "enumerated"
    (`shapes` lists them all). `default` is the shape used where nothing else is asked for.
    """

    kind: str
    default: tuple[int, ...]
    bounds: tuple[tuple[int, int | None], ...] = ()
    shapes: tuple[tuple[int, ...], ...] = ()


class Feature(NamedTuple):
    """An input, output or state of the model's interface.

    `type` is "multiarray", "image", "state", "string", "dictionary", "int64", "double" or "sequence". For arrays and
    states `dtype` and `shape` are given; for images `shape` is (height, width) in pixels and `dtype` the colour space.
    """

    name: str
    type: str
    dtype: str = ""
    shape: tuple[int, ...] = ()
    optional: bool = False
    flexibility: Flexibility | None = None


class Interface(NamedTuple):
    """What a function (or a model without functions) takes, gives and keeps."""

    inputs: tuple[Feature, ...] = ()
    outputs: tuple[Feature, ...] = ()
    states: tuple[Feature, ...] = ()
    predicted_feature: str = ""
    predicted_probabilities: str = ""


class Blob(NamedTuple):
    """One tensor in a weight file, as its own header gives it: `offset` is the header's, sizes are in bytes."""

    offset: int
    size: int
    data_offset: int


class WeightFile(NamedTuple):
    """A weight file of the model.

    `status` is "present", "absent", "pointer" (a Git LFS pointer), "truncated" or "unreadable"; `size` is in bytes, for a
    pointer the size it promises; `None` where the file is absent. `detail` says what was found.
    """

    path: str
    status: str
    size: int | None = None
    blobs: Mapping[int, Blob] = {}  # nobody changes it
    detail: str = ""


class Layer(NamedTuple):
    """A layer of a neural network in the format before ML Programs; `custom_class` names a custom layer's class."""

    name: str
    type: str
    custom_class: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """One model.

    `path` is where it was found, as the user gave it. `format` is the protobuf field that holds the model
    ("mlProgram", "neuralNetworkClassifier", "treeEnsembleRegressor" …). `interfaces` are keyed by function name
    (`main` for models without functions). `parts` are a pipeline's models, in order.
    """

    path: str
    kind: Kind
    format: str
    specification_version: int | None
    interfaces: Mapping[str, Interface] = field(default_factory=dict)
    program: Program | None = None
    layers: tuple[Layer, ...] = ()
    parts: tuple[Model, ...] = ()
    weights: tuple[WeightFile, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    default_function: str = "main"

    def interface(self, label: str) -> Interface | None:
        """The interface of a function, by the label that reports give it (`encoder/main` in a pipeline)."""
        if label in self.interfaces:
            return self.interfaces[label]
        for part in self.parts:
            if label.startswith(f"{part.name}/"):
                return part.interface(label.removeprefix(f"{part.name}/"))
        return None

    @property
    def programs(self) -> tuple[tuple[str, Program], ...]:
        """Every program of the model and of its parts, with the part's path (`""`, or e.g. `"encoder"`)."""
        own = (("", self.program),) if self.program else ()
        nested = tuple(
            (f"{part.name}/{name}" if name else part.name, program)
            for part in self.parts
            for name, program in part.programs
        )
        return own + nested
