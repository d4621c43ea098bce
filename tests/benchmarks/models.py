"""Models of any size for the benchmarks, written straight as protobuf messages: coremltools' builder would take minutes.

    python -m tests.benchmarks.models FOLDER OPERATIONS [--width N] [--repeat-constants] [--fp32]

A model is a row of blocks like those of exported networks: a transformer layer, then a residual block of convolutions.
One operation in thirty (`cumsum`) is one that the engine lacks, so that findings are part of what is measured.
"""

from __future__ import annotations

import argparse
import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from anecheck.artifact.proto import messages

WIDTH = 64
HEADS = 4
TOKENS = 64
"""Positions of a sequence; for the convolutions, an image of 8 × 8."""

MODEL = "com.apple.CoreML/model.mlmodel"
WEIGHTS = "com.apple.CoreML/weights/weight.bin"
BLOB_PATH = "@model_path/weights/weight.bin"
OPSET, SPECIFICATION = "CoreML7", 8
STRING, BOOL, FP16, FP32, INT32 = 2, 1, 10, 11, 23
"""Element types by their numbers in MIL.proto."""

DEFAULTS: Mapping[str, Mapping[str, object]] = {
    "conv": {"strides": [1, 1], "pad_type": "same", "pad": [0, 0, 0, 0], "dilations": [1, 1], "groups": 1},
    "layer_norm": {"axes": [-1], "epsilon": 1e-5},
    "matmul": {"transpose_x": False, "transpose_y": False},
    "softmax": {"axis": -1},
    "gelu": {"mode": "EXACT"},
    "cumsum": {"axis": 1, "exclusive": False, "reverse": False},
}
"""The parameters that exporters always spell out, each a `const` of its own."""

# The generated message classes have no static types.
Message = Any


def save_model(
    package: Path, operations: int, *, width: int = WIDTH, repeat_constants: bool = False, fp32: bool = False
) -> int:
    """Write an `.mlpackage` with as many `operations`, not counting `const`; return the size of its weights in bytes.

    Small constants are shared (but for the shapes of `reshape`), which gives about 0.8 of them for each operation;
    `repeat_constants` writes them anew for each operation, as coremltools does, which gives 1.7. The weight file has
    valid headers, and holes where the data would be. `fp32` types everything so, which none of it should be.
    """
    builder = _Builder(width, repeat_constants=repeat_constants, fp32=fp32)
    message = builder.model(operations)
    file, weights = package / "Data" / MODEL, package / "Data" / WEIGHTS
    weights.parent.mkdir(parents=True)
    file.write_bytes(message.SerializeToString())
    (package / "Manifest.json").write_text(json.dumps(_manifest(), indent=4), encoding="utf-8")
    return builder.save_weights(weights)


def _manifest() -> dict[str, Any]:
    items = {"1": ("model.mlmodel", MODEL), "2": ("weights", str(Path(WEIGHTS).parent))}
    entries = {
        key: {"author": "com.apple.CoreML", "description": "benchmark", "name": name, "path": path}
        for key, (name, path) in items.items()
    }
    return {"fileFormatVersion": "1.0.0", "itemInfoEntries": entries, "rootModelIdentifier": "1"}


