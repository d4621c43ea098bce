"""ANE209: local response normalisation in its parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node, Operand
from anecheck.mil.pattern import follow, maker, number, with_number


class WrittenOutLocalResponseNorm(OperationRule):
    """A local response normalisation is written out in its parts, around a three-dimensional pooling.

    ## Why it costs
    `local_response_norm` is an operation of the engine. coremltools makes nine of `torch.nn.LocalResponseNorm`, because
    PyTorch itself computes it so: the squares get a fifth axis, are padded along the channels, averaged by a 3-D pool over
    neighbouring channels and lose the axis again, then follow α, k, a power and a division. Each goes over the whole tensor,
    three of them at rank 5: for 16 channels of 32 × 32 9.3 µs by Core ML's estimates for M4, against 0.9. Every square is fp16
    and infinite beyond 256.

        x ─┬─ mul(x) ─ reshape ─ pad ─ avg_pool(n × 1 × 1) ─ squeeze ─ mul(α) ─ add(k) ─ pow(β) ─ real_div
           └──────────────────────────────────────────────────────────────────────────────────────┘

        x ── local_response_norm(size = n, alpha = α, beta = β, k = k)

    AlexNet, the first Inception and nets of their time have it.

    ## Instead
    Register a conversion of the module that calls `mb.local_response_norm`; its parameters mean the same as PyTorch's. Where
    the network may be trained again, leave it out: batch normalisation has taken its place, and folds into convolutions.
    """

    code = "ANE209"
    name = "written-out-local-response-norm"
    operations = frozenset({"avg_pool"})
    blocks = frozenset()
    severity = Severity.INFO
    rewrite = "use one local_response_norm with the same size, alpha, beta and k"
    evidence = (
        cite("751k-dispatch", Confidence.MEASURED, "H16"),
        cite("apple-coreai", Confidence.DOCUMENTED),
    )
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 16, 32, 32]> x) {
                    tensor<fp16, [1, 16, 32, 32]> s = mul(x = x, y = x);
                    tensor<fp16, [1, 1, 16, 32, 32]> r = reshape(shape = tensor<int32, [5]>([1, 1, 16, 32, 32]), x = s);
                    tensor<fp16, [1, 1, 20, 32, 32]> p = pad(constant_val = fp16(0), mode = string("constant"),
                        pad = tensor<int32, [10]>([0, 0, 0, 0, 2, 2, 0, 0, 0, 0]), x = r);
                    tensor<fp16, [1, 1, 16, 32, 32]> m = avg_pool(ceil_mode = bool(false),
                        exclude_padding_from_average = bool(false), kernel_sizes = tensor<int32, [3]>([5, 1, 1]),
                        pad = tensor<int32, [6]>([0, 0, 0, 0, 0, 0]), pad_type = string("custom"),
                        strides = tensor<int32, [3]>([1, 1, 1]), x = p);
                    tensor<fp16, [1, 16, 32, 32]> q = squeeze(axes = tensor<int32, [1]>([1]), x = m);
                    tensor<fp16, [1, 16, 32, 32]> a = mul(x = q, y = fp16(0.125));
                    tensor<fp16, [1, 16, 32, 32]> b = add(x = a, y = fp16(1));
                    tensor<fp16, [1, 16, 32, 32]> d = pow(x = b, y = fp16(0.75));
                    tensor<fp16, [1, 16, 32, 32]> y = real_div(x = x, y = d);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 16, 32, 32]> x) {
                    tensor<fp16, [1, 16, 32, 32]> y = local_response_norm(alpha = fp16(0.125), beta = fp16(0.75), k = fp16(1),
                        size = int32(5), x = x);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                norm = nn.LocalResponseNorm(5, alpha=0.125)
            """),
            pytorch_after=pytorch("""
                @register_torch_op(torch_alias=["net::local_response_norm"])
                def local_response_norm(context, node):
                    x = context[node.inputs[0]]
                    context.add(mb.local_response_norm(x=x, size=5, alpha=0.125, beta=0.75, k=1.0, name=node.name))
            """),
            pattern="lrn_ios18",
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag an average over neighbouring channels of squares, by a power of which the source is divided."""
        window = operation.constant("kernel_sizes") or ()
        if len(window) != 3 or set(window[1:]) != {1} or any(step != 1 for step in operation.constant("strides") or ()):
            return
        padded = maker(operation.operand("x"), "pad")
        split = maker(padded.operand("x") if padded else None, "reshape", "expand_dims")
        squares = maker(split.operand("x") if split else None, "mul", "square")
        source = squares.operand("x") if squares else None
        if padded is None or split is None or squares is None or not _squares(squares, source):
            return
        joined = follow(operation, graph, "squeeze") or follow(operation, graph, "reshape")
        tail = follow(joined[0], graph, "mul", "add", "pow", "real_div") if joined else None
        if joined is None or tail is None:
            return
        scaled, shifted, power, quotient = tail
        alpha, k, beta = with_number(scaled), with_number(shifted), number(power.operand("y"))
        if not alpha or not k or beta is None or quotient.operand("x") is not source:
            return
        chain = (squares, split, padded, operation, joined[0], *tail)
        yield self.finding(
            quotient,
            f"local response norm over {window[0]} channels written out in {len(chain)} operations",
            related=chain[:-1],
            size=window[0],
            alpha=alpha[1],
            beta=beta,
            k=k[1],
        )


def _squares(node: Node, source: Operand | None) -> bool:
    return source is not None and (node.type == "square" or node.operand("y") is source)
