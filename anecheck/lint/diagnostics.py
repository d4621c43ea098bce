"""The tool's own diagnostics, ANE0xx: what it could not read, could not run, or does not know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from anecheck.artifact.errors import Fault
from anecheck.knowledge.evidence import Confidence
from anecheck.knowledge.tables import Knowledge
from anecheck.lint.finding import Finding, Rewrite, Severity
from anecheck.lint.fingerprint import fingerprint
from anecheck.lint.rule import GraphContext
from anecheck.mil.model import Model, WeightFile


class Diagnostic(NamedTuple):
    """A diagnostic of the tool itself: what it means and what to do."""

    code: str
    name: str
    severity: Severity
    title: str
    remedy: str


def _fault(fault: Fault, title: str, remedy: str) -> Diagnostic:
    return Diagnostic(fault.value, fault.label, Severity.ERROR, title, remedy)


WEIGHTS_ABSENT = Diagnostic(
    "ANE012",
    "weights-absent",
    Severity.INFO,
    "A weight file that the program refers to is not there.",
    "Nothing, if only the graph is to be linted: sizes come from the types. Otherwise copy the whole package.",
)
WEIGHTS_POINTER = Diagnostic(
    "ANE013",
    "weights-git-lfs-pointer",
    Severity.INFO,
    "A weight file is a Git LFS pointer.",
    "Nothing, if only the graph is to be linted: sizes come from the types. Otherwise run `git lfs pull`.",
)
WEIGHTS_DAMAGED = Diagnostic(
    "ANE014",
    "weights-damaged",
    Severity.INFO,
    "A weight file is truncated or does not hold what the program refers to.",
    "Copy or export the model again: Core ML will not load it like this.",
)
STALE_SOURCE_MAP = Diagnostic(
    "ANE015",
    "stale-source-map",
    Severity.INFO,
    "The file that says where operations come from was written for another export of the model.",
    "Call `anecheck.capture(model, path)` after `ct.convert` whenever the model is exported, or delete the file.",
)
DAMAGED_SOURCE_MAP = Diagnostic(
    "ANE016",
    "damaged-source-map",
    Severity.INFO,
    "The file that says where operations come from cannot be read.",
    "Write it again with `anecheck.capture(model, path)` after `ct.convert`, or delete it.",
)
UNKNOWN_OPERATION = Diagnostic(
    "ANE020",
    "unknown-operation",
    Severity.INFO,
    "An operation type that anecheck does not know.",
    "Look for a newer anecheck; nothing is said of where these operations run.",
)
CRASHED_RULE = Diagnostic(
    "ANE030",
    "crashed-rule",
    Severity.WARNING,
    "A rule failed on this model; what it would have said is missing.",
    "Report it to the rule's authors with the model's graph (weights are not needed), and `--ignore` it meanwhile.",
)
BROKEN_PACK = Diagnostic(
    "ANE031",
    "broken-rule-pack",
    Severity.WARNING,
    "An installed rule pack could not be loaded; its rules are missing.",
    "Update or uninstall the package that provides it.",
)
WORKER_DIED = Diagnostic(
    "ANE032",
    "worker-died",
    Severity.ERROR,
    "The process that linted a model was killed.",
    "Lint with fewer --jobs, or give the machine more memory; if the model fails alone, report it.",
)
UNUSED_SUPPRESSION = Diagnostic(
    "ANE040",
    "unused-suppression",
    Severity.WARNING,
    "A suppression keeps no finding from counting.",
    "Take it out: what it excused is mended, or it names the wrong rule, model or operation.",
)
EXPIRED_SUPPRESSION = Diagnostic(
    "ANE041",
    "expired-suppression",
    Severity.WARNING,
    "A suppression's last day is past; it no longer holds.",
    "Mend what it excused, or give it a later day and say why.",
)
BAD_SUPPRESSION = Diagnostic(
    "ANE042",
    "bad-model-suppression",
    Severity.WARNING,
    "What the model's own metadata asks to ignore cannot be understood.",
    "Write `CODE: reason` or `CODE[operation glob] until YYYY-MM-DD: reason`, several of them parted by `;`.",
)
STALE_BASELINE = Diagnostic(
    "ANE043",
    "stale-baseline",
    Severity.INFO,
    "The baseline lists a model that is not there any more.",
    "Run `anecheck baseline --prune`.",
)

DIAGNOSTICS = {
    diagnostic.code: diagnostic
    for diagnostic in (
        _fault(Fault.MODEL_POINTER, "The model file is a Git LFS pointer, not the model.", "Fetch it: `git lfs pull`."),
        _fault(Fault.EMPTY, "The model file is empty.", "Export or copy the model again."),
        _fault(
            Fault.CORRUPT,
            "The model file is no Core ML model, or it is truncated.",
            "Export or copy the model again; compare its size with the original's.",
        ),
        _fault(
            Fault.NO_MANIFEST,
            "The package has no Manifest.json.",
            "Copy the whole .mlpackage folder, or export the model again.",
        ),
        _fault(
            Fault.BAD_MANIFEST,
            "The package's Manifest.json is damaged or names no root model.",
            "Export the model again.",
        ),
        _fault(
            Fault.OUTSIDE,
            "The manifest or a symbolic link leads out of the package.",
            "Replace links by what they point to (`cp -RL`). Do not trust a package whose manifest does this.",
        ),
        _fault(Fault.NO_PERMISSION, "The file or folder may not be read.", "Grant the permission (`chmod u+r`)."),
        _fault(Fault.NOT_FOUND, "The model, or a file that it needs, does not exist.", "Check the path."),
        _fault(
            Fault.INVALID_PROGRAM,
            "The program contradicts itself: a name without a definition, a constant without a value …",
            "Export the model again; if a tool edited it, mend the tool.",
        ),
        _fault(Fault.BAD_TEXT, "The model.mil of a compiled model is not MIL text.", "Compile the model again."),
        _fault(
            Fault.NOT_A_MODEL,
            "The path is neither a Core ML model nor a folder that holds one.",
            "Give an .mlpackage, .mlmodel or .mlmodelc, or a folder of them.",
        ),
        WEIGHTS_ABSENT,
        WEIGHTS_POINTER,
        WEIGHTS_DAMAGED,
        STALE_SOURCE_MAP,
        DAMAGED_SOURCE_MAP,
        UNKNOWN_OPERATION,
        CRASHED_RULE,
        BROKEN_PACK,
        WORKER_DIED,
        UNUSED_SUPPRESSION,
        EXPIRED_SUPPRESSION,
        BAD_SUPPRESSION,
        STALE_BASELINE,
    )
}

_BY_STATUS = {
    "absent": WEIGHTS_ABSENT,
    "pointer": WEIGHTS_POINTER,
    "truncated": WEIGHTS_DAMAGED,
    "unreadable": WEIGHTS_DAMAGED,
}


def diagnose(diagnostic: Diagnostic, message: str, **data: object) -> Finding:
    """Make a finding of a diagnostic. What the tool says of itself needs no other source.

    The words in `data` (a file, a type, a rule) say what it is about; numbers and the message may change.
    """
    about = "\n".join(value for value in data.values() if isinstance(value, str))
    return Finding(
        code=diagnostic.code,
        name=diagnostic.name,
        severity=diagnostic.severity,
        confidence=Confidence.MEASURED,
        message=message,
        rewrite=Rewrite(title=diagnostic.remedy, text=diagnostic.remedy),
        fingerprint=fingerprint(diagnostic.code, "", None, None, about),
        data=data,
    )


def weight_findings(model: Model) -> Iterator[Finding]:
    """Say which of the model's weight files are missing or damaged."""
    for file in model.weights:
        if file.status in _BY_STATUS:
            yield diagnose(_BY_STATUS[file.status], _weight_message(file), file=file.path, bytes=file.size)


def unknown_operations(functions: tuple[GraphContext, ...], knowledge: Knowledge) -> Iterator[Finding]:
    """Name each operation type that no table knows, once, with how often it stands in the model."""
    counts: dict[str, int] = {}
    for function in functions:
        for kind, nodes in function.graph.by_type.items():
            if kind not in knowledge.operators and not is_custom(kind, function):
                counts[kind] = counts.get(kind, 0) + len(nodes)
    for kind, count in sorted(counts.items()):
        times = "once" if count == 1 else f"{count} times"
        yield diagnose(
            UNKNOWN_OPERATION,
            f"'{kind}' is no operation that anecheck knows (used {times})",
            operation_type=kind,
            count=count,
        )


def is_custom(kind: str, function: GraphContext) -> bool:
    """Whether operations of this type are custom ones, which name the class that implements them."""
    return any("class_name" in node.operation.attributes for node in function.graph.by_type[kind])


def _weight_message(file: WeightFile) -> str:
    size = f" of {file.size:,} bytes" if file.status == "pointer" and file.size else ""
    return f"'{file.path}': {file.detail}{size}; sizes come from the types"
