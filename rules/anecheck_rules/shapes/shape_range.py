"""ANE701: inputs that accept a range of shapes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch
from anecheck.mil.model import Feature, Flexibility, Interface
from anecheck.predict.whole import RANGE_OF_SHAPES, takes_hints
from anecheck_rules.shapes.flexible_inputs import flexible, joined, spelt


class ShapeRange(ModelRule):
    """An input accepts a range of shapes.

    ## Why it leaves the engine
    The engine runs programs that were compiled for fixed sizes. A dimension from `ct.RangeDim` has no size when the model
    is loaded, and every tensor computed from it has none either. Core ML then does without the engine for the whole
    model, not only for the operations that see the open dimension; its runtime logs "MLE5Engine is not currently
    supported for models with range shape inputs that try to utilize the Neural Engine". Where somebody measured, sizes
    other than the default ran on the engine to 0 %. Nothing fails: the model gives the right numbers from CPU or GPU.

    A range over a hundred sizes costs as much as one over two.

    ## Instead
    - Fix the shape. Scale or pad images to one size; pad sequences to the longest and pass a mask.
    - Two or three sizes: convert one function for each and save them in one package that shares the weights
      (`ct.utils.MultiFunctionDescriptor`, from iOS 18 and macOS 15 on), or ship a model for each.
    - Up to 128 sizes: list them with `ct.EnumeratedShapes` in place of the range.
    - Long inputs: cut them into chunks of one size, and keep what passes from chunk to chunk in inputs or a state.

    ## Contradictions
    Apple documents a way to keep the range: from iOS 17.4 and macOS 14.4 on an app may set
    `optimizationHints.reshapeFrequency = .infrequent` in its `MLModelConfiguration`. Core ML then compiles for each shape
    when it first meets it, so the first prediction of each size takes long. The hint is given where the model is loaded
    and the model does not show it, so this rule still warns; for a target that names such a release
    (`--target m4/macos15`) it says what the engine depends on. An app that gives the hint can ignore this rule.
    """

    code = "ANE701"
    name = "shape-range"
    rewrite = "fix the shape (pad and mask), make one function per size, or enumerate up to 128 shapes"
    evidence = RANGE_OF_SHAPES
    covers = ("DY01",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 3, ?, ?]> x) {
                    tensor<fp16, [1, 8, ?, ?]> features = conv(dilations = tensor<int32, [2]>([1, 1]),
                        groups = int32(1), pad = tensor<int32, [4]>([1, 1, 1, 1]), pad_type = string("custom"),
                        strides = tensor<int32, [2]>([1, 1]), weight = tensor<fp16, [8, 3, 3, 3]>(BLOBFILE(
                        path = string("@model_path/weights/weight.bin"), offset = uint64(64))), x = x);
                    tensor<fp16, [1, 8, ?, ?]> active = relu(x = features);
                    tensor<fp16, [1, 8, 1, 1]> y = reduce_mean(axes = tensor<int32, [2]>([-2, -1]),
                        keep_dims = bool(true), x = active);
                } -> (y);
            """),
            flags=("",),
            interface=Interface(
                (
                    Feature(
                        "x",
                        "multiarray",
                        "float16",
                        (1, 3, 32, 32),
                        flexibility=Flexibility("range", (1, 3, 32, 32), ((1, 1), (3, 3), (16, 64), (16, 64))),
                    ),
                )
            ),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 3, 32, 32]> x) {
                    tensor<fp16, [1, 8, 32, 32]> features = conv(dilations = tensor<int32, [2]>([1, 1]),
                        groups = int32(1), pad = tensor<int32, [4]>([1, 1, 1, 1]), pad_type = string("custom"),
                        strides = tensor<int32, [2]>([1, 1]), weight = tensor<fp16, [8, 3, 3, 3]>(BLOBFILE(
                        path = string("@model_path/weights/weight.bin"), offset = uint64(64))), x = x);
                    tensor<fp16, [1, 8, 32, 32]> active = relu(x = features);
                    tensor<fp16, [1, 8, 1, 1]> y = reduce_mean(axes = tensor<int32, [2]>([-2, -1]),
                        keep_dims = bool(true), x = active);
                } -> (y);
            """),
            equal=False,
            reason="redesign: one size, to which the app scales the picture",
            pytorch_before=pytorch("""
                size = ct.RangeDim(lower_bound=16, upper_bound=64, default=32)
                ct.convert(traced, inputs=[ct.TensorType(shape=(1, 3, size, size), dtype=np.float16)])
            """),
            pytorch_after=pytorch("""
                ct.convert(traced, inputs=[ct.TensorType(shape=(1, 3, 32, 32), dtype=np.float16)])
            """),
            pattern="dyn_rangedim_conv_ios18",
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function that has such inputs, once."""
        hint = takes_hints(context.target)
        for function in context.functions:
            ranges = flexible(context, function, "range")
            if not ranges:
                continue
            inputs = joined(f"input '{feature.name}' {_bounds(flexibility)}" for feature, flexibility in ranges)
            consequence = (
                "the engine is used only if the app asks for reshapeFrequency = .infrequent"
                if hint
                else "Core ML does not use the engine for such a model"
            )
            yield self.finding(
                f"{inputs}: {consequence}",
                function=function,
                inputs=[feature.name for feature, _ in ranges],
                hint=hint,
            )


def _bounds(flexibility: Flexibility) -> str:
    return "accepts " + spelt(_bound(*bounds) for bounds in flexibility.bounds)


def _bound(lower: int, upper: int | None) -> str:
    return f"{lower} or more" if upper is None else str(lower) if lower == upper else f"{lower}…{upper}"
