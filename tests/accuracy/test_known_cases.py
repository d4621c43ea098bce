"""Known networks and known cases, worked out from their architecture and held against what anecheck says."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Final

import pytest

import anecheck
from anecheck.knowledge.evidence import Device
from anecheck.mil.graph import Graph
from anecheck.mil.parser import parse
from anecheck.predict.assess import Assessment
from anecheck.predict.footprint import footprint
from tests.predict.programs import KNOWLEDGE, blob, judged, model_of

CHIPS: Final = ("a14", "a16", "a17pro")
MIB: Final = 2**20
RESIDENT: Final = 2 * MIB
"""Larger values do not stay on the chip."""


def zoo(name: str, chip: str, fixtures: Path) -> Assessment:
    """The numbers of a network with one function."""
    (assessment,) = judged(anecheck.load(fixtures / f"zoo/{name}.mlpackage"), chip).assessments
    return assessment


def laid_out(*shape: int, bytes_each: int = 2) -> int:
    """The bytes of a value whose last axis is padded to 64 bytes."""
    return prod(shape[:-1]) * -(-shape[-1] * bytes_each // 64) * 64


def resnet50() -> tuple[int, int, int]:
    """The multiplications of ResNet-50 at 224 x 224, its weights and its biases, by its paper: bottlenecks, 3, 4, 6 and 3."""
    layers = [(112, 3, 64, 7)]
    channels, size = 64, 56
    for stage, blocks in enumerate((3, 4, 6, 3)):
        inner, outer = 64 * 2**stage, 256 * 2**stage
        for block in range(blocks):
            before, size = size, size // 2 if block == 0 and stage else size
            layers += [(before, channels, inner, 1), (size, inner, inner, 3), (size, inner, outer, 1)]
            layers += [(size, channels, outer, 1)] if block == 0 else []
            channels = outer
    layers.append((1, 2048, 1000, 1))
    return (
        sum(side * side * into * out * kernel * kernel for side, into, out, kernel in layers),
        sum(into * out * kernel * kernel for _, into, out, kernel in layers),
        sum(out for _, _, out, _ in layers),
    )


@pytest.mark.parametrize("chip", CHIPS)
def test_resnet50(chip: str, fixtures: Path) -> None:
    assessment, rate = zoo("resnet50", chip, fixtures), KNOWLEDGE.rates[chip]
    multiplications, weights, biases = resnet50()
    assert multiplications == pytest.approx(4.09e9, rel=1e-3)
    assert 2 * weights == pytest.approx(51.0e6, rel=1e-3)
    # The largest value is the first convolution's: rows of 112 values take 224 bytes and are laid out as 256.
    assert laid_out(1, 64, 112, 112) == 64 * 112 * 256 == 1_835_008 < RESIDENT

    timing = assessment.timing
    assert sum(row.operations for row in timing.operations) == 2 * multiplications
    assert {placed.device for placed in assessment.placement.operations} == {Device.ANE}
    arithmetic, reading = 2 * multiplications / (rate.tflops * 1e9), 2 * (weights + biases) / (rate.gbps * 1e6)
    assert (timing.streamed, timing.elsewhere, timing.switches) == (0, 0, 0)
    assert timing.ms == pytest.approx(rate.floor_ms + max(arithmetic, reading))
    assert timing.bound == ("weights" if chip == "a14" else "arithmetic")


def test_resnet50_in_figures(fixtures: Path) -> None:
    rates = {chip: KNOWLEDGE.rates[chip] for chip in CHIPS}
    assert {chip: (rate.tflops, rate.gbps, rate.floor_ms) for chip, rate in rates.items()} == {
        "a14": (4.92, 26.4, 0.63),
        "a16": (6.32, 47.9, 0.13),
        "a17pro": (6.29, 51.0, 0.13),
    }, "fitted anew: work these out again"
    for chip, ms in (
        ("a14", 0.63 + 51.0 / 26.4),  # 1.93 ms of weights, 1.66 of arithmetic
        ("a16", 0.13 + 8.18 / 6.32),  # 1.29 ms of arithmetic, 1.07 of weights
        ("a17pro", 0.13 + 8.18 / 6.29),  # 1.30 and 1.00
    ):
        assert zoo("resnet50", chip, fixtures).timing.ms == pytest.approx(ms, rel=1e-3)


MOBILEVIT: Final = {
    # operation: the values above 2 MiB that it reads, and those that it writes. Rows of 128 values take 256 bytes.
    "conv of the second stage, from 32 to 128 channels": ((), ((1, 128, 128, 128),)),
    "its silu": (((1, 128, 128, 128),), ((1, 128, 128, 128),)),
    "its depthwise conv, of stride 2": (((1, 128, 128, 128),), ()),
    # Patches of 2 x 2 as last axes: 4 bytes of values are laid out as 64, and 8 as 64.
    "transpose into patches": (((2304, 2, 16, 2),), ((2304, 16, 2, 2),)),
    "transpose to the transformer": (((1, 144, 256, 4),), ()),
    "transpose back": ((), ((1, 144, 256, 4),)),
    "transpose out of patches": (((2304, 16, 2, 2),), ((2304, 2, 16, 2),)),
}
"""MobileViT-S at 256 x 256. The transformers of the next stages, of 192 and 240 channels, work on quarters of the area."""


@pytest.mark.parametrize("chip", CHIPS)
def test_mobilevit_s(chip: str, fixtures: Path) -> None:
    assert laid_out(1, 128, 128, 128) == 4 * MIB
    assert laid_out(2304, 2, 16, 2) == laid_out(2304, 16, 2, 2) == 2304 * 2 * 16 * 64 == 4_718_592
    assert laid_out(1, 144, 256, 4) == 144 * 256 * 64 == 2_359_296
    stay = [(1, 64, 128, 128), (1, 256, 64, 64), (1, 4, 256, 144), (1536, 2, 8, 2), (1, 192, 64, 4)]
    assert max(laid_out(*shape) for shape in stay) == RESIDENT, "these stay, the first as just so large"
    values = [shape for read, written in MOBILEVIT.values() for shape in (*read, *written)]
    streamed = sum(laid_out(*shape) for shape in values)
    assert streamed == 4 * 4 * MIB + 4 * 4_718_592 + 2 * 2_359_296 == 40_370_176

    assessment, rate = zoo("mobilevit_s", chip, fixtures), KNOWLEDGE.rates[chip]
    timing = assessment.timing
    found = [row for row in timing.operations if row.streamed_bytes]
    assert [row.node.type for row in found] == ["conv", "silu", "conv", *["transpose"] * 4]
    assert [row.streamed_bytes for row in found] == [
        sum(laid_out(*shape) for shape in (*read, *written)) for read, written in MOBILEVIT.values()
    ]
    # 2.0 GMAC and 5.58 million parameters, as its paper has them.
    operations, weights = sum(row.operations for row in timing.operations), assessment.weight_bytes[0]
    assert operations == pytest.approx(2 * 2.0e9, rel=0.01)
    assert weights == pytest.approx(2 * 5.58e6, rel=0.01)
    compute = max(operations / (rate.tflops * 1e9), weights / (rate.gbps * 1e6))
    assert timing.ms == pytest.approx(rate.floor_ms + compute + streamed / (rate.gbps * 1e6))
    assert timing.bound == "values"


@pytest.mark.parametrize("name", ["mobilevit_s", "resnet50", "swin_t", "convnext_tiny"])
def test_streamed_values_by_a_loop_of_their_own(name: str, fixtures: Path) -> None:
    assessment = zoo(name, "a17pro", fixtures)
    expected = 0
    for placed in assessment.placement.operations:
        node = placed.node
        if placed.device is not Device.ANE or node.type in {"reshape", "expand_dims", "squeeze", "identity"}:
            continue
        operands = {
            id(operand): operand for bound in node.inputs.values() for operand in bound if not operand.is_constant
        }
        for operand in (*operands.values(), *node.outputs):
            assert operand.tensor is not None
            assert operand.tensor.dtype in {"fp16", "fp32", "int32", "bool"}
            shape = [size or 1 for size in operand.tensor.shape] or [1]
            each = {"fp16": 2, "bool": 1}.get(operand.tensor.dtype, 4)
            size = laid_out(*shape, bytes_each=each)
            expected += size if size > RESIDENT else 0
    assert sum(row.streamed_bytes for row in assessment.timing.operations) == expected


WIDTH, LAYERS = 4096, 12
DENSE: Final = WIDTH * WIDTH * 2
DECODER_BYTES: Final = LAYERS * DENSE
CACHE: Final = "tensor<fp16, [1, 32, 1024, 128]>"
CACHE_BYTES: Final = 32 * 1024 * 256
PALETTE_BYTES: Final = WIDTH * WIDTH // 2 + 16 * 2


def decoder(*, palettes: bool = False) -> str:
    """A step of a decoder for one token, with 403 MB of weights in fp16 and a cache of 8 MiB that it adds to."""
    rows, x = [], "x"
    for layer in range(LAYERS):
        place = 64 + layer * DENSE
        weight = blob(f"[{WIDTH}, {WIDTH}]", offset=place)
        if palettes:
            codes = blob(f"[{WIDTH}, {WIDTH}]", offset=place, dtype="uint4")
            table = blob("[1, 1, 16, 1]", offset=place + DENSE - 64)
            rows.append(
                f"tensor<fp16, [{WIDTH}, {WIDTH}]> w{layer} = constexpr_lut_to_dense(indices = {codes}, lut = {table});"
            )
            weight = f"w{layer}"
        rows.append(f"tensor<fp16, [1, 1, {WIDTH}]> v{layer} = linear(weight = {weight}, x = {x});")
        x = f"v{layer}"
    return f"""func main<ios18>(tensor<fp16, [1, 1, {WIDTH}]> x, state<{CACHE}> cache) {{
        {CACHE} old = read_state(input = cache);
        tensor<fp16, [1, 32, 1, 128]> key = reshape(shape = tensor<int32, [4]>([1, 32, 1, 128]), x = x);
        {CACHE} new = slice_update(begin = tensor<int32, [4]>([0, 0, 7, 0]), end = tensor<int32, [4]>([1, 32, 8, 128]),
            update = key, x = old);
        write_state(data = new, input = cache);
        {" ".join(rows)} }} -> ({x});"""


def decoded(target: str, *, palettes: bool = False) -> Assessment:
    """The numbers of a decoder's step."""
    (assessment,) = judged(model_of(decoder(palettes=palettes)), target).assessments
    assert {placed.device for placed in assessment.placement.operations} == {Device.ANE}
    return assessment


