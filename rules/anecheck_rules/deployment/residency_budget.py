"""ANE811: models that take more memory than one that stays resident should."""

from __future__ import annotations

from collections.abc import Iterator

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.rule import Context, Match, ModelRule
from anecheck.predict.budget import RESIDENCY
from anecheck_rules.forms.budgets import calls, megabytes, of, on


class ResidencyBudget(ModelRule):
    """A model takes more memory than it may to stay resident.

    ## What it means
    Said only where it was asked for: `--residency single` for a model that is resident alone (150 MB), `--residency always` for
    one that stays loaded (50 MB). Counted are its weights as the chip and the system hold them, expanded to fp16 where they
    cannot be read as they are stored, and the largest working set.

    The engine's weights are mostly charged to another process of the system, not to the app: on a phone of 4 GB an app of
    100 MB brought other processes to 2.5 to 3 GB, and the system ended it. So a small figure in Xcode proves little.

    ## Instead
    Palettize the weights (4 bits are read as they are stored on A14, M1 and later from iOS 17 on), load the model when it is
    needed and release it after, or cut it and keep only the part that runs often.

    ## Known exceptions
    The figures are conventions of apps, not properties of the engine: `--limit residency-single-bytes=200e6` sets another.
    """

    code = "ANE811"
    name = "residency-budget"
    engine_only = False
    per_target = True
    rewrite = "compress the weights, or load the model only while it is needed"
    limits = tuple(RESIDENCY.values())
    evidence = (
        cite("guide25", Confidence.REVERSE_ENGINEERED),
        cite("app-targets", Confidence.FOLKLORE),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag a model with more."""
        wanted = context.budgets.residency
        limit = context.limit(RESIDENCY[wanted]) if wanted else None
        if limit is None:
            return
        for call in calls(context):
            size = call.memory_bytes
            if size <= limit.value:
                continue
            palettes = _palettized(call.resident_bytes, sum(part.weight_bytes[0] for part in call.parts), context)
            smaller = f"; weights of 4 bits would leave {megabytes(palettes + call.peak_bytes)}" if palettes else ""
            yield self.finding(
                f"{on(context)}{of(call)}{megabytes(size)} ({megabytes(call.resident_bytes)} of weights in memory, "
                f"{megabytes(call.peak_bytes)} of working set), {megabytes(size - limit.value)} more than the "
                f"{megabytes(limit.value)} of a model that {_standing(wanted or '')}{smaller}",
                function=call.functions[0] if call.label else None,
                families=(context.target.family,),
                budget_bytes=limit.value,
                resident_weight_bytes=call.resident_bytes,
                peak_working_set_bytes=call.peak_bytes,
            )


def _standing(wanted: str) -> str:
    return "stays loaded" if wanted == "always" else "is resident alone"


def _palettized(resident: int, stored: int, context: Context) -> float:
    """What the weights would take in 4 bits, where the target reads these as stored and they are larger; else 0."""
    part = context.assessments[0]
    dense = sum(weight.dense for each in context.assessments for weight in each.weights.all.values())
    palettes = dense / 4
    return palettes if "streams-int4-lut" in part.streams and palettes < min(resident, stored) else 0.0
