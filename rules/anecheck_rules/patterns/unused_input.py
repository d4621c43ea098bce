"""ANE251: inputs that change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch
from anecheck.mil.types import StateType
from anecheck_rules.forms.liveness import placeholders, returned_inputs, unused_inputs


class UnusedInput(ModelRule):
    """No output of the function depends on one of its inputs.

    ## What it means
    The app has to fill the input at every prediction, and whatever it fills in, the result is the same. Either the model
    never used it (traced models keep every argument of the example call), or the conversion lost what it was for: assignments
    in place to a slice are a known case, and code under a condition that tracing settled is another. coremltools puts an
    `identity` named after the input with `_tmp` behind it, so in the program it looks used.

        mask ─ identity 'mask_tmp'              and nothing after it

    ## Instead
    Find out which of the two it is: run the original with two different values. Where the result changes, the conversion
    lost something (rewrite in-place assignments with `torch.where` or arithmetic). Where it does not, leave the argument out
    of the wrapper that is traced.

    ## Known exceptions
    Where a function returns an input as it is, returned-input speaks of the unused ones too.
    """

    code = "ANE251"
    name = "unused-input"
    engine_only = False
    severity = Severity.INFO
    rewrite = "leave the argument out of what is traced, or find out where the conversion lost it"
    evidence = (cite("coremltools-9", Confidence.DOCUMENTED),)
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 8, 4]> x, tensor<fp16, [1, 8]> mask) {
                    tensor<fp16, [1, 8, 4]> y = relu(x = x);
                    tensor<fp16, [1, 8]> mask_tmp = identity(x = mask);
                } -> (y);
            """),
            flags=("",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 8, 4]> x) {
                    tensor<fp16, [1, 8, 4]> y = relu(x = x);
                } -> (y);
            """),
            equal=False,
            reason="redesign: the input that changes nothing is gone, and the app no longer fills it",
            pytorch_before=pytorch("""
                def forward(self, x, mask=None):
                    return torch.relu(x)
            """),
            pytorch_after=pytorch("""
                class Wrapper(torch.nn.Module):
                    def forward(self, x):
                        return self.model(x)
            """),
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each input or state that no result of its function depends on."""
        for function in context.functions:
            if returned_inputs(function.graph):
                continue
            for operand in unused_inputs(function.graph):
                kind = "state" if isinstance(operand.type, StateType) else "input"
                yield self.finding(
                    f"no output depends on {kind} '{operand.name}'",
                    function=function,
                    related=placeholders(function.graph, [operand]),
                    explains=True,
                    input=operand.name,
                )
