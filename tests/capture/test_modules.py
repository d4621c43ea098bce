"""Which module an operation is of, where a model was traced."""

from __future__ import annotations

from pathlib import Path

from anecheck.artifact.sidecar import Origin
from tests.capture.programs import MLModel, Variable, captured, converted, mb, single, traced


def layer(x: Variable, name: str, module: str, *path: tuple[str, str]) -> Variable:
    """A linear layer, whose weight is named as coremltools does, and an activation in the module round it."""
    with traced(*path):
        weight = mb.const(val=[[0.5] * 4] * 4, name=f"{module}_weight")
        x = mb.linear(x=x, weight=weight, name=f"{name}_linear")
    with traced(*path[:-1], ("act", "SiLU")):
        return mb.silu(x=x, name=f"{name}_silu")


def modules(model: MLModel, project: Path) -> dict[str, str | None]:
    return {name: origin.module for name, origin in captured(model, project).items()}


def test_an_operation_is_of_the_innermost_module_round_it(project: Path) -> None:
    model = single(traced(("encoder", "Encoder"), ("fc", "Linear")))
    assert captured(model, project) == {"y": Origin("relu", "encoder.fc")}


def test_functions_that_were_inlined_are_no_modules(project: Path) -> None:
    model = single(traced(("act", "SiLU"), ("UNKNOWN_INSTANCE", "UNKNOWN_TYPE")))
    assert captured(model, project)["y"].module == "act"


def test_where_a_module_is_unknown_nothing_is_said_of_it(project: Path) -> None:
    def body(x: Variable) -> Variable:
        with traced(("fc", "Linear")):
            x = mb.relu(x=x, name="known")
        with traced(("fc", "Linear"), ("UNKNOWN_SCOPE_NAME", "UNKNOWN_SCOPE_TYPE")):
            return mb.relu(x=x, name="unknown")

    assert modules(converted(body), project) == {"known": "fc", "unknown": None}


def test_what_the_outermost_module_does_itself_has_no_module_and_is_written_all_the_same(project: Path) -> None:
    def body(x: Variable) -> Variable:
        with traced():
            x = mb.relu(x=x, name="own")
        with traced(("fc", "Linear")):
            return mb.relu(x=x, name="inner")

    assert modules(converted(body), project) == {"own": None, "inner": "fc"}


def test_lists_that_a_trace_leaves_out_are_found_again_by_the_names_of_weights(project: Path) -> None:
    def body(x: Variable) -> Variable:
        x = layer(x, "a", "encoder_layers_0_fc", ("encoder", "Encoder"), ("0", "Block"), ("fc", "Linear"))
        return layer(x, "b", "encoder_layers_1_fc", ("encoder", "Encoder"), ("1", "Block"), ("fc", "Linear"))

    assert modules(converted(body), project) == {
        "a_linear": "encoder.layers.0.fc",
        "a_silu": "encoder.layers.0.act",
        "b_linear": "encoder.layers.1.fc",
        "b_silu": "encoder.layers.1.act",
    }


def test_a_list_that_could_be_either_of_two_is_left_out(project: Path) -> None:
    def body(x: Variable) -> Variable:
        x = layer(x, "a", "early_0_fc", ("0", "Block"), ("fc", "Linear"))
        return layer(x, "b", "late_0_fc", ("0", "Block"), ("fc", "Linear"))

    assert modules(converted(body), project) == {
        "a_linear": "early.0.fc",
        "a_silu": "0.act",
        "b_linear": "late.0.fc",
        "b_silu": "0.act",
    }


def test_a_weight_without_a_name_may_be_of_another_list(project: Path) -> None:
    def body(x: Variable) -> Variable:
        x = layer(x, "a", "early_0_fc", ("0", "Block"), ("fc", "Linear"))
        with traced(("0", "Block"), ("fc", "Linear")):
            return mb.linear(x=x, weight=mb.const(val=[[0.5] * 4] * 4, name="const_7"), name="b_linear")

    assert modules(converted(body), project) == {"a_linear": "early.0.fc", "a_silu": "0.act", "b_linear": "0.fc"}