class _Builder:
    """Writes one function; a value is known by its name, and `_shapes` has the shape of each."""

    def __init__(self, width: int, *, repeat_constants: bool, fp32: bool) -> None:
        self._width = width
        self._repeat = repeat_constants
        self._float = FP32 if fp32 else FP16
        self._model: Message = messages().Model(specificationVersion=SPECIFICATION)
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._shared: dict[str, str] = {}
        self._blobs: list[tuple[int, int]] = []
        self._end = 64
        self._count = 0

    def model(self, operations: int) -> Message:
        """Build the model, cut off after as many operations."""
        function = self._model.mlProgram.functions["main"]
        function.opset = OPSET
        self._model.mlProgram.version = 1
        self._block = function.block_specializations[OPSET]
        shape = (1, TOKENS, self._width)
        self._named(function.inputs.add(), "x", self._float, shape)
        self._shapes["x"] = shape
        last = "x"
        for last in islice(self._layers("x"), operations):  # noqa: B007  # what is left after the loop is the output
            pass
        self._block.outputs.append(last)
        for features, name in ((self._model.description.input, "x"), (self._model.description.output, last)):
            feature = features.add(name=name)
            feature.type.multiArrayType.dataType = 65568 if self._float == FP32 else 65552
            feature.type.multiArrayType.shape.extend(self._shapes[name])
        return self._model

    def save_weights(self, path: Path) -> int:
        """Write headers, and nothing between them."""
        with path.open("wb") as file:
            file.write(struct.pack("<II", len(self._blobs), 2))
            for offset, size in self._blobs:
                file.seek(offset)
                file.write(struct.pack("<IIQQ", 0xDEADBEEF, 1, size, offset + 64))
            file.truncate(self._end)
        return sum(size for _, size in self._blobs)

    # The network: every `yield` is one operation.

    def _layers(self, x: str) -> Iterator[str]:
        while True:
            for block in (self._attention, self._feed_forward, self._convolutions):
                for value in block(x):
                    yield value
                x = value

    def _attention(self, x: str) -> Iterator[str]:
        width, head = self._width, self._width // HEADS
        yield (normal := self._norm(x))
        parts = []
        for _ in range(3):
            yield (value := self._linear(normal, width))
            yield (value := self._reshape(value, (1, TOKENS, HEADS, head)))
            yield (value := self._transpose(value, (0, 2, 1, 3)))
            parts.append(value)
        query, key, value = parts
        yield (query := self._operation("mul", self._shapes[query], x=query, y=self._constant(0.125)))
        yield (key := self._transpose(key, (0, 1, 3, 2)))
        yield (scores := self._operation("matmul", (1, HEADS, TOKENS, TOKENS), x=query, y=key))
        yield (scores := self._operation("softmax", self._shapes[scores], x=scores))
        yield (mixed := self._operation("matmul", (1, HEADS, TOKENS, head), x=scores, y=value))
        yield (mixed := self._transpose(mixed, (0, 2, 1, 3)))
        yield (mixed := self._reshape(mixed, (1, TOKENS, width)))
        yield (mixed := self._linear(mixed, width))
        yield self._operation("add", self._shapes[x], x=x, y=mixed)

    def _feed_forward(self, x: str) -> Iterator[str]:
        yield (value := self._norm(x))
        yield (value := self._linear(value, 4 * self._width))
        yield (value := self._operation("gelu", self._shapes[value], x=value))
        yield (value := self._linear(value, self._width))
        yield self._operation("add", self._shapes[x], x=x, y=value)

    def _convolutions(self, x: str) -> Iterator[str]:
        side = int(TOKENS**0.5)
        yield (value := self._transpose(x, (0, 2, 1)))
        yield (image := self._reshape(value, (1, self._width, side, side)))
        yield (value := self._convolution(image))
        yield (value := self._operation("relu", self._shapes[value], x=value))
        yield (value := self._convolution(value))
        yield (value := self._operation("cumsum", self._shapes[value], x=value))
        yield (value := self._operation("add", self._shapes[image], x=image, y=value))
        yield (value := self._reshape(value, (1, self._width, TOKENS)))
        yield self._transpose(value, (0, 2, 1))

    def _norm(self, x: str) -> str:
        scale, shift = self._weight(self._width), self._weight(self._width)
        return self._operation("layer_norm", self._shapes[x], x=x, gamma=scale, beta=shift)

    def _linear(self, x: str, width: int) -> str:
        *rest, last = self._shapes[x]
        return self._operation(
            "linear", (*rest, width), x=x, weight=self._weight(width, last), bias=self._weight(width)
        )

    def _convolution(self, x: str) -> str:
        weight = self._weight(self._width, self._width, 3, 3)
        return self._operation("conv", self._shapes[x], x=x, weight=weight, bias=self._weight(self._width))

    def _reshape(self, x: str, shape: tuple[int, ...]) -> str:
        return self._operation("reshape", shape, x=x, shape=self._constant(list(shape), shared=False))

    def _transpose(self, x: str, order: tuple[int, ...]) -> str:
        shape = tuple(self._shapes[x][axis] for axis in order)
        return self._operation("transpose", shape, x=x, perm=self._constant(list(order)))

    # Statements

    def _operation(self, kind: str, shape: tuple[int, ...], /, **inputs: str) -> str:
        constants = {parameter: self._constant(value) for parameter, value in DEFAULTS.get(kind, {}).items()}
        message, name = self._statement(kind, self._float, shape)
        for parameter, argument in {**inputs, **constants}.items():
            message.inputs[parameter].arguments.add(name=argument)
        return name

    def _weight(self, *shape: int) -> str:
        message, name = self._statement("const", self._float, shape)
        size = 4 if self._float == FP32 else 2
        for length in shape:
            size *= length
        value = message.attributes["val"]
        value.type.CopyFrom(message.outputs[0].type)
        value.blobFileValue.fileName, value.blobFileValue.offset = BLOB_PATH, self._end
        self._blobs.append((self._end, size))
        self._end += 64 + (size + 63) // 64 * 64
        return name

    def _constant(self, value: object, *, shared: bool = True) -> str:
        key = repr(value)
        if self._repeat or not shared or key not in self._shared:
            items = value if isinstance(value, list) else [value]
            dtype = next((number for kind, number in _DTYPES if isinstance(items[0], kind)), self._float)
            message, name = self._statement("const", dtype, (len(items),) if isinstance(value, list) else ())
            message.attributes["val"].type.CopyFrom(message.outputs[0].type)
            _fill(message.attributes["val"].immediateValue.tensor, dtype, items)
            self._shared[key] = name
        return self._shared[key]

    def _statement(self, kind: str, dtype: int, shape: tuple[int, ...]) -> tuple[Message, str]:
        name = f"{kind}_{self._count}"
        self._count += 1
        message = self._block.operations.add(type=kind)
        self._named(message.outputs.add(), name, dtype, shape)
        label = message.attributes["name"]
        label.type.tensorType.dataType = STRING
        label.immediateValue.tensor.strings.values.append(name)
        self._shapes[name] = shape
        return message, name

    @staticmethod
    def _named(message: Message, name: str, dtype: int, shape: tuple[int, ...]) -> None:
        message.name = name
        kind = message.type.tensorType
        kind.dataType, kind.rank = dtype, len(shape)
        for size in shape:
            kind.dimensions.add().constant.size = size


_DTYPES: Sequence[tuple[type, int]] = ((bool, BOOL), (int, INT32), (str, STRING))


def _fill(message: Message, dtype: int, items: list[Any]) -> None:
    """Write elements where coremltools puts those of their type: fp16 as bytes, for want of a field."""
    if dtype == FP16:
        message.bytes.values = struct.pack(f"<{len(items)}e", *items)
        return
    fields = {BOOL: message.bools, INT32: message.ints, STRING: message.strings, FP32: message.floats}
    fields[dtype].values.extend(items)


def main() -> None:
    """Write one model and print the size of its weights in bytes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path)
    parser.add_argument("operations", type=int)
    parser.add_argument("--width", type=int, default=WIDTH)
    parser.add_argument("--repeat-constants", action="store_true")
    parser.add_argument("--fp32", action="store_true")
    print(save_model(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
