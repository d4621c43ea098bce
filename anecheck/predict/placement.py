"""Core ML's placement, replayed: the cheapest path over devices, operation by operation in file order.

The segmenter adds to each operation's estimate a cost for every change of device, for a first operation on the engine, and
for each function output that is made there. What costs the same on two devices is a tie, and is said to be one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from anecheck.knowledge.costs import Costs
from anecheck.knowledge.evidence import Citation, Device
from anecheck.mil.graph import Graph, Node
from anecheck.predict.cost import CostModel, Estimate
from anecheck.predict.support import Support

NEVER = float("inf")
TOLERANCE_US = 1e-6
"""Plans whose costs differ by less are equal; sums in double precision are a thousand times more exact."""
MICROSECONDS = 1000.0


class Placed(NamedTuple):
    """An operation with its device; `tie` lists all devices on which it could lie at the same total cost, if several."""

    node: Node
    device: Device
    tie: tuple[Device, ...]
    estimate: Estimate
    support: Support


class Reason(NamedTuple):
    """Why a whole program is kept from the engine, who says so, and on which families.

    `subject` is what it is about; a rule that explains one subject in full speaks of it in place of the general one.
    """

    text: str
    citations: tuple[Citation, ...]
    families: tuple[str, ...]
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of operations on one device: positions `first` to `last` in the placement, and their estimated time."""

    device: Device
    first: int
    last: int
    us: float

    @property
    def count(self) -> int:
        """How many operations it has."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Problem:
    """What the segmenter decides on: for each operation its times by device (infinite where it cannot run), and whether
    it makes a function output. `devices` are those that the app allows, in the order in which ties are broken.
    """

    nodes: tuple[Node, ...]
    devices: tuple[Device, ...]
    times: tuple[tuple[float, ...], ...]
    outputs: tuple[int, ...]
    estimates: tuple[Estimate, ...]
    supports: tuple[Support, ...]
    costs: Costs

    def allowing(self, positions: frozenset[int]) -> Problem:
        """The same problem with the operations at `positions` mended, so that the engine can run them."""
        engine = self.devices.index(Device.ANE)
        times = list(self.times)
        for position in positions:
            row = list(times[position])
            row[engine] = self.estimates[position].ane
            times[position] = tuple(row)
        return replace(self, times=tuple(times))


@dataclass(frozen=True, slots=True)
class Placement:
    """Where each operation of a function goes, in file order, and what the plan costs in all, in microseconds.

    `whole` says why the engine is out of the question for the whole program, if it is.
    """

    operations: tuple[Placed, ...]
    segments: tuple[Segment, ...]
    total_us: float
    problem: Problem
    whole: tuple[Reason, ...] = ()

    @property
    def switches(self) -> int:
        """How often the device changes."""
        return max(len(self.segments) - 1, 0)

    @property
    def total_ms(self) -> float:
        """The plan's estimated cost in milliseconds, switches included."""
        return self.total_us / MICROSECONDS

    def count(self, device: Device) -> int:
        """How many operations a device gets."""
        return sum(segment.count for segment in self.segments if segment.device is device)


def pose(
    graph: Graph,
    supports: Mapping[Node, Support],
    devices: tuple[Device, ...],
    costs: Costs,
    whole: Sequence[Reason] = (),
) -> Problem:
    """Set up the problem of a function: its own operations, those of nested blocks counted to the one around them."""
    model = CostModel(costs)
    nodes = tuple([node for node in graph.running if not node.block])
    nested = _nested_estimates(graph, model) if len(nodes) < len(graph.running) else {}
    estimates = tuple([nested.get(node) or model.estimate(node) for node in nodes])
    found = tuple([supports[node] for node in nodes])
    engine = Device.ANE in devices and not whole
    times = []
    for estimate, support in zip(estimates, found, strict=True):
        by_device = {Device.ANE: estimate.ane if engine else NEVER, Device.GPU: estimate.gpu, Device.CPU: estimate.cpu}
        times.append(tuple([by_device[device] if device in support.devices else NEVER for device in devices]))
    made = Counter(operand.producer for operand in set(graph.outputs))
    outputs = tuple([made[node] for node in nodes]) if made else (0,) * len(nodes)
    return Problem(nodes, devices, tuple(times), outputs, estimates, found, costs)


