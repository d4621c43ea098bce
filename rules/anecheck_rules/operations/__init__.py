"""Rules about single operations (ANE1xx)."""

from __future__ import annotations

from anecheck_rules.operations.arg_reduction import ArgReduction
from anecheck_rules.operations.batched_computed_kernel import BatchedComputedKernel
from anecheck_rules.operations.block_factor import BlockFactor
from anecheck_rules.operations.box_suppression import BoxSuppression
from anecheck_rules.operations.channel_stride import ChannelStride
from anecheck_rules.operations.channel_sum import ChannelSum
from anecheck_rules.operations.control_flow import ControlFlow
from anecheck_rules.operations.convolution_dilation import ConvolutionDilation
from anecheck_rules.operations.convolution_kernel import ConvolutionKernel
from anecheck_rules.operations.convolution_stride import ConvolutionStride
from anecheck_rules.operations.crop_resize import CropResize
from anecheck_rules.operations.cumulative_sum import CumulativeSum
from anecheck_rules.operations.custom_operation import CustomOperation
from anecheck_rules.operations.decode_depthwise_convolution import DecodeDepthwiseConvolution
from anecheck_rules.operations.depth_broadcast import DepthBroadcast
from anecheck_rules.operations.dilated_transposed_convolution import DilatedTransposedConvolution
from anecheck_rules.operations.dynamic_gather import DynamicGather
from anecheck_rules.operations.dynamic_slice import DynamicSlice
from anecheck_rules.operations.float32_constant import Float32Constant
from anecheck_rules.operations.float32_data import Float32Data
from anecheck_rules.operations.grouped_convolution import GroupedConvolution
from anecheck_rules.operations.indexed_read import IndexedRead
from anecheck_rules.operations.integer_cast import IntegerCast
from anecheck_rules.operations.integer_data import IntegerData
from anecheck_rules.operations.linear_rank import LinearRank
from anecheck_rules.operations.matrix_contraction import MatrixContraction
from anecheck_rules.operations.matrix_rank import MatrixRank
from anecheck_rules.operations.no_engine_path import NoEnginePath
from anecheck_rules.operations.padding_mode import PaddingMode
from anecheck_rules.operations.padding_value import PaddingValue
from anecheck_rules.operations.pooling_kernel import PoolingKernel
from anecheck_rules.operations.pooling_stride import PoolingStride
from anecheck_rules.operations.recurrent_layer import RecurrentLayer
from anecheck_rules.operations.scatter import Scatter
from anecheck_rules.operations.sort import Sort
from anecheck_rules.operations.tensor_dimension import TensorDimension
from anecheck_rules.operations.tensor_rank import TensorRank
from anecheck_rules.operations.top_k import TopK
from anecheck_rules.operations.volumetric_kernel import VolumetricKernel
from anecheck_rules.operations.wide_convolution import WideConvolution

RULES = (
    NoEnginePath,
    IntegerData,
    IntegerCast,
    CumulativeSum,
    Float32Data,
    Float32Constant,
    DynamicGather,
    IndexedRead,
    Scatter,
    RecurrentLayer,
    ControlFlow,
    TopK,
    ArgReduction,
    Sort,
    BoxSuppression,
    TensorDimension,
    TensorRank,
    ConvolutionKernel,
    PoolingKernel,
    MatrixContraction,
    CustomOperation,
    PaddingValue,
    PaddingMode,
    DynamicSlice,
    CropResize,
    LinearRank,
    ConvolutionStride,
    ConvolutionDilation,
    GroupedConvolution,
    WideConvolution,
    DecodeDepthwiseConvolution,
    BatchedComputedKernel,
    DilatedTransposedConvolution,
    VolumetricKernel,
    PoolingStride,
    ChannelStride,
    BlockFactor,
    MatrixRank,
    DepthBroadcast,
    ChannelSum,
)
"""The rules of the family, by code."""
