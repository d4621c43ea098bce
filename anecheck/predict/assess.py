"""All numbers of one function for one target, each worked out when somebody first asks for it."""

from __future__ import annotations

from functools import cached_property

from anecheck.knowledge.evidence import Device
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import Target
from anecheck.mil.graph import Graph
from anecheck.predict.footprint import Copy, Footprint, copies, footprint
from anecheck.predict.latency import Engine, Timing, timing
from anecheck.predict.placement import Placement
from anecheck.predict.rates import Rates, elsewhere, rates
from anecheck.predict.weights import Weights, stored_and_resident, streams

ALIGNMENT, RESIDENT = "last-axis-alignment-bytes", "operand-resident-bytes"


class Assessment:
    """A function as it is predicted to be placed on a target, with what that takes in memory and time."""

    def __init__(self, graph: Graph, placement: Placement, target: Target, knowledge: Knowledge) -> None:
        self.graph, self.placement, self.target, self.knowledge = graph, placement, target, knowledge

    @cached_property
    def alignment(self) -> int:
        """The bytes to which the engine pads the last axis of a tensor."""
        limit = self.knowledge.limit(ALIGNMENT, self.target.family)
        return int(limit.value) if limit is not None else 1

    @cached_property
    def footprint(self) -> Footprint:
        """What is live when."""
        return footprint(self.graph, self.alignment, self.placement)

    @cached_property
    def weights(self) -> Weights:
        """The weights, by the operations that use them."""
        return Weights(self.graph)

    @cached_property
    def streams(self) -> frozenset[str]:
        """The forms of compressed weights that the target reads as they are stored."""
        return streams(self.target, self.knowledge)

    @cached_property
    def weight_bytes(self) -> tuple[int, int]:
        """The bytes of the weights, as stored and as resident on the target."""
        return stored_and_resident(self.weights.all.values(), self.streams)

    @cached_property
    def has_unknown_sizes(self) -> bool:
        """Whether some sizes are known only when the model runs: they count as 1, and all numbers are lower bounds."""
        return not all(tensor.is_static for tensor in self.graph.tensor_types)

    @cached_property
    def rates(self) -> Rates:
        """How fast the target's engine is."""
        return rates(self.target, self.knowledge)

    @cached_property
    def resident_bytes(self) -> float:
        """The bytes of the largest value that stays on the chip."""
        limit = self.knowledge.limit(RESIDENT, self.target.family)
        return limit.value if limit is not None else float("inf")

    @cached_property
    def timing(self) -> Timing:
        """How long a prediction takes."""
        rates = self.rates
        if all(segment.device is not Device.ANE for segment in self.placement.segments):
            rates = elsewhere(rates, self.knowledge)
        engine = Engine(rates, self.streams, self.alignment, self.resident_bytes)
        return timing(self.graph, self.placement, self.weights, engine)

    @cached_property
    def copies(self) -> tuple[Copy, ...]:
        """The values that cross between devices."""
        return copies(self.graph, self.placement)
