"""Rules about several operations that waste work or do not fuse (ANE2xx)."""

from __future__ import annotations

from anecheck_rules.patterns.adjacent_convolutions import AdjacentConvolutions
from anecheck_rules.patterns.attention_score_matrix import AttentionScoreMatrix
from anecheck_rules.patterns.batch_statistics import BatchStatistics
from anecheck_rules.patterns.broadcast_tile import BroadcastTile
from anecheck_rules.patterns.channels_last_island import ChannelsLastIsland
from anecheck_rules.patterns.constant_computation import ConstantComputation
from anecheck_rules.patterns.cropped_transposed_convolution import CroppedTransposedConvolution
from anecheck_rules.patterns.fused_attention_shape import FusedAttentionShape
from anecheck_rules.patterns.integer_round_trip import IntegerRoundTrip
from anecheck_rules.patterns.interleaved_slices import InterleavedSlices
from anecheck_rules.patterns.joined_and_parted import JoinedAndParted
from anecheck_rules.patterns.padding_before_convolution import PaddingBeforeConvolution
from anecheck_rules.patterns.rank_five_heads import RankFiveHeads
from anecheck_rules.patterns.redundant_cast import RedundantCast
from anecheck_rules.patterns.relayed_transpose import RelayedTranspose
from anecheck_rules.patterns.repeated_computation import RepeatedComputation
from anecheck_rules.patterns.returned_input import ReturnedInput
from anecheck_rules.patterns.run_time_rotation_table import RunTimeRotationTable
from anecheck_rules.patterns.scaled_attention_query import ScaledAttentionQuery
from anecheck_rules.patterns.scattered_pixel_shuffle import ScatteredPixelShuffle
from anecheck_rules.patterns.sequence_major_linear import SequenceMajorLinear
from anecheck_rules.patterns.split_adaptive_pooling import SplitAdaptivePooling
from anecheck_rules.patterns.split_strided_slices import SplitStridedSlices
from anecheck_rules.patterns.standing_batch_norm import StandingBatchNorm
from anecheck_rules.patterns.transpose_sandwich import TransposeSandwich
from anecheck_rules.patterns.unfolding_convolution import UnfoldingConvolution
from anecheck_rules.patterns.unused_input import UnusedInput
from anecheck_rules.patterns.unused_result import UnusedResult
from anecheck_rules.patterns.whole_sequence_logits import WholeSequenceLogits
from anecheck_rules.patterns.wide_join import WideJoin
from anecheck_rules.patterns.written_out_attention import WrittenOutAttention
from anecheck_rules.patterns.written_out_gelu import WrittenOutGelu
from anecheck_rules.patterns.written_out_group_norm import WrittenOutGroupNorm
from anecheck_rules.patterns.written_out_layer_norm import WrittenOutLayerNorm
from anecheck_rules.patterns.written_out_local_response_norm import WrittenOutLocalResponseNorm
from anecheck_rules.patterns.written_out_swish import WrittenOutSwish

RULES = (
    PaddingBeforeConvolution,
    StandingBatchNorm,
    BatchStatistics,
    WrittenOutLayerNorm,
    WrittenOutGroupNorm,
    WrittenOutGelu,
    WrittenOutSwish,
    AdjacentConvolutions,
    WrittenOutLocalResponseNorm,
    SplitAdaptivePooling,
    BroadcastTile,
    TransposeSandwich,
    ChannelsLastIsland,
    SplitStridedSlices,
    InterleavedSlices,
    ScatteredPixelShuffle,
    RelayedTranspose,
    RankFiveHeads,
    UnfoldingConvolution,
    JoinedAndParted,
    CroppedTransposedConvolution,
    SequenceMajorLinear,
    WideJoin,
    WrittenOutAttention,
    AttentionScoreMatrix,
    FusedAttentionShape,
    ScaledAttentionQuery,
    WholeSequenceLogits,
    RedundantCast,
    IntegerRoundTrip,
    RepeatedComputation,
    ConstantComputation,
    UnusedResult,
    UnusedInput,
    ReturnedInput,
    RunTimeRotationTable,
)
