"""Damaged models: every fault has its code and says what was found; nothing else ever escapes."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from anecheck.artifact.errors import ArtifactError, Fault
from anecheck.artifact.load import load
from anecheck.artifact.package import MANIFEST, MANIFEST_LIMIT
from tests.artifact.packages import MODEL, copy_of, load_elsewhere, write_manifest, write_package
from tests.conftest import FIXTURES

INVALID, CORRUPT, MANIFEST_FAULT = Fault.INVALID_PROGRAM, Fault.CORRUPT, Fault.BAD_MANIFEST
GARBAGE = "this is no Core ML model, or it is truncated (its protobuf encoding is broken)"
NO_ROOT = "Manifest.json names no root model"
INSIDE = "'Data/com.apple.CoreML/model.mlmodel'"

BROKEN = {
    "cyclic.mlpackage": (INVALID, "function 'main': conv 'conv_0' uses 'relu_0' before anything defines it"),
    "dangling_output.mlpackage": (INVALID, "function 'main': its output 'no_such_value' is never defined"),
    "dangling_reference.mlpackage": (INVALID, "relu 'relu_0' uses 'no_such_value' before anything defines it"),
    "duplicate_names.mlpackage": (INVALID, "function 'main': 'conv_0' is defined twice"),
    "duplicate_of_input.mlpackage": (INVALID, "function 'main': 'x' is defined twice"),
    "empty.mlmodel": (Fault.EMPTY, "'empty.mlmodel' is empty (0 bytes)"),
    "empty_block.mlpackage": (INVALID, "function 'main': its output 'output' is never defined"),
    "empty_model.mlpackage": (Fault.EMPTY, f"{INSIDE} is empty (0 bytes)"),
    "file_as_package.mlpackage": (Fault.NOT_A_MODEL, "an .mlpackage is a folder, this is a file"),
    "function_without_block.mlpackage": (INVALID, "function 'main': no block for its opset 'CoreML7'"),
    "garbage.mlmodel": (CORRUPT, GARBAGE),
    "garbage_model.mlpackage": (CORRUPT, GARBAGE),
    "lfs_pointer.mlmodel": (Fault.MODEL_POINTER, "is a Git LFS pointer for a file of 123,456 bytes"),
    "manifest_empty.mlpackage": (MANIFEST_FAULT, "'Manifest.json' is empty (0 bytes)"),
    "manifest_missing_file.mlpackage": (Fault.NOT_FOUND, "'Data/com.apple.CoreML/other.mlmodel', which does not exist"),
    "manifest_no_entries.mlpackage": (MANIFEST_FAULT, NO_ROOT),
    "manifest_no_root.mlpackage": (MANIFEST_FAULT, NO_ROOT),
    "manifest_not_json.mlpackage": (MANIFEST_FAULT, "Manifest.json is not valid JSON (Expecting property name"),
    "manifest_outside.mlpackage": (Fault.OUTSIDE, "'../../../../../../../../etc/passwd' points outside the package"),
    "manifest_outside_absolute.mlpackage": (Fault.OUTSIDE, "'/etc/passwd' points outside the package"),
    "manifest_root_is_folder.mlpackage": (Fault.NOT_A_MODEL, "'Data/com.apple.CoreML' is a folder"),
    "manifest_unknown_root.mlpackage": (MANIFEST_FAULT, NO_ROOT),
    "manifest_wrong_shape.mlpackage": (MANIFEST_FAULT, NO_ROOT),
    "mlmodelc_blank.mlmodelc": (Fault.EMPTY, "'model.mil' is empty (0 bytes)"),
    "mlmodelc_empty.mlmodelc": (Fault.NOT_FOUND, "the compiled model has no model.mil"),
    "mlmodelc_garbage.mlmodelc": (Fault.BAD_TEXT, "line 4, column 47: expected a name or a value, found ';'"),
    "mlmodelc_truncated.mlmodelc": (Fault.BAD_TEXT, "line 4, column 76: expected a token of MIL text, found '\"re'"),
    "model_is_folder.mlpackage": (Fault.NOT_A_MODEL, f"{INSIDE} is a folder"),
    "model_lfs_pointer.mlpackage": (Fault.MODEL_POINTER, f"{INSIDE} is a Git LFS pointer"),
    "no_manifest.mlpackage": (Fault.NO_MANIFEST, "the package has no Manifest.json"),
    "no_type.mlmodel": (CORRUPT, "the file holds no model (no model type is set)"),
    "only_data.mlpackage": (Fault.NO_MANIFEST, "the package has no Manifest.json"),
    "opset_without_block.mlpackage": (INVALID, "function 'main': no block for its opset 'CoreML5'"),
    "out_of_order.mlpackage": (INVALID, "conv 'output' uses 'conv_1_dilations_0' before anything defines it"),
    "program_without_functions.mlpackage": (INVALID, "the ML Program holds no functions"),
    "self_reference.mlpackage": (INVALID, "relu 'relu_0' uses 'relu_0' before anything defines it"),
    "symlink_dangling.mlpackage": (Fault.NOT_FOUND, f"{INSIDE}, which does not exist"),
    "symlink_loop.mlpackage": (Fault.NOT_FOUND, f"{INSIDE} cannot be read: Too many levels of symbolic links"),
    "symlink_outside.mlpackage": (Fault.OUTSIDE, f"{INSIDE} is a symbolic link out of the package"),
    "text.mlmodel": (CORRUPT, GARBAGE),
    "too_deep_blocks.mlpackage": (CORRUPT, GARBAGE),
    "truncated.mlmodel": (CORRUPT, GARBAGE),
    "truncated_model.mlpackage": (CORRUPT, GARBAGE),
}


def error(path: str | Path) -> ArtifactError:
    with pytest.raises(ArtifactError) as caught:
        load(path)
    return caught.value


@pytest.mark.parametrize(("name", "fault", "message"), [(name, *case) for name, case in BROKEN.items()], ids=BROKEN)
def test_every_broken_fixture_has_its_fault(name: str, fault: Fault, message: str) -> None:
    failure = error(FIXTURES / "broken" / name)
    assert failure.fault is fault
    assert message in failure.message
    assert str(failure) == failure.message


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("m.mlmodel", "git lfs pull --include='*.mlmodel,*.mil,Manifest.json'"),
        ("m.mlmodelc/model.mil", "git lfs pull --include='*.mlmodel,*.mil,Manifest.json'"),
        ("m.mlpackage/Manifest.json", "git lfs pull --include='*.mlmodel,*.mil,Manifest.json'"),
        ("m.MLMODEL", "git lfs pull"),
    ],
)
def test_the_command_that_fetches_a_file_fits_its_name(tmp_path: Path, name: str, command: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 617\n")
    package = file.parent if file.parent != tmp_path else file
    assert error(package).message.endswith(f"fetch it with `{command}`")


def test_no_broken_fixture_is_forgotten() -> None:
    assert {path.name for path in (FIXTURES / "broken").iterdir()} == BROKEN.keys()


def test_every_fault_has_a_code_and_a_label_of_its_own() -> None:
    assert [fault.value for fault in Fault] == [f"ANE{number:03}" for number in range(1, 12)]
    assert len({fault.label for fault in Fault}) == len(Fault)
    assert Fault.OUTSIDE.label == "path-outside-package"


@pytest.mark.parametrize(
    ("root", "fault", "message"),
    [
        ("", MANIFEST_FAULT, "gives no path for the root model"),
        (7, MANIFEST_FAULT, "gives no path for the root model"),
        (None, MANIFEST_FAULT, "gives no path for the root model"),
        (["model.mlmodel"], MANIFEST_FAULT, "gives no path for the root model"),
        (".", Fault.NOT_A_MODEL, "'Data' is a folder"),
        ("a\0b", Fault.OUTSIDE, "points outside the package"),
        ("..\\x", Fault.OUTSIDE, "points outside the package"),
        (f"../Data/{MODEL}", Fault.OUTSIDE, f"'../Data/{MODEL}' points outside the package"),
        ("a/" * 5000, Fault.NOT_FOUND, "which does not exist"),
        ("x" * 5000, Fault.NOT_FOUND, "which does not exist"),
        ("\ud800", Fault.NOT_FOUND, "'\\ud800' is a name that no file can have"),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else ascii(value)[:20],
)
def test_paths_in_a_manifest(tmp_path: Path, root: object, fault: Fault, message: str) -> None:
    failure = error(write_package(tmp_path / "m.mlpackage", b"", root))
    assert failure.fault is fault
    assert message in failure.message
    failure.message.encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe\x00", "is not valid JSON"),
        (b"[" * 200_000, "is not valid JSON"),
        (b'{"a":' * 200_000, "is not valid JSON"),
        (b"null", NO_ROOT),
        (b'"text"', NO_ROOT),
        (b'{"rootModelIdentifier": ["1"], "itemInfoEntries": {"1": {"path": "x"}}}', NO_ROOT),
        (b'{"rootModelIdentifier": "1", "itemInfoEntries": {"1": "x"}}', NO_ROOT),
        (b" " * MANIFEST_LIMIT + b"{}", NO_ROOT),
    ],
    ids=range(8),
)
def test_manifests_that_are_none(tmp_path: Path, content: bytes, message: str) -> None:
    package = write_package(tmp_path / "m.mlpackage", b"")
    (package / MANIFEST).write_bytes(content)
    failure = error(package)
    assert failure.fault is Fault.BAD_MANIFEST
    assert message in failure.message


def test_a_manifest_that_was_not_fetched_is_a_pointer(tmp_path: Path) -> None:
    package = write_package(tmp_path / "m.mlpackage", b"")
    (package / MANIFEST).write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 617\n")
    assert error(package).fault is Fault.MODEL_POINTER
    assert "'Manifest.json' is a Git LFS pointer for a file of 617 bytes" in error(package).message


def test_the_model_is_where_the_manifest_says(tmp_path: Path) -> None:
    model = (FIXTURES / "ok/bare_program.mlmodel").read_bytes()
    package = write_package(tmp_path / "m.mlpackage", b"")
    (package / "Data/other").write_bytes(model)
    write_manifest(package, "./other")
    assert load(package).specification_version == 7
    (package / "Data" / MODEL).unlink()
    (package / "Data" / MODEL).symlink_to("../other")
    write_manifest(package, MODEL)
    assert load(package).specification_version == 7


def test_paths_that_lead_to_nothing(tmp_path: Path) -> None:
    assert (error(tmp_path / "absent.mlpackage").fault, error(tmp_path / "absent.mlmodel").fault) == (
        Fault.NOT_FOUND,
    ) * 2
    assert error(tmp_path / "absent.mlpackage").message == "the package does not exist"
    assert error(tmp_path / "absent").message == "'absent' does not exist"
    for name in ("x" * 5000, "a\0b", "\ud800"):
        for suffix in ("", ".mlmodel", ".mlpackage", ".mlmodelc"):
            assert error(f"{tmp_path}/{name}{suffix}").fault is Fault.NOT_FOUND


def test_paths_that_lead_to_something_else(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("notes", encoding="utf-8")
    (tmp_path / "weights.bin").write_bytes(bytes(100))
    (tmp_path / "folder.mlmodel").mkdir()
    for name in ("notes.txt", "weights.bin"):
        assert error(tmp_path / name).fault is Fault.NOT_A_MODEL
    for folder in (tmp_path, tmp_path / "folder.mlmodel"):
        assert error(folder).message.startswith("no model was found in this folder")
    assert error(os.devnull).message.startswith(f"'{Path(os.devnull).name}' is a device or a pipe")


def test_pipes_and_sockets_are_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipes = [tmp_path / "pipe.mlmodel", tmp_path / "pipe.mlpackage", tmp_path / "pipe.mlmodelc", tmp_path / "pipe"]
    model = write_package(tmp_path / "model.mlpackage", b"")
    (model / "Data" / MODEL).unlink()
    manifest = write_package(tmp_path / "manifest.mlpackage", b"")
    (manifest / MANIFEST).unlink()
    (tmp_path / "text.mlmodelc").mkdir()
    for path in (*pipes, model / "Data" / MODEL, manifest / MANIFEST, tmp_path / "text.mlmodelc/model.mil"):
        os.mkfifo(path)
    monkeypatch.chdir(tmp_path)  # the names of sockets are short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.mlmodel")
        results = load_elsewhere(*pipes, model, manifest, tmp_path / "text.mlmodelc", tmp_path / "socket.mlmodel")
    assert [fault for fault, *_ in results] == [
        *["NOT_A_MODEL"] * 5,
        "BAD_MANIFEST",
        *["NOT_A_MODEL"] * 2,
    ]
    assert [message for _, message in results if "a device or a pipe" not in message] == [
        "an .mlpackage is a folder, this is a file; copy the whole folder, not an archive of it",
        "there is no folder here; a compiled model (.mlmodelc) is one",
    ]


@pytest.mark.parametrize(
    ("forbidden", "message"),
    [
        (f"m.mlpackage/Data/{MODEL}", f"{INSIDE} may not be read"),
        ("m.mlpackage/Data/com.apple.CoreML", f"{INSIDE} may not be read"),
        ("m.mlpackage/Data", f"{INSIDE} may not be read"),
        ("m.mlpackage/Manifest.json", "'Manifest.json' may not be read"),
        ("m.mlpackage", "'Manifest.json' may not be read"),
        ("", "may not be read"),
    ],
)
def test_missing_permissions_are_named(public_folder: Path, forbidden: str, message: str) -> None:
    folder = public_folder / "folder"
    folder.mkdir()
    package = copy_of("ok/weights_present.mlpackage", folder).rename(folder / "m.mlpackage")
    (folder / forbidden).chmod(0)
    ((fault, said),) = load_elsewhere(package, as_nobody=True)
    (folder / forbidden).chmod(0o755)
    assert fault == "NO_PERMISSION"
    assert message in said
    assert "grant the permission (chmod u+r" in said


@pytest.mark.parametrize("name", ["m.mlmodel", "m.mlmodelc", "m.mlmodelc/model.mil"])
def test_missing_permissions_for_files_and_compiled_models_are_named(public_folder: Path, name: str) -> None:
    (public_folder / name).parent.mkdir(exist_ok=True)
    (public_folder / name).mkdir() if name.endswith("c") else (public_folder / name).write_bytes(b"x")
    (public_folder / name).chmod(0)
    ((fault, said),) = load_elsewhere(public_folder / Path(name).parts[0], as_nobody=True)
    assert fault == "NO_PERMISSION"
    assert "may not be read" in said


def test_a_closed_folder_in_a_search_is_named_and_the_others_are_found(public_folder: Path) -> None:
    for name in ("closed", "open"):
        (public_folder / name).mkdir()
        copy_of("ok/bare_program.mlmodel", public_folder / name)
    (public_folder / "closed").chmod(0)
    closed, found = load_elsewhere(public_folder, as_nobody=True, search=True)
    (public_folder / "closed").chmod(0o755)
    assert found[0] == "loaded"
    assert closed[0] == "NO_PERMISSION"
    assert closed[1] == f"'{public_folder / 'closed'}' may not be read; grant the permission (chmod u+rx)"
