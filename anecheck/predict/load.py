"""How long a model is expected to take to load: from the system's cache, and the first time, when it is compiled.

The first load comes after every install and every update of the system. What is published of loads is little and its spread
large, so a prediction is a range, and a class that leans to the long side of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final, NamedTuple

from anecheck.knowledge.evidence import Citation, Device
from anecheck.knowledge.loads import MEGABYTE, LoadConstant
from anecheck.knowledge.tables import Knowledge
from anecheck.predict.assess import Assessment
from anecheck.predict.compilation import (
    branch_clusters,
    largest_stride,
    longest_chain,
    matrix_products,
    square_kernels,
)

CACHED, SLOW, MINUTES = "cached small network", "slow", "minutes"
"""The classes: loads from the cache in the wanted time; takes longer or nobody knows; may take minutes the first time."""

COLD: Final = "load-cold-ms"
BRANCHES, KERNEL, CHAIN, PRODUCTS = (
    "reconvergent-branches",
    "slow-square-kernel",
    "elementwise-chain",
    "matmuls-per-function",
)
"""Limits of `limits.toml`."""

FIRST: Final = ("first-per-megabyte", "first-per-program")
AGAIN: Final = ("cached-per-megabyte", "cached-per-program")
WITHOUT_ENGINE: Final = "share-without-engine"
"""Constants of `loads.toml`."""

OPERATIONS: Final = "operations"
MINUTE: Final = 60.0
FIRST_LOAD: Final = (
    "The first load after an install or an update of the system compiles the model: of no whole network is less than 0.6 s "
    "published, so count on none keeping to 100 ms."
)

Range = tuple[float, float]


class Numbers(NamedTuple):
    """What a load depends on, counted in a function: bytes as resident, engine segments as predicted.

    `square_kernels` are those with stride 1, `chain` is the longest run of element-wise operations.
    """

    operations: int
    resident_bytes: int
    engine_segments: int = 1
    branch_clusters: int = 0
    square_kernels: int = 0
    chain: int = 0
    matrix_products: int = 0


class Driver(NamedTuple):
    """Something that makes the first load long, with its amount; `seconds` is `None` where nobody published any."""

    name: str
    amount: int
    text: str
    seconds: Range | None = None


class Load(NamedTuple):
    """A predicted load: its class, seconds of the first and milliseconds of a cached one (from, to), what drives them.

    `note` is what holds of every first load.
    """

    kind: str
    first_s: Range
    cached_ms: Range
    drivers: tuple[Driver, ...]
    citations: tuple[Citation, ...]
    note: str = FIRST_LOAD


def numbers_of(assessment: Assessment) -> Numbers:
    """Count what a load depends on. Limits that are unknown for the target's family count nothing."""
    graph, knowledge, family = assessment.graph, assessment.knowledge, assessment.target.family
    branches, kernel = knowledge.limit(BRANCHES, family), knowledge.limit(KERNEL, family)
    kernels = square_kernels(graph, int(kernel.value)) if kernel is not None else []
    return Numbers(
        operations=len(graph.running),
        resident_bytes=assessment.weight_bytes[1],
        engine_segments=sum(segment.device is Device.ANE for segment in assessment.placement.segments),
        branch_clusters=branch_clusters(graph, int(branches.value)) if branches is not None else 0,
        square_kernels=sum(largest_stride(node) == 1 for node in kernels),
        chain=longest_chain(graph)[0],
        matrix_products=matrix_products(graph),
    )


def load_of(assessment: Assessment, wanted_ms: float | None = None) -> Load:
    """Predict how long an assessed function takes to load."""
    return load_class(numbers_of(assessment), assessment.knowledge, assessment.target.family, wanted_ms)


