"""A predicted placement as a person reads it: totals, a strip of the program, what cuts it, and what mending would win."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.padding import Padding
from rich.text import Text

from anecheck.lint import placement_report, reports
from anecheck.report.console import make_console, printed
from anecheck.report.escape import short_name, visible

DEVICES = ("ane", "gpu", "cpu")
MEANINGS = {"ane": "E engine", "gpu": "G gpu", "cpu": "C cpu"}
STYLES = {"ane": "green", "gpu": "magenta", "cpu": "yellow"}
WITHOUT_ENGINE = {"cpu-and-gpu", "cpu-only"}
KINDS = {"neuralnetwork": "a neural network", "pipeline": "a pipeline of such models"}
STRIP_WIDTH = 76
LINES_SHOWN = 12
NAMES_SHOWN = 4


def render(
    report: reports.Report, *, width: int = 80, colour: bool = False, operations: bool = False, quiet: bool = False
) -> str:
    """Write the placements of a report that was made with operations.

    `operations` lists every one; `quiet` leaves all but the totals of each function.
    """
    page = _Page(width, colour=colour)
    for model in report.models:
        page.line(Text(visible(model.path), "bold"))
        if model.error:
            page.line(Text.assemble(("error ", "bold red"), model.error.code, " ", visible(model.error.message)), 2)
        elif not model.functions:
            kind = KINDS.get(model.kind or "", "a model without a program")
            page.line(Text(f"no placement is predicted for {kind}: there are no ML Program operations in it"), 2)
        for function in model.functions:
            if len(model.functions) > 1 or function.name != "main":
                page.line(Text.assemble("function ", (short_name(function.name), "bold")), 2)
            _function(page, function, report.target, operations=operations, quiet=quiet)
            if function.measured:
                from anecheck.report.measured import paragraphs  # noqa: PLC0415  # few placements are compared

                for text, indent in paragraphs(function, function.measured, quiet=quiet):
                    page.line(text, indent)
        if not quiet and any(function.measured for function in model.functions):
            from anecheck.report.measured import closing  # noqa: PLC0415

            for text, indent in closing(model.functions):
                page.line(text, indent)
        if not quiet:
            page.line(Text())
    if not quiet and len(report.models) > 1:
        page.line(Text(_closing(report.models)))
    return page.text()


class _Page:
    """A console that writes into a string, with paragraphs at an indent."""

    def __init__(self, width: int, *, colour: bool) -> None:
        self.width = width
        self._console = make_console(width, colour=colour)

    def line(self, text: Text, indent: int = 0) -> None:
        """A paragraph; one without an indent is not wrapped."""
        self._console.print(Padding(text, (0, 0, 0, indent)) if indent else text, soft_wrap=not indent)

    def parts(self, parts: Iterable[Text], indent: int) -> None:
        """A paragraph that is broken between its parts, not in them."""
        line = Text()
        for part in parts:
            if line and line.cell_len + part.cell_len + 3 > self.width - indent:
                self.line(line, indent)
                line = Text()
            line = Text(" · ").join([line, part]) if line else part
        self.line(line, indent)

    def text(self) -> str:
        """All that was written, without blanks at the ends of lines."""
        return printed(self._console)


def _function(
    page: _Page, function: reports.FunctionReport, target: reports.TargetReport, *, operations: bool, quiet: bool
) -> None:
    page.parts(map(Text, headline(function, target)), 2)
    placement = function.placement
    if placement is None or not function.summary.operations:
        return
    shares = _shares(function, placement)
    if len(shares) > 1:
        page.parts(shares, 2)
    if quiet:
        return
    engine = target.compute_units not in WITHOUT_ENGINE
    placed = [operation for operation in function.operations or () if operation.device]
    if placed:
        room = min(STRIP_WIDTH, page.width - 4)
        page.line(strip(placed, room, engine=engine), 2)
        page.line(Text(_legend(placed, room, engine=engine), "dim"), 2)
    for reason in placement.whole_program:
        page.line(Text.assemble(("the whole program is kept from the engine: ", "bold"), visible(reason)), 2)
    _explain(page, function, placement, placed, engine=engine)
    if operations:
        page.line(Text("operations", "bold"), 2)
        for operation in function.operations or ():
            page.line(_head(operation), 4)
            page.line(Text(_details(operation), "dim"), 10)
    page.line(Text(_standing(placement)), 2)


def headline(function: reports.FunctionReport, target: reports.TargetReport) -> list[str]:
    """The totals of a function, in parts."""
    summary = function.summary
    where = f"{target.chip} ({target.family})" if target.chip else target.family
    where += f"/{target.os}" if target.os else ""
    units = f" with {target.compute_units}" if target.compute_units != "cpu-and-ne" else ""
    total = f"{_plural(summary.operations, 'operation')} for {where}{units}"
    if not summary.operations:
        return [f"{total}: nothing to place"]
    counts = ", ".join(f"{count} {device}" for device, count in _counts(function).items())
    parts = [f"{total}: {counts}" if counts else f"{total}: not predicted"]
    if summary.segments is not None and summary.switches is not None:
        parts.append(f"{_plural(summary.segments, 'segment')}, {_plural(summary.switches, 'switch')}")
    if summary.estimated_ms is not None:
        parts.append(f"{_time(summary.estimated_ms)} ms estimated")
    return parts


def _counts(function: reports.FunctionReport) -> dict[str, int]:
    return {device: count for device in DEVICES if (count := getattr(function.summary, device))}


def _shares(function: reports.FunctionReport, placement: placement_report.PlacementReport) -> list[Text]:
    """Each device's share of the operations and of the estimated time, and what changing between them takes."""
    times = dict.fromkeys(DEVICES, 0.0)
    for segment in placement.segments:
        times[segment.device] += segment.estimated_us
    own = sum(times.values())
    total = max((function.summary.estimated_ms or 0.0) * 1000, own)
    parts = []
    for device, count in _counts(function).items():
        share = f"{_share(count, function.summary.operations)} of operations"
        parts.append(Text.assemble((device, STYLES[device]), f" {share}, {_share(times[device], total)} of time"))
    if total - own > total * 0.0005:
        parts.append(Text(f"going to the engine and switching {_share(total - own, total)} of time"))
    return parts


