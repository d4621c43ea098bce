"""ANE109: writing into a tensor at indices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node
from anecheck_rules.forms.integer_paths import index_preparation


class Scatter(OperationRule):
    """A `scatter`, `scatter_along_axis` or `scatter_nd` runs on the CPU.

    ## Why it leaves the engine
    Core ML's compiler refuses them for the engine whether the indices are constant or not: `scatter` with "scatter MIL
    op is currently only supported on uANE targets (u1-u4)", `scatter_along_axis` as unknown to it. The tensor that is
    written into crosses to the CPU and back, however small the update is. Assigning to a slice in PyTorch becomes a
    `scatter` for deployment targets before iOS 18.

    ## Instead
    - Where the positions are constant, cut the tensor there and put it together again with `concat`.
    - Where they are not, blend: `y = x · (1 − m) + u · m`, with a mask m of ones and zeros as an fp16 input and the
      update u broadcast over x. Mode "add" is `x + u · m`.
    - For deployment targets from iOS 18 on, write a contiguous block with `slice_update` and constant bounds.
    - What starts from constants alone (the masks of shifted windows are made like that) make a constant before conversion.
    - Return the new values and write them outside the model, as Apple advises for key and value caches.
    """

    code = "ANE109"
    name = "scatter"
    operations = frozenset({"scatter", "scatter_along_axis", "scatter_nd"})
    rewrite = "concatenate slices where the positions are constant, else blend with an fp16 mask: x·(1−m) + u·m"
    evidence = (
        cite("751k-dispatch", Confidence.MEASURED, "H16"),
        cite("ct-ops", Confidence.DOCUMENTED),
        cite("smp-notes", Confidence.COMMUNITY, "H13"),
    )
    covers = ("OP05", "ST10")
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios17>(tensor<fp16, [1, 4, 32]> x, tensor<fp16, [1, 1, 32]> u) {
                    tensor<fp16, [32]> row = reshape(shape = tensor<int32, [1]>([-1]), x = u);
                    tensor<fp16, [128]> flat = reshape(shape = tensor<int32, [1]>([-1]), x = x);
                    tensor<int32, [32]> places = const()[val = tensor<int32, [32]>(
                        [32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
                         48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63])];
                    tensor<fp16, [128]> written = scatter(axis = int32(0), data = flat, indices = places,
                        mode = string("update"), updates = row, validate_indices = bool(false));
                    tensor<fp16, [1, 4, 32]> y = reshape(shape = tensor<int32, [3]>([1, 4, 32]), x = written);
                } -> (y);
            """),
            flags=("written",),
            after=mil("""
                func main<ios17>(tensor<fp16, [1, 4, 32]> x, tensor<fp16, [1, 1, 32]> u) {
                    tensor<fp16, [1, 1, 32]> head = slice_by_size(begin = tensor<int32, [3]>([0, 0, 0]),
                        size = tensor<int32, [3]>([1, 1, 32]), x = x);
                    tensor<fp16, [1, 2, 32]> tail = slice_by_size(begin = tensor<int32, [3]>([0, 2, 0]),
                        size = tensor<int32, [3]>([1, 2, 32]), x = x);
                    tensor<fp16, [1, 4, 32]> y = concat(axis = int32(1), interleave = bool(false),
                        values = (head, u, tail));
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def forward(self, x, u):  # converted for iOS 17; for iOS 18 this is a slice_update
                    y = x.clone()
                    y[:, 1:2] = u
                    return y
            """),
            pytorch_after=pytorch("""
                def forward(self, x, u):
                    return torch.cat([x[:, :1], u, x[:, 2:]], 1)
            """),
            pattern="kv_slice_assign_const_ios17",
            also=("ANE802",),
        ),
        Example(
            before=mil("""
                func main<ios17>(tensor<fp16, [4, 32]> x, tensor<fp16, [1, 32]> u, tensor<int32, [1, 1]> position) {
                    tensor<fp16, [4, 32]> y = scatter_nd(data = x, indices = position, mode = string("update"),
                        updates = u, validate_indices = bool(false));
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios17>(tensor<fp16, [4, 32]> x, tensor<fp16, [1, 32]> u, tensor<fp16, [4, 32]> mask) {
                    tensor<fp16, [4, 32]> rest = sub(x = fp16(1), y = mask);
                    tensor<fp16, [4, 32]> kept = mul(x = x, y = rest);
                    tensor<fp16, [4, 32]> written = mul(x = u, y = mask);
                    tensor<fp16, [4, 32]> y = add(x = kept, y = written);
                } -> (y);
            """),
            equal=False,
            reason="redesign: a mask of ones and zeros takes the place of the position",
            pytorch_before=pytorch("""
                def forward(self, x, u, position):
                    return x.index_put((position,), u)
            """),
            pytorch_after=pytorch("""
                def forward(self, x, u, mask):  # ones in the row to write, zeros elsewhere
                    return x * (1 - mask) + u * mask
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag every one, together with the operations that only prepare its indices."""
        indices = operation.operand("indices")
        constant = indices is not None and indices.is_constant
        related = () if indices is None or constant else index_preparation(indices)
        mode = operation.scalar("mode") or "add"
        yield self.finding(
            operation,
            f"{operation.type} at {'constant' if constant else 'run-time'} positions (mode '{mode}')",
            related=related,
            reject=context.knowledge.operators[operation.type].reject,
            constant=constant,
            mode=mode,
            updates=str(operation.tensor("updates")),
            tensor=str(operation.tensor("data")),
        )