@pytest.mark.parametrize("chip", CHIPS)
def test_a_decoder_waits_for_its_weights(chip: str) -> None:
    assert DECODER_BYTES == 402_653_184
    timing, rate = decoded(chip).timing, KNOWLEDGE.rates[chip]
    # 0.4 GFLOP are nothing beside it, and of the cache only what is added moves.
    assert timing.bound == "weights"
    assert timing.streamed == 0
    assert timing.ms == pytest.approx(rate.floor_ms + DECODER_BYTES / (rate.gbps * 1e6))


@pytest.mark.parametrize("chip", CHIPS)
def test_palettes_of_4_bits_quarter_what_a_decoder_reads(chip: str) -> None:
    assessment, rate = decoded(chip, palettes=True), KNOWLEDGE.rates[chip]
    assert assessment.weight_bytes == (LAYERS * PALETTE_BYTES,) * 2
    assert pytest.approx(DECODER_BYTES / 4, rel=1e-5) == LAYERS * PALETTE_BYTES
    assert assessment.timing.ms == pytest.approx(rate.floor_ms + LAYERS * PALETTE_BYTES / (rate.gbps * 1e6))


def test_ios_16_expands_palettes_when_a_model_is_loaded() -> None:
    expanded = decoded("a14/ios16", palettes=True)
    assert expanded.weight_bytes == (LAYERS * PALETTE_BYTES, DECODER_BYTES)
    assert expanded.timing.ms == pytest.approx(decoded("a14").timing.ms)
    assert decoded("a14/ios17", palettes=True).timing.ms == pytest.approx(decoded("a14", palettes=True).timing.ms)


