"""ANE101: operations that no engine runs, from the operator table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Citation, Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node

UNAVOIDABLE = frozenset({"classify"})
"""Operations that an app asks for by the kind of its model; they stand at the end and take next to no time."""


class NoEnginePath(OperationRule):
    """An operation that the engine does not have.

    ## Why it leaves the engine
    Core ML's compiler has no engine implementation for some operations, whatever their shapes and types: the inverse and
    hyperbolic trigonometric functions, `mod`, `reduce_prod`, `one_hot`, the random generators, everything whose output
    shape depends on data … For each the operator table says what was seen on which engine generation, and by whom.
    Operations of which nothing is known are left alone.

    ## Instead
    Compute the value before the model runs and pass it in, or write it with operations that the engine has:

    - `tan` is `sin / cos`; `sinh` and `cosh` are (exp(x) ∓ exp(−x)) / 2
    - `mod(x, y)` is `x − floor_div(x, y) · y`: exact in fp16 for y = 2 or 4, for others while |x| is below 2048
    - `reduce_prod` over a short axis is a chain of `mul` over its slices
    - `one_hot` compares fp16 indices with a constant range (`equal`) and casts the result to fp16
    - `band_part`, `range_1d` and random noise of constant shape become constants or inputs
    - `shape` and the arithmetic on its result disappear when the model is converted with fixed shapes
    - `non_zero`, `non_maximum_suppression` and other data-dependent shapes belong behind the model

    ## Known exceptions
    `classify`, which gives a classifier its label, always runs on the CPU, at the end and in no time: a hint, no more.

    ## Contradictions
    - `resample` (PyTorch's `grid_sample`) and `affine`: an issue of 2023 (ct1875) says neither the engine nor the GPU runs
      them. The engine guide has them on the texture engine, from A15 and M2 on, and M4's plan lists the engine. The plan
      is the newer and the better evidence, so they are flagged on A14, M1 and older alone.
    - Random numbers: the engine guide tells of a generator in the hardware of newer chips. M4's plan has `random_normal`
      on the CPU, and it is the plan that places it.
    """

    code = "ANE101"
    name = "no-engine-path"
    defers = True
    rewrite = "write it with operations that the engine has, or compute it outside the model"
    evidence = (cite("751k-dispatch", Confidence.MEASURED, "H16"),)
    covers = ("OP11", "OP12", "OP13", "OP14", "OP16", "OP46", "OP51")
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 64, 32, 32]> x) {
                    tensor<fp16, [1, 64, 32, 32]> y = tan(x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 64, 32, 32]> x) {
                    tensor<fp16, [1, 64, 32, 32]> s = sin(x = x);
                    tensor<fp16, [1, 64, 32, 32]> c = cos(x = x);
                    tensor<fp16, [1, 64, 32, 32]> y = real_div(x = s, y = c);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def forward(self, x):
                    return torch.tan(x)
            """),
            pytorch_after=pytorch("""
                def forward(self, x):
                    return torch.sin(x) / torch.cos(x)
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 64, 32, 32]> x) {
                    tensor<fp16, [1, 64, 32, 32]> y = mod(x = x, y = fp16(2));
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 64, 32, 32]> x) {
                    tensor<fp16, [1, 64, 32, 32]> q = floor_div(x = x, y = fp16(2));
                    tensor<fp16, [1, 64, 32, 32]> p = mul(x = q, y = fp16(2));
                    tensor<fp16, [1, 64, 32, 32]> y = sub(x = x, y = p);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                @mb.program(input_specs=[mb.TensorSpec((1, 64, 32, 32), types.fp16)], opset_version=ct.target.iOS18)
                def program(x):
                    return mb.mod(x=x, y=np.float16(2))
            """),
            pytorch_after=pytorch("""
                def forward(self, x):
                    return x % 2  # from PyTorch, coremltools writes it without mod
            """),
        ),
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 4, 4]> x) {
                    tensor<fp16, [1, 2, 4, 4]> y = band_part(lower = int32(-1), upper = int32(0), x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 2, 4, 4]> x) {
                    tensor<fp16, [4, 4]> triangle = const()[val = tensor<fp16, [4, 4]>(
                        [[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]])];
                    tensor<fp16, [1, 2, 4, 4]> y = mul(x = x, y = triangle);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                def forward(self, x):
                    return torch.tril(x)
            """),
            pytorch_after=pytorch("""
                def __init__(self):
                    super().__init__()
                    self.register_buffer("triangle", torch.ones(4, 4).tril())

                def forward(self, x):
                    return x * self.triangle
            """),
            pattern="tril_mask_ios18",
        ),
    )

    def concerns(self, kind: str, context: Context) -> bool:
        """Only types whose verdict for the target's engine is 'never'."""
        verdict = context.verdict(kind)
        return verdict is not None and verdict.status == "never"

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag an operation whose verdict for the target's engine is 'never'."""
        verdict = context.verdict(operation.type)
        if verdict is not None and verdict.status == "never":
            yield self.finding(
                operation,
                f"the engine has no '{operation.type}'",
                families=context.families_without(operation.type),
                reject=context.knowledge.operators[operation.type].reject,
                severity=Severity.INFO if operation.type in UNAVOIDABLE else None,
                evidence=tuple(Citation(source, verdict.confidence) for source in verdict.sources),
            )
