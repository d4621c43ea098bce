"""What the rules on patterns that do not fuse say of small programs."""

from __future__ import annotations

from tests.rules.test_examples import judged

PREFIX = "ANE20"


def found(body: str, *, inputs: str, outputs: str = "y", target: str = "m4") -> list[tuple[str, str, str]]:
    """Code, operation and message of every finding on a function with `body`; blocking is none of their business."""
    judgement = judged(f"func main<ios18>({inputs}) {{\n{body}\n}} -> ({outputs});\n", target)
    assert judgement.crashes == []
    matches = [match for _, match in judgement.matches if match.rule.code.startswith(PREFIX)]
    assert not any(match.blocks for match in matches)
    return [(match.rule.code, match.node.name if match.node else "", match.message) for match in matches]


def codes(body: str, *, inputs: str, outputs: str = "y", target: str = "m4") -> list[str]:
    """The codes alone."""
    return [code for code, _, _ in found(body, inputs=inputs, outputs=outputs, target=target)]


def shape(*sizes: int | str) -> str:
    """A fp16 tensor type."""
    return f"tensor<fp16, [{', '.join(map(str, sizes))}]>"


def blob(name: str, *sizes: int) -> str:
    """A constant of the weight file."""
    kind = shape(*sizes)
    place = 'BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = uint64(64))'
    return f"{kind} {name} = const()[val = {kind}({place})];"


def convolution(
    name: str,
    x: str,
    weight: str,
    out: tuple[int, ...],
    *,
    pad: int = 0,
    pad_type: str = "custom",
    stride: int = 1,
    groups: int = 1,
    bias: str = "",
) -> str:
    """A 2-D convolution."""
    return (
        f"{shape(*out)} {name} = conv({f'bias = {bias}, ' if bias else ''}dilations = tensor<int32, [2]>([1, 1]), "
        f"groups = int32({groups}), pad = tensor<int32, [4]>([{pad}, {pad}, {pad}, {pad}]), "
        f'pad_type = string("{pad_type}"), strides = tensor<int32, [2]>([{stride}, {stride}]), weight = {weight}, x = {x});'
    )
