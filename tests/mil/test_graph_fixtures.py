"""What holds for the graph, and for the line numbers, of every real program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

import networkx
import pytest

from anecheck.mil.graph import Graph
from anecheck.mil.model import Kind, Model
from anecheck.mil.printer import model_lines, operation_lines, print_program
from anecheck.mil.program import Block, Function, Operation, Program, walk
from tests.mil.corpus import fixture_models, placed_models

Models = Callable[[], list[Model]]
CORPORA: dict[str, Models] = {
    **{folder: partial(fixture_models, folder) for folder in ("ok", "flagged", "zoo")},
    "placements": placed_models,
}
every_corpus = pytest.mark.parametrize("models", CORPORA.values(), ids=CORPORA.keys())


def graphs_of(models: list[Model]) -> list[Graph]:
    return [
        Graph(function) for model in models for _, program in model.programs for function in program.functions.values()
    ]


@every_corpus
def test_graphs_have_no_cycle_though_results_and_states_are_edges(models: Models) -> None:
    graphs = graphs_of(models())
    assert graphs
    assert all(networkx.is_directed_acyclic_graph(graph.networkx) for graph in graphs)


@every_corpus
def test_nodes_are_the_operations_but_constants_in_file_order(models: Models) -> None:
    for graph in graphs_of(models()):
        operations = [found for found in walk(graph.function.block) if found.type != "const"]
        assert [id(node.operation) for node in graph.nodes] == [id(operation) for operation in operations]
        own = [node.index for node in graph.nodes if node.block == ()]
        assert own == list(range(len(own)))
        assert [node.index for node in graph.nodes] == sorted(node.index for node in graph.nodes)


@every_corpus
def test_a_block_path_leads_to_the_operation(models: Models) -> None:
    for graph in graphs_of(models()):
        for node in graph.nodes:
            block = graph.function.block
            for position, number in node.block:
                inner = [operation for operation in block.operations if operation.type != "const"]
                block = inner[position].blocks[number]
            assert any(operation is node.operation for operation in block.operations)


@every_corpus
def test_every_use_of_a_value_is_known_to_it(models: Models) -> None:
    for graph in graphs_of(models()):
        uses = Counter(
            (id(operand), id(node), parameter)
            for node in graph.nodes
            for parameter, operand in node.operands()
            if operand.value is None
        )
        known = Counter(
            (id(operand), id(user), parameter)
            for operand in {operand for node in graph.nodes for _, operand in node.operands()}
            for user, parameter in graph.consumers(operand)
        )
        assert known == uses


@every_corpus
def test_line_numbers_are_those_of_the_printed_text(models: Models) -> None:
    for model in models():
        lines, numbers = list(model_lines(model)), operation_lines(model)
        operations = [
            operation
            for _, program in model.programs
            for function in program.functions.values()
            for operation in walk(function.block)
        ]
        assert len(numbers) == len(set(numbers.values())) == len(operations)
        scalars = any(line == "program(1.3)" for line in lines)
        wrong = [
            operation.outputs
            for operation in operations
            if lines[numbers[id(operation)] - 1].strip() != statement(operation, scalars=scalars)
        ]
        assert wrong == [], model.path


def statement(operation: Operation, *, scalars: bool) -> str:
    """The first line of an operation that is printed on its own."""
    function = Function("main", "CoreML8" if scalars else "CoreML7", (), Block((), (operation,), ()))
    return print_program(Program({"main": function})).splitlines()[3].strip()


def test_line_numbers_count_the_comments_of_parts_and_the_lines_of_nested_blocks() -> None:
    (pipeline,) = (model for model in fixture_models("ok") if model.path.endswith("/pipeline.mlpackage"))
    assert pipeline.kind is Kind.PIPELINE
    numbers, lines = operation_lines(pipeline), list(model_lines(pipeline))
    first, second = (program.functions["main"].block.operations for _, program in pipeline.programs)
    assert (lines[0], numbers[id(first[0])]) == ("// part 0", 6)
    start = lines.index("// part 1")
    assert [numbers[id(operation)] for operation in second] == list(range(start + 6, start + 6 + len(second)))

    (loop,) = (model for model in fixture_models("flagged") if model.path.endswith("/cond_in_while_loop.mlpackage"))
    numbers, lines = operation_lines(loop), list(model_lines(loop))
    assert loop.program is not None
    nested = {
        operation.outputs[0].name: lines[numbers[id(operation)] - 1]
        for operation in walk(loop.program.functions["main"].block)
        if operation.type == "linear"
    }
    assert [line.partition(" linear(")[0] for line in nested.values()] == [
        f"{' ' * depth}tensor<fp16, [1, 64, 64]> {name} =" for name, depth in zip(nested, (8, 24, 8), strict=True)
    ]
