"""ANE812: models that take longer to load than somebody, or a camera, waits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Match, ModelRule
from anecheck.predict.budget import LOAD
from anecheck_rules.forms.budgets import calls, ms, of, on

if TYPE_CHECKING:
    from anecheck.predict.load import Load


class LoadBudget(ModelRule):
    """A model is expected to take longer to load than was asked for.

    ## What it means
    Said only where it was asked for: `--load cold` (100 ms, somebody waits) or `--load camera` (50 ms). Models fall into three
    classes: small networks whose load from the system's cache keeps to that, slow ones, and those whose first load takes
    minutes. The first load after an install or an update of the system compiles the model for the engine and never keeps
    to either figure; later ones find it in the cache.

    What makes a load long are the weights in memory, the number of engine segments, each a program of its own, branches that
    meet again by the dozen, and the few forms that blow up the compiler. The message names them with what they add. What is
    published of load times are some twenty figures of six devices, so it is a range with wide ends.

    ## Instead
    Load early and off the main thread (`MLModel.load(contentsOf:)`), show something meanwhile, keep it loaded; compress the
    weights; bring operations off the engine to the ends, so that there are fewer segments; compile on first start, not on
    first use.
    """

    code = "ANE812"
    name = "load-budget"
    engine_only = False
    per_target = True
    rewrite = "load early and in the background, and shrink what the message names"
    limits = tuple(LOAD.values())
    evidence = (
        cite("ane-guide", Confidence.REVERSE_ENGINEERED),
        cite("app-targets", Confidence.FOLKLORE),
    )

    def check(self, context: Context) -> Iterator[Match]:
        """Flag a model of another class than the fast one."""
        wanted = context.budgets.load
        limit = context.limit(LOAD[wanted]) if wanted else None
        if limit is None:
            return
        from anecheck.predict.load import CACHED, MINUTES, load_of  # noqa: PLC0415  # only where it was asked for

        for call in calls(context):
            loads = [load_of(part, limit.value) for part in call.parts]
            slowest = max(loads, key=lambda load: load.first_s[1])
            cached = (sum(load.cached_ms[0] for load in loads), sum(load.cached_ms[1] for load in loads))
            first = (sum(load.first_s[0] for load in loads), sum(load.first_s[1] for load in loads))
            if slowest.kind == CACHED and cached[1] <= limit.value:
                continue
            sure = cached[0] > limit.value or slowest.kind == MINUTES
            yield self.finding(
                f"{on(context)}{of(call)}loads {_kind(slowest)}: from the cache in {ms(cached[0])} to {ms(cached[1])} ms, "
                f"{_beyond(cached, limit.value)}, the first time in {_seconds(first)}; {_drivers(slowest)}",
                function=call.functions[0] if call.label else None,
                families=(context.target.family,),
                severity=None if sure else Severity.INFO,
                evidence=(*self.evidence, *slowest.citations),
                budget_ms=limit.value,
                kind=slowest.kind,
                cached_ms=list(cached),
                first_s=list(first),
                drivers=[driver.name for driver in slowest.drivers],
            )


def _kind(load: Load) -> str:
    from anecheck.predict.load import CACHED, MINUTES  # noqa: PLC0415

    return {CACHED: "fast by its parts, not in all", MINUTES: "in minutes the first time"}.get(load.kind, "slowly")


def _beyond(cached: tuple[float, float], wanted: float) -> str:
    if cached[0] > wanted:
        return f"at least {ms(cached[0] - wanted)} ms more than the {ms(wanted)} ms wanted"
    if cached[1] > wanted:
        return f"up to {ms(cached[1] - wanted)} ms more than the {ms(wanted)} ms wanted"
    return f"within the {ms(wanted)} ms wanted"


def _seconds(first: tuple[float, float]) -> str:
    return f"{ms(first[0])} to {ms(first[1])} s"


def _drivers(load: Load) -> str:
    known = sorted(load.drivers, key=lambda driver: -(driver.seconds[1] if driver.seconds else 0.0))
    return "what drives it: " + ", ".join(driver.text for driver in known)
