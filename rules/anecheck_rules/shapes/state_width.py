"""ANE710: states whose rows are of an uneven width."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from anecheck.knowledge.evidence import FAMILIES, Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Example, Match, ModelRule, mil, pytorch
from anecheck.mil.graph import Operand
from anecheck_rules.shapes.states import states


class StateWidth(ModelRule):
    """The last axis of a state is no multiple of 32.

    ## Why it goes wrong
    A state 270 wide converted, and failed on the engine of an M4 with macOS 15; 256 worked. The width is that of the last
    axis. Rows of the engine's tensors begin at multiples of 64 bytes, which are 32 numbers of fp16.

    One report, with these two widths; other chips and widths are an analogy. So this is a hint: run a prediction.

    ## Instead
    - Pad the state to the next multiple (270 to 288), write padded rows and cut the padding off after reading.
    - Choose the layout in which the last axis is a multiple: the head's width (64, 96, 128), not a number of positions
      or channels that happens to be odd.
    """

    code = "ANE710"
    name = "state-width"
    severity = Severity.INFO
    rewrite = "pad the state's last axis to a multiple of 32, or lay it out differently"
    evidence = (cite("ct2631", Confidence.COMMUNITY, "H16"),)
    covers = ("ST02",)
    limits = ("state-width-multiple",)
    releases = "iOS 18 and macOS 15 on"
    EXAMPLES: ClassVar = (
        Example(
            before=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 1, 16]> k, tensor<fp16, [1, 4, 1, 16]> q,
                        state<tensor<fp16, [1, 4, 64, 16]>> cache) {
                    tensor<fp16, [1, 4, 64, 16]> old = read_state(input = cache);
                    tensor<fp16, [1, 4, 64, 16]> new = slice_update(begin = tensor<int32, [4]>([0, 0, 3, 0]),
                        end = tensor<int32, [4]>([1, 4, 4, 16]), update = k, x = old);
                    write_state(data = new, input = cache);
                    tensor<fp16, [1, 4, 64, 16]> keys = read_state(input = cache);
                    tensor<fp16, [1, 4, 1, 64]> y = matmul(transpose_x = bool(false), transpose_y = bool(true),
                        x = q, y = keys);
                } -> (y);
            """),
            flags=("",),
            after=mil("""
                func main<ios18>(tensor<fp16, [1, 4, 1, 16]> k, tensor<fp16, [1, 4, 1, 16]> q,
                        state<tensor<fp16, [1, 4, 64, 32]>> cache) {
                    tensor<fp16, [1, 4, 64, 32]> old = read_state(input = cache);
                    tensor<fp16, [1, 4, 64, 32]> new = slice_update(begin = tensor<int32, [4]>([0, 0, 3, 0]),
                        end = tensor<int32, [4]>([1, 4, 4, 16]), update = k, x = old);
                    write_state(data = new, input = cache);
                    tensor<fp16, [1, 4, 64, 32]> wide = read_state(input = cache);
                    tensor<fp16, [1, 4, 64, 16]> keys = slice_by_size(begin = tensor<int32, [4]>([0, 0, 0, 0]),
                        size = tensor<int32, [4]>([1, 4, 64, 16]), x = wide);
                    tensor<fp16, [1, 4, 1, 64]> y = matmul(transpose_x = bool(false), transpose_y = bool(true),
                        x = q, y = keys);
                } -> (y);
            """),
            equal=False,
            reason="redesign: the state is 32 wide, and only the first 16 columns are used",
            pytorch_before=pytorch("""
                class Keys(torch.nn.Module):
                    def __init__(self):
                        super().__init__()
                        self.register_buffer("cache", torch.zeros(1, 4, 64, 16, dtype=torch.float16))

                    def forward(self, k, q):
                        self.cache[:, :, 3:4] = k
                        return q @ self.cache.transpose(-1, -2)
            """),
            pytorch_after=pytorch("""
                class Keys(torch.nn.Module):
                    def __init__(self):
                        super().__init__()
                        self.register_buffer("cache", torch.zeros(1, 4, 64, 32, dtype=torch.float16))

                    def forward(self, k, q):
                        self.cache[:, :, 3:4, :16] = k
                        return q @ self.cache[..., :16].transpose(-1, -2)
            """),
            pattern="kv_state_ios18",
        ),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each function once for each width."""
        limit = context.limit("state-width-multiple")
        if limit is None:
            return
        multiple = int(limit.value)
        known = context.knowledge.families_of("state-width-multiple")
        for function in context.functions:
            uneven: dict[int, list[Operand]] = {}
            for state in states(function.graph):
                width = state.tensor.shape[-1] if state.tensor and state.tensor.rank else None
                if width is not None and width > 0 and width % multiple:
                    uneven.setdefault(width, []).append(state)
            for width, found in uneven.items():
                names = f"state '{found[0].name}' is" if len(found) == 1 else f"{len(found)} states are"
                yield self.finding(
                    f"{names} {width} wide, no multiple of {multiple}",
                    function=function,
                    families=tuple(family for family in FAMILIES if family in known),
                    states=[state.name for state in found],
                    width=width,
                )
