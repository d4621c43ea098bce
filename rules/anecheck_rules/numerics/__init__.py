"""Rules about numbers that 16 bits do not hold (ANE5xx)."""

from __future__ import annotations

from anecheck.lint.rule import Rule
from anecheck_rules.numerics.channel_normalisation import ChannelNormalisation
from anecheck_rules.numerics.inexact_count import InexactCount
from anecheck_rules.numerics.infinite_constant import InfiniteConstant
from anecheck_rules.numerics.infinite_mask import InfiniteMask
from anecheck_rules.numerics.log_of_probability import LogOfProbability
from anecheck_rules.numerics.log_sum_exp import LogSumExp
from anecheck_rules.numerics.lost_epsilon import LostEpsilon
from anecheck_rules.numerics.offset_in_width import OffsetInWidth
from anecheck_rules.numerics.softplus_tail import SoftplusTail
from anecheck_rules.numerics.unscaled_square import UnscaledSquare
from anecheck_rules.numerics.unshifted_exponential import UnshiftedExponential

RULES: tuple[type[Rule], ...] = (
    UnscaledSquare,
    UnshiftedExponential,
    LogSumExp,
    LogOfProbability,
    InfiniteMask,
    InfiniteConstant,
    LostEpsilon,
    SoftplusTail,
    InexactCount,
    OffsetInWidth,
    ChannelNormalisation,
)
