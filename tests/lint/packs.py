"""Rules for testing the engine with."""

from __future__ import annotations

from collections.abc import Iterator

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Match, ModelRule, OperationRule
from anecheck.mil.graph import Graph, Node

EVIDENCE = (cite("751k-dispatch", Confidence.MEASURED, "H16"),)


class FlagsRelu(OperationRule):
    """Flags every relu."""

    code, name, evidence = "XYZ101", "flags-relu", EVIDENCE
    operations = frozenset({"relu"})

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        yield self.finding(operation, "a relu", related=tuple(graph.users(operation)))


class RemarksOnRelu(OperationRule):
    """Speaks of every relu and what follows it, but keeps nothing from anywhere."""

    code, name, evidence = "XYZ105", "remarks-on-relu", EVIDENCE
    operations = frozenset({"relu"})
    blocks = frozenset()

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        yield self.finding(operation, "a relu", related=tuple(graph.users(operation)))


class FlagsEverything(OperationRule):
    """Flags everything, but leaves the word to others."""

    code, name, evidence = "XYZ102", "flags-everything", EVIDENCE
    defers = True

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        yield self.finding(operation, "an operation")


class Crashes(OperationRule):
    """Fails at the first operation that it sees."""

    code, name, evidence = "XYZ103", "crashes", EVIDENCE

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        raise RuntimeError(f"cannot bear {operation.type}")
        yield


class OnlyOldFamilies(OperationRule):
    """Holds on H13 only."""

    code, name, evidence = "XYZ104", "only-old-families", EVIDENCE
    operations = frozenset({"relu"})

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        yield self.finding(operation, "old", families=("H13",))


class CountsOperations(ModelRule):
    """Says how many operations the whole model has."""

    code, name, evidence = "XYZ801", "counts-operations", (cite("hollance", Confidence.FOLKLORE),)
    engine_only = False

    def check(self, context: Context) -> Iterator[Match]:
        yield self.finding(f"{sum(len(function.graph.nodes) for function in context.functions)} operations")
