"""Which module a weight belongs to, by its name."""

from __future__ import annotations

import pytest

from anecheck.artifact.weight_names import dotted, owner


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("layers_0_fc1_weight", "layers_0_fc1"),
        ("layers_0_fc1_weight_to_fp16", "layers_0_fc1"),
        ("fc_weight_to_fp16_palettized", "fc"),
        ("fc_weight_to_fp16_sparsified_palettized", "fc"),
        ("fc_weight_quantized", "fc"),
        ("var_0_weight_to_fp16", "0"),
        ("variance_weight", "variance"),
        ("attn_in_proj_weight_to_fp16", "attn"),
        ("model_embeddings_LayerNorm_weight_to_fp16", "model_embeddings_LayerNorm"),
    ],
)
def test_what_the_passes_added_is_taken_off(name: str, module: str) -> None:
    assert owner(name) == module


@pytest.mark.parametrize(
    "name",
    [
        "const_3_to_fp16",
        "linear_6_weight_0_to_fp16",
        "weight",
        "_weight",
        "pos_embedding_to_fp16",
        "",
        "a" * 1001 + "_weight",
    ],
)
def test_other_names_say_nothing(name: str) -> None:
    assert owner(name) is None


def test_a_bias_counts_only_as_an_operations_own() -> None:
    assert owner("head_bias_to_fp16", "bias") == "head"
    assert owner("norm_bias_to_fp16", "beta") == "norm"
    assert owner("attn_in_proj_bias", "bias") == "attn"
    assert owner("relative_position_bias_to_fp16", "y") is None, "added by an `add`, it is a value that was worked out"
    assert owner("linear_0_bias_0_to_fp16", "bias") is None, "coremltools made it up"


def test_exported_programs_name_parameters_with_a_prefix() -> None:
    assert owner("p_layers_0_fc1_weight_to_fp16", exported=True) == "layers_0_fc1"
    assert owner("b_filter_weight_to_fp16", exported=True) == "filter"
    assert owner("p_fc_weight") == "p_fc", "a module may be called p"
    assert owner("p_weight", exported=True) is None, "the outermost module's own"


@pytest.mark.parametrize(
    ("spelt", "path"),
    [
        ("layers_0_fc1", "layers.0.fc1"),
        ("model_encoder_layer_11_attention_self_query", "model_encoder_layer.11.attention_self_query"),
        ("features_7_1_mlp_0", "features.7.1.mlp.0"),
        ("conv_proj", "conv_proj"),
        ("0", "0"),
    ],
)
def test_dots_are_certain_only_round_numbers(spelt: str, path: str) -> None:
    assert dotted(spelt) == path
