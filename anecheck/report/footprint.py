"""What a model takes in memory and time as a person reads it: a chart of the live set, its holders, and the time's parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from anecheck.lint.finding import Severity
from anecheck.lint.footprint_report import FootprintReport, HolderReport, SegmentFootprint
from anecheck.lint.reports import FunctionReport, ModelReport, Report, TargetReport
from anecheck.report.chart import chart
from anecheck.report.escape import short_name, visible
from anecheck.report.footprint_time import span, write_time
from anecheck.report.paper import Paper, Style
from anecheck.report.units import digits, mega, megabytes, milliseconds, plural

BOLD, DIM, MARK = Style(bold=True), Style(dim=True), Style(fg="yellow", bold=True)
COLOURS: Final = {"ane": Style(fg="green"), "gpu": Style(fg="magenta"), "cpu": Style(fg="yellow")}
CHART_ROWS = 10
HOLDERS_SHOWN, SEGMENTS_SHOWN, NAMES_SHOWN = 8, 12, 3
TABLE_WIDTH = 72
"""Where there are fewer columns, segments are told in sentences."""
KINDS: Final = {"neuralnetwork": "a neural network", "pipeline": "a pipeline of such models"}


def render(  # noqa: PLR0913  # each is a choice of whoever reads
    report: Report,
    *,
    width: int = 80,
    colour: bool = False,
    quiet: bool = False,
    ascii_only: bool = False,
    budgets: bool = False,
) -> str:
    """Write a report that was made with footprints.

    `quiet` leaves the totals of each function and model; `ascii_only` is for outputs that carry nothing else; `budgets` says
    that some were asked for, which are then told of, kept or not.
    """
    paper = Paper(width, colour, ascii_only=ascii_only)
    for model in report.models:
        paper.line((visible(model.path), BOLD))
        if model.error:
            lead = ("error", Style(fg="red", bold=True))
            paper.paragraph(f"error {model.error.code} {visible(model.error.message)}", 2, lead=lead)
        elif not model.functions:
            kind = KINDS.get(model.kind or "", "a model without a program")
            paper.paragraph(f"no footprint is known for {kind}: there are no ML Program operations in it", 2)
        for function in model.functions:
            if len(model.functions) > 1 or function.name != "main":
                paper.line("  function ", (short_name(function.name), BOLD))
            if function.footprint is not None:
                _function(paper, function, function.footprint, report.target, quiet=quiet)
        _total(paper, model)
        if budgets and model.functions:
            _budgets(paper, model)
        if not quiet:
            paper.line()
    return paper.written()


def _budgets(paper: Paper, model: ModelReport) -> None:
    """What is said of the budgets that were asked for: findings whose data has one."""
    missed = [finding for finding in model.findings if any(key.startswith("budget_") for key in finding.data)]
    for finding in missed:
        style = Style(fg="yellow" if finding.severity is Severity.WARNING else "blue", bold=True)
        lead = (finding.severity.value, style)
        paper.paragraph(f"{finding.severity.value} {finding.code} {visible(finding.message)}", 2, lead=lead)
    if not missed:
        paper.paragraph("budgets: kept", 2)


def _function(
    paper: Paper, function: FunctionReport, footprint: FootprintReport, target: TargetReport, *, quiet: bool
) -> None:
    paper.paragraph(_headline(function, footprint, target), 2)
    if not quiet and footprint.operations:
        _chart(paper, footprint)
        _holders(paper, footprint)
        _memory(paper, footprint)
        _segments(paper, footprint.segments)
        write_time(paper, footprint)
    if footprint.unknown_sizes:
        values = plural(footprint.unknown_sizes, "value")
        paper.paragraph(
            f"sizes that are unknown until the model runs count as 1 ({values}): all numbers here are lower bounds", 2
        )


def _headline(function: FunctionReport, footprint: FootprintReport, target: TargetReport) -> str:
    where = f"{target.chip} ({target.family})" if target.chip else target.family
    where += f"/{target.os}" if target.os else ""
    where += f" with {target.compute_units}" if target.compute_units != "cpu-and-ne" else ""
    timing = footprint.timing
    between = (
        f" ({digits(timing.low_ms)} to {milliseconds(timing.high_ms)})"
        if timing.low_ms is not None and timing.high_ms is not None
        else ""
    )
    return (
        f"{plural(function.summary.operations, 'operation')} for {where}: "
        f"{megabytes(footprint.peak.held_bytes)} live at the peak, "
        f"{megabytes(footprint.weight_resident_bytes)} of weights, {milliseconds(timing.estimated_ms)} estimated{between}"
    )


def _chart(paper: Paper, footprint: FootprintReport) -> None:
    values = [operation.held_bytes for operation in footprint.operations]
    top = digits(mega(footprint.peak.held_bytes))
    middle = digits(mega(footprint.peak.held_bytes) / 2)
    margin = max(len(top), len(middle)) + 2
    width = paper.width - margin - 2
    drawn = chart(values, width, CHART_ROWS, ascii_only=paper.ascii_only)
    paper.line("  ", ("MB live during each operation", BOLD))
    index = footprint.peak.index
    mark, said = " " * (margin + 2 + drawn.peak), f"{megabytes(footprint.peak.held_bytes)} at #{index}"
    if drawn.peak + 2 + len(said) <= width:
        paper.line(mark, ("▼", MARK), f" {said}")
    elif drawn.peak > len(said):
        paper.line(mark[: -len(said) - 1], f"{said} ", ("▼", MARK))
    else:
        paper.line(mark, ("▼", MARK))
    labels = {0: top, CHART_ROWS // 2: middle}
    for number, row in enumerate(drawn.rows):
        label = labels.get(number, "")
        axis = "┤" if label else "│"
        paper.line(f"  {label:>{margin - 2}} {axis}", (row.rstrip(), COLOURS["ane"]))
    paper.line(f"  {'0':>{margin - 2}} └{'─' * width}")
    first, last = (f"#{footprint.operations[at].index}" for at in (0, -1))
    gap = width - len(first) - len(last)
    paper.line(" " * (margin + 2), first, f"{' ' * gap}{last}" if gap > 0 and first != last else "")


def _holders(paper: Paper, footprint: FootprintReport) -> None:
    peak = footprint.peak
    paper.paragraph(
        f"live at the peak, during #{peak.index} {short_name(peak.name or '')} ({visible(peak.type or '')})",
        2,
        lead=("live at the peak", BOLD),
    )
    for holder in peak.holders[:HOLDERS_SHOWN]:
        paper.paragraph(_holder(holder), 4, hang=11)
    rest = peak.holders[HOLDERS_SHOWN:]
    if rest:
        paper.paragraph(f"… and {len(rest)} more of {megabytes(sum(holder.held_bytes for holder in rest))}", 4, DIM)


def _holder(holder: HolderReport) -> str:
    return (
        f"{megabytes(holder.held_bytes):>9}  {holder.kind:<6}  {span(holder.first, holder.last):<10}  "
        f"{visible(holder.type)}  {short_name(holder.name)}"
    )


def _memory(paper: Paper, footprint: FootprintReport) -> None:
    peak, traffic = footprint.peak, footprint.traffic
    if peak.padding_bytes:
        names = ", ".join(
            f"{short_name(holder.name)} ({megabytes(holder.held_bytes - holder.packed_bytes)})"
            for holder in peak.padded[:NAMES_SHOWN]
        )
        text = f"padding: the engine's layout adds {megabytes(peak.padding_bytes)} at the peak, most to {names}"
        paper.paragraph(text, 2, lead=("padding", BOLD))
    standing = [
        ("inputs", footprint.input_bytes),
        ("outputs", footprint.output_bytes),
        ("states", footprint.state_bytes),
    ]
    parts = [f"{name} {megabytes(size)}" for name, size in standing if size]
    if parts:
        paper.paragraph(f"live all the time: {', '.join(parts)}", 2, lead=("live all the time", BOLD))
    largest = ", ".join(
        f"{short_name(each.name)} ({megabytes(each.held_bytes)})" for each in footprint.largest[:NAMES_SHOWN]
    )
    paper.paragraph(f"largest values of all: {largest}", 2, lead=("largest values of all", BOLD))
    paper.paragraph(_weights(footprint), 2, lead=("weights", BOLD))
    limit = traffic.resident_limit_bytes
    streamed = (
        f"{megabytes(traffic.streamed_bytes)} of that streamed through memory because values are larger than {megabytes(limit)}"
        if traffic.streamed_bytes and limit
        else "none of it too large for the chip"
    )
    paper.paragraph(
        f"traffic: operations move {megabytes(traffic.moved_bytes)} of values, {streamed}, "
        f"and read {megabytes(traffic.weight_bytes)} of weights",
        2,
        lead=("traffic", BOLD),
    )
    if footprint.copies:
        shown = ", ".join(
            f"{short_name(copy.name)} ({copy.source} → {copy.target}, {megabytes(copy.packed_bytes)})"
            for copy in sorted(footprint.copies, key=lambda copy: -copy.packed_bytes)[:NAMES_SHOWN]
        )
        size = megabytes(sum(copy.packed_bytes for copy in footprint.copies))
        count = len(footprint.copies)
        more = f" and {count - NAMES_SHOWN} more" if count > NAMES_SHOWN else ""
        paper.paragraph(f"copies between devices: {size}: {shown}{more}", 2, lead=("copies between devices", BOLD))


def _weights(footprint: FootprintReport) -> str:
    text = f"weights: {megabytes(footprint.weight_stored_bytes)} stored, {megabytes(footprint.weight_resident_bytes)} in memory"
    if len(footprint.weight_forms) == 1 and footprint.weight_forms[0].form == "uncompressed":
        return f"{text}, uncompressed"
    forms = []
    for form in footprint.weight_forms:
        how = "as stored" if form.read_as_stored else "expanded"
        sizes = megabytes(form.stored_bytes)
        if form.resident_bytes != form.stored_bytes:
            sizes += f" → {megabytes(form.resident_bytes)}"
        forms.append(
            f"{form.form} {sizes} ({form.count}, {how})" if form.form != "uncompressed" else f"{form.form} {sizes}"
        )
    return f"{text}: {', '.join(forms)}" if forms else text


def _segments(paper: Paper, segments: Sequence[SegmentFootprint]) -> None:
    paper.line("  ", ("segments", BOLD))
    if paper.width < TABLE_WIDTH:
        for segment in segments[:SEGMENTS_SHOWN]:
            paper.paragraph(
                f"{span(segment.first, segment.last)} {segment.device}: {plural(segment.operations, 'operation')}, "
                f"peak {megabytes(segment.peak_bytes)}, weights {megabytes(segment.weight_bytes)}, "
                f"{digits(segment.gflop)} GFLOP, {milliseconds(segment.estimated_ms)} estimated",
                4,
            )
    else:
        heads = f"{'':<14} {'':<4}{'operations':>10}{'peak MB':>9}{'weights MB':>12}{'GFLOP':>8}{'ms':>9}"
        paper.line((f"  {heads}", DIM))
        for segment in segments[:SEGMENTS_SHOWN]:
            paper.line(
                f"    {span(segment.first, segment.last):<13}",
                (f"{segment.device:<4}", COLOURS.get(segment.device, Style())),
                f"{segment.operations:>10}{digits(mega(segment.peak_bytes)):>9}",
                f"{digits(mega(segment.weight_bytes)):>12}{digits(segment.gflop):>8}{digits(segment.estimated_ms):>9}",
            )
    if len(segments) > SEGMENTS_SHOWN:
        paper.line("    ", (f"… and {len(segments) - SEGMENTS_SHOWN} more", DIM))


def _total(paper: Paper, model: ModelReport) -> None:
    memory = model.memory
    if memory is None or len(model.functions) < 2:
        return
    stored = (
        f" ({megabytes(memory.weight_stored_bytes)} stored)"
        if memory.weight_stored_bytes != memory.weight_resident_bytes
        else ""
    )
    paper.paragraph(
        f"in all: {megabytes(memory.weight_resident_bytes)} of weights{stored}, what functions share counted once; "
        f"the largest peak is {megabytes(memory.peak_bytes)}, in {short_name(memory.peak_function)}",
        2,
        lead=("in all", BOLD),
    )
