"""Damages good models at random and does everything with each that anecheck does: a process of its own, run by a test.

    python -m tests.artifact.mutate FOLDER SEED COUNT

The report on standard output counts the outcomes and lists what should not have happened. A case that hangs ends the
process, with the place where it hangs on standard error.
"""

from __future__ import annotations

import faulthandler
import json
import random
import resource
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from anecheck.artifact.errors import ArtifactError
from anecheck.artifact.load import load
from anecheck.artifact.package import MANIFEST
from anecheck.artifact.proto import messages
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import DEFAULT_TARGET, ComputeUnits, parse_target
from anecheck.lint.asked.settings import Settings
from anecheck.lint.diagnostics import CRASHED_RULE
from anecheck.lint.plan import Plan, Task
from anecheck.lint.registry import load_registry
from anecheck.lint.run import run
from anecheck.mil.graph import Graph
from anecheck.mil.parser import parse
from anecheck.mil.printer import model_lines, operation_lines, print_program
from anecheck.report.json import render as render_json
from tests.artifact.packages import MODEL, WEIGHTS, copy_of, fixture, write_compiled

PACKAGES = (
    "ok/weights_present.mlpackage",
    "ok/multifunction.mlpackage",
    "ok/pipeline.mlpackage",
    "ok/state_two_updates.mlpackage",
    "ok/classifier_strings.mlpackage",
    "ok/constexpr_sparse_lut.mlpackage",
    "flagged/cond_in_while_loop.mlpackage",
    "flagged/range_dim.mlpackage",
    "flagged/list_operations.mlpackage",
    "flagged/hostile_names.mlpackage",
)
TEXTS = ("ok/state_two_updates.mlpackage", "flagged/cond_in_while_loop.mlpackage", "ok/immediate_dtypes.mlpackage")
SECONDS = 30
"""After which a case counts as one that hangs; none takes a tenth of a second."""
NUMBERS = (0, 1, -1, 2, 7, 255, 2**31 - 1, -(2**31), 2**62)

Message = Any
Target: TypeAlias = tuple[Path, Path, Callable[[bytes, random.Random], bytes]]
"""A model, a file in it, and a way to damage that file."""


