"""ANE808: models that the systems they are meant for cannot load."""

from __future__ import annotations

from collections.abc import Iterator

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Match, ModelRule

NAMES = {"ios": "ios", "ipados": "ios", "macos": "macos", "watchos": "watchos", "tvos": "tvos"}
"""Which column of the releases a target's system reads; iPadOS counts like iOS."""


class NewerThanTarget(ModelRule):
    """The model needs a newer system than the target has.

    ## What it means
    A model file carries a specification version, and a system loads it only if it knows that version: a model converted for
    iOS 18 does not load on iOS 17, whatever it contains. coremltools never lowers the version by itself: one newer operation,
    one newer type of weights is enough, and so is `minimum_deployment_target` alone.

    ## Instead
    Convert with the `minimum_deployment_target` of the oldest system that you support. The target was named with a release
    (`--target iphone-14/ios17`); leave the release out if the app needs the newer one anyway.
    """

    code = "ANE808"
    name = "newer-than-target"
    severity = Severity.ERROR
    engine_only = False
    rewrite = "convert with the minimum_deployment_target of the oldest system that you support"
    evidence = (cite("coremltools-9", Confidence.DOCUMENTED),)

    def check(self, context: Context) -> Iterator[Match]:
        """Flag a model whose specification version the target's release does not know."""
        release = context.knowledge.releases.get(context.model.specification_version or 0)
        system = context.target.system
        column = NAMES.get(system[0]) if system else None
        if release is None or system is None or column is None:
            return
        needed: str = getattr(release, column)
        number = needed.rpartition(" ")[2]
        if _version(number) > system[1]:
            yield self.finding(
                f"specification {release.specification_version} needs {needed}, and the target is {context.target.os}",
                specification_version=release.specification_version,
                needs=needed,
            )


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())
