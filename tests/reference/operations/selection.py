"""Choosing among values: by condition, by order, by overlap."""

from __future__ import annotations

import numpy as np

from tests.reference.table import Call, operation
from tests.reference.tensors import Array


@operation("select")
def select(call: Call) -> Array:
    a, b = call.pair("a", "b")
    return np.where(call.tensor("cond") != 0, a, b)


def _order(call: Call, x: Array, axis: int) -> Array:
    """The positions of the values in order; equal ones stay in theirs."""
    return np.argsort(x if call.flag("ascending") else -x, axis=axis, kind="stable")


@operation("argsort")
def argsort(call: Call) -> Array:
    x = call.tensor("x")
    return _order(call, x, call.axis("axis", x.ndim, -1))


@operation("topk")
def topk(call: Call) -> tuple[Array, ...]:
    x, k = call.tensor("x"), call.integer("k", 1)
    axis = call.axis("axis", x.ndim, -1)
    if k > x.shape[axis]:
        raise call.fail(f"{k} of {x.shape[axis]}")
    positions = np.take(_order(call, x, axis), range(x.shape[axis] if k == -1 else k), axis)
    values = np.take_along_axis(x, positions, axis)
    return (values, positions) if call.flag("return_indices", default=True) else (values,)


@operation("non_zero")
def non_zero(call: Call) -> Array:
    return np.argwhere(call.tensor("x"))


@operation("one_hot")
def one_hot(call: Call) -> Array:
    indices, size = call.tensor("indices"), call.integer("one_hot_vector_size")
    axis = call.axis("axis", indices.ndim + 1, -1)
    on = call.tensor("on_value") if call.has("on_value") else np.asarray(1)
    off = call.tensor("off_value") if call.has("off_value") else np.asarray(0)
    return np.moveaxis(np.where(indices[..., None] == np.arange(size), on, off), -1, axis)


def _overlap(box: Array, others: Array) -> Array:
    """Intersection over union of a box (x, y, width, height; x and y the centre) with others, one a row."""
    lower = np.maximum(box[:2] - box[2:] / 2, others[:, :2] - others[:, 2:] / 2)
    upper = np.minimum(box[:2] + box[2:] / 2, others[:, :2] + others[:, 2:] / 2)
    common = np.prod(np.maximum(upper - lower, 0), axis=1)
    union = box[2] * box[3] + others[:, 2] * others[:, 3] - common
    return np.asarray(np.divide(common, union, out=np.zeros_like(common), where=union > 0))


@operation("non_maximum_suppression")
def non_maximum_suppression(call: Call) -> tuple[Array, ...]:
    """Boxes in order of their best score, each dropping later ones that overlap it; rows left over are 0, indices -1.

    Up to iOS 16 the boxes stand in rows, a score threshold applies, and the number of boxes kept is a fourth result.
    """
    rows, count = call.has("score_threshold"), call.integer("max_boxes")
    boxes, scores = call.pair("boxes", "scores")
    if not rows:
        boxes, scores = boxes.swapaxes(1, 2), scores.swapaxes(1, 2)
    found = [_kept(call, of_boxes, of_scores) for of_boxes, of_scores in zip(boxes, scores, strict=True)]
    indices = np.full((len(found), count), -1, dtype=np.int64)
    kept_boxes = np.zeros((len(found), count, 4))
    kept_scores = np.zeros((len(found), count, scores.shape[2]))
    for batch, kept in enumerate(found):
        indices[batch, : len(kept)] = kept
        kept_boxes[batch, : len(kept)] = boxes[batch, kept]
        kept_scores[batch, : len(kept)] = scores[batch, kept]
    if rows:
        return kept_boxes, kept_scores, indices, np.array([len(kept) for kept in found], dtype=np.int64)
    return kept_boxes.swapaxes(1, 2), kept_scores.swapaxes(1, 2), indices


def _kept(call: Call, boxes: Array, scores: Array) -> list[int]:
    best, label = scores.max(axis=1), scores.argmax(axis=1)
    threshold, per_class = call.number("iou_threshold"), call.flag("per_class_suppression")
    waiting = np.argsort(-best, kind="stable")
    waiting = waiting[best[waiting] >= call.number("score_threshold", -np.inf)]
    kept: list[int] = []
    while len(waiting) and len(kept) < call.integer("max_boxes"):
        first, waiting = waiting[0], waiting[1:]
        kept.append(int(first))
        dropped = _overlap(boxes[first], boxes[waiting]) > threshold
        if per_class:
            dropped &= label[waiting] == label[first]
        waiting = waiting[~dropped]
    return kept
