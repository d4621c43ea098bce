"""A predicted placement beside a measured one: how often they agree, and where they do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

from anecheck.lint.measured import key
from anecheck.lint.measured_report import MeasuredOperationReport, MeasuredReport
from anecheck.lint.placement_report import OperationReport
from anecheck.lint.reports import FunctionReport
from anecheck.report.escape import short_name, visible

STYLES: Final = {"ane": "green", "gpu": "magenta", "cpu": "yellow"}
LONGEST_MESSAGE: Final = 400
NAMES_SHOWN: Final = 4
EVIDENCE: Final = (
    "Agreeing or not, this is evidence: a pull request that adds this file, and says of which model it is, makes predictions "
    "better. It holds names, types and devices; leave weights out."
)

Paragraph = tuple[Text, int]
"""A text and its indent."""


def paragraphs(function: FunctionReport, measured: MeasuredReport, *, quiet: bool) -> Iterator[Paragraph]:
    """Say how a function's placement compares; `quiet` leaves the figures."""
    yield Text.assemble(("measured ", "bold"), _where(measured)), 2
    yield Text(_agreement(measured)), 4
    yield from ((Text(visible(line)), 4) for line in _gaps(measured))
    for warning in measured.warnings:
        yield Text.assemble(("warning ", "bold yellow"), visible(warning)), 4
    if quiet:
        return
    operations = {key(operation): operation for operation in function.operations or ()}
    differences = measured.differences
    if differences:
        yield Text("differences", "bold"), 2
    for difference in differences:
        yield _head(difference), 4
        for line in _details(difference, operations[key(difference)]):
            yield Text(line, "dim"), 10


def closing(functions: Sequence[FunctionReport]) -> Iterator[Paragraph]:
    """What a comparison is good for, and which functions it left out."""
    left_out = [function.name for function in functions if not function.measured]
    if left_out:
        shown = ", ".join(map(short_name, left_out[:NAMES_SHOWN]))
        rest = f" and {len(left_out) - NAMES_SHOWN} more" if len(left_out) > NAMES_SHOWN else ""
        yield Text(f"not in the measured plan: function {shown}{rest}"), 2
    yield Text(EVIDENCE), 2


def _where(measured: MeasuredReport) -> str:
    system = f" ({visible(measured.os)})" if measured.os else ""
    chip = f" on {visible(measured.chip)}{system}" if measured.chip else system
    units = f" with {measured.compute_units}" if measured.compute_units else ""
    return f"plan{chip}{units}, {measured.format}: {visible(measured.file)}"


def _agreement(measured: MeasuredReport) -> str:
    if not measured.compared and not measured.support_compared:
        return "nothing to compare: the file says no device of any operation"
    parts = []
    if measured.compared:
        parts.append(f"device right for {_share(measured.device_right, measured.compared)}")
        if measured.device_right_without_ties != measured.device_right:
            parts.append(f"{_share(measured.device_right_without_ties, measured.compared)} with ties as misses")
    if measured.support_compared:
        parts.append(f"engine support right for {_share(measured.support_right, measured.support_compared)}")
    return ", ".join(parts)


def _share(right: int, of: int) -> str:
    return f"{right} of {of} ({100 * right / of:.1f} %)"


def _gaps(measured: MeasuredReport) -> Iterator[str]:
    if measured.unmeasured:
        yield f"{_operations(measured.unmeasured)} of the model without a measured device"
    if measured.unmatched:
        yield f"{_operations(measured.unmatched)} of the file not found in the model, and left out"


def _operations(count: int) -> str:
    return f"{count} operation{'s' if count != 1 else ''}"


def _head(difference: MeasuredOperationReport) -> Text:
    text = Text(f"#{difference.index:<5}{visible(difference.type)} {short_name(difference.name)}: ")
    if difference.agreement == "different":
        text.append("predicted ")
        text.append(difference.predicted, STYLES.get(difference.predicted, ""))
        text.append(", measured ")
        text.append(difference.device or "?", STYLES.get(difference.device or "", ""))
    if difference.support_agrees is False:
        text.append("; " if difference.agreement == "different" else "")
        can = "ane" in (difference.supported or ())
        text.append(
            "the engine can run it as measured, not as predicted" if can else "the engine cannot run it, as measured"
        )
    return text


def _details(difference: MeasuredOperationReport, operation: OperationReport) -> Iterator[str]:
    """Why it was predicted so, and what Core ML says."""
    parts = []
    if difference.block:
        parts.append("inside a nested block, predicted with the operation around it")
    known = {device: us for device, us in operation.estimated_us.items() if us is not None}
    if known:
        parts.append(f"predicted from {', '.join(f'{device} {us:.3g}' for device, us in known.items())} µs")
    if operation.blockers:
        parts.append(f"kept from the engine by {', '.join(operation.blockers)}")
    if parts:
        yield " · ".join(parts)
    measured = []
    if difference.estimated_ms:
        estimates = ", ".join(f"{visible(backend)} {ms * 1000:.3g}" for backend, ms in difference.estimated_ms.items())
        measured.append(f"Core ML estimates {estimates} µs")
    if difference.supported is not None:
        measured.append(f"measured to run on {', '.join(difference.supported) or 'nothing'}")
    if difference.cost is not None:
        measured.append(f"{100 * difference.cost:.3g} % of the whole")
    if measured:
        yield " · ".join(measured)
    for backend, message in difference.messages.items():
        shown = visible(message)
        yield f"Core ML on {visible(backend)}: {shown[:LONGEST_MESSAGE]}{'…' if len(shown) > LONGEST_MESSAGE else ''}"
