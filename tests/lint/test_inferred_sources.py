"""Which module an operation is of, by the names of its weights, where nothing was captured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anecheck
from anecheck.artifact.load import load
from anecheck.artifact.locate import sidecar_of
from anecheck.artifact.sidecar import Origin, write_sidecar
from anecheck.artifact.weight_names import DIALECT, SOURCE
from anecheck.lint.finding import Finding, Source
from tests.conftest import FIXTURES
from tests.lint.test_sources import complete, copied, findings, named


def inferred(module: str) -> Source:
    return Source(module=module, inferred=True)


def test_an_operation_with_a_weight_is_of_the_module_that_the_weight_is_named_after() -> None:
    found = findings(FIXTURES / "zoo/vit_b_16_int4_blocks.mlpackage", select=["ANE601"])
    sources = {finding.operation: finding.source for finding in found}
    assert sources["linear_2_cast_fp16"] == inferred("encoder_layers_encoder_layer.0.mlp.0"), "through its compression"


def test_a_look_up_is_of_the_module_whose_table_it_reads() -> None:
    found = named(findings(FIXTURES / "zoo/bert_base.mlpackage"), "ANE107")
    assert inferred("model_embeddings_word_embeddings") in [finding.source for finding in found]


def test_an_operation_without_weights_is_not_guessed() -> None:
    (finding,) = named(findings(FIXTURES / "conversions/cumsum_ios18.mlpackage"), "ANE104")
    assert finding.source is None


def with_metadata(**metadata: str) -> Finding:
    """What is found at the first convolution of a transformer whose metadata are others."""
    keys = {"source": SOURCE, "dialect": DIALECT}
    model = load(FIXTURES / "zoo/vit_b_16.mlpackage")
    (report,) = anecheck.lint(
        replace(model, metadata={keys[key]: value for key, value in metadata.items()}), select=["ANE806"]
    ).models
    (finding,) = named(report.findings, "ANE806")
    return finding


def test_names_mean_modules_only_where_the_model_may_be_of_torch() -> None:
    assert with_metadata().source == inferred("conv_proj")
    assert with_metadata(source="torch==2.7.0").source == inferred("conv_proj")
    assert with_metadata(source="tensorflow==2.12.0").source is None


def test_what_was_captured_goes_before_what_is_inferred(tmp_path: Path) -> None:
    model = copied("zoo/vit_b_16.mlpackage", tmp_path)
    origins = complete(model)
    write_sidecar(sidecar_of(model), origins)
    (finding,) = named(findings(model), "ANE806")
    assert finding.source
    assert not finding.source.inferred
    known = {"main": {name: Origin(origin.type) for name, origin in origins["main"].items()}}
    write_sidecar(sidecar_of(model), known)
    (finding,) = named(findings(model), "ANE806")
    assert finding.source == inferred("conv_proj"), "an operation of which nothing was captured"


def test_a_model_without_a_place_has_no_sidecar() -> None:
    model = replace(load(FIXTURES / "zoo/vit_b_16.mlpackage"), path="")
    (report,) = anecheck.lint(model, select=["ANE806"]).models
    assert named(report.findings, "ANE806")[0].source == inferred("conv_proj")
