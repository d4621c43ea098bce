"""ANE801: models that are no ML Programs."""

from __future__ import annotations

from collections.abc import Iterator

from anecheck.knowledge.evidence import Confidence, cite
from anecheck.lint.finding import Severity
from anecheck.lint.rule import Context, Match, ModelRule
from anecheck.mil.model import Kind, Model


class LegacyFormat(ModelRule):
    """The model is no ML Program, so its operations cannot be judged.

    ## What it means
    ML Programs exist since iOS 15 and macOS 12 (specification 6) and are what Apple develops; the neural-network format
    before them still runs, also on the engine, but gets no new operations, compression or states, and has no types that
    say what is fp16. Its custom layers run on the CPU or the GPU and cut the network there. Tree ensembles, linear models,
    vectorizers and the like never use the engine.

    ## Instead
    Convert again from the source model: `ct.convert(model, convert_to="mlprogram",
    minimum_deployment_target=ct.target.iOS16)` or newer. There is no converter from the old format to the new one. Write
    custom layers with MIL operations, or do their work outside the model.
    """

    code = "ANE801"
    name = "legacy-format"
    engine_only = False
    rewrite = 'convert networks again from their source with convert_to="mlprogram" (iOS 15 and later)'
    evidence = (cite("coremltools-9", Confidence.DOCUMENTED), cite("hollance", Confidence.COMMUNITY))

    def check(self, context: Context) -> Iterator[Match]:
        """Flag the model, or each part of a pipeline, that is a neural network or another kind."""
        yield from self._check(context.model)

    def _check(self, model: Model) -> Iterator[Match]:
        where = f"part '{model.name}': " if model.name else ""
        if model.kind is Kind.NEURAL_NETWORK:
            custom = sorted({layer.custom_class for layer in model.layers if layer.custom_class})
            count = sum(bool(layer.custom_class) for layer in model.layers)
            layers = f" of {len(model.layers)} layers" if model.layers else ""
            extra = f"; {count} custom ({', '.join(custom)}) run on CPU or GPU" if custom else ""
            yield self.finding(
                f"{where}{model.format}, a format from before ML Programs (iOS 15){layers}{extra}",
                format=model.format,
                layers=len(model.layers),
                custom_layers=custom,
            )
        elif model.kind is Kind.OTHER:
            yield self.finding(
                f"{where}{model.format}, a kind of model that never runs on the engine",
                severity=Severity.INFO,
                format=model.format,
            )
        for part in model.parts:
            yield from self._check(part)
