"""ANE125: cropping and resizing boxes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Citation, Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node


class CropResize(OperationRule):
    """Boxes are cropped and resized (`crop_resize`) in a form that the engine does not take.

    ## Why it leaves the engine
    The operation needs the texture engine, hardware that begins with A15 and M2. Where that exists, Core ML's compiler
    still refuses box indices of type int32 ('type int32 for "box_indices" is not supported. only support UInt16.'), which
    is the type that converters give.

    ## Instead
    Crop outside the model, where the boxes usually are, and pass the crops in. A box that never changes is a
    `slice_by_size` followed by a resize.

    ## Contradictions
    The engine guide lists the operation for every chip with a texture engine; M4's plan, read with int32 indices, has the
    CPU alone, and a direct engine compile on M5 does not have it. The refusal names the indices, and the converter's are
    always int32, so those are flagged. Its message promises uint16; nobody has published a plan with that.
    """

    code = "ANE125"
    name = "crop-resize"
    operations = frozenset({"crop_resize"})
    rewrite = "crop outside the model; for a box that never changes slice and resize"
    evidence = (
        cite("751k-analytics", Confidence.MEASURED, "H16"),
        cite("guide-a", Confidence.REVERSE_ENGINEERED, "H11", "H12", "H13", "H14", "H15"),
    )
    covers = ("OP15",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios17>(tensor<fp16, [1, 3, 32, 32]> x) {
                    tensor<fp16, [1, 4]> box = const()[val = tensor<fp16, [1, 4]>([[8, 8, 23, 23]])];
                    tensor<fp16, [1, 3, 8, 8]> y = crop_resize(box_coordinate_mode = string("CORNERS_HEIGHT_FIRST"),
                        box_indices = tensor<int32, [1]>([0]), boxes = box, normalized_coordinates = bool(false),
                        pad_value = fp16(0), sampling_mode = string("DEFAULT"), spatial_scale = fp16(1),
                        target_height = int32(8), target_width = int32(8), x = x);
                } -> (y);
            """),
            flags=("y",),
            after=mil("""
                func main<ios17>(tensor<fp16, [1, 3, 32, 32]> x) {
                    tensor<fp16, [1, 3, 16, 16]> box = slice_by_size(begin = tensor<int32, [4]>([0, 0, 8, 8]),
                        size = tensor<int32, [4]>([1, 3, 16, 16]), x = x);
                    tensor<fp16, [1, 3, 8, 8]> y = resize_bilinear(sampling_mode = string("DEFAULT"),
                        target_size_height = int32(8), target_size_width = int32(8), x = box);
                } -> (y);
            """),
            pytorch_before=pytorch("""
                mb.crop_resize(  # PyTorch's roi_align has no conversion
                    x=x,
                    boxes=np.float16([[8, 8, 23, 23]]),
                    box_indices=np.int32([0]),
                    target_height=8,
                    target_width=8,
                    box_coordinate_mode="CORNERS_HEIGHT_FIRST",
                )
            """),
            pytorch_after=pytorch("""
                box = mb.slice_by_size(x=x, begin=[0, 0, 8, 8], size=[1, 3, 16, 16])
                mb.resize_bilinear(x=box, target_size_height=8, target_size_width=8)
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag the operation where the family lacks it, and box indices that are not uint16 elsewhere."""
        verdict = context.verdict(operation.type)
        indices = operation.tensor("box_indices")
        if verdict is not None and verdict.status == "never":
            yield self.finding(
                operation,
                "the engine has no 'crop_resize'",
                families=context.families_without(operation.type),
                evidence=tuple(Citation(source, verdict.confidence) for source in verdict.sources),
            )
        elif indices is not None and indices.dtype != "uint16":
            yield self.finding(
                operation, f"box indices of type {indices.dtype}, only uint16 is taken", dtype=indices.dtype
            )