def test_a_cache_is_live_through_the_whole_step() -> None:
    memory = decoded("a14").footprint
    (cache,) = [buffer for buffer in memory.buffers if buffer.kind == "state"]
    assert (cache.first, cache.last) == (0, len(memory.nodes) - 1)
    assert cache.held == CACHE_BYTES == 8 * MIB
    assert min(memory.held) >= CACHE_BYTES
    # Beside it the token, the result, and at most what goes into a layer and comes out of it: 8 kB each.
    assert memory.peak == CACHE_BYTES + 4 * WIDTH * 2


@pytest.mark.parametrize(("dtype", "size", "factor"), [("fp16", 2, 32), ("int8", 1, 64)])
def test_a_last_axis_of_1_takes_many_times_its_size(dtype: str, size: int, factor: int) -> None:
    text = f"""func main<ios18>(tensor<{dtype}, [1, 1024, 1, 1]> x) {{
        tensor<{dtype}, [1, 1024, 1, 1]> y = relu(x = x); }} -> (y);"""
    graph = Graph(parse(text).functions["main"])
    memory = footprint(graph, 64)
    assert memory.peak_packed == 2 * 1024 * size
    assert memory.peak == 2 * 1024 * 64 == factor * memory.peak_packed
    flat = Graph(parse(text.replace("[1, 1024, 1, 1]", "[1, 1, 1, 1024]")).functions["main"])
    assert footprint(flat, 64).peak == footprint(flat, 64).peak_packed == 2 * 1024 * size


def test_two_models_that_share_the_engine_at_30_frames_a_second(fixtures: Path) -> None:
    camera, step = fixtures / "latency/fastvit_mci3.mlpackage", model_of(decoder())
    limit = 1000 / 30 * 0.8
    assert limit == pytest.approx(26.7, abs=0.05)

    def held(model: anecheck.Model | Path, **more: object) -> dict[str, object]:
        wanted = anecheck.Wanted(fps=30, **more)  # type: ignore[arg-type]  # as the caller has them
        (report,) = anecheck.lint(model, target="a14", select=["ANE809"], ignore=["ANE012"], budgets=wanted).models
        found = [finding for finding in report.findings if finding.code == "ANE809"]
        return {found[0].severity.value: found[0].data["estimated_ms"]} if found else {}

    of_camera = judged(anecheck.load(camera), "a14").assessments[0].timing.ms
    of_step = decoded("a14").timing.ms
    assert max(of_camera, of_step) < limit < of_camera + of_step < 1000 / 30
    assert held(camera) == {}
    assert held(step) == {}
    assert held(step, beside=(camera,)) == {"warning": pytest.approx(of_camera + of_step)}
    without_headroom = held(step, beside=(camera,), headroom=0.0)
    assert without_headroom == {"info": pytest.approx(of_camera + of_step)}, "inside, but not the end of the range"
