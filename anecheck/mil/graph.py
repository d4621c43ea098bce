"""The graph of a function: a node an operation, an edge a value, constants folded into their users.

Names are resolved once, here. What a rule asks for (an operand's type, its constant value, who made it, who uses it) is
then a look-up; `Graph.networkx` gives the same graph to whoever wants networkx's algorithms.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from anecheck.mil.node import CONSTEXPR_PREFIX, Node, Operand, Path
from anecheck.mil.program import Argument, Block, Function, Operation
from anecheck.mil.types import TensorType
from anecheck.mil.values import BlobValue

if TYPE_CHECKING:
    import networkx

__all__ = ["CONSTEXPR_PREFIX", "Graph", "Node", "Operand", "Path"]

STATE_ACCESS = ("read_state", "write_state")


class Graph:
    """The graph of one function.

    `nodes` are in execution order, a control-flow operation before those of its blocks. `inputs` are the function's.
    """

    def __init__(self, function: Function) -> None:
        self.function = function
        self.nodes: list[Node] = []
        self.by_type: dict[str, list[Node]] = {}
        self._consumers: dict[Operand, list[tuple[Node, str]]] = {}
        self._state_order: list[tuple[Node, Node, Operand]] = []
        self._last_access: dict[Operand, Node] = {}
        self.results: dict[Node, list[Operand]] = {}
        """What the nested blocks of a control-flow operation return, by operation."""
        self._returned: set[Operand] = set()
        self._weights: dict[tuple[str, int], BlobValue] = {}
        self.weighted: dict[Node, None] = {}
        """The operations that run with a weight: a tensor of the weight file, or what `constexpr_*` expands; in order."""
        self.inputs = tuple(Operand(variable.name, variable.type) for variable in function.inputs)
        own = (Operand(variable.name, variable.type) for variable in function.block.inputs)
        scope = {operand.name: operand for operand in (*self.inputs, *own)}
        self.outputs = self._add_block(function.block, [scope], [])
        self._output_set = frozenset(self.outputs)
        self._returned.update(self.outputs)

    def consumers(self, operand: Operand) -> list[tuple[Node, str]]:
        """Who uses a value, each with the parameter it is bound to."""
        return self._consumers.get(operand, [])

    def users(self, node: Node) -> list[Node]:
        """The nodes that use any output of `node`, each once."""
        return list(dict.fromkeys(user for output in node.outputs for user, _ in self.consumers(output)))

    def only_user(self, operand: Operand) -> Node | None:
        """The single node that uses a value; `None` if several do, nobody does, or the function or a block returns it."""
        users = self.consumers(operand)
        return users[0][0] if len(users) == 1 and operand not in self._returned else None

    def is_output(self, operand: Operand) -> bool:
        """Whether the function returns a value."""
        return operand in self._output_set

    def is_returned(self, operand: Operand) -> bool:
        """Whether the function or a nested block returns a value."""
        return operand in self._returned

    @cached_property
    def shared(self) -> list[Operand]:
        """The values that are used more than once."""
        return [operand for operand, users in self._consumers.items() if len(users) > 1]

    @cached_property
    def unread(self) -> list[Node]:
        """The operations of which no result is used or returned; `write_state` and the like, which have none, among them."""
        consumers, returned = self._consumers, self._returned
        return [
            node for node in self.nodes if not any(output in consumers or output in returned for output in node.outputs)
        ]

    @cached_property
    def running(self) -> list[Node]:
        """The operations that run with the model: all but those that expand compressed weights."""
        return [node for node in self.nodes if not node.is_constexpr]

    @cached_property
    def tensor_types(self) -> list[TensorType]:
        """The types of all run-time tensors, each object once: a program that was read has few, and shares them."""
        return list({id(tensor): tensor for node in self.nodes for tensor in node.running_tensors}.values())

    @cached_property
    def networkx(self) -> networkx.MultiDiGraph[Node]:
        """The same graph for networkx. Every edge has a `kind` and, but for state order, an `operand`:

        - "data": a value from its producer to its user;
        - "capture": a value used inside a nested block, from its producer to the control-flow operation;
        - "result": what a nested block returns, from its producer to the control-flow operation;
        - "state": the order of two accesses to the same state.

        It is built when first asked for: importing networkx costs more than linting a small model.
        """
        import networkx  # noqa: PLC0415

        graph: networkx.MultiDiGraph[Node] = networkx.MultiDiGraph(name=self.function.name)
        graph.add_nodes_from((node, {"index": node.index, "type": node.type}) for node in self.nodes)
        for node in self.nodes:
            for parameter, operand in node.operands():
                if operand.producer:
                    graph.add_edge(operand.producer, node, kind="data", operand=operand, parameter=parameter)
            for operand in node.captures:
                if operand.producer:
                    graph.add_edge(operand.producer, node, kind="capture", operand=operand)
        for outer, results in self.results.items():
            for operand in results:
                if operand.producer:
                    graph.add_edge(operand.producer, outer, kind="result", operand=operand)
        for earlier, later, state in self._state_order:
            graph.add_edge(earlier, later, kind="state", operand=state)
        return graph

    @property
    def weights(self) -> tuple[BlobValue, ...]:
        """Every reference into a weight file that the operations make, through constants or in place, each once."""
        return tuple(self._weights.values())

    # Building

    def _add_block(
        self, block: Block, scopes: list[dict[str, Operand]], around: list[Node], path: Path = ()
    ) -> tuple[Operand, ...]:
        """Add the operations of `block`, which lies at `path`.

        `scopes` are the visible names, the block's own last; `around` are the nodes in whose blocks it is nested.
        """
        position = 0
        scope = scopes[-1]
        for operation in block.operations:
            if operation.type == "const":
                value = operation.attributes.get("val")
                for variable in operation.outputs:
                    scope[variable.name] = Operand(variable.name, variable.type, None, value)
                continue
            inputs = {
                parameter: tuple(
                    [
                        (scope.get(argument) if isinstance(argument, str) else None)
                        or self._resolve(argument, scopes, around)
                        for argument in arguments
                    ]
                )
                for parameter, arguments in operation.inputs.items()
            }
            node = self._add_node(operation, around[0].index if around else position, path, inputs)
            for number, nested in enumerate(operation.blocks):
                own = {variable.name: Operand(variable.name, variable.type) for variable in nested.inputs}
                results = self._add_block(nested, [*scopes, own], [*around, node], (*path, (position, number)))
                self._returned.update(results)
                self.results.setdefault(node, []).extend(results)
            for output in node.outputs:
                scope[output.name] = output
            position += 1
        return tuple([self._resolve_name(name, scopes, around) for name in block.outputs])

    def _add_node(self, operation: Operation, index: int, path: Path, inputs: dict[str, tuple[Operand, ...]]) -> Node:
        node = Node(operation, operation.type, index, path, inputs)
        node.outputs = tuple([Operand(variable.name, variable.type, node) for variable in operation.outputs])
        self.nodes.append(node)
        self.by_type.setdefault(operation.type, []).append(node)
        running = []
        consumers = self._consumers
        for parameter, bound in inputs.items():
            for operand in bound:
                if operand.value is None:
                    consumers.setdefault(operand, []).append((node, parameter))
                    if operand.producer is None or not operand.producer.is_constexpr:
                        running.append(operand)
                    elif not node.is_constexpr:
                        self.weighted[node] = None
                elif isinstance(operand.value, BlobValue):
                    if not node.is_constexpr:
                        self.weighted[node] = None
                    self._weights.setdefault((operand.value.path, operand.value.offset), operand.value)
        running += node.outputs
        node.running_tensors = tuple([tensor for operand in running if (tensor := operand.tensor) is not None])
        if len(operation.attributes) > 1:  # more than a name: compressed weights of older operation sets
            for value in operation.attributes.values():
                if isinstance(value, BlobValue):
                    self._weights.setdefault((value.path, value.offset), value)
        if operation.type in STATE_ACCESS:
            self._order_state(node)
        return node

    def _resolve(self, argument: Argument, scopes: list[dict[str, Operand]], around: list[Node]) -> Operand:
        """Resolve an argument: a value in place, or a name."""
        if not isinstance(argument, str):
            return Operand("", argument.type, None, argument)
        return self._resolve_name(argument, scopes, around)

    @staticmethod
    def _resolve_name(name: str, scopes: list[dict[str, Operand]], around: list[Node]) -> Operand:
        """Resolve a name of the block itself, or one that the blocks between capture."""
        own = scopes[-1].get(name)
        if own is not None:
            return own
        operand, depth = _find(name, scopes)
        if operand.value is None:
            for node in around[depth:]:
                node.captures[operand] = None
        return operand

    def _order_state(self, node: Node) -> None:
        state = node.operand("input")
        if state is None:
            return
        if state in self._last_access:
            self._state_order.append((self._last_access[state], node, state))
        self._last_access[state] = node


def _find(name: str, scopes: list[dict[str, Operand]]) -> tuple[Operand, int]:
    """The operand of `name` and the depth of the scope that defines it."""
    for depth in range(len(scopes) - 1, -1, -1):
        if name in scopes[depth]:
            return scopes[depth][name], depth
    raise KeyError(name)  # validated when the program was read
