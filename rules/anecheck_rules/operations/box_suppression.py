"""ANE115: non-maximum suppression."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Example, Match, OperationRule, mil, pytorch
from anecheck.mil.graph import Graph, Node

REFUSED_OPSETS = frozenset({"CoreML5", "CoreML6"})
"""The operation sets of iOS 15 and 16, which the compiler's message names; they have `boxes` as [batch, boxes, 4]."""


class BoxSuppression(OperationRule):
    """Non-maximum suppression (`non_maximum_suppression`) runs on the CPU or the GPU.

    ## Why it leaves the engine
    Core ML's compiler says so in words for programs of iOS 15 and 16 ("ANE cannot support NMS for ios15 and ios16") and
    for more than 2048 boxes ("NonMaximumSuppression kernel cannot currently run on ANE with more than 2048 input
    boxes"). Below that the positions of the boxes are still given as 32-bit integers, which the engine does not have.

    ## Instead
    - Return boxes and scores, and let Vision or the app suppress: make it a model of its own in a pipeline, as object
      detectors for Vision have it.
    - Train a detector that needs no suppression.
    - Where it has to stay, leave it at the very end, so that nothing returns to the engine after it.

    ## Contradictions
    A direct engine compile on M5 accepted the operation, while the notes beside it say that it runs on the CPU or the GPU
    (aneforge). No placement report that shows it on the engine was published, so every one is flagged.
    """

    code = "ANE115"
    name = "non-maximum-suppression"
    operations = frozenset({"non_maximum_suppression"})
    rewrite = "return boxes and scores, and suppress outside the model"
    evidence = (
        cite("rs-strings", Confidence.REVERSE_ENGINEERED, "H14"),
        cite("aneforge", Confidence.REVERSE_ENGINEERED, "H13", "H17"),
    )
    covers = ("OP08",)
    limits = ("nms-boxes",)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios17>(tensor<fp16, [1, 4, 300]> boxes, tensor<fp16, [1, 20, 300]> x) {
                    tensor<fp16, [1, 20, 300]> scores = sigmoid(x = x);
                    tensor<fp16, [1, 4, 10]> y, tensor<fp16, [1, 20, 10]> y_scores, tensor<int32, [1, 10]> indices =
                        non_maximum_suppression(boxes = boxes, iou_threshold = fp16(0.5), max_boxes = int32(10),
                            per_class_suppression = bool(false), scores = scores);
                } -> (y, y_scores);
            """),
            flags=("y",),
            after=mil("""
                func main<ios17>(tensor<fp16, [1, 20, 300]> x) {
                    tensor<fp16, [1, 20, 300]> scores = sigmoid(x = x);
                } -> (scores);
            """),
            equal=False,
            reason="redesign: the model returns the scores, and the app suppresses the boxes",
            pytorch_before=pytorch("""
                def forward(self, boxes, x):
                    return boxes[torchvision.ops.nms(boxes, torch.sigmoid(x), 0.5)]
            """),
            pytorch_after=pytorch("""
                def forward(self, x):
                    return torch.sigmoid(x)  # Vision or the app suppresses
            """),
        ),
    )

    def check(self, operation: Node, graph: Graph, context: Context) -> Iterator[Match]:
        """Flag every one, with the reason that the compiler would give."""
        tensor, limit = operation.tensor("boxes"), context.limit("nms-boxes")
        refused = graph.function.opset in REFUSED_OPSETS
        boxes = tensor.shape[1 if refused else -1] if tensor and tensor.rank > 1 else None
        message = f"suppression among {'an unknown number of' if boxes is None else boxes} boxes"
        if refused:
            yield self.finding(operation, f"{message}, in a program for iOS 15 or 16", boxes=boxes)
        elif limit is not None and boxes is not None and boxes > limit.value:
            message = f"{message} (refused beyond {limit.value:.0f})"
            families = context.families_below("nms-boxes", boxes)
            yield self.finding(operation, message, families=families, evidence=limit.citations, boxes=boxes)
        else:
            yield self.finding(operation, message, boxes=boxes)
