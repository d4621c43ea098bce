"""Compressed weights against the formulas and examples of the documentation."""

from __future__ import annotations

from typing import Final

import numpy as np

from tests.reference.single import computed
from tests.reference.tensors import Array

WEIGHTS: Final = {
    "constexpr_affine_dequantize",
    "constexpr_blockwise_shift_scale",
    "constexpr_lut_to_dense",
    "constexpr_sparse_to_dense",
    "dequantize",
}


def only(kind: str, **parameters: object) -> Array:
    (result,) = computed(kind, **parameters)
    return result


def test_weights_unfold_as_documented() -> None:
    codes = np.array([[1, 2], [3, 4]], np.int8)
    affine = only("constexpr_affine_dequantize", quantized_data=codes, zero_point=1, scale=[0.5, 2.0], axis=0)
    np.testing.assert_array_equal(affine, [[0, 0.5], [4, 6]])
    np.testing.assert_array_equal(only("dequantize", input=codes, scale=[0.5, 2.0], axis=1), [[0.5, 4], [1.5, 8]])
    blocks = only("constexpr_blockwise_shift_scale", data=codes, scale=[[2.0], [3.0]], offset=[[1], [0]])
    np.testing.assert_array_equal(blocks, [[0, 2], [9, 12]])


def test_tables_and_masks_unfold_as_documented() -> None:
    # The first example of the documentation: two tables, for the upper and the lower rows.
    indices = np.array([2, 3, 3, 0, 1, 0, 3, 0, 2, 1, 0, 3], np.uint8).reshape(6, 2)
    table = np.array([1.0, 5, 9, 13, 2, 10, 18, 26]).reshape(2, 1, 4, 1)
    found = only("constexpr_lut_to_dense", indices=indices, lut=table)
    np.testing.assert_array_equal(found, [[9, 13], [13, 1], [5, 1], [26, 2], [18, 10], [2, 26]])
    packed = only(
        "constexpr_lut_to_dense", indices=np.array([0b11_01_00_10], np.uint8), lut=[0.0, 1, 2, 3], shape=[2, 2]
    )
    np.testing.assert_array_equal(packed, [[2, 0], [1, 3]])
    # Its second example: two vectors of three values, laid along the second axis.
    indices = np.array([[[0, 0], [1, 0]], [[1, 1], [0, 0]]], np.uint8)
    vectors = np.array([[1.0, 2, 3], [10, 20, 30]]).reshape(1, 1, 1, 2, 3)
    found = only("constexpr_lut_to_dense", indices=indices, lut=vectors, vector_axis=1)
    np.testing.assert_array_equal(found[0], [[1, 1], [2, 2], [3, 3], [10, 1], [20, 2], [30, 3]])
    np.testing.assert_array_equal(found[1], [[10, 10], [20, 20], [30, 30], [1, 1], [2, 2], [3, 3]])
    mask = np.array([[1, 0], [1, 1]], np.uint8)
    found = only("constexpr_sparse_to_dense", nonzero_data=[5.0, 6.0, 7.0], mask=mask)
    np.testing.assert_array_equal(found, [[5, 0], [6, 7]])
    found = only("constexpr_sparse_to_dense", nonzero_data=[5.0, 6.0], mask=np.array([0b1010], np.uint8), shape=[4])
    np.testing.assert_array_equal(found, [0, 5, 0, 6])
