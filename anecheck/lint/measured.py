"""A predicted placement against a measured one, operation by operation.

Agreement is counted as in the README's table: a predicted tie is right where the measured device is among those tied, and is
counted as a miss as well; the engine's support is right where both say that it can, or cannot, run the operation.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from anecheck.knowledge.evidence import Device
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import OS_RELEASE
from anecheck.lint.measured_matching import Matched, match_functions
from anecheck.lint.measured_report import MeasuredOperationReport, MeasuredReport
from anecheck.lint.placement_report import OperationReport
from anecheck.lint.reports import FunctionReport, ModelReport, Report, TargetReport
from anecheck.measured.plan import MeasuredOperation, MeasuredPlan, PlanError
from anecheck.mil.graph import CONSTEXPR_PREFIX

ANE: Final = Device.ANE.value
IN_BRACKETS: Final = re.compile(r"\([^)]*\)")


def chip_of(plan: MeasuredPlan, knowledge: Knowledge) -> str | None:
    """The chip that a plan names, as a target: "Apple M4 Pro" is `m4pro`; `None` where none is known of that name."""
    name = "".join(IN_BRACKETS.sub("", plan.chip or "").lower().split()).removeprefix("apple")
    return name if name in knowledge.chips else None


def system_of(plan: MeasuredPlan) -> str | None:
    """The OS that a plan names, as a target has it: "macOS 27.0.1 (26A434)" is `macos27.0.1`."""
    name = "".join(IN_BRACKETS.sub("", plan.os or "").lower().split())
    return name if OS_RELEASE.fullmatch(name) else None


def with_measured(report: Report, plan: MeasuredPlan, file: str, knowledge: Knowledge) -> Report:
    """Add to the only model of a report, whose operations are listed, how it compares with a plan.

    Raises:
        PlanError: the plan is not one of this model.
    """
    (model,) = report.models
    if model.error:
        return report
    if not model.functions:
        raise PlanError("the model has no ML Program operations that it could speak of")
    matched = match_functions(model.functions, plan)
    warnings = warnings_of(plan, report.target, knowledge)
    functions = [
        replace(function, measured=compare(function, matched[function.name], plan, file, warnings))
        if function.name in matched
        else function
        for function in model.functions
    ]
    compared: ModelReport = replace(model, functions=functions)
    return replace(report, models=[compared])


def warnings_of(plan: MeasuredPlan, target: TargetReport, knowledge: Knowledge) -> list[str]:
    """Why the two may differ although both are right."""
    found = []
    predicted_for = target.chip or target.family
    chip = chip_of(plan, knowledge)
    if plan.chip is None:
        found.append(f"the file does not say on which chip it was measured; predicted for {predicted_for}")
    elif chip != target.chip:
        found.append(f"measured on {plan.chip}, predicted for {predicted_for}: chips differ")
    system = system_of(plan)
    if target.os and system and target.os.partition(".")[0] != system.partition(".")[0]:
        found.append(f"measured on {plan.os}, predicted for {target.os}: releases differ")
    if plan.compute_units is None:
        found.append(f"the file does not say which devices Core ML might use; predicted with {target.compute_units}")
    elif plan.compute_units.value != target.compute_units:
        found.append(f"measured with {plan.compute_units.value}, predicted with {target.compute_units}")
    return found


def compare(
    function: FunctionReport, matched: Matched, plan: MeasuredPlan, file: str, warnings: list[str]
) -> MeasuredReport:
    """Compare one function's operations with the entries that speak of them."""
    operations = function.operations or []
    off_engine = bool(function.placement and function.placement.whole_program)
    no_engine = plan.compute_units is not None and not plan.compute_units.has_engine
    compared = [
        _operation(operation, matched.entries[position], off_engine=off_engine, no_engine=no_engine)
        for position, operation in enumerate(operations)
        if position in matched.entries and operation.device
    ]
    judged = [operation for operation in compared if operation.agreement]
    running = sum(not operation.type.startswith(CONSTEXPR_PREFIX) for operation in operations)
    support = [operation.support_agrees for operation in compared if operation.support_agrees is not None]
    return MeasuredReport(
        file=file,
        format=plan.form.value,
        chip=plan.chip,
        os=plan.os,
        compute_units=plan.compute_units.value if plan.compute_units else None,
        compared=len(judged),
        device_right=sum(operation.agreement != "different" for operation in judged),
        device_right_without_ties=sum(operation.agreement == "same" for operation in judged),
        support_compared=len(support),
        support_right=sum(support),
        unmatched=matched.unmatched,
        unmeasured=running - len(judged),
        warnings=warnings,
        operations=compared,
    )


def key(operation: OperationReport | MeasuredOperationReport) -> tuple[object, ...]:
    """What tells an operation from all others of its function."""
    return operation.index, tuple(operation.block), operation.name


def _operation(
    operation: OperationReport, entry: MeasuredOperation, *, off_engine: bool, no_engine: bool
) -> MeasuredOperationReport:
    device = entry.device.value if entry.device else None
    return MeasuredOperationReport(
        index=operation.index,
        name=operation.name,
        type=operation.type,
        predicted=operation.device or "",
        device=device,
        supported=None if entry.supported is None else [each.value for each in Device if each in entry.supported],
        agreement=_agreement(operation, device),
        support_agrees=None if no_engine else _support(operation, entry, off_engine=off_engine),
        cost=entry.cost,
        estimated_ms=dict(entry.estimates_ms),
        messages=dict(entry.messages),
        block=operation.block,
    )


def _agreement(operation: OperationReport, device: str | None) -> str | None:
    if device is None:
        return None
    if operation.device == device and not operation.tie:
        return "same"
    return "tie" if device in {operation.device, *operation.tie} else "different"


def _support(operation: OperationReport, entry: MeasuredOperation, *, off_engine: bool) -> bool | None:
    """Whether both say the same of the engine. Where the whole program is kept from it, so is every operation."""
    if entry.supported is None:
        return None
    return (ANE in operation.supported and not off_engine) == (Device.ANE in entry.supported)