def load_class(numbers: Numbers, knowledge: Knowledge, family: str, wanted_ms: float | None = None) -> Load:
    """Predict how long a function with these numbers takes to load on a family.

    `wanted_ms` is the time in which a cached load is wanted; the limit `load-cold-ms` where none is given.
    """
    constants = knowledge.loads.constants
    megabytes, programs = numbers.resident_bytes / MEGABYTE, max(numbers.engine_segments, 1)
    weights, segments = (_times(constants[name], n) for name, n in zip(FIRST, (megabytes, programs), strict=True))
    cached = [_times(constants[name], n) for name, n in zip(AGAIN, (megabytes, programs), strict=True)]
    troubles = list(_troubles(numbers, knowledge, family)) if numbers.engine_segments else []
    # Weights are compiled with the programs: at least the larger of both, at most their sum. All trouble comes on top.
    first = _sum(
        [(max(weights[0], segments[0]), weights[1] + segments[1]), *(each.driver.seconds for each in troubles)]
    )
    used = [constants[name] for name in (*FIRST, *AGAIN)]
    if not numbers.engine_segments:
        without = constants[WITHOUT_ENGINE]
        first = (first[0] * without.low, first[1] * without.high)
        used.append(without)
    drivers = (*_common(numbers, weights, segments), *(each.driver for each in troubles))
    citations = [constant.citations for constant in used] + [each.citations for each in troubles]
    unbounded = any(driver.seconds is None for driver in drivers if driver.name != OPERATIONS)
    kind = MINUTES if unbounded or first[1] >= MINUTE else SLOW
    if kind == SLOW and _sum(cached)[1] <= _wanted(wanted_ms, knowledge, family):
        kind = CACHED
    return Load(kind, first, _sum(cached), drivers, tuple(dict.fromkeys(chain.from_iterable(citations))))


class _Trouble(NamedTuple):
    """A driver that comes on top of what weights and programs take, with who says so."""

    driver: Driver
    citations: tuple[Citation, ...]


def _common(numbers: Numbers, weights: Range, segments: Range) -> Iterator[Driver]:
    """What every load takes time for."""
    text = (
        f"{numbers.operations:,} operations: the compiler's time grows with them and their branching, and nobody "
        "published seconds an operation"
    )
    yield Driver(OPERATIONS, numbers.operations, text)
    megabytes = numbers.resident_bytes / MEGABYTE
    yield Driver("weights", numbers.resident_bytes, f"{megabytes:,.1f} MB of weights", weights)
    if numbers.engine_segments:
        several = numbers.engine_segments > 1
        text = f"{numbers.engine_segments:,} engine segment{'s, each' if several else ','} compiled for itself"
        yield Driver("segments", numbers.engine_segments, text, segments)


def _troubles(numbers: Numbers, knowledge: Knowledge, family: str) -> Iterator[_Trouble]:
    """What was measured to take the compiler long, where the function has it."""
    constants = knowledge.loads.constants
    for name, amount, key, text in (
        ("branches", numbers.branch_clusters, "per-branch-cluster", "places where a dozen branches or more meet again"),
        ("square kernels", numbers.square_kernels, "per-square-kernel", "kernels of a size that compiles for minutes"),
    ):
        if amount:
            yield _Trouble(
                Driver(name, amount, f"{amount:,} {text}", _times(constants[key], amount)), constants[key].citations
            )
    limit = knowledge.limit(CHAIN, family)
    if limit is not None and numbers.chain >= limit.value:
        base, power = constants["elementwise-chain"], constants["elementwise-chain-power"]
        length = numbers.chain / limit.value
        seconds = (base.low * length**power.low, base.high * length**power.high)
        text = f"{numbers.chain:,} element-wise operations in a row"
        yield _Trouble(Driver("element-wise chain", numbers.chain, text, seconds), base.citations)
    limit = knowledge.limit(PRODUCTS, family)
    if limit is not None and numbers.matrix_products >= limit.value:
        text = f"{numbers.matrix_products:,} matrix multiplications: so many took 78 GB to compile"
        yield _Trouble(Driver("matrix products", numbers.matrix_products, text), limit.citations)


def _wanted(wanted_ms: float | None, knowledge: Knowledge, family: str) -> float:
    """The milliseconds in which a cached load is wanted; none where neither the caller nor a limit says any."""
    if wanted_ms is not None:
        return wanted_ms
    limit = knowledge.limit(COLD, family)
    return limit.value if limit is not None else 0.0


def _times(constant: LoadConstant, amount: float) -> Range:
    return constant.low * amount, constant.high * amount


def _sum(ranges: Iterable[Range | None]) -> Range:
    """The sum of ranges; those that nobody knows add nothing."""
    known = [each for each in ranges if each is not None]
    return sum(low for low, _ in known), sum(high for _, high in known)
