"""What is said of a plan: what cuts it, what mending wins (by really mending), and what is missing to pay."""

from __future__ import annotations

import itertools

import pytest

from anecheck.knowledge.target import ComputeUnits
from anecheck.mil.model import Feature, Flexibility, Interface
from anecheck.predict.explain import MOST_MENDS, best_mends, boundaries, shortfall
from anecheck.predict.placement import Placement, solve
from tests.predict.programs import (
    ANE,
    CPU,
    GPU,
    LARGE,
    apply,
    chain,
    devices,
    judged,
    large,
    model_of,
    named,
    placed,
    program,
)

CUT = ["conv"] * 3 + ["acos"] + ["conv"] * 3


def test_a_boundary_names_the_operation_that_cuts_and_the_rule() -> None:
    there, back = boundaries(placed(chain(CUT)))
    assert (there.position, there.source, there.target, there.cut_by, there.codes) == (3, ANE, CPU, 3, ("ANE101",))
    assert (back.position, back.source, back.target, back.cut_by, back.codes) == (4, CPU, ANE, 3, ("ANE101",))


def test_a_boundary_looks_past_operations_that_only_went_along() -> None:
    # acos → abs → acos: the abs in between could run on the engine, but stays; each boundary names the nearest acos.
    placement = placed(chain(["conv", "acos", "abs", "acos", "conv"]))
    assert devices(placement) == [ANE, CPU, CPU, CPU, ANE]
    assert [(cut.position, cut.cut_by) for cut in boundaries(placement)] == [(1, 1), (4, 3)]


def test_every_rule_that_blocks_is_named() -> None:
    long = "tensor<fp16, [1, 1, 1, 70000]>"
    placement = placed(
        program(
            [large("a", "x"), apply("acos", "l", "w", long), large("y", "a")],
            ["y", "l"],
        ).replace(f"{LARGE} x)", f"{LARGE} x, {long} w)")
    )
    there, back = boundaries(placement)
    assert there.cut_by == back.cut_by == 1
    assert set(there.codes) == {"ANE116"}
    assert named(placement, "l").support.blockers[ANE] == there.codes


def test_a_plan_of_one_device_has_no_boundary() -> None:
    assert boundaries(placed(chain(["conv"] * 3))) == ()


def test_a_plan_that_is_only_cheaper_so_has_a_boundary_without_a_cause() -> None:
    # The engine's output costs 125 µs and so does the switch; a last operation that is cheaper on the CPU goes there.
    turn = f"{LARGE} y = transpose(perm = tensor<int32, [4]>([0, 1, 3, 2]), x = a);"
    placement = placed(program([large("a", "x"), turn], ["y"]))
    assert devices(placement) == [ANE, CPU]
    (cut,) = boundaries(placement)
    assert (cut.position, cut.source, cut.target, cut.cut_by, cut.codes) == (1, ANE, CPU, None, ())


def test_boundaries_with_the_gpu() -> None:
    placement = placed(chain(CUT), units=ComputeUnits.ALL)
    assert devices(placement)[3] in {GPU, CPU}
    cuts = boundaries(placement)
    assert len(cuts) == placement.switches
    assert all(cut.cut_by == 3 and cut.codes == ("ANE101",) for cut in cuts)


# Mending


def mended(kinds: list[str], positions: tuple[int, ...]) -> Placement:
    """The plan of the chain with `abs`, which costs as much, in place of what was blocked."""
    return placed(chain(["abs" if number in positions else kind for number, kind in enumerate(kinds)]))


@pytest.mark.parametrize(
    "kinds",
    [
        CUT,
        ["acos", *["conv"] * 3],
        [*["conv"] * 3, "acos", "acos", *["conv"] * 3],
        [*CUT, "acos", *["conv"] * 2],
        [*["conv"] * 2, "acos", "relu", "acos", *["conv"] * 2, "asin", "abs"],
        [*CUT, "acos", *CUT, "acos", *CUT, "asin", *CUT],
    ],
    ids=lambda kinds: "-".join(kind[:2] for kind in kinds),
)
def test_proposals_hold_when_the_program_is_really_mended(kinds: list[str]) -> None:
    before = placed(chain(kinds))
    proposals = best_mends(before)
    assert 1 <= len(proposals) <= MOST_MENDS
    blocked = {number for number, kind in enumerate(kinds) if kind in {"acos", "asin"}}
    for proposal in proposals:
        after = mended(kinds, proposal.positions)
        assert set(proposal.positions) <= blocked
        assert proposal.codes == ("ANE101",)
        assert (len(after.segments), after.switches) == (proposal.segments, proposal.switches)
        assert after.total_us == pytest.approx(proposal.total_us)
        assert before.total_us - after.total_us == pytest.approx(proposal.won_us)
    won = [proposal.won_us for proposal in proposals]
    assert won == sorted(won)
    assert won[0] > 1.0
    for less, more in itertools.pairwise(proposals):
        assert set(less.positions) < set(more.positions)


