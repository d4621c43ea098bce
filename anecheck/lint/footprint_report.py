"""What a report says of memory and time. Plain dataclasses, as in `finding.py`.

Bytes are those that count: as the engine lays a value out where it touches it, else packed. Where a size is unknown until
the model runs it counts as 1, and numbers are lower bounds. Times are estimates.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from anecheck.lint.documented import DOCUMENTED


@dataclass(frozen=True, kw_only=True)
class HolderReport:
    """Memory that a value takes, with all that is the same memory in another shape."""

    __pydantic_config__: ClassVar = DOCUMENTED

    name: str
    kind: str
    """What it is to the function: "input", "output", "state" or "value"."""
    type: str
    """Its first type, as MIL text writes it."""
    held_bytes: int
    packed_bytes: int
    """The same without padding."""
    first: int
    """The index of the first operation during which it is live."""
    last: int
    first_operation: str
    last_operation: str


@dataclass(frozen=True, kw_only=True)
class PeakReport:
    """The operation during which the most bytes are live, the first of several."""

    __pydantic_config__: ClassVar = DOCUMENTED

    held_bytes: int
    packed_bytes: int
    position: int | None
    """Its place in the list of operations; null, as all that says which one it is, for a function without operations."""
    index: int | None
    name: str | None
    type: str | None
    holders: list[HolderReport]
    """What is live then, the largest first."""
    padded: list[HolderReport]
    """Those of them to which the engine's layout adds something, the most first."""

    @property
    def padding_bytes(self) -> int:
        """The bytes that the engine's layout adds."""
        return self.held_bytes - self.packed_bytes


@dataclass(frozen=True, kw_only=True)
class WeightFormReport:
    """The weights that are stored in one form."""

    __pydantic_config__: ClassVar = DOCUMENTED

    form: str
    count: int
    stored_bytes: int
    resident_bytes: int
    """In memory on the target: as stored where its engine reads this form, else expanded."""
    read_as_stored: bool


@dataclass(frozen=True, kw_only=True)
class TrafficReport:
    """The bytes that one prediction reads and writes."""

    __pydantic_config__: ClassVar = DOCUMENTED

    moved_bytes: int
    """Operands and results of all operations, on the chip or in memory, as the engine lays them out, without weights."""
    streamed_bytes: int
    """Of values too large to stay on the chip, once for each time that the engine writes or reads them."""
    weight_bytes: int
    """Of weights that operations read."""
    resident_limit_bytes: int | None
    """The largest value that stays on the chip; null where it is not known."""


@dataclass(frozen=True, kw_only=True)
class CopyReport:
    """A value that is handed from one device to another; `index` is the operation where the next device begins with it."""

    __pydantic_config__: ClassVar = DOCUMENTED

    name: str
    type: str
    source: str
    target: str
    index: int
    packed_bytes: int


@dataclass(frozen=True, kw_only=True)
class SegmentFootprint:
    """A run of operations on one device; `first` and `last` are operation indices."""

    __pydantic_config__: ClassVar = DOCUMENTED

    device: str
    operations: int
    first: int
    last: int
    peak_bytes: int
    """The most bytes live during it, those that wait for later segments among them."""
    weight_bytes: int
    """Of the weights that it reads, each once, as resident."""
    gflop: float
    """1e9 multiplications and additions of convolutions, linear layers, matmuls, attention and recurrent layers."""
    estimated_ms: float
    """By itself, without what a call and a change of device take."""


@dataclass(frozen=True, kw_only=True)
class OperationTimeReport:
    """An operation and what it takes by itself."""

    __pydantic_config__: ClassVar = DOCUMENTED

    index: int
    name: str
    type: str
    device: str
    estimated_us: float
    bound: str
    """What it waits for: "arithmetic", "weights", "values" (too large for the chip), "nothing"; off the engine "elsewhere"."""


@dataclass(frozen=True, kw_only=True)
class TimingReport:
    """The parts of a prediction's estimated time: floor + max(arithmetic, weights) + streamed + elsewhere + switches."""

    __pydantic_config__: ClassVar = DOCUMENTED

    estimated_ms: float
    low_ms: float | None
    """Where the range begins; null, as its end, where nothing runs on the engine: no range was fitted for that."""
    high_ms: float | None
    floor_ms: float
    arithmetic_ms: float
    weights_ms: float
    streamed_ms: float
    elsewhere_ms: float
    switches_ms: float
    bound: str
    """What the whole waits for most: "arithmetic", "weights", "values", "floor" or "elsewhere"."""
    standing: str
    """The engine's rates: "fitted" on this chip, "family" (on another of its family) or "other" (on another family)."""
    note: str
    """Where the rates come from."""
    tflops: float
    """The rate of arithmetic, in 1e12 operations a second."""
    gbps: float
    """The rate of memory, in 1e9 bytes a second."""
    int8_speedup: float
    """How much faster 8-bit values times 8-bit weights are."""
    slowest: list[OperationTimeReport]
    """The operations that take longest, the longest first."""


@dataclass(frozen=True, kw_only=True)
class OperationFootprint:
    """What is live during one operation of the run, and what the operation itself does."""

    __pydantic_config__: ClassVar = DOCUMENTED

    index: int
    name: str
    type: str
    device: str
    held_bytes: int
    packed_bytes: int
    moved_bytes: int
    weight_bytes: int
    streamed_bytes: int
    gflop: float
    estimated_us: float | None
    """By itself; null in a nested block off the engine, whose time is its outer operation's."""
    bound: str
    block: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class FootprintReport:
    """How much memory a function takes when, and how long it takes."""

    __pydantic_config__: ClassVar = DOCUMENTED

    peak: PeakReport
    largest: list[HolderReport]
    """The largest values of all, whenever they are live."""
    input_bytes: int
    output_bytes: int
    state_bytes: int
    weight_stored_bytes: int
    weight_resident_bytes: int
    weight_forms: list[WeightFormReport]
    traffic: TrafficReport
    copies: list[CopyReport]
    segments: list[SegmentFootprint]
    timing: TimingReport
    unknown_sizes: int
    """How many values have a size that is unknown until the model runs: with any, all numbers are lower bounds."""
    operations: list[OperationFootprint]
    """Those that run, in the order of the run."""


@dataclass(frozen=True, kw_only=True)
class MemoryTotal:
    """A model's memory in all: the largest peak of its functions, and their weights.

    What functions share counts once; the parts of a pipeline share nothing.
    """

    __pydantic_config__: ClassVar = DOCUMENTED

    peak_bytes: int
    peak_function: str
    weight_stored_bytes: int
    weight_resident_bytes: int