def solve(problem: Problem, whole: Sequence[Reason] = ()) -> Placement:
    """Find the cheapest plan, breaking ties in favour of the engine, and every operation's ties."""
    if not problem.nodes:
        return Placement((), (), 0.0, problem, tuple(whole))
    devices, width = problem.devices, range(len(problem.devices))
    owns, steps = _own_costs(problem), _steps(problem)
    to_go = _backward(owns, steps)
    launch = problem.costs.path.launch_ms * MICROSECONDS
    reached = [own + (launch if device is Device.ANE else 0.0) for device, own in zip(devices, owns[0], strict=True)]
    best = min(map(sum, zip(reached, to_go[0], strict=True)))
    within, before = best + TOLERANCE_US, -1
    chosen: list[int] = []
    ties: list[tuple[Device, ...]] = []
    for position, onward in enumerate(to_go):
        own = owns[position]
        if position:
            reached = [cost + more for cost, more in zip(_relax(reached, steps), own, strict=True)]
        equal = [device for device in width if reached[device] + onward[device] <= within]
        if len(equal) == 1:
            before = equal[0]
            ties.append(())
        else:
            before = equal[0] if before < 0 else _follow(equal, steps[before], own, onward)
            ties.append(tuple([devices[device] for device in equal]))
        chosen.append(before)
    placed = [
        Placed(node, devices[device], tie, estimate, able)
        for node, device, tie, estimate, able in zip(
            problem.nodes, chosen, ties, problem.estimates, problem.supports, strict=True
        )
    ]
    return Placement(tuple(placed), _segments(placed), best, problem, tuple(whole))


def place(
    graph: Graph,
    supports: Mapping[Node, Support],
    devices: tuple[Device, ...],
    costs: Costs,
    whole: Sequence[Reason] = (),
) -> Placement:
    """Predict the placement of a function."""
    return solve(pose(graph, supports, devices, costs, whole), whole)


def _steps(problem: Problem) -> list[list[float]]:
    """What a change from one device to another costs, in microseconds."""
    switch, gpu = problem.costs.path.switch_ms * MICROSECONDS, problem.costs.gpu.switch_ms * MICROSECONDS
    return [
        [0.0 if here is there else gpu if Device.GPU in {here, there} else switch for there in problem.devices]
        for here in problem.devices
    ]


def _own_costs(problem: Problem) -> list[tuple[float, ...]]:
    """Every operation's own cost by device, with what its outputs add on the engine."""
    each = problem.costs.path.output_ms * MICROSECONDS
    engines = [device is Device.ANE for device in problem.devices]
    return [
        tuple([time + made * each * engine for time, engine in zip(times, engines, strict=True)]) if made else times
        for times, made in zip(problem.times, problem.outputs, strict=True)
    ]


def _relax(costs: list[float], steps: list[list[float]]) -> list[float]:
    """The cheapest cost of being on each device after coming from wherever it is best to come from."""
    if len(costs) == 2:  # nearly always, and worth its own words: the general case takes several times as long
        first, second = costs
        change = steps[0][1]
        return [min(first, second + change), min(second, first + change)]
    width = range(len(costs))
    return [min([costs[here] + steps[here][there] for here in width]) for there in width]


def _backward(owns: list[tuple[float, ...]], steps: list[list[float]]) -> list[list[float]]:
    """For every operation and device, the cheapest cost of all that follows. A change costs the same both ways."""
    later = [0.0] * len(steps)
    onward = [later]
    for own in reversed(owns[1:]):
        later = _relax([cost + more for cost, more in zip(own, later, strict=True)], steps)
        onward.append(later)
    onward.reverse()
    return onward


def _follow(equal: list[int], step: list[float], own: tuple[float, ...], onward: list[float]) -> int:
    """The next device of a cheapest plan, among several that lie on one; the first of equals."""
    cost = {device: step[device] + own[device] + onward[device] for device in equal}
    least = min(cost.values())
    return next(device for device in equal if cost[device] <= least + TOLERANCE_US)


def _segments(placed: Sequence[Placed]) -> tuple[Segment, ...]:
    segments, first = [], 0
    for device, group in groupby(placed, key=attrgetter("device")):
        members = list(group)
        times = map(attrgetter(f"estimate.{device.value}"), members)
        segments.append(Segment(device, first, first + len(members) - 1, sum(times)))
        first += len(members)
    return tuple(segments)


def _nested_estimates(graph: Graph, model: CostModel) -> dict[Node, Estimate]:
    """Estimates of control flow: one round of what its blocks hold."""
    found: dict[Node, Estimate] = {}
    outermost: Node | None = None
    for node in graph.running:
        if not node.block:
            outermost = node
        elif outermost is not None:
            own, total = model.estimate(node), found.get(outermost)
            found[outermost] = Estimate(
                own.ane + (total.ane if total else 0.0),
                own.cpu + (total.cpu if total else 0.0),
                own.gpu + (total.gpu if total else 0.0),
                "control flow",
                "extrapolated",
            )
    return found
