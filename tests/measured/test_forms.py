"""What each form of a file is read as, and what is said of files that are damaged, unknown or hostile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from anecheck.knowledge.evidence import Device
from anecheck.knowledge.tables import Knowledge
from anecheck.knowledge.target import ComputeUnits
from anecheck.lint.measured import chip_of, system_of
from anecheck.measured.plan import Form, MeasuredOperation, MeasuredPlan, PlanError, device_named, units_named
from anecheck.measured.read import read_plan

KNOWN = frozenset({"gather", "gather_along_axis", "conv", "cond", "add", "const"})
ANE, GPU, CPU = Device.ANE, Device.GPU, Device.CPU


def read(tmp_path: Path, content: str | bytes) -> MeasuredPlan:
    file = tmp_path / "plan"
    file.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return read_plan(file, KNOWN)


def own(**changes: object) -> dict[str, Any]:
    return {"format": "anecheck-measured-plan", "version": 1, "functions": {"main": [{"type": "ios17.add"}]}, **changes}


def test_own_files_say_all_there_is(tmp_path: Path) -> None:
    entries = [
        {"index": 0, "name": "c", "type": "const"},
        {"index": 0, "name": "x", "type": "ios17.cond", "preferred": "cpu", "supported": ["cpu", "gpu"], "cost": 0.5},
        {"index": 0, "name": "y", "type": "ios17.add", "preferred": None, "block": [[0, 1]], "later": "ignored"},
    ]
    content = own(
        machine={"chip": "Apple M4 Pro", "os": "macOS 26.1"},
        compute_units="all",
        model={"path": "A.mlpackage"},
        functions={"main": entries, "other": []},
    )
    assert read(tmp_path, json.dumps(content)) == MeasuredPlan(
        Form.OWN,
        (
            MeasuredOperation("cond", "main", "x", 0, (), CPU, frozenset({CPU, GPU}), 0.5),
            MeasuredOperation("add", "main", "y", 0, ((0, 1),)),
        ),
        "Apple M4 Pro",
        "macOS 26.1",
        ComputeUnits.ALL,
        "A.mlpackage",
    )


def test_compute_plans_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    content = {
        "12_ios16.gather_along_axis_axis_indices_x": {"dispatch": "GPU", "supported": ["CPU", "GPU"], "cost": None},
        "2_ios16.gather_axis_indices_x": {"dispatch": "CPU", "supported": ["CPU"], "cost": 25.0},
        "1_const": {"dispatch": "CPU", "supported": [], "cost": None},
        "30_mystery_thing_x": {"dispatch": "ANE", "supported": ["ANE"], "cost": 1},
    }
    plan = read(tmp_path, json.dumps(content))
    assert plan.form is Form.COMPUTE_PLAN
    assert plan.operations == (
        MeasuredOperation("gather", device=CPU, supported=frozenset({CPU}), cost=0.25),
        MeasuredOperation("gather_along_axis", device=GPU, supported=frozenset({CPU, GPU})),
        MeasuredOperation("mystery_thing_x", device=ANE, supported=frozenset({ANE}), cost=0.01),
    )


@pytest.mark.parametrize("around", ["bare", "below", "deep"])
def test_placement_records_are_found_wherever_they_lie(tmp_path: Path, around: str) -> None:
    records = [{"function": "f", "operator": "ios17.add", "preferred": "ANE", "supported": ["ANE", "CPU"], "cost": 0.1}]
    content: Any = {
        "bare": records,
        "below": {"chip": "M5 Max", "os": "macOS 26", "compute_units": "CPU_AND_NE", "operations": records},
        "deep": {"meta": {"soc": "M5 Max", "units": "cpuAndNeuralEngine"}, "runs": {"one": {"ops": records}}},
    }[around]
    plan = read(tmp_path, json.dumps(content))
    assert plan.operations == (MeasuredOperation("add", "f", None, None, (), ANE, frozenset({ANE, CPU}), 0.1),)
    assert plan.chip == (None if around == "bare" else "M5 Max")
    assert plan.compute_units is (None if around == "bare" else ComputeUnits.CPU_AND_NE)


ANALYTICS = r"""
// left by the compiler
program(1.3) [buildInfo = dict<string, string>({{"coremlc-version", "3600.1"}})] {
  func main<ios18>(tensor_buffer<fp16, [1, 4], strides = [8, 1]> x_buffer) [Launch_ane = 0.125, Odd = <{[?]}>] {
    tensor<fp16, [1, 4]> x = tensor_buffer_to_tensor(input = x_buffer)[name = string("x"), SelectedBackend = string("ane")];
    tensor<int32, []> axis = const()[name = string("axis"), val = int32(0)];
    tensor<fp16, [1, 4]> y, tensor<int32, [1]> rest = ios16.gather(axis = axis, x = (x, x), w = BLOBFILE(offset = 64))
      [name = string("op_y"),
       BackendSupport = list<string, 5>(["unsupported", "unsupported", "bnns", "classic_cpu", "unsupported"]),
       EstimatedRuntime = dict<string, fp64>({{"bnns", 0x1p-9}, {"classic_cpu", 2.5e-3}, {"Launch_ane", 0.125}}),
       SelectedBackend = string("bnns"),
       ValidationMessage = dict<string, string>({{"ane", "Unsupported MIL operation \"gather\"."}, {"bnns", ""}})];
    bool p = less(x = y, y = y)[EstimatedRuntime = dict<string, fp64>({{"ane", 0.001}}), SelectedBackend = string("ane")];
    tensor<fp16, [1, 4]> z = cond(pred = p)[name = string("z"), SelectedBackend = string("mps_graph"), Why = ?] {
      block yes() { tensor<fp16, [1, 4]> `a b` = relu(x = y)[SelectedBackend = tensor<string, []>("classic_cpu")]; } -> (a);
      block no() { tensor<fp16, [1, 4]> b = relu(x = y); } -> (b);
    };
    write_state(data = z, input = s)[BackendSupport = dict<string, string>({{"ane", "unsupported"}, {"bnns", "supported"}})];
  } -> (z);
}
"""


def test_analytics_are_read_whatever_else_is_in_them(tmp_path: Path) -> None:
    plan = read(tmp_path, ANALYTICS)
    assert plan.form is Form.ANALYTICS
    assert plan.operations == (
        MeasuredOperation(
            "gather",
            "main",
            "y",
            device=CPU,
            supported=frozenset({CPU}),
            estimates_ms={"bnns": 2**-9, "classic_cpu": 0.0025},
            messages={"ane": 'Unsupported MIL operation "gather".'},
        ),
        MeasuredOperation("less", "main", "p", device=ANE, supported=frozenset({ANE}), estimates_ms={"ane": 0.001}),
        MeasuredOperation("cond", "main", "z", device=GPU),
        MeasuredOperation("relu", "main", "a b", block=((2, 0),), device=CPU),
        MeasuredOperation("relu", "main", "b", block=((2, 1),)),
        MeasuredOperation("write_state", "main", supported=frozenset({CPU})),
    )


@pytest.mark.parametrize(
    "layout",
    [
        'list<string, 2>(["ane", "bnns"])',
        'tensor<string, [3]>(["unsupported", "ane", "classic_cpu"])',
        'dict<string, string>({{"ane", "supported"}, {"bnns", "ane, perhaps"}, {"mps_graph", "unsupported"}})',
        'dict<string, bool>({{"ane", true}, {"classic_cpu", true}, {"mps_graph", false}})',
        'tuple<string, string>((string("ane"), string("bnns")))',
    ],
)
def test_support_is_read_in_any_layout(tmp_path: Path, layout: str) -> None:
    text = f"func main<ios17>() {{ fp16 y = relu(x = x)[BackendSupport = {layout}]; }} -> (y);"
    assert read(tmp_path, text).operations[0].supported == frozenset({ANE, CPU})


def test_a_statement_on_the_line_of_the_brace_is_not_lost(tmp_path: Path) -> None:
    text = 'func main<ios17>() { fp16 a = relu(x = x)[SelectedBackend = string("ane")]; fp16 b = tan(x = a); } -> (b);'
    assert [operation.name for operation in read(tmp_path, text).operations] == ["a", "b"]


@pytest.mark.parametrize("start", range(0, len(ANALYTICS) - 30, 7))
def test_truncated_analytics_are_an_error(tmp_path: Path, start: int) -> None:
    with pytest.raises(PlanError):
        read(tmp_path, ANALYTICS[: start + 1])


STATEMENT = "func main<ios17>() { fp16 y = relu(x = x)"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "it is neither"),
        ("hello", "it is neither"),
        (b"\xff\xfe\x00\x01", "byte 0 is no UTF-8"),
        ("{", "it is no JSON"),
        ("[" * 100_000, "nested too deep"),
        ("{}", "says nothing that is known"),
        ("[1, 2]", "says nothing that is known"),
        ('{"format": "anecheck-measured-plan", "version": 2}', "version 2 is not known"),
        ('{"format": "anecheck-measured-plan", "version": 1}', "expected an object at functions, found None"),
        (json.dumps(own(functions=[])), "expected an object at functions"),
        (json.dumps(own(functions={"main": {}})), "expected a list at functions.main, found {}"),
        (json.dumps(own(functions={"main": []})), "no operation but constants"),
        (json.dumps(own(functions={"main": [{"type": 3}]})), r"a string at functions.main\[0\].type, found 3"),
        (json.dumps(own(functions={"main": [{"type": "a", "preferred": "tpu"}]})), "ANE, GPU or CPU at"),
        (json.dumps(own(functions={"main": [{"type": "a", "cost": float("inf")}]})), "expected a number"),
        (
            '{"format": "anecheck-measured-plan", "version": 1, "functions": {"f": [{"type": "a", "cost": 1%s}]}}'
            % ("0" * 400),
            "expected a number",
        ),
        (json.dumps(own(functions={"main": [{"type": "a", "index": -1}]})), "whole number"),
        (json.dumps(own(functions={"main": [{"type": "a", "index": True}]})), "whole number"),
        (json.dumps(own(functions={"main": [{"type": "a", "block": [[1]]}]})), "pairs of numbers"),
        (json.dumps({"1_add_x_y": {"dispatch": "CPU"}, "x": {"dispatch": "CPU"}}), "expected a key such as"),
        (json.dumps([{"operator": None, "preferred": None}]), "a string at record 0, operator"),
        (STATEMENT + "; } -> (y);", "give the analytics.mil"),
        (STATEMENT + "[SelectedBackend = (]; } -> (y);", r"line 1"),
        (STATEMENT + '[SelectedBackend = "ane]; } -> (y);', "expected a string that ends"),
        (STATEMENT + f"[SelectedBackend = {'(' * 100_000}", "at most 32 brackets"),
        (STATEMENT + f"[BackendSupport = string({'9' * 500})]; }} -> (y);", "expected a string or a number"),
        (STATEMENT.replace("(x = x)", "(x = x}") + "; } -> (y);", r"expected '\)', found '}'"),
        ("func main<ios17>() " + "{ y = cond() { b() " * 50, "at most 32 blocks"),
        ("func main<ios17>() { -> }", "expected a name"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_error(tmp_path: Path, content: str | bytes, said: str) -> None:
    with pytest.raises(PlanError, match=said) as caught:
        read(tmp_path, content)
    assert len(str(caught.value)) < 400


def test_a_missing_file_and_a_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="cannot be read: No such file"):
        read_plan(tmp_path / "none", KNOWN)
    with pytest.raises(PlanError, match="cannot be read: Is a directory"):
        read_plan(tmp_path, KNOWN)


def test_halves_of_characters_become_escapes(tmp_path: Path) -> None:
    content = '{"format": "anecheck-measured-plan", "version": 1, "functions": {"main": [{"type": "add", "name": "\\ud800"}]}}'
    assert read(tmp_path, content).operations[0].name == "\\ud800"
    text = STATEMENT + '[ValidationMessage = dict<string, string>({{"ane", "\\ud800\\q"}})]; } -> (y);'
    assert read(tmp_path, text).operations[0].messages["ane"].encode()


@pytest.mark.parametrize(
    ("spelt", "device"),
    [
        ("MLNeuralEngineComputeDevice", ANE),
        ("neural_engine", ANE),
        ("NE", ANE),
        ("gpu", GPU),
        ("MLCPUComputeDevice", CPU),
        ("", None),
    ],
)
def test_devices_by_name(spelt: str, device: Device | None) -> None:
    assert device_named(spelt) is device


@pytest.mark.parametrize(
    ("spelt", "units"),
    [
        ("ALL", ComputeUnits.ALL),
        ("ComputeUnit.CPU_AND_GPU", ComputeUnits.CPU_AND_GPU),
        ("cpu-only", ComputeUnits.CPU_ONLY),
        ("some", None),
    ],
)
def test_compute_units_by_name(spelt: str, units: ComputeUnits | None) -> None:
    assert units_named(spelt) is units


@pytest.mark.parametrize(
    ("chip", "os", "target"),
    [
        ("Apple M4 Pro", "macOS 26.1", ("m4pro", "macos26.1")),
        ("M4 (h16g)", "macOS 27.0.1 (26A434)", ("m4", "macos27.0.1")),
        ("Apple M1 (Virtual)", None, ("m1", None)),
        ("Apple M99", "Linux 6", (None, None)),
        ("", "", (None, None)),
        ("A17 Pro", "iOS 18", ("a17pro", "ios18")),
    ],
)
def test_the_machine_is_a_target_where_it_is_known(
    chip: str, os: str | None, target: tuple[str | None, str | None]
) -> None:
    plan = MeasuredPlan(Form.OWN, (), chip, os)
    assert (chip_of(plan, Knowledge()), system_of(plan)) == target