def strip(placed: Sequence[placement_report.OperationReport], room: int, *, engine: bool = True) -> Text:
    """The program in one line: a character for each operation, or for each of `room` runs of them, in file order."""
    text = Text(no_wrap=True)
    count = min(len(placed), room)
    for number in range(count):
        bucket = placed[number * len(placed) // count : (number + 1) * len(placed) // count]
        devices = Counter(operation.device or "cpu" for operation in bucket)
        device = max(DEVICES, key=lambda name: devices[name])
        letter = MEANINGS[device][0]
        if engine and any(map(_blocked, bucket)):
            letter = "x"
        elif any(operation.tie for operation in bucket):
            letter = letter.lower()
        text.append(letter, f"bold {STYLES[device]}")
    return text


def _blocked(operation: placement_report.OperationReport) -> bool:
    return bool(operation.blockers) or "ane" not in operation.supported


def _legend(placed: Sequence[placement_report.OperationReport], room: int, *, engine: bool) -> str:
    used = {operation.device for operation in placed}
    parts = [", ".join(MEANINGS[device] for device in DEVICES if device in used)]
    if any(operation.tie for operation in placed):
        parts.append("lower case a tie")
    if engine and any(map(_blocked, placed)):
        parts.append("x kept from the engine")
    if len(placed) > room:
        parts.append(f"about {len(placed) / room:.0f} operations each")
    return "; ".join(parts)


def _explain(
    page: _Page,
    function: reports.FunctionReport,
    placement: placement_report.PlacementReport,
    placed: list[placement_report.OperationReport],
    *,
    engine: bool,
) -> None:
    page.line(Text("segments", "bold"), 2)
    for segment in placement.segments[:LINES_SHOWN]:
        span = f"#{segment.first}" if segment.first == segment.last else f"#{segment.first}–#{segment.last}"
        text = Text(f"{span:<14}")
        text.append(f"{segment.device:<4}", STYLES.get(segment.device, ""))
        text.append(f" {_plural(segment.operations, 'operation'):<16} {_time(segment.estimated_us):>8} µs")
        page.line(text, 4)
    _more(page, placement.segments)
    if placement.boundaries:
        page.line(Text("boundaries", "bold"), 2)
        named = {operation.name: operation for operation in placed}
        for boundary in placement.boundaries[:LINES_SHOWN]:
            page.line(Text(_boundary(boundary, named)), 4)
        _more(page, placement.boundaries)
    for mend in placement.mends:
        page.line(Text.assemble(("→ ", "green"), _mend(mend, function)), 2)
    short = placement.shortfall
    if short:
        saved, cost = f"save {_time(short.saved_ms)} ms", f"costs {_time(short.cost_ms)} ms"
        page.line(Text(f"too small to pay: the engine would {saved}, going there {cost}"), 2)
    elif engine and not placement.mends and not placement.whole_program and any(map(_blocked, placed)):
        page.line(Text("no mending of a few runs of blocked operations is estimated to win anything"), 2)


def _boundary(boundary: placement_report.BoundaryReport, named: dict[str, placement_report.OperationReport]) -> str:
    head = f"#{boundary.index} {boundary.source} → {boundary.target}: "
    if boundary.cut_by is None:
        return head + "cheaper so: nothing forces it"
    cut = named.get(boundary.cut_by)
    sides = (boundary.source, boundary.target)
    other = next((device for device in sides if cut and device not in cut.supported), "the other device")
    rules = f"kept from {other} by {', '.join(boundary.blockers)}" if boundary.blockers else f"cannot run on {other}"
    number = f"#{cut.index} " if cut else ""
    return f"{head}{number}{short_name(boundary.cut_by)} ({visible(boundary.cut_by_type or '?')}) {rules}"


def _mend(mend: placement_report.MendReport, function: reports.FunctionReport) -> str:
    count = len(mend.operations)
    what = f"mend these {count} operations" if count > 1 else "mend this operation"
    codes = f" ({', '.join(mend.blockers)})" if mend.blockers else ""
    fewer = (function.summary.switches or 0) - mend.switches
    change = f", {_plural(abs(fewer), 'switch')} {'fewer' if fewer > 0 else 'more'}" if fewer else ""
    before = mend.estimated_ms + mend.won_ms
    rest = f" and {count - NAMES_SHOWN} more" if count > NAMES_SHOWN else ""
    names = ", ".join(map(short_name, mend.operations[:NAMES_SHOWN])) + rest
    return (
        f"{what}{codes} → {_plural(mend.segments, 'segment')}{change}, "
        f"{_time(before)} ms → {_time(mend.estimated_ms)} ms estimated: {names}"
    )


def _more(page: _Page, items: Sequence[object]) -> None:
    if len(items) > LINES_SHOWN:
        page.line(Text(f"… and {len(items) - LINES_SHOWN} more", "dim"), 4)


def _head(operation: placement_report.OperationReport) -> Text:
    text = Text(f"#{operation.index:<5}")
    device = operation.device or "–"
    text.append(f"{device:<4}", STYLES.get(device, ""))
    text.append(f"{visible(operation.type)} {short_name(operation.name)}")
    return text


def _details(operation: placement_report.OperationReport) -> str:
    if not operation.device:
        return "not placed: it does not run"
    parts = ["inside the operation's nested block, placed with it"] if operation.block else []
    estimates = {device: operation.estimated_us.get(device) for device in ("ane", "cpu", "gpu")}
    known = ", ".join(f"{device} {_time(us)}" for device, us in estimates.items() if us is not None)
    parts += [f"{known} µs estimated"] if known else []
    parts.append(f"can run on {', '.join(operation.supported) or 'nothing'}")
    parts += [f"tie of {', '.join(operation.tie)}"] if operation.tie else []
    parts += [f"kept from the engine by {', '.join(operation.blockers)}"] if operation.blockers else []
    return " · ".join(parts)


def _standing(placement: placement_report.PlacementReport) -> str:
    sentences = [f"Predicted, not run on a device; confidence of the estimates: {placement.confidence.value}"]
    sentences += [visible(sentence) for sentence in (*placement.assumptions, *placement.doubts)]
    return ". ".join(sentence[:1].upper() + sentence[1:] for sentence in sentences) + "."


def _closing(models: Sequence[reports.ModelReport]) -> str:
    predicted, unreadable = sum(bool(model.functions) for model in models), sum(bool(model.error) for model in models)
    more = f", {_plural(unreadable, 'model')} that cannot be read" if unreadable else ""
    return f"{_plural(len(models), 'model')}: {predicted} with a predicted placement{more}."


def _share(part: float, whole: float) -> str:
    share = part / whole if whole else 0.0
    return "<1%" if 0 < share < 0.01 else ">99%" if 0.99 < share < 1 else f"{share:.0%}"


def _time(value: float) -> str:
    """Three digits that mean something."""
    if 0 < value < 0.0005:
        return "<0.001"
    return f"{value:.{3 if value < 1 else 2 if value < 10 else 1 if value < 100 else 0}f}" if value else "0"


def _plural(count: int, noun: str) -> str:
    ending = "es" if noun.endswith("ch") else "s"
    return f"{count} {noun}" if count == 1 else f"{count} {noun}{ending}"
