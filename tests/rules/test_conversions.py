"""What the rules say of 182 pieces of PyTorch as coremltools converts them.

Each converted piece stands in one of three groups: what is worth a word, what converts well, and what survives conversion in
a form that could be another but is best left alone. `fixtures/conversions/findings.txt` has every finding on each.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import pytest

from tests.rules.golden import EXPECTED, FIXTURES

FLAGGED: Final = {
    "ANE101": ("nonzero", "one_hot", "randn_like", "tril_mask"),
    "ANE102": ("bool_any",),
    "ANE104": ("cumsum",),
    "ANE107": ("embedding", "fancy_index", "index_select_dyn"),
    "ANE108": ("boolmask_index", "gather"),
    "ANE109": ("scatter", "scatter_add"),
    "ANE110": ("bilstm2", "lstm", "rnn"),
    "ANE111": ("cond_script", "gru", "while_script"),
    "ANE112": ("topk",),
    "ANE113": ("argmax",),
    "ANE114": ("argsort", "sort"),
    "ANE115": ("nms",),
    "ANE118": ("largekernel",),
    "ANE133": ("convtranspose_dil",),
    "ANE201": ("pad_asym_conv", "pad_conv_zero"),
    "ANE202": ("bn_conv_preact", "conv_pad_bn", "conv_relu_bn"),
    "ANE203": ("conv_bn_module_trainmode", "conv_bn_train_stats"),
    "ANE204": ("layernorm_channels_manual", "layernorm_manual", "layernorm_manual_affine"),
    "ANE205": ("groupnorm",),
    "ANE206": ("gelu_sigmoid_quick",),
    "ANE207": ("hardswish_manual",),
    "ANE209": ("lrn",),
    "ANE221": ("adaptiveavg7",),
    "ANE222": ("l2norm",),
    "ANE224": ("nhwc_linear_mlp",),
    "ANE225": ("slice_strided",),
    "ANE226": ("focus",),
    "ANE227": ("pixelshuffle_manual_6d",),
    "ANE228": ("reshape_5d_window",),
    "ANE229": ("5d_qkv", "dyn_mha", "encoder_layer", "mha", "mha_weights"),
    "ANE230": ("unfold_im2col",),
    "ANE232": ("convtranspose_outpad",),
    "ANE241": ("attn_manual",),
    "ANE245": ("conv_shared_w16384",),
    "ANE247": ("int_cast_roundtrip",),
    "ANE248": ("chunk_cat",),
    "ANE251": ("upsample_like",),
    "ANE252": ("kv_index_put",),
    "ANE501": ("rmsnorm_hf_fp32cast", "rmsnorm_manual"),
    "ANE503": ("logsumexp",),
    "ANE504": ("log_softmax",),
    "ANE505": ("masked_fill", "masked_fill_dyn"),
    "ANE508": ("mish", "softplus"),
    "ANE701": ("dyn_flatten", "dyn_rangedim_conv", "dyn_rangedim_linear", "dyn_view"),
    "ANE705": ("dyn_enumerated",),
    "ANE710": ("kv_state",),
    "ANE806": ("conv_stride4_16",),
}
"""What the conversion leaves that is worth a word, by the rule that has to speak."""

FLAGGED_WHEN_OLDER: Final = {
    "ANE109": ("kv_slice_assign_const_ios17",),
    "ANE241": ("sdpa_ios17", "sdpa_boolmask_ios17", "sdpa_causal_ios17", "sdpa_mask_ios17"),
}
"""Packages of an older operation set that are worth a word, where the newest set converts the same well."""

LEFT_ALONE: Final = {
    "depthwise": "an ordinary layer, measured to stay on the engine",
    "dilated": "a dilation of 2, measured to stay on the engine",
    "linear_3d": "the program of every small head; ANE233 speaks of it once a transformer has several",
    "linear_4d": "as linear_3d",
    "linear_nobias_3d": "as linear_3d",
    "rmsnorm_module": "the safe form, scaled before it is squared; no other is cheaper by Core ML's estimates",
    "expand": "the copies are the result; ANE222 speaks where an operation reads them that would broadcast",
    "repeat_interleave_kv": "as expand: the copies are the result here",
}
"""What survives conversion and has no better form, or none that this piece alone shows."""

LINES: Final = (FIXTURES / "conversions" / EXPECTED).read_text(encoding="utf-8").splitlines()


def said() -> dict[str, set[str]]:
    """The codes of the findings on each package, by its name."""
    found: dict[str, set[str]] = defaultdict(set)
    for line in LINES:
        package, _, finding = line.partition(".mlpackage: ")
        found[package].update(finding.split()[1:2] if finding != "nothing" else ())
    return found


def pattern(package: str) -> str:
    return package.rpartition("_")[0]


SAID: Final = said()
EXPECTED_CODES: Final = {name: code for code, names in FLAGGED.items() for name in names}
OLDER: Final = {name: code for code, names in FLAGGED_WHEN_OLDER.items() for name in names}


def test_there_is_a_package_for_every_piece_that_converts() -> None:
    patterns = {pattern(package) for package in SAID}
    assert len(patterns) == 173, "the other 9 of the 182 do not convert"
    assert {*EXPECTED_CODES, *LEFT_ALONE, *map(pattern, OLDER)} <= patterns


@pytest.mark.parametrize("package", [package for package in SAID if pattern(package) in EXPECTED_CODES])
def test_what_is_worth_a_word_gets_it(package: str) -> None:
    assert EXPECTED_CODES[pattern(package)] in SAID[package]


@pytest.mark.parametrize("package", OLDER)
def test_what_is_worth_a_word_in_older_operation_sets_gets_it(package: str) -> None:
    assert OLDER[package] in SAID[package]


def test_all_else_is_silent() -> None:
    assert {name: codes for name, codes in SAID.items() if codes and not _expected(name)} == {}


def test_what_is_left_alone_is_silent() -> None:
    assert {name: codes for name, codes in SAID.items() if codes and pattern(name) in LEFT_ALONE} == {}


def _expected(package: str) -> bool:
    return pattern(package) in EXPECTED_CODES or package in OLDER
