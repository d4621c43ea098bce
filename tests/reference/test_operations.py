"""The reference's operations against coremltools, which folds operations of constants at conversion."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest

from tests.reference.operations.activations import GELU, PLAIN, WITH_SLOPE, WITH_SLOPE_AND_OFFSET
from tests.reference.operations.elementwise import BINARY, UNARY
from tests.reference.operations.reductions import REDUCTIONS
from tests.reference.single import computed, folded
from tests.reference.tensors import Array

RANDOM: Final = np.random.default_rng(0)
X: Final = RANDOM.standard_normal((2, 3, 4)).astype(np.float32)
Y: Final = RANDOM.standard_normal((2, 3, 4)).astype(np.float32)
IMAGE: Final = RANDOM.standard_normal((2, 3, 4, 6)).astype(np.float32)
POSITIVE: Final = np.abs(X) + np.float32(0.1)
INSIDE: Final = np.tanh(X)
WHOLE: Final = RANDOM.integers(-9, 9, (2, 3, 4)).astype(np.int32)
NONZERO: Final = np.where(WHOLE == 0, 4, WHOLE).astype(np.int32)
TRUTHS: Final = X > 0
CHANNELS: Final = RANDOM.standard_normal(3).astype(np.float32)

Parameters = dict[str, object]
HALF, TWO = np.float32(0.5), np.float32(2)

NOT_INFERRED: Final = {"silu"}
"""Operations of these families whose values coremltools does not infer."""


def unary(name: str) -> list[Parameters]:
    if name == "logical_not":
        return [{"x": TRUTHS}]
    if name in {"acos", "asin", "atanh"}:
        return [{"x": INSIDE}]
    if name == "sqrt":
        return [{"x": POSITIVE}]
    more: list[Parameters] = [{"x": WHOLE}] if name in {"abs", "sign", "square"} else []
    halves: list[Parameters] = [{"x": np.array([-1.5, -0.5, 0.5, 1.5, 2.5], np.float32)}] if name == "round" else []
    return [{"x": X}, *more, *halves]


def binary(name: str) -> list[Parameters]:
    if name.startswith("logical"):
        return [{"x": TRUTHS, "y": Y > 0}]
    if name == "pow":
        return [{"x": POSITIVE, "y": Y}, {"x": X, "y": TWO}]
    return [{"x": X, "y": Y}, {"x": WHOLE, "y": NONZERO}, {"x": X, "y": CHANNELS.reshape(3, 1)}]


CASES: Final[dict[str, list[Parameters]]] = {
    **{name: unary(name) for name in UNARY},
    **{name: binary(name) for name in BINARY},
    **{name: [{"x": X}] for name in PLAIN if name not in NOT_INFERRED},
    **{name: [{"x": X, "alpha": HALF}] for name in WITH_SLOPE},
    **{name: [{"x": X, "alpha": HALF, "beta": TWO}] for name in WITH_SLOPE_AND_OFFSET},
    **{
        name: [{"x": x}, {"x": x, "axes": [1], "keep_dims": True}, {"x": x, "axes": [0, -1]}]
        for name in REDUCTIONS
        for x in [POSITIVE if name == "reduce_log_sum" else X]
    },
    "argsort": [{"x": X}, {"x": X, "axis": 1, "ascending": True}],
    "band_part": [{"x": X, "lower": 1, "upper": 0}, {"x": X, "lower": -1, "upper": 1}],
    "clip": [{"x": X, "alpha": np.float32(-0.5), "beta": HALF}],
    "concat": [{"values": (X, Y), "axis": 1}],
    "cumsum": [{"x": X}, {"x": X, "axis": -1, "reverse": True}],
    "einsum": [{"values": (IMAGE, np.float32(IMAGE.transpose(0, 3, 2, 1))), "equation": "nchw,nwhu->nchu"}],
    "expand_dims": [{"x": X, "axes": [0, -1]}],
    "fill": [{"shape": np.array([2, 3], np.int32), "value": HALF}],
    "fill_like": [{"ref_tensor": X, "value": HALF}],
    "flatten2d": [{"x": X}, {"x": X, "axis": -1}],
    "gather": [
        {"x": X, "indices": np.array([[1, 0], [1, 1]], np.int32)},
        {"x": X, "indices": np.array([2, 0, 1], np.int32), "axis": 1},
        {"x": X, "indices": np.array([[2, 0], [1, 1]], np.int32), "axis": 1, "batch_dims": 1},
    ],
    "gather_along_axis": [{"x": X, "indices": np.abs(WHOLE) % 3, "axis": 1}],
    "gelu": [{"x": X}, *({"x": X, "mode": mode} for mode in GELU)],
    "inverse": [{"x": X}, {"x": X, "epsilon": HALF}],
    "l2_norm": [{"x": X}, {"x": IMAGE, "epsilon": HALF}],
    "layer_norm": [
        {"x": X, "axes": [0, 1, 2]},
        {"x": X, "axes": [1, 2], "gamma": X[0], "beta": Y[0], "epsilon": HALF},
    ],
    "linear": [{"x": X, "weight": IMAGE[0, 0].T, "bias": IMAGE[0, 1, 0]}, {"x": X, "weight": IMAGE[0, 0].T}],
    "log": [{"x": POSITIVE}, {"x": POSITIVE, "epsilon": HALF}],
    "matmul": [
        {"x": X, "y": IMAGE[0, 0]},
        {"x": IMAGE, "y": IMAGE, "transpose_y": True},
        {"x": IMAGE[:, :1], "y": IMAGE, "transpose_x": True},
    ],
    "non_zero": [{"x": WHOLE}],
    "pad": [
        {"x": X, "pad": [1, 2], "constant_val": HALF},
        {"x": X, "pad": [1, 2, 0, 3], "mode": "reflect"},
        {"x": X, "pad": [0, 1, 1, 2, 2, 0], "mode": "replicate"},
    ],
    "prelu": [{"x": IMAGE, "alpha": CHANNELS}],
    "quantize": [
        {"input": X, "scale": HALF, "output_dtype": "int8"},
        {
            "input": X,
            "scale": POSITIVE[0, :, 0],
            "axis": 1,
            "zero_point": np.array([1, 2, 3], np.uint8),
            "output_dtype": "uint8",
        },
    ],
    "range_1d": [{"start": 1, "end": 8, "step": 3}, {"start": HALF, "end": np.float32(3), "step": HALF}],
    "real_div": [{"x": X, "y": Y}],
    "reduce_argmax": [{"x": X}, {"x": X, "axis": 1, "keep_dims": True}],
    "reduce_argmin": [{"x": X}, {"x": X, "axis": 0}],
    "reshape": [{"x": X, "shape": [4, -1]}, {"x": X, "shape": [1, 0, -1, 0]}, {"x": X, "shape": [0, 8]}],
    "reverse": [{"x": X}, {"x": X, "axes": [0, -1]}],
    "rsqrt": [{"x": POSITIVE}, {"x": POSITIVE, "epsilon": HALF}],
    "scaled_dot_product_attention": [
        {"query": X, "key": Y, "value": X},
        {"query": X, "key": Y, "value": X, "attn_mask": np.tri(3, dtype=bool)},
        {"query": X, "key": Y, "value": X, "attn_mask": X[:, :, :3]},
    ],
    "scatter_along_axis": [
        {
            "data": X,
            "indices": np.argsort(X[:, :2], axis=1).astype(np.int32),
            "updates": Y[:, :2],
            "axis": 1,
            "mode": "update",
        }
    ],
    "select": [{"cond": TRUTHS, "a": X, "b": Y}],
    "shape": [{"x": X}],
    "slice_by_index": [
        {"x": X, "begin": [0, 1, 0], "end": [2, 3, 4], "stride": [1, 1, 2]},
        {"x": X, "begin": [0, -1, 3], "end": [1, 0, 0], "stride": [1, -1, -2], "begin_mask": [True, False, True]},
        {"x": X, "begin": [0, 1, 1], "end": [1, 0, 3], "end_mask": [True, False, True], "squeeze_mask": [False, True, False]},
    ],
    "slice_by_size": [{"x": X, "begin": [0, 1, 2], "size": [2, 1, -1]}, {"x": X, "begin": [0, -2, 0], "size": [1, 2, 3]}],
    "softmax": [{"x": X}, {"x": X, "axis": 1}],
    "softplus_parametric": [{"x": IMAGE, "alpha": CHANNELS, "beta": CHANNELS}],
    "split": [{"x": IMAGE, "num_splits": 2, "axis": 3}, {"x": IMAGE, "split_sizes": [1, 3, 2], "axis": -1}],
    "squeeze": [{"x": X[:1, :, :1]}, {"x": X[:1, :, :1], "axes": [0]}],
    "stack": [{"values": (X, Y), "axis": 1}, {"values": (X, Y), "axis": -1}],
    "threshold": [{"x": X, "alpha": HALF}],
    "tile": [{"x": X, "reps": [1, 2, 3]}],
    "topk": [{"x": X, "k": 2}, {"x": X, "k": 3, "axis": 1, "ascending": True}],
    "transpose": [{"x": X, "perm": [2, 0, 1]}, {"x": IMAGE, "perm": [0, -1, 1, 2]}],
}  # fmt: skip
"""Parameters of every operation whose values coremltools infers."""


def close(found: Array, expected: Array) -> None:
    assert found.shape == expected.shape
    assert found.dtype.kind.replace("u", "i") == expected.dtype.kind.replace("u", "i")
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        pytest.param(kind, case, id=f"{kind}-{number}")
        for kind, cases in CASES.items()
        for number, case in enumerate(cases)
    ],
)
def test_the_reference_computes_what_coremltools_folds(kind: str, parameters: Parameters) -> None:
    for found, expected in zip(computed(kind, **parameters), folded(kind, **parameters), strict=True):
        close(found, expected)


def test_negative_indices_count_from_the_end_up_to_ios_16() -> None:
    parameters: Parameters = {"opset": "CoreML6", "x": X, "indices": np.array([-1, 0], np.int32), "axis": 2}
    close(computed("gather", **parameters)[0], folded("gather", **parameters)[0])
