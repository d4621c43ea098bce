"""Rearrangements of blocks of pixels between spatial dimensions, channels and batch."""

from __future__ import annotations

import numpy as np

from tests.reference.table import Call, operation
from tests.reference.tensors import Array


@operation("depth_to_space")
def depth_to_space(call: Call) -> Array:
    x, block = call.tensor("x"), call.integer("block_size")
    n, c, h, w = x.shape
    split = x.reshape(n, block, block, c // block**2, h, w)  # the position in the block changes slowest
    result: Array = split.transpose(0, 3, 4, 1, 5, 2).reshape(n, c // block**2, h * block, w * block)
    return result


@operation("space_to_depth")
def space_to_depth(call: Call) -> Array:
    x, block = call.tensor("x"), call.integer("block_size")
    n, c, h, w = x.shape
    split = x.reshape(n, c, h // block, block, w // block, block)
    result: Array = split.transpose(0, 3, 5, 1, 2, 4).reshape(n, c * block**2, h // block, w // block)
    return result


@operation("pixel_shuffle")
def pixel_shuffle(call: Call) -> Array:
    x, factor = call.tensor("x"), call.integer("upscale_factor")
    n, c, h, w = x.shape
    split = x.reshape(n, c // factor**2, factor, factor, h, w)  # the position in the block changes fastest
    result: Array = split.transpose(0, 1, 4, 2, 5, 3).reshape(n, c // factor**2, h * factor, w * factor)
    return result


@operation("pixel_unshuffle")
def pixel_unshuffle(call: Call) -> Array:
    x, factor = call.tensor("x"), call.integer("downscale_factor")
    n, c, h, w = x.shape
    split = x.reshape(n, c, h // factor, factor, w // factor, factor)
    result: Array = split.transpose(0, 1, 3, 5, 2, 4).reshape(n, c * factor**2, h // factor, w // factor)
    return result


@operation("space_to_batch")
def space_to_batch(call: Call) -> Array:
    height, width = call.integers("block_shape")
    top, bottom, left, right = call.integers("paddings")
    x = np.pad(call.tensor("x"), [(0, 0), (0, 0), (top, bottom), (left, right)])
    n, c, h, w = x.shape
    split = x.reshape(n, c, h // height, height, w // width, width)
    result: Array = split.transpose(3, 5, 0, 1, 2, 4).reshape(n * height * width, c, h // height, w // width)
    return result


@operation("batch_to_space")
def batch_to_space(call: Call) -> Array:
    x, (height, width) = call.tensor("x"), call.integers("block_shape")
    top, bottom, left, right = call.integers("crops")
    n, c, h, w = x.shape
    split = x.reshape(height, width, n // (height * width), c, h, w)
    whole: Array = split.transpose(2, 3, 4, 0, 5, 1).reshape(n // (height * width), c, h * height, w * width)
    return whole[:, :, top : h * height - bottom, left : w * width - right]
