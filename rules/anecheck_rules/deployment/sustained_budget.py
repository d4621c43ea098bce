"""ANE810: predictions that fit their frame, but not after minutes of heat."""

from __future__ import annotations

from collections.abc import Iterator

from anecheck.knowledge.evidence import Citation, Confidence, Device, cite
from anecheck.lint.calls import Call
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Match, ModelRule
from anecheck.predict.budget import frame_verdict
from anecheck_rules.forms.budgets import (
    calls,
    carried_over,
    finite,
    milliseconds,
    ms,
    of,
    on,
    outcome,
    severity,
    what_helps,
)


class SustainedBudget(ModelRule):
    """A prediction is estimated to miss its frame once the device is hot.

    ## What it means
    Said only where a rate and minutes were asked for (`--fps 30 --sustained 10`). A phone has no fan: under unbroken work its
    engine kept 84 to 98 % of its rate after 5 minutes and 67 to 75 % after 10, its GPU about half after a single minute. A Mac
    with a fan kept all of it as long as anybody measured, which is three and a half minutes.

    Few devices were measured, one iPhone 17 Pro and one M1 Max, so the share is a range, and beyond the last minute measured its
    low side is a guess. The frame is that of frame-budget, the time is divided by the share.

    ## Instead
    Leave more room: lower the rate when `ProcessInfo.thermalState` rises, skip frames, or do what frame-budget advises.
    Moving work from the GPU to the engine helps twice.
    """

    code = "ANE810"
    name = "sustained-frame-budget"
    engine_only = False
    per_target = True
    rewrite = "leave room for heat: a lower rate, skipped frames, or a smaller model"
    evidence = (
        cite("latency-fit", Confidence.ESTIMATED, "H13", "H14", "H15", "H16"),
        cite("llm-bench", Confidence.COMMUNITY, "H18"),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag each prediction that misses the frame after so many minutes, or may."""
        budgets = context.budgets
        if budgets.fps is None or budgets.sustained is None:
            return
        from anecheck.predict.heat import sustained, unmeasured  # noqa: PLC0415  # only where it was asked for

        chip_class = _device_class(context)
        minutes = f"after {budgets.sustained:g} minutes"
        for call in calls(context):
            device = _warmest(call)
            share = sustained(chip_class, device, budgets.sustained, context.knowledge)
            if share is None:
                yield self.finding(
                    f"{on(context)}{of(call)}{minutes}: {unmeasured(chip_class, device, context.knowledge)}",
                    families=(context.target.family,),
                    severity=Severity.INFO,
                )
                continue
            left = (share.low, share.high)
            verdict = frame_verdict(budgets, call.ms, left)
            level = severity(verdict)
            if level is None:
                continue
            kept = f"{share.low:.0%}" if share.low == share.high else f"{share.low:.0%} to {share.high:.0%}"
            yield self.finding(
                f"{on(context)}{of(call)}{minutes} {milliseconds(verdict)}, {kept} of the rate being left, "
                f"where a frame at {budgets.fps:g} a second leaves {ms(verdict.budget)} ms: "
                f"{outcome(verdict)}{carried_over(call)}{what_helps(call, budgets, left)}. {_shortly(share.note)}",
                function=call.functions[0] if call.label else None,
                families=(context.target.family,),
                severity=level,
                evidence=(*self.evidence[:1], Citation(share.source, share.confidence, ())),
                budget_ms=verdict.budget,
                estimated_ms=verdict.middle,
                low_ms=verdict.low,
                high_ms=finite(verdict.high),
                share_low=share.low,
                share_high=share.high,
                measured=share.note,
            )


def _device_class(context: Context) -> str:
    """What kind of device the target is; a family stands for the first of its chips."""
    target, knowledge = context.target, context.knowledge
    chip = target.chip or knowledge.families[target.family].chips[0]
    return knowledge.chips[chip].device_class


def _warmest(call: Call) -> Device:
    """The GPU where it has a part, for it loses more; else the engine, and the CPU where that has all."""
    placed = {segment.device for part in call.parts for segment in part.placement.segments}
    return next((device for device in (Device.GPU, Device.ANE) if device in placed), Device.CPU)


def _shortly(note: str) -> str:
    """What was measured, and how far beyond that the minutes lie: the first sentence, and the last if it says so."""
    sentences = note.split(". ")
    beyond = sentences[-1] if len(sentences) > 1 and sentences[-1].startswith("Measured for") else ""
    return f"{sentences[0].rstrip('.')}. {beyond}".strip()
