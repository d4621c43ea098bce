"""Pooling in one, two and three dimensions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.reference.operations.convolution import borders, windows
from tests.reference.table import Call, operation
from tests.reference.tensors import Array

Pads = list[tuple[int, int]]


def _pooled(call: Call, x: Array, outside: float, combine: Callable[[Array, tuple[int, ...]], Array]) -> Array:
    """Combine every window over `x`, which is surrounded by the value `outside`."""
    spatial = x.ndim - 2
    kernel, strides = call.integers("kernel_sizes"), call.integers("strides", [1] * spatial)
    pads = borders(call, x.shape[2:], kernel, strides)
    reach = _beyond(x.shape[2:], kernel, strides, pads) if call.flag("ceil_mode") else [0] * spatial
    ends = [(before, after + more) for (before, after), more in zip(pads, reach, strict=True)]
    seen = windows(np.pad(x, [(0, 0), (0, 0), *ends], constant_values=outside), kernel, strides, [1] * spatial)
    return np.asarray(combine(seen, tuple(range(2 + spatial, 2 + 2 * spatial))))


def _beyond(sizes: tuple[int, ...], kernel: list[int], strides: list[int], pads: Pads) -> list[int]:
    """How far the last windows reach beyond the padding where the number of windows is rounded up."""
    result = []
    for size, window, stride, (before, after) in zip(sizes, kernel, strides, pads, strict=True):
        count = -(-(size + before + after - window) // stride) + 1
        if before + after > 0 and (count - 1) * stride >= size + before:
            count -= 1
        result.append(max(0, (count - 1) * stride + window - size - before - after))
    return result


def _sum(seen: Array, axes: tuple[int, ...]) -> Array:
    return np.asarray(np.sum(seen, axis=axes))


@operation("max_pool")
def max_pool(call: Call) -> Array:
    return _pooled(call, call.tensor("x"), -np.inf, lambda seen, axes: np.max(seen, axis=axes))


@operation("avg_pool")
def avg_pool(call: Call) -> Array:
    x = call.tensor("x")
    total = _pooled(call, x, 0.0, _sum)
    if call.flag("exclude_padding_from_average"):
        return np.asarray(total / _pooled(call, np.ones_like(x), 0.0, _sum))
    if not call.flag("ceil_mode"):
        return np.asarray(total / np.prod(call.integers("kernel_sizes")))
    # What lies beyond the padding never counts.
    spatial = x.ndim - 2
    kernel, strides = call.integers("kernel_sizes"), call.integers("strides", [1] * spatial)
    pads = borders(call, x.shape[2:], kernel, strides)
    reach = _beyond(x.shape[2:], kernel, strides, pads)
    inside = np.pad(np.ones_like(x), [(0, 0), (0, 0), *pads], constant_values=1.0)
    inside = np.pad(inside, [(0, 0), (0, 0), *((0, more) for more in reach)])
    count = _sum(windows(inside, kernel, strides, [1] * spatial), tuple(range(2 + spatial, 2 + 2 * spatial)))
    return np.asarray(total / count)


@operation("l2_pool")
def l2_pool(call: Call) -> Array:
    return np.asarray(np.sqrt(_pooled(call, np.square(call.tensor("x")), 0.0, _sum)))
