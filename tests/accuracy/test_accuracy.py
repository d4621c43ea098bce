"""The published accuracy holds, and is counted as it is said to be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from anecheck.lint.placement_report import OperationReport
from fixtures.placements.build import build, read_facts
from tests.accuracy.__main__ import compare, main
from tests.accuracy.costs import Errors, Estimate
from tests.accuracy.costs import compare as compare_costs
from tests.accuracy.costs import main as costs_main
from tests.accuracy.placements import Guess, Guesses, Part, PlacementsError, Row, predict, read_rows
from tests.accuracy.score import (
    ALL,
    Score,
    Share,
    disagreements,
    everything_on_the_engine,
    groups,
    names_in_other_graphs,
    names_in_other_groups,
    names_supported,
    score,
)
from tests.conftest import REPOSITORY

EVIDENCE = REPOSITORY / "../shared/evidence"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("placements"))


@pytest.fixture(scope="module")
def rows(table: Path) -> list[Row]:
    return read_rows(table)


@pytest.fixture(scope="module")
def guesses(table: Path, rows: list[Row]) -> Guesses:
    return predict(rows, table.parent, "m4", "cpu-and-ne")


def share(value: Share) -> float:
    assert value.value is not None
    return value.value


def test_the_facts_are_all_there(rows: list[Row]) -> None:
    header, graphs = read_facts()
    assert len(graphs) == len({row.model for row in rows}) == 356
    assert {name: len(members) for name, members in groups(rows).items()} == {"iso": 307, "ctx": 899, ALL: 1206}
    for measurement in header["measurements"].values():
        assert measurement.keys() == {"source", "soc", "os", "compute_units"}


@pytest.mark.parametrize("part", Part)
def test_published_accuracy(rows: list[Row], guesses: Guesses, part: Part) -> None:
    found = score([row for row in rows if part.holds(row.model)], guesses)
    assert found.unpredicted == 0
    assert share(found.supported) >= 0.995
    assert share(found.device_up_to_ties) >= 0.995
    assert share(found.graphs_up_to_ties) >= 0.98
    if part is Part.ALL:  # the ties lie as chance has it
        assert share(found.ties) <= 0.04


def test_anecheck_beats_every_baseline_even_when_its_ties_are_misses(rows: list[Row], guesses: Guesses) -> None:
    methods = dict(compare(rows, rows, guesses)[ALL])
    ours = methods.pop("anecheck")
    assert len(methods) == 4
    for other in methods.values():
        assert share(ours.device_strict) > share(other.device_strict)
        assert share(ours.supported) > share(other.supported)


def test_the_facts_say_what_the_evidence_says(rows: list[Row], guesses: Guesses) -> None:
    evidence = EVIDENCE / "placements/placements.jsonl"
    if not evidence.exists():
        pytest.skip("NOT CHECKED: the evidence that the facts were taken from is not beside the repository")
    measured = read_rows(evidence)
    original = predict(measured, evidence.parent, "m4", "cpu-and-ne")
    assert original == guesses
    assert compare(measured, measured, original) == compare(rows, rows, guesses)


def test_costs_are_those_of_the_evidence(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    estimates = EVIDENCE / "cost_estimates.jsonl"
    if not estimates.exists():
        pytest.skip("NOT CHECKED: Core ML's own estimates are not beside the repository")
    assert costs_main([str(estimates), str(table)]) == 0
    assert "389 operations compared; 9 of graphs that are not in the placements left out" in capsys.readouterr().out


def row(model: str, index: int, op: str, preferred: str, supported: str = "CPU ANE", *, tie: bool = False) -> str:
    record = {"model": model, "op_index": index, "op": op, "preferred": preferred, "supported": supported.split()}
    return json.dumps({**record, "file": "none", **({"cost_tie": True} if tie else {})})


SMALL = [
    row("a/one", 0, "conv", "ANE"),
    row("a/one", 1, "relu", "CPU"),
    row("a/two", 0, "conv", "CPU", "CPU"),
    row("b/one", 0, "relu", "CPU"),
    row("b/one", 1, "relu", "ANE", tie=True),
    row("b/three", 0, "conv", "ANE"),
    row("b/four", 0, "exp", "ANE"),
]
BOTH, ONLY_CPU = frozenset({"ane", "cpu"}), frozenset({"cpu"})
SMALL_GUESSES: Guesses = {
    ("a/one", 0): Guess("ane", BOTH),
    ("a/one", 1): Guess("ane", BOTH, tie=ONLY_CPU),
    ("a/two", 0): Guess("ane", BOTH),
    ("b/one", 0): Guess("cpu", BOTH),
    ("b/one", 1): Guess("cpu", BOTH, tie=frozenset({"ane"})),
    ("b/three", 0): Guess("cpu", ONLY_CPU, blockers=("OP999",)),
    ("b/four", 0): Guess(None, BOTH),
}


@pytest.fixture
def small(tmp_path: Path) -> list[Row]:
    file = tmp_path / "small.jsonl"
    file.write_text("\n".join(SMALL) + "\n", encoding="utf-8")
    return read_rows(file)


def test_exact_counts(small: list[Row]) -> None:
    assert score(small, SMALL_GUESSES) == Score(
        operations=7,
        graphs=5,
        cost_ties=1,
        unpredicted=1,
        ties=Share(1, 6),
        device_strict=Share(2, 6),
        device_up_to_ties=Share(3, 6),
        graphs_strict=Share(1, 5),
        graphs_up_to_ties=Share(2, 5),
        off_precision=Share(1, 2),
        off_recall=Share(1, 3),
        device_chosen=Share(2, 7),
        cost_ties_called=Share(1, 1),
        supported=Share(5, 7),
    )


def test_groups_are_what_stands_before_the_slash(small: list[Row]) -> None:
    assert {name: len(members) for name, members in groups(small).items()} == {"a": 3, "b": 4, ALL: 7}


def test_disagreements_say_which_kind(small: list[Row]) -> None:
    found = [(one.row.model, one.row.index, one.device, one.support) for one in disagreements(small, SMALL_GUESSES)]
    assert found == [("a/two", 0, True, True), ("b/three", 0, True, True), ("b/four", 0, True, False)]


def devices(guesses: Guesses) -> list[str | None]:
    return [guess.device for guess in guesses.values()]


def test_baselines(small: list[Row]) -> None:
    assert devices(everything_on_the_engine(small)) == ["ane"] * 7
    assert devices(names_in_other_graphs(small, small)) == ["ane", "ane", "ane", "cpu", "cpu", "ane", "ane"]
    assert devices(names_in_other_groups(small, small)) == ["ane", "ane", "ane", "cpu", "cpu", "ane", "ane"]
    assert devices(names_supported(small, small)) == ["ane"] * 7
    without_b = [row for row in small if row.model != "b/three"]
    assert devices(names_supported(small, without_b))[0] == "cpu"  # the one other conv is not supported


def test_a_share_of_nothing_has_no_value() -> None:
    assert Share(0, 0).value is None
    assert str(Share(0, 0)) == "0/0"
    assert str(Share(1, 8)) == "1/8 (12.5 %)"


def test_the_parts_are_two_thirds_and_one_third_and_keep_names_together(rows: list[Row]) -> None:
    models = {row.model for row in rows}
    held_out = {model for model in models if Part.HELD_OUT.holds(model)}
    assert {model for model in models if Part.FIT.holds(model)} == models - held_out
    assert 0.28 < len(held_out) / len(models) < 0.39
    for model in models:
        name = model.partition("/")[2]
        assert len({Part.HELD_OUT.holds(f"{group}/{name}") for group in ("iso", "ctx")}) == 1


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{}\n", r"bad.jsonl:1: no placement"),
        ("[1]\n", r"bad.jsonl:1: no placement"),
        (f"{SMALL[0]}\nnot json\n", r"bad.jsonl:2: no placement"),
        (f"{SMALL[0]}\n{SMALL[0]}\n", "twice"),
    ],
)
def test_bad_tables_are_named(tmp_path: Path, content: str, complaint: str) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(PlacementsError, match=complaint):
        read_rows(file)


def test_a_graph_that_is_not_the_measured_one_is_refused(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads(table.read_text(encoding="utf-8").splitlines()[0])
    other = table.with_name("other.jsonl")
    other.write_text(json.dumps({**record, "op": "sqrt"}), encoding="utf-8")
    assert main([str(other)]) == 2
    assert "operation 0 was measured as sqrt, the graph has abs" in capsys.readouterr().err
    other.write_text(json.dumps({**record, "file": "none.mlmodelc"}), encoding="utf-8")
    assert main([str(other)]) == 2
    assert "none.mlmodelc" in capsys.readouterr().err


def test_all_forms_say_the_same(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(table), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)["scores"][ALL]["anecheck"]["device_up_to_ties"]
    for option in ([], ["--markdown"]):
        assert main([str(table), *option]) == 0
        assert f"{data['right']}/{data['of']}" in capsys.readouterr().out


def test_cost_errors_by_type_and_device() -> None:
    def report(index: int, op: str, ane: float | None, cpu: float) -> OperationReport:
        estimated: dict[str, float | None] = {"ane": ane, "cpu": cpu}
        return OperationReport(index=index, name=op, type=op, supported=[], blockers=[], estimated_us=estimated)

    predicted = {"a/one": {0: report(0, "conv", 9.0, 30.0), 1: report(1, "relu", None, 0.0)}}
    estimates = [
        Estimate("a/one", 0, "conv", {"ane": 10.0, "cpu": 20.0}),
        Estimate("a/one", 1, "relu", {"ane": 1.0, "cpu": 0.0}),
        Estimate("a/elsewhere", 0, "conv", {"ane": 1.0}),
    ]
    assert compare_costs(estimates, predicted) == {
        "conv": {"ane": Errors((0.1,)), "cpu": Errors((0.5,))},
        "relu": {"ane": Errors((), missing=1), "cpu": Errors((0.0,))},
        ALL: {"ane": Errors((0.1,), missing=1), "cpu": Errors((0.5, 0.0))},
    }
    tenths = Errors(tuple(value / 10 for value in range(10, 0, -1)))
    assert [tenths.quantile(part) for part in (0.5, 0.9, 1.0)] == [0.5, 0.9, 1.0]