def damage_bytes(data: bytes, dice: random.Random) -> bytes:
    """Flip, cut, duplicate or insert a few bytes, several times."""
    damaged = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 5))):
        at = dice.randrange(len(damaged) + 1)
        length = dice.choice((1, 2, 8, 64, 1024))
        kind = dice.randrange(5)
        if kind == 0 and at < len(damaged):
            damaged[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            del damaged[at : at + length]
        elif kind == 2:
            damaged[at:at] = damaged[at : at + length]
        elif kind == 3:
            damaged[at:at] = dice.randbytes(length)
        elif kind == 4 and at < len(damaged):
            damaged[at] = dice.choice(b'\0\xff\x7f "\\`()[]{}<>,;=-0123456789')
    return bytes(damaged)


def damage_message(data: bytes, dice: random.Random) -> bytes:
    """Clear, repeat, remove or change fields anywhere in a model, which leaves a message that can be parsed."""
    message = messages().Model.FromString(data)
    for _ in range(dice.choice((1, 1, 2, 5))):
        _damage_field(_somewhere(message, dice), dice)
    return bytes(message.SerializeToString(deterministic=True))


def _somewhere(message: Message, dice: random.Random) -> Message:
    """A message somewhere below, deep ones as likely as shallow ones."""
    found = [message]
    while True:
        inner = [child for _, value in found[-1].ListFields() for child in _messages(value)]
        if not inner:
            return dice.choice(found)
        found.append(dice.choice(inner))


def _messages(value: Any) -> list[Message]:  # noqa: ANN401
    """The messages that a field holds: itself, or those of a list or of a map (whose own order is never the same)."""
    if hasattr(value, "ListFields"):
        return [value]
    items = [value[key] for key in sorted(value)] if hasattr(value, "keys") else value
    return [item for item in items if hasattr(item, "ListFields")] if hasattr(items, "__iter__") else []


def _damage_field(message: Message, dice: random.Random) -> None:
    fields = message.ListFields()
    if not fields:
        return
    field, value = dice.choice(fields)
    if hasattr(value, "keys"):  # a map
        del value[dice.choice(sorted(value))]
    elif hasattr(value, "insert") or hasattr(value, "add"):  # a list
        if dice.random() < 0.5:
            del value[dice.randrange(len(value))]
        else:
            value.append(value[dice.randrange(len(value))])
    elif isinstance(value, bool):
        setattr(message, field.name, not value)
    elif isinstance(value, int):
        _set(message, field.name, dice.choice(NUMBERS))
    elif isinstance(value, str | bytes):
        half: Any = value[: len(value) // 2]
        setattr(message, field.name, dice.choice((half, half + half, half[:0])))
    else:
        message.ClearField(field.name)


def _set(message: Message, name: str, number: int) -> None:
    try:
        setattr(message, name, number)
    except ValueError:  # beyond the field's own bounds
        setattr(message, name, 0)


def use(path: Path, settings: Settings) -> list[str]:
    """Load, print, parse, make graphs of and lint a model: the faults, and the rules that crashed on it."""
    outcomes = []
    try:
        model = load(path)
    except ArtifactError as error:
        outcomes.append(error.fault.value)
    else:
        outcomes.append("read")
        list(model_lines(model))
        operation_lines(model)
        for _, program in model.programs:
            parse(print_program(program))
            for function in program.functions.values():
                assert len(Graph(function).networkx) <= len(operation_lines(model))
    whole = run(Plan((Task(path, settings),), settings))
    render_json(whole)
    (report,) = whole.models
    outcomes += [f"crashed: {finding.message}" for finding in report.findings if finding.code == CRASHED_RULE.code]
    return outcomes


def targets(folder: Path) -> list[Target]:
    """What to damage: the model, the file in it, and how; some ways are there twice, to happen more often."""
    found: list[Target] = []
    for name in PACKAGES:
        package = copy_of(name, folder)
        found += [(package, package / "Data" / MODEL, how) for how in (damage_bytes, damage_message, damage_message)]
    found.append((package, package / MANIFEST, damage_bytes))
    weights = folder / Path(PACKAGES[0]).name
    found += [(weights, weights / file, damage_bytes) for file in (MANIFEST, MANIFEST, f"Data/{WEIGHTS}")]
    for name in TEXTS:
        program = fixture(name).program
        assert program is not None
        compiled = write_compiled(folder / Path(name).with_suffix(".mlmodelc").name, program)
        found += [(compiled, compiled / "model.mil", damage_bytes)] * 3
    return found


def peak_mebibytes() -> float:
    """The most memory that this process ever had, without what its parent had when it was started."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes on macOS
    (line,) = (line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main(folder: Path, seed: int, count: int) -> None:
    """Damage `count` times, always in the same ways for a `seed`."""
    knowledge, registry = Knowledge(), load_registry()
    settings = Settings(
        registry.rules,
        (parse_target(DEFAULT_TARGET, knowledge),),
        ComputeUnits.CPU_AND_NE,
        knowledge,
        registry.errors,
        operations=True,
    )
    choices = targets(folder)
    outcomes: Counter[str] = Counter()
    unexpected: list[str] = []
    for number in range(count):
        dice = random.Random(f"{seed}-{number}")  # noqa: S311  # no secret
        model, file, damage = choices[number % len(choices)]
        whole = file.read_bytes()
        file.write_bytes(damage(whole, dice))
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        try:
            outcomes.update(use(model, settings))
        except Exception as error:  # noqa: BLE001  # whatever it is, it is what the test looks for
            unexpected.append(f"{number} {model.name} {file.name} {damage.__name__}: {type(error).__name__}: {error}")
        faulthandler.cancel_dump_traceback_later()
        file.write_bytes(whole)
    report = {"rules": len(settings.rules), "outcomes": outcomes, "unexpected": unexpected, "peak": peak_mebibytes()}
    print(json.dumps(report))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
