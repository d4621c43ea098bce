"""One program, four generations of the engine: what their tables differ in, the plans differ in, and say why."""

from __future__ import annotations

import pytest

from tests.predict.programs import ANE, CPU, LARGE, apply, conv, devices, large, named, placed, program

TARGETS = ("m1", "m2", "m3", "m4")
"""H13, H14, H15 and H16."""

LONG = "tensor<fp16, [1, 16, 4, 20000]>"
WIDE = "tensor<fp16, [1, 256, 28, 30]>"


def between(row: str, *, shape: str = LARGE) -> str:
    """A program in which large convolutions lie before and after `row`, which makes `b` of `a`."""
    rows = [large("a", "x"), row]
    rows.append(conv("y", "b", shape, weight="[256, 256, 3, 3]"))
    return program(rows, ["y"])


PROGRAMS = {
    "sin": between(apply("sin", "b", "a")),
    "reflect": between(
        f'{WIDE} b = pad(constant_val = fp16(0), mode = string("reflect"), '
        "pad = tensor<int32, [8]>([0, 0, 0, 0, 0, 0, 1, 1]), x = a);",
        shape=WIDE,
    ),
    "kernel": between(conv("b", "a", LARGE, weight="[256, 256, 1, 14]")),
    "topk": between(
        f"{LARGE} b, tensor<uint16, [1, 256, 28, 28]> i = topk(ascending = bool(false), axis = int32(1), "
        'k = int32(256), output_indices_dtype = string("uint16"), return_indices = bool(true), sort = bool(true), x = a);'
    ),
    "axis": program(
        [
            conv("a", "x", LONG, weight="[16, 16, 3, 3]"),
            conv("b", "a", LONG, weight="[16, 16, 3, 3]"),
            conv("y", "b", LONG, weight="[16, 16, 3, 3]"),
        ],
        ["y"],
        LONG,
    ),
}
BLOCKED = {
    "sin": ("ANE101", {"m1", "m2"}),
    "reflect": ("ANE123", {"m1"}),
    "kernel": ("ANE118", {"m1"}),
    "topk": ("ANE112", {"m1"}),
    "axis": ("ANE116", {"m1", "m2", "m3"}),
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_family_that_lacks_something_leaves_and_says_why(name: str, target: str) -> None:
    placement = placed(PROGRAMS[name], target)
    code, lacking = BLOCKED[name]
    middle = named(placement, "b")
    if target in lacking:
        assert middle.device is CPU
        assert code in middle.support.blockers[ANE]
        assert ANE not in middle.support.devices
    else:
        assert middle.support.blockers.get(ANE) is None
        assert devices(placement) == [ANE] * 3
    if target in lacking and name != "axis":
        assert devices(placement) == [ANE, CPU, ANE]


def test_an_axis_too_long_takes_all_that_touches_it() -> None:
    assert [devices(placed(PROGRAMS["axis"], target)) for target in TARGETS] == [[CPU] * 3] * 3 + [[ANE] * 3]


@pytest.mark.parametrize("name", PROGRAMS)
def test_estimates_do_not_depend_on_the_family(name: str) -> None:
    first, *others = [
        [operation.estimate for operation in placed(PROGRAMS[name], target).operations] for target in TARGETS
    ]
    assert all(estimates == first for estimates in others)
