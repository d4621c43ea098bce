"""Compiled models: a folder with the program as text, or with several folders of that kind."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from anecheck.artifact.errors import ArtifactError, Fault
from anecheck.artifact.load import load
from anecheck.mil.model import Kind, WeightFile
from anecheck.mil.parser import parse
from anecheck.mil.program import Program
from tests.artifact.packages import fixture, load_elsewhere, write_compiled
from tests.conftest import FIXTURES

TEXT = "program(1.0)\n{\n    func main<ios17>(fp16 x) {\n        fp16 y = relu(x = x);\n    } -> (y);\n}\n"


def program_of(name: str) -> Program:
    program = fixture(name).program
    assert program is not None
    return program


def error(folder: Path) -> ArtifactError:
    with pytest.raises(ArtifactError) as caught:
        load(folder)
    return caught.value


@pytest.mark.parametrize(
    ("name", "spelling", "version"),
    [
        ("ok/spec08_ios17_conv.mlpackage", "program(1.0)", 8),
        ("ok/state_two_updates.mlpackage", "program(1.3)", 9),
        ("ok/multifunction.mlpackage", "program(1.3)", 9),
        ("ok/spec10_ios26_conv.mlpackage", "program(1.3)", 10),
        ("flagged/cond_in_while_loop.mlpackage", "program(1.0)", 8),
        ("flagged/hostile_names.mlpackage", "program(1.0)", 8),
    ],
)
def test_the_text_of_a_package_holds_the_same_program(tmp_path: Path, name: str, spelling: str, version: int) -> None:
    program = program_of(name)
    folder = write_compiled(tmp_path / "m.mlmodelc", program)
    assert (folder / "model.mil").read_text(encoding="utf-8").startswith(f"{spelling}\n")
    model = load(folder)
    assert (model.path, model.kind, model.format, model.name) == (str(folder), Kind.ML_PROGRAM, "mlProgram", "")
    assert model.program == program
    assert model.specification_version == version


def test_weights_lie_beside_the_text(tmp_path: Path) -> None:
    folder = write_compiled(tmp_path / "m.mlmodelc", program_of("ok/weights_present.mlpackage"))
    assert [(file.path, file.status) for file in load(folder).weights] == [("weights/weight.bin", "absent")]
    shutil.copytree(FIXTURES / "ok/weights_present.mlpackage/Data/com.apple.CoreML/weights", folder / "weights")
    assert load(folder).weights == fixture("ok/weights_present.mlpackage").weights


def test_weights_outside_of_the_folder_are_not_looked_at(tmp_path: Path) -> None:
    text = TEXT.replace("x = x", 'x = fp16(BLOBFILE(path = string("@model_path/../w.bin"), offset = uint64(64)))')
    (tmp_path / "w.bin").write_bytes(bytes(1000))
    (file,) = load(write_compiled(tmp_path / "m.mlmodelc", text)).weights
    assert file == WeightFile("../w.bin", "unreadable", detail="it is not inside the package")


def test_several_texts_below_are_a_pipeline(tmp_path: Path) -> None:
    folder = tmp_path / "m.mlmodelc"
    for part in fixture("ok/pipeline.mlpackage").parts:
        assert part.program is not None
        place = write_compiled(folder / f"model{part.name}", part.program)
        weights = FIXTURES / "ok/pipeline.mlpackage/Data/com.apple.CoreML/weights" / f"{part.name}-weight.bin"
        (place / "weights").mkdir()
        shutil.copy(weights, place / "weights")
    model = load(folder)
    assert (model.kind, model.format, model.program) == (Kind.PIPELINE, "pipeline", None)
    assert [name for name, _ in model.programs] == ["model0", "model1"]
    assert [program for _, program in model.programs] == [
        program for _, program in fixture("ok/pipeline.mlpackage").programs
    ]
    assert [(file.path, file.status) for file in model.weights] == [
        ("weights/0-weight.bin", "present"),
        ("weights/1-weight.bin", "present"),
    ]
    assert [part.specification_version for part in model.parts] == [8, 8]


@pytest.mark.parametrize("place", ["model.espresso.net", "model0/model.espresso.net"])
def test_a_compiled_neural_network(tmp_path: Path, place: str) -> None:
    file = tmp_path / "m.mlmodelc" / place
    file.parent.mkdir(parents=True)
    file.write_text("{}", encoding="utf-8")
    model = load(tmp_path / "m.mlmodelc")
    assert (model.kind, model.format) == (Kind.NEURAL_NETWORK, "compiled neural network")
    assert (model.specification_version, model.program, model.layers) == (None, None, ())


def test_functions_may_stand_without_a_program_around_them(tmp_path: Path) -> None:
    model = load(write_compiled(tmp_path / "m.mlmodelc", "func f<ios16>(fp16 x) { } -> (x);"))
    assert model.program == parse("func f<ios16>(fp16 x) { } -> (x);")
    assert model.specification_version == 7


def test_the_specification_is_that_of_the_metadata(tmp_path: Path) -> None:
    model = load(write_compiled(tmp_path / "m.mlmodelc", TEXT, '[{"specificationVersion": 9, "version": "1.0"}]'))
    assert model.specification_version == 9


@pytest.mark.parametrize(
    "metadata",
    [
        *("", "[]", "{}", "null", "no JSON", "[{}]", "[[]]", '["x"]', '[{"specificationVersion": "9"}]'),
        *('[{"specificationVersion": null}]', '[{"specificationVersion": true}]', '[{"specificationVersion": 9.5}]'),
        *("[" * 100_000, '{"a":' * 100_000, f'[{{"specificationVersion": {"9" * 5000}}}]', "\ud800"),
        "version https://git-lfs.github.com/spec/v1\nsize 3\n",
    ],
    ids=lambda text: ascii(text)[:30],
)
def test_metadata_without_a_version_leaves_it_to_the_newest_opset(tmp_path: Path, metadata: str) -> None:
    folder = write_compiled(tmp_path / "m.mlmodelc", TEXT)
    (folder / "metadata.json").write_bytes(metadata.encode("utf-8", "surrogatepass"))
    assert load(folder).specification_version == 8


def test_metadata_that_is_no_file_leaves_it_to_the_newest_opset(tmp_path: Path) -> None:
    folders = [write_compiled(tmp_path / f"{name}.mlmodelc", TEXT) for name in ("folder", "pipe", "link")]
    (folders[0] / "metadata.json").mkdir()
    os.mkfifo(folders[1] / "metadata.json")
    (folders[2] / "metadata.json").symlink_to("metadata.json")
    assert load_elsewhere(*folders) == [["loaded", 8, []]] * 3


@pytest.mark.parametrize("opset", ["ios", "future", "`ios²`", "CoreML", "`CoreML²`", "ios" + "9" * 5000])
def test_an_opset_without_a_number_gives_no_specification(tmp_path: Path, opset: str) -> None:
    assert load(write_compiled(tmp_path / "m.mlmodelc", TEXT.replace("ios17", opset))).specification_version is None


@pytest.mark.parametrize(
    ("content", "fault", "message"),
    [
        (b"", Fault.EMPTY, "'model.mil' is empty (0 bytes)"),
        (b"\xff\xfe", Fault.BAD_TEXT, "'model.mil' is not MIL text: 'utf-8' codec can't decode byte 0xff"),
        (b"program(1.0) {", Fault.BAD_TEXT, "line 1, column 15: expected 'func', found the end of the text"),
        (b"version https://git-lfs.github.com/spec/v1\nsize 3\n", Fault.MODEL_POINTER, "a file of 3 bytes"),
        (
            TEXT.replace("x = x", "x = z").encode(),
            Fault.INVALID_PROGRAM,
            "relu 'y' uses 'z' before anything defines it",
        ),
        (TEXT.replace("(fp16 x)", "(fp16 y)").encode(), Fault.INVALID_PROGRAM, "relu 'y' uses 'x' before"),
        (TEXT.replace("16 y =", "16 x =").encode(), Fault.INVALID_PROGRAM, "function 'main': 'x' is defined twice"),
        (b"func f<ios17>() { cond() { " * 5000, Fault.BAD_TEXT, "expected 'block'"),
        (b"func f<ios17>() { cond() { block() {" + b"cond() { block() {" * 5000, Fault.BAD_TEXT, "at most 64 levels"),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
def test_texts_that_are_none(tmp_path: Path, content: bytes, fault: Fault, message: str) -> None:
    folder = write_compiled(tmp_path / "m.mlmodelc", "")
    (folder / "model.mil").write_bytes(content)
    failure = error(folder)
    assert failure.fault is fault
    assert message in failure.message


def test_a_damaged_part_names_its_text(tmp_path: Path) -> None:
    write_compiled(tmp_path / "m.mlmodelc/model0", TEXT)
    write_compiled(tmp_path / "m.mlmodelc/model1", "program")
    assert error(tmp_path / "m.mlmodelc").message.startswith("'model1/model.mil' is not MIL text: line 1, column 8:")


def test_a_text_linked_from_outside_is_not_read(tmp_path: Path) -> None:
    folder = write_compiled(tmp_path / "m.mlmodelc", "")
    (tmp_path / "secret").write_text(TEXT, encoding="utf-8")
    (folder / "model.mil").unlink()
    (folder / "model.mil").symlink_to(tmp_path / "secret")
    assert error(folder).fault is Fault.OUTSIDE


def test_a_folder_without_a_text_and_no_folder_at_all(tmp_path: Path) -> None:
    (tmp_path / "empty.mlmodelc").mkdir()
    (tmp_path / "file.mlmodelc").write_text(TEXT, encoding="utf-8")
    assert (error(tmp_path / "empty.mlmodelc").fault, error(tmp_path / "file.mlmodelc").fault) == (
        Fault.NOT_FOUND,
        Fault.NOT_A_MODEL,
    )
    assert error(tmp_path / "absent.mlmodelc").fault is Fault.NOT_FOUND


def test_parts_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    program = fixture("ok/bare_program.mlmodel").program
    assert program is not None
    for number in (10, 2, 0):
        write_compiled(tmp_path / f"m.mlmodelc/model{number}", program)
    assert [part.name for part in load(tmp_path / "m.mlmodelc").parts] == ["model0", "model2", "model10"]
