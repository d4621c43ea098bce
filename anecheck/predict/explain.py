"""Why a plan is as it is: what cuts it, what mending would win, and how far a small program is from paying."""

from __future__ import annotations

from typing import NamedTuple

from anecheck.knowledge.evidence import Device
from anecheck.predict.placement import MICROSECONDS, NEVER, Placement, Segment, solve

MOST_CANDIDATES = 8
"""How many of each kind of candidate are tried, the longest first; each costs a solution of the plan."""
LEAST_GAIN_US = 1.0
"""Less than this is nothing to mend for."""
MOST_MENDS = 3
"""How many mends a proposal may have, so that somebody will make them."""


class Boundary(NamedTuple):
    """A change of device before the operation at `position`.

    `cut_by` is the position of the operation that forces it, with the `codes` of the rules that block that one; where
    neither side must move, the plan is cheaper so, and `cut_by` is None.
    """

    position: int
    source: Device
    target: Device
    cut_by: int | None
    codes: tuple[str, ...]


class Mend(NamedTuple):
    """Operations to mend together, and what the plan would be then: re-solved, not guessed."""

    positions: tuple[int, ...]
    codes: tuple[str, ...]
    segments: int
    switches: int
    total_us: float
    won_us: float


class Shortfall(NamedTuple):
    """A program that the engine could run but that does not pay: what it saves there, and what going there costs."""

    saved_us: float
    cost_us: float


def boundaries(placement: Placement) -> tuple[Boundary, ...]:
    """Every change of device, with what forces it."""
    found = []
    for before, after in zip(placement.segments, placement.segments[1:], strict=False):
        cut = _forced(placement, after, before.device)
        if cut is None:
            cut = _forced(placement, before, after.device, last=True)
        codes = placement.operations[cut].support.blockers if cut is not None else {}
        other = before.device if cut is not None and cut >= after.first else after.device
        found.append(Boundary(after.first, before.device, after.device, cut, codes.get(other, ())))
    return tuple(found)


def shortfall(placement: Placement) -> Shortfall | None:
    """How far a program that lies on the CPU alone is from paying; None where something keeps it from the engine."""
    problem = placement.problem
    if placement.whole or Device.ANE not in problem.devices or {s.device for s in placement.segments} != {Device.CPU}:
        return None
    engine = problem.devices.index(Device.ANE)
    if any(times[engine] == NEVER for times in problem.times):
        return None
    saved = sum(estimate.cpu - estimate.ane for estimate in problem.estimates)
    path = problem.costs.path
    return Shortfall(saved, (path.launch_ms + sum(problem.outputs) * path.output_ms) * MICROSECONDS)


def best_mends(placement: Placement) -> tuple[Mend, ...]:
    """The mends that win most, in order: after each the plan is solved again with what was mended before.

    A candidate is a run of blocked operations without one between them that the engine could take, or all runs that the
    same rules block: one rewrite mends them all. Everything at once is tried where nothing less wins. The best candidate
    comes first, of equals the smaller; each one added must win more.
    """
    if placement.whole or Device.ANE not in placement.problem.devices:
        return ()
    runs, everything = _candidates(placement)
    mended: frozenset[int] = frozenset()
    proposals: list[Mend] = []
    reached = placement.total_us
    while runs and len(proposals) < MOST_MENDS:
        solved = [(solve(placement.problem.allowing(mended | frozenset(run))), run) for run in runs]
        plan, run = min(solved, key=lambda item: (item[0].total_us, len(item[1])))
        if plan.total_us >= reached - LEAST_GAIN_US:
            if mended or not everything:
                break
            runs, everything = everything, []
            continue
        mended |= frozenset(run)
        runs = [other for other in runs if not mended.issuperset(other)]
        codes = {code for position in mended for code in placement.operations[position].support.blockers[Device.ANE]}
        won = placement.total_us - plan.total_us
        positions = tuple(sorted(mended))
        proposals.append(Mend(positions, tuple(sorted(codes)), len(plan.segments), plan.switches, plan.total_us, won))
        reached = plan.total_us
    return tuple(proposals)


def _candidates(placement: Placement) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """The longest runs of blocked operations, with each set of rules all runs that these block, and all there are."""
    runs = sorted(_blocked_runs(placement), key=len, reverse=True)
    alike: dict[frozenset[str], list[tuple[int, ...]]] = {}
    for run in runs:
        blockers = (placement.operations[position].support.blockers[Device.ANE] for position in run)
        alike.setdefault(frozenset(code for codes in blockers for code in codes), []).append(run)
    together = [
        tuple(sorted(position for run in group for position in run)) for group in alike.values() if len(group) > 1
    ]
    everything = [tuple(position for run in sorted(runs) for position in run)] if len(alike) > 1 else []
    return together[:MOST_CANDIDATES] + runs[:MOST_CANDIDATES], everything


def _forced(placement: Placement, segment: Segment, other: Device, *, last: bool = False) -> int | None:
    """The first (or last) operation of a segment that could not lie on another device."""
    order = range(segment.first, segment.last + 1)
    for position in reversed(order) if last else order:
        if other not in placement.operations[position].support.devices:
            return position
    return None


def _blocked_runs(placement: Placement) -> list[tuple[int, ...]]:
    runs: list[list[int]] = []
    previous = -2
    for position, placed in enumerate(placement.operations):
        if Device.ANE in placed.support.devices:
            continue
        if position == previous + 1:
            runs[-1].append(position)
        else:
            runs.append([position])
        previous = position
    return [tuple(run) for run in runs]
