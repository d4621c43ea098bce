"""Convolutions in one, two and three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tests.reference.operations.activations import per_channel
from tests.reference.table import Call, operation
from tests.reference.tensors import Array


def borders(
    call: Call, sizes: Sequence[int], kernel: Sequence[int], strides: Sequence[int], default: str | None = None
) -> list[tuple[int, int]]:
    """How many elements `pad_type` and `pad` put before and after each spatial dimension of `sizes`.

    `kernel` has the sizes that the window covers, dilation included. "same" gives as many outputs as there are strides in
    the input, and puts an odd element after it, "same_lower" before.
    """
    kind = call.text("pad_type", default)
    if kind == "valid":
        return [(0, 0)] * len(sizes)
    if kind == "custom":
        amounts = call.integers("pad", [0] * 2 * len(sizes))
        return list(zip(amounts[::2], amounts[1::2], strict=True))
    if kind not in {"same", "same_lower"}:
        raise call.fail(f"there is no pad_type {kind}")
    result = []
    for size, window, stride in zip(sizes, kernel, strides, strict=True):
        total = max((-(-size // stride) - 1) * stride + window - size, 0)
        halves = (total // 2, total - total // 2)
        result.append(halves if kind == "same" else halves[::-1])
    return result


def windows(x: Array, covered: Sequence[int], strides: Sequence[int], dilations: Sequence[int]) -> Array:
    """Every position of a window over the spatial dimensions of `x`: [n, c, *positions, *elements of the window]."""
    spatial = len(covered)
    view: Array = sliding_window_view(x, tuple(covered), tuple(range(2, 2 + spatial)))  # type: ignore[call-overload]
    steps = [slice(None, None, step) for step in (1, 1, *strides, *dilations)]
    return np.asarray(view[tuple(steps)])


@operation("conv")
def conv(call: Call) -> Array:
    x, weight = call.pair("x", "weight")
    spatial, groups = x.ndim - 2, call.integer("groups", 1)
    strides, dilations = call.integers("strides", [1] * spatial), call.integers("dilations", [1] * spatial)
    covered = [(size - 1) * step + 1 for size, step in zip(weight.shape[2:], dilations, strict=True)]
    pads = borders(call, x.shape[2:], covered, strides, "valid")
    if x.shape[1] != weight.shape[1] * groups or weight.shape[0] % groups:
        raise call.fail(f"{x.shape[1]} channels do not fit weights {list(weight.shape)} in {groups} groups")
    seen = windows(np.pad(x, [(0, 0), (0, 0), *pads]), covered, strides, dilations)
    summed = [1, *range(2 + spatial, 2 + 2 * spatial)]
    parts = [
        np.tensordot(part, kernels, axes=(summed, [1, *range(2, 2 + spatial)]))
        for part, kernels in zip(np.split(seen, groups, 1), np.split(weight, groups, 0), strict=True)
    ]
    return np.moveaxis(np.concatenate(parts, -1), -1, 1) + _bias(call, x.ndim)


@operation("conv_transpose")
def conv_transpose(call: Call) -> Array:
    x, weight = call.pair("x", "weight")
    spatial, groups = x.ndim - 2, call.integer("groups", 1)
    strides, dilations = call.integers("strides", [1] * spatial), call.integers("dilations", [1] * spatial)
    sizes, kernel = x.shape[2:], weight.shape[2:]
    whole = [
        (size - 1) * stride + (taps - 1) * step + 1
        for size, stride, taps, step in zip(sizes, strides, kernel, dilations, strict=True)
    ]
    total = np.zeros((x.shape[0], weight.shape[1] * groups, *whole))
    whole_axes = [slice(None), slice(None)]
    for number, place in enumerate(product(*(range(taps) for taps in kernel))):
        target = [
            slice(tap * step, tap * step + (size - 1) * stride + 1, stride)
            for tap, step, size, stride in zip(place, dilations, sizes, strides, strict=True)
        ]
        parts = [
            np.tensordot(part, kernels.reshape(*kernels.shape[:2], -1)[..., number], axes=(1, 0))
            for part, kernels in zip(np.split(x, groups, 1), np.split(weight, groups, 0), strict=True)
        ]
        total[tuple(whole_axes + target)] += np.moveaxis(np.concatenate(parts, -1), -1, 1)
    return total[tuple(whole_axes + _kept(call, sizes, whole, strides))] + _bias(call, x.ndim)


def _kept(call: Call, sizes: Sequence[int], whole: Sequence[int], strides: Sequence[int]) -> list[slice]:
    """The part of a transposed convolution that its padding leaves."""
    kind, spatial = call.text("pad_type", "valid"), len(sizes)
    if kind == "same":
        wanted = call.integers(
            "output_shape", [0, 0, *(size * step for size, step in zip(sizes, strides, strict=True))]
        )
        cut = [size - out for size, out in zip(whole, wanted[2:], strict=True)]
        if min(cut) < 0:
            raise call.fail(f"{wanted[2:]} is more than the {list(whole)} that the kernel reaches")
        return [slice(total // 2, total // 2 + out) for total, out in zip(cut, wanted[2:], strict=True)]
    pad = call.integers("pad", [0] * 2 * spatial) if kind == "custom" else [0] * 2 * spatial
    kept = [slice(pad[2 * axis], whole[axis] - pad[2 * axis + 1]) for axis in range(spatial)]
    if call.has("output_shape") and [part.stop - part.start for part in kept] != call.integers("output_shape")[2:]:
        raise call.fail("output_shape is not what the padding leaves")
    return kept


def _bias(call: Call, rank: int) -> Array:
    bias = call.optional("bias")
    return np.zeros(1) if bias is None else per_channel(bias, rank)
