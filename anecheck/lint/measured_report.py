"""How a predicted placement compares with what Core ML itself said. Plain dataclasses, as in `finding.py`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from anecheck.lint.documented import DOCUMENTED


@dataclass(frozen=True, kw_only=True)
class MeasuredOperationReport:
    """What a Mac said of one operation, beside what was predicted; it is told by index, block and name."""

    __pydantic_config__: ClassVar = DOCUMENTED

    index: int
    name: str
    type: str
    predicted: str
    device: str | None
    """The measured device; null where the file says none."""
    supported: list[str] | None
    """The devices that could run it, as measured; null where the file does not say."""
    agreement: str | None
    """"same"; "tie" where two devices were predicted to cost the same and one of them is the measured one; "different"; null
    where no device was measured."""
    support_agrees: bool | None
    """Whether it was predicted rightly if the engine can run it; null where that was not measured."""
    cost: float | None = None
    """Core ML's share of the whole, from 0 to 1."""
    estimated_ms: dict[str, float] = field(default_factory=dict)
    """Core ML's estimates by backend."""
    messages: dict[str, str] = field(default_factory=dict)
    """Why Core ML refused a backend, in its own words."""
    block: list[tuple[int, int]] = field(default_factory=list)

    @property
    def differs(self) -> bool:
        """Whether the prediction is wrong, ties allowed, on the device or on what the engine can run."""
        return self.agreement == "different" or self.support_agrees is False


@dataclass(frozen=True, kw_only=True)
class MeasuredReport:
    """A function's predicted placement against a measured one. Operations are counted that run by themselves."""

    __pydantic_config__: ClassVar = DOCUMENTED

    file: str
    format: str
    chip: str | None
    os: str | None
    compute_units: str | None
    compared: int
    """Operations whose device was predicted and measured."""
    device_right: int
    """Those whose measured device is the predicted one, or one of a predicted tie."""
    device_right_without_ties: int
    """Those whose measured device is the predicted one, a predicted tie taken for a miss."""
    support_compared: int
    support_right: int
    """Operations of which it was predicted rightly whether the engine can run them."""
    unmatched: int
    """Operations of the file that fit none of the model."""
    unmeasured: int
    """Operations of the model of which the file says no device."""
    warnings: list[str]
    """Why the two may differ although both are right."""
    operations: list[MeasuredOperationReport]
    """Those of the model that the file has, in the order of the run."""

    @property
    def differences(self) -> list[MeasuredOperationReport]:
        """The operations of which the prediction is wrong."""
        return [operation for operation in self.operations if operation.differs]
