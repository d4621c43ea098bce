"""Reading and writing at positions that are data: gather and scatter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np

from tests.reference.table import Call, operation
from tests.reference.tensors import Array

Place: TypeAlias = "tuple[Array | slice, ...]"

ACCUMULATE: Final[dict[str, Callable[[Array, Any, Array], None]]] = {
    "add": np.add.at,
    "sub": np.subtract.at,
    "mul": np.multiply.at,
    "div": np.divide.at,
    "max": np.maximum.at,
    "min": np.minimum.at,
}


@operation("gather")
def gather(call: Call) -> Array:
    x = call.tensor("x")
    axis, batch = call.axis("axis", x.ndim, 0), call.integer("batch_dims", 0)
    indices = call.indices("indices", x.shape[axis])
    if batch == 0:
        return np.take(x, indices, axis)
    rows = [np.take(x[place], indices[place], axis - batch) for place in np.ndindex(*x.shape[:batch])]
    return np.stack(rows).reshape(*x.shape[:batch], *rows[0].shape)


@operation("gather_nd")
def gather_nd(call: Call) -> Array:
    x, batch = call.tensor("x"), call.integer("batch_dims", 0)
    depth = call.tensor("indices").shape[-1]
    indices = call.indices("indices", np.array(x.shape[batch : batch + depth]))
    if batch == 0:
        return np.asarray(x[tuple(np.moveaxis(indices, -1, 0))])
    rows = [np.asarray(x[place][tuple(np.moveaxis(indices[place], -1, 0))]) for place in np.ndindex(*x.shape[:batch])]
    return np.stack(rows).reshape(*x.shape[:batch], *rows[0].shape)


@operation("gather_along_axis")
def gather_along_axis(call: Call) -> Array:
    x = call.tensor("x")
    axis = call.axis("axis", x.ndim, 0)
    return np.take_along_axis(x, call.indices("indices", x.shape[axis]), axis)


def _write(call: Call, target: Array, place: Place, updates: Array) -> None:
    """Combine `updates` with the elements of `target` at `place`, as `mode` says; repeated positions add up."""
    mode = call.text("mode", "add")
    if target[place].shape != updates.shape:
        raise call.fail(f"the place is {list(target[place].shape)}, the updates {list(updates.shape)}")
    if mode == "update":
        target[place] = updates
    elif mode in ACCUMULATE:
        ACCUMULATE[mode](target, place, updates)
    else:
        raise call.fail(f"there is no mode {mode}")


@operation("scatter")
def scatter(call: Call) -> Array:
    data, updates = call.pair("data", "updates")
    axis = call.axis("axis", data.ndim, 0)
    result: Array = data.copy()
    place: Place = (*([slice(None)] * axis), call.indices("indices", data.shape[axis]))
    _write(call, result, place, updates)
    return result


@operation("scatter_nd")
def scatter_nd(call: Call) -> Array:
    data, updates = call.pair("data", "updates")
    depth = call.tensor("indices").shape[-1]
    indices = call.indices("indices", np.array(data.shape[:depth]))
    result: Array = data.copy()
    _write(call, result, tuple(np.moveaxis(indices, -1, 0)), updates)
    return result


@operation("scatter_along_axis")
def scatter_along_axis(call: Call) -> Array:
    data, updates = call.pair("data", "updates")
    axis = call.axis("axis", data.ndim, 0)
    indices = call.indices("indices", data.shape[axis])
    place = list(np.indices(indices.shape))
    place[axis] = indices
    result: Array = data.copy()
    _write(call, result, tuple(place), updates)
    return result
