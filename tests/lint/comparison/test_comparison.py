"""What makes an export worse than the one before, and what does not."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from anecheck.artifact.load import load
from anecheck.knowledge.evidence import Confidence
from anecheck.lint.asked.options import Options
from anecheck.lint.asked.settings import Detail
from anecheck.lint.comparison.compare import ComparisonError, Criteria, compare_planned, find_pairs
from anecheck.lint.comparison.findings import Counterparts, changes
from anecheck.lint.comparison.reports import (
    Comparison,
    DeviceChange,
    FunctionComparison,
    NumberChange,
    OperationRef,
    Reason,
)
from anecheck.lint.comparison.verdict import finding_reasons, function_reasons
from anecheck.lint.finding import Finding, Severity
from anecheck.lint.plan import Asked, make_plan
from anecheck.lint.registry import load_registry
from anecheck.mil.model import Kind, Model
from anecheck.mil.parser import parse
from anecheck.mil.program import Program
from tests.conftest import FIXTURES
from tests.lint.exports import re_exported
from tests.predict.programs import apply, large, program

REGISTRY = load_registry()
ASKED = Asked(Options(("m4",)), Detail(operations=True), isolated=True)


def compare_models(old: Model, new: Model, criteria: Criteria) -> Comparison:
    return compare_planned(make_plan([new], ASKED, REGISTRY), [old], criteria)


ZOO = FIXTURES / "zoo"


def model(*rows: str, outputs: tuple[str, ...] = ("y",), name: str = "main") -> Model:
    return Model("model", Kind.ML_PROGRAM, "mlProgram", 9, {}, parse(program(rows, outputs, name=name)))


CLEAN = (large("a", "x"), large("b", "a"), large("c", "b"), large("y", "c"))
CUT = (large("a", "x"), large("b", "a"), apply("acos", "z", "b"), large("c", "z"), large("y", "c"))


def kinds(reasons: list[Reason]) -> list[str]:
    return [reason.kind for reason in reasons]


# Whole models


def test_an_operation_that_the_engine_lacks_makes_an_export_worse() -> None:
    comparison = compare_models(model(*CLEAN), model(*CUT), Criteria())
    (compared,) = comparison.models
    assert comparison.is_worse
    assert set(kinds(compared.worse)) >= {"findings", "segments", "latency_ms"}
    (function,) = compared.functions
    assert (function.matched, [each.type for each in function.added], function.removed) == (4, ["acos"], [])
    assert "z" in [name for change in compared.gained for name in change.operations]
    numbers = {number.name: number for number in function.numbers}
    assert (numbers["operations"].old, numbers["operations"].new, numbers["operations"].delta) == (4, 5, 1)
    assert numbers["segments"].delta == 2


def test_and_taken_away_it_makes_it_better() -> None:
    there = compare_models(model(*CLEAN), model(*CUT), Criteria()).models[0]
    back = compare_models(model(*CUT), model(*CLEAN), Criteria())
    assert not back.is_worse
    assert back.models[0].worse == []
    assert sorted(kinds(back.models[0].better)) == sorted(kinds(there.worse))
    assert back.models[0].lost == there.gained
    assert [each.type for each in back.models[0].functions[0].removed] == ["acos"]


def test_operations_that_leave_the_engine_say_what_keeps_them() -> None:
    old = model(large("a", "x"), apply("relu", "b", "a"), large("y", "b"))
    wide = "tensor<fp32, [1, 256, 28, 28]>"
    new = model(large("a", "x"), apply("relu", "b", "a", wide), large("y", "b"))
    (compared,) = compare_models(old, new, Criteria()).models
    moved = {change.new.name: change for change in compared.functions[0].device_changes}
    assert moved["b"].old.device == "ane"
    assert moved["b"].new.device == "cpu"
    assert "ANE105" in moved["b"].blockers
    assert "devices" in kinds(compared.worse)


@pytest.mark.parametrize("name", ["bert_base", "mobilenet_multifunction", "encoder_head_pipeline", "llama_stateful"])
def test_a_model_and_its_renamed_copy_are_the_same(name: str) -> None:
    old = load(ZOO / f"{name}.mlpackage")
    comparison = compare_models(old, re_exported(old), Criteria("info", 0.0))
    (compared,) = comparison.models
    assert (comparison.is_worse, compared.worse, compared.better) == (False, [], [])
    assert (compared.gained, compared.lost) == ([], [])
    assert compared.functions
    for function in compared.functions:
        assert (function.added, function.removed, function.device_changes) == ([], [], [])
        assert all(number.delta in {0, None} for number in function.numbers)


def test_single_functions_are_compared_whatever_they_are_called() -> None:
    (compared,) = compare_models(model(*CUT), model(*CUT, name="forward"), Criteria("info")).models
    assert [(each.old_name, each.new_name) for each in compared.functions] == [("main", "forward")]
    assert (compared.gained, compared.lost, compared.worse) == ([], [], [])


def test_of_several_functions_those_of_a_name_are_compared_and_the_others_listed() -> None:
    single = model(*CLEAN)
    assert single.program is not None
    main = single.program.functions["main"]
    old, new = (
        replace(single, program=Program(dict.fromkeys(names, main)))
        for names in (("main", "encode", "decode"), ("main", "other"))
    )
    (compared,) = compare_models(old, new, Criteria()).models
    assert [each.new_name for each in compared.functions] == ["main"]
    assert (compared.added_functions, sorted(compared.removed_functions)) == (["other"], ["decode", "encode"])


def test_findings_of_what_is_there_on_both_sides_are_not_gained_when_their_neighbours_change() -> None:
    """The neighbourhood, and so the fingerprint, is another; the operation is the same."""
    old = model(large("a", "x"), apply("relu", "b", "a"), apply("acos", "z", "b"), large("y", "z"))
    new = model(large("a", "x"), apply("tanh", "b", "a"), apply("acos", "z", "b"), large("y", "z"))
    (compared,) = compare_models(old, new, Criteria("info")).models
    assert (compared.gained, compared.lost) == ([], [])


# Findings


def finding(code: str = "ANE104", severity: Severity = Severity.WARNING, **fields: object) -> Finding:
    content: dict[str, object] = {"message": "what", "fingerprint": "f", "function": "main", **fields}
    return Finding(code=code, name="name", severity=severity, confidence=Confidence.MEASURED, **content)  # type: ignore[arg-type]


NOWHERE = Counterparts({}, {})


def test_findings_are_counted_by_fingerprint() -> None:
    one, other = finding(operation="a"), finding(operation="b")
    gained, lost = changes([one], [one, other, finding(operation="c")], NOWHERE)
    assert ([(change.code, change.count) for change in gained], lost) == ([("ANE104", 2)], [])
    gained, lost = changes([one, other], [one], NOWHERE)
    assert (gained, [change.count for change in lost]) == ([], [1])


def test_suppressed_findings_do_not_count() -> None:
    suppressed = finding(operation="a", suppressed=True)
    assert changes([], [suppressed], NOWHERE) == ([], [])
    (gained,), _ = changes([suppressed], [finding(operation="a")], NOWHERE)
    assert gained.count == 1


def test_a_hint_that_becomes_a_warning_is_a_warning_gained() -> None:
    gained, lost = changes([finding(severity=Severity.INFO)], [finding()], NOWHERE)
    assert [change.severity for change in gained] == [Severity.WARNING]
    assert [change.severity for change in lost] == [Severity.INFO]


def test_a_finding_of_a_whole_function_is_the_same_whatever_it_is_about() -> None:
    old, new = finding(fingerprint="1", function="main"), finding(fingerprint="2", function="forward")
    assert changes([old], [new], Counterparts({"forward": "main"}, {})) == ([], [])
    assert [len(side) for side in changes([old], [new], NOWHERE)] == [1, 1]


@pytest.mark.parametrize(("fail_on", "counted"), [("error", 1), ("warning", 2), ("info", 3), ("never", 0)], ids=str)
def test_only_findings_of_the_severity_asked_for_are_worse(fail_on: str, counted: int) -> None:
    found = [finding(severity=severity, fingerprint=severity.value) for severity in Severity]
    gained, _ = changes([], found, NOWHERE)
    assert len(gained) == 3
    assert len(finding_reasons(gained, fail_on)) == counted


# Numbers and devices


def function_with(
    numbers: Mapping[str, tuple[float, float]], moved: tuple[DeviceChange, ...] = (), *, unknown: bool = False
) -> FunctionComparison:
    return FunctionComparison(
        old_name="main",
        new_name="main",
        matched=1,
        device_changes=list(moved),
        added=[],
        removed=[],
        numbers=[NumberChange(name=name, old=old, new=new, delta=new - old) for name, (old, new) in numbers.items()],
        has_unknown_sizes=unknown,
    )


@pytest.mark.parametrize("name", ["latency_ms", "peak_working_set_bytes", "resident_weight_bytes"])
def test_time_and_memory_may_grow_by_the_tolerance(name: str) -> None:
    within = function_reasons(function_with({name: (1000, 1010)}), 0.01)
    beyond = function_reasons(function_with({name: (1000, 1011)}), 0.01)
    less = function_reasons(function_with({name: (1000, 989)}), 0.01)
    assert within == ([], [])
    assert (kinds(beyond[0]), beyond[1]) == ([name], [])
    assert (less[0], kinds(less[1])) == ([], [name])
    assert kinds(function_reasons(function_with({name: (0, 1)}), 0.01)[0]) == [name]


def test_segments_may_not() -> None:
    worse, better = function_reasons(function_with({"segments": (1000, 1001)}), 0.5)
    assert (kinds(worse), better) == (["segments"], [])


def test_numbers_that_only_tell_decide_nothing() -> None:
    numbers = {"operations": (1.0, 9.0), "cpu": (1.0, 9.0), "weight_bytes": (1.0, 9.0), "estimated_ms": (1.0, 9.0)}
    assert function_reasons(function_with(numbers), 0.0) == ([], [])


def test_lower_bounds_decide_nothing() -> None:
    numbers = {"latency_ms": (1.0, 9.0), "peak_working_set_bytes": (1.0, 9.0), "resident_weight_bytes": (1.0, 9.0)}
    worse, _ = function_reasons(function_with(numbers, unknown=True), 0.0)
    assert kinds(worse) == ["resident_weight_bytes"]


def moved(old: str, new: str, *, is_tie: bool = False) -> DeviceChange:
    before, after = (OperationRef(index=0, name="a", type="relu", device=device) for device in (old, new))
    return DeviceChange(old=before, new=after, blockers=[], is_tie=is_tie)


def test_leaving_the_engine_is_worse_but_for_ties() -> None:
    worse, better = function_reasons(
        function_with({}, (moved("ane", "cpu"), moved("ane", "gpu"), moved("cpu", "ane"))), 0.0
    )
    assert [(reason.kind, reason.count) for reason in worse] == [("devices", 2)]
    assert [(reason.kind, reason.count) for reason in better] == [("devices", 1)]
    assert function_reasons(function_with({}, (moved("ane", "cpu", is_tie=True), moved("cpu", "gpu"))), 0.0) == ([], [])


@pytest.mark.parametrize(
    "make", [lambda: Criteria("fatal"), lambda: Criteria(tolerance=-0.1), lambda: Criteria(tolerance=float("nan"))]
)
def test_criteria_that_are_none(make: Callable[[], Criteria]) -> None:
    with pytest.raises(ValueError, match=r"fatal|no share"):
        make()


# Paths


def folder_of(place: Path, **names: str) -> Path:
    place.mkdir()
    for name, fixture in names.items():
        shutil.copytree(FIXTURES / fixture, (place / name).with_suffix(Path(fixture).suffix))
    return place


def test_folders_are_compared_model_by_model(tmp_path: Path) -> None:
    conv, acos = "ok/edge_conv_7x7.mlpackage", "flagged/acos.mlpackage"
    old = folder_of(tmp_path / "old", a=conv, b=conv, gone=conv)
    new = folder_of(tmp_path / "new", a=conv, b=acos, more=conv)
    pairs = find_pairs(old, new)
    plan = make_plan([after for _, after in pairs.both], ASKED, REGISTRY)
    comparison = compare_planned(plan, [before for before, _ in pairs.both], Criteria(), pairs)
    assert [Path(model.new_path).name for model in comparison.models] == ["a.mlpackage", "b.mlpackage"]
    assert [bool(model.worse) for model in comparison.models] == [False, True]
    assert (comparison.added_models, comparison.removed_models) == (["more.mlpackage"], ["gone.mlpackage"])


def test_single_models_are_compared_whatever_they_are_called(tmp_path: Path) -> None:
    old = folder_of(tmp_path / "old", a="ok/edge_conv_7x7.mlpackage")
    new = FIXTURES / "ok/bare_program.mlmodel"
    assert find_pairs(old, new).both == ((old / "a.mlpackage", new),)


def test_paths_that_cannot_be_paired_are_refused(tmp_path: Path) -> None:
    conv = "ok/edge_conv_7x7.mlpackage"
    old, new = folder_of(tmp_path / "old", a=conv, b=conv), folder_of(tmp_path / "new", c=conv, d=conv)
    with pytest.raises(ComparisonError, match=r"no model in '.*new' has the path"):
        find_pairs(old, new)
    with pytest.raises(ComparisonError, match=r"means 2 models and '.*' 1"):
        find_pairs(old, FIXTURES / "ok/bare_program.mlmodel")
    with pytest.raises(ComparisonError, match="cannot read the list"):
        find_pairs("@gone.txt", old)