def test_what_one_rule_blocks_in_several_places_is_mended_together() -> None:
    kinds = [*["conv"] * 2, "acos", *["conv"] * 3, "acos", "conv", "acos", *["conv"] * 2]
    (first,) = best_mends(placed(chain(kinds)))
    assert first.positions == (2, 6, 8)
    assert first.total_us == pytest.approx(mended(kinds, (2, 6, 8)).total_us)
    assert all(first.total_us < mended(kinds, (place,)).total_us for place in first.positions)


def test_what_different_rules_block_is_mended_one_after_the_other() -> None:
    kinds = [*["conv"] * 2, "acos", *["conv"] * 3, "cumsum", *["conv"] * 2]
    proposals = best_mends(placed(chain(kinds)))
    assert [len(proposal.positions) for proposal in proposals] == [1, 2]
    alone = [mended(kinds, (place,)).total_us for place in (2, 6)]
    assert proposals[0].total_us == pytest.approx(min(alone))
    assert proposals[1].codes == ("ANE101", "ANE104")


def test_what_pays_only_all_together_is_proposed_as_a_whole() -> None:
    small = "tensor<fp16, [1, 128, 28, 28]>"
    kinds = ["conv", "acos", "conv", "cumsum", "conv", "acos", "conv"]
    for shape in (LARGE, small):
        before = placed(chain(kinds, shape))
        whole = solve(before.problem.allowing(frozenset({1, 3, 5}))).total_us
        proposals = best_mends(before)
        if whole < before.total_us - 1.0:
            assert proposals, shape
            assert proposals[-1].total_us == pytest.approx(whole)
        else:
            assert proposals == ()


def test_mending_one_operation_of_a_small_network_wins_nothing() -> None:
    assert best_mends(placed(chain(["conv", "acos", "conv"], "tensor<fp16, [1, 16, 8, 8]>"))) == ()


def test_nothing_is_proposed_where_nothing_is_blocked_or_the_engine_not_used() -> None:
    assert best_mends(placed(chain(["conv"] * 3))) == ()
    assert best_mends(placed(chain(CUT), units=ComputeUnits.CPU_AND_GPU)) == ()
    assert best_mends(placed(chain(CUT), units=ComputeUnits.CPU_ONLY)) == ()
    assert best_mends(placed(program([], ["x"]))) == ()


def test_nothing_is_proposed_where_the_whole_program_is_out() -> None:
    flexible = Flexibility("range", (1, 256, 28, 28))
    interface = Interface((Feature("x", "multiarray", "fp16", (1, 256, 28, 28), flexibility=flexible),))
    for kinds in (CUT, ["conv"]):
        (placement,) = judged(model_of(chain(kinds), interface)).placements
        assert placement.whole
        assert best_mends(placement) == ()
        assert shortfall(placement) is None
        assert boundaries(placement) == ()


# What is missing


def test_a_shortfall_is_what_the_engine_saves_against_what_it_costs() -> None:
    placement = placed(chain(["conv", "relu", "abs"], "tensor<fp16, [1, 16, 8, 8]>"))
    assert devices(placement) == [CPU] * 3
    short = shortfall(placement)
    assert short is not None
    estimates = [operation.estimate for operation in placement.operations]
    assert short.saved_us == pytest.approx(sum(each.cpu for each in estimates) - sum(each.ane for each in estimates))
    assert short.cost_us == pytest.approx(250)
    assert 0 < short.saved_us < short.cost_us
    assert placement.total_us - short.saved_us + short.cost_us == pytest.approx(
        sum(each.ane for each in estimates) + 250
    )


def test_every_output_adds_to_the_cost() -> None:
    shape = "tensor<fp16, [1, 16, 8, 8]>"
    rows = [apply("abs", "a", "x", shape), apply("abs", "b", "a", shape)]
    short = shortfall(placed(program(rows, ["a", "b"], shape)))
    assert short is not None
    assert short.cost_us == pytest.approx(375)


def test_there_is_no_shortfall_where_something_is_blocked_or_on_the_engine_or_it_is_not_allowed() -> None:
    tiny = "tensor<fp16, [1, 16, 8, 8]>"
    assert shortfall(placed(chain(["conv", "acos"], tiny))) is None
    assert shortfall(placed(chain(["conv"] * 3))) is None
    assert shortfall(placed(chain(["conv"], tiny), units=ComputeUnits.CPU_ONLY)) is None
    assert shortfall(placed(chain(["conv"], tiny), units=ComputeUnits.CPU_AND_GPU)) is None


def test_a_program_on_the_gpu_has_no_shortfall_of_the_cpu() -> None:
    placement = placed(chain(["conv"]), units=ComputeUnits.ALL)
    assert devices(placement) == [GPU]
    assert shortfall(placement) is None
