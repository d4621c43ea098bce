"""Rules about the predicted placement of a whole program (ANE3xx)."""

from __future__ import annotations

from anecheck_rules.placement.bouncing import Bouncing
from anecheck_rules.placement.boundary_in_the_middle import BoundaryInTheMiddle
from anecheck_rules.placement.separable_end import SeparableEnd
from anecheck_rules.placement.too_small_to_pay import TooSmallToPay
from anecheck_rules.placement.whole_program_off import WholeProgramOff

RULES = (
    TooSmallToPay,
    BoundaryInTheMiddle,
    SeparableEnd,
    Bouncing,
    WholeProgramOff,
)
