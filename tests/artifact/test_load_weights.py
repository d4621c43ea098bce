"""Weight files: their headers are read, and whatever is wrong with them becomes a status."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from anecheck.artifact.load import load
from anecheck.artifact.weights import BLOB_HEADER, SENTINEL
from anecheck.mil.model import Blob, WeightFile
from tests.artifact.packages import WEIGHTS, copy_of, fixture, load_elsewhere

SIZE = 704
BLOBS = {64: Blob(64, 432, 128), 576: Blob(576, 64, 640)}
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of a package with two tensors in its weight file."""
    return copy_of("ok/weights_present.mlpackage", tmp_path)


def weights_of(package: Path) -> WeightFile:
    (file,) = load(package).weights
    return file


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("weights_present", WeightFile("weights/weight.bin", "present", SIZE, BLOBS)),
        ("weights_absent", WeightFile("weights/weight.bin", "absent", detail="the file does not exist")),
        ("weights_lfs_pointer", WeightFile("weights/weight.bin", "pointer", 1234, detail="a Git LFS pointer")),
        (
            "weights_truncated",
            WeightFile("weights/weight.bin", "truncated", 352, detail="a tensor should end at byte 560 of 352"),
        ),
        (
            "weights_several_blobs",
            WeightFile(
                "weights/weight.bin",
                "present",
                29696,
                {64: Blob(64, 27648, 128), 27776: Blob(27776, 48, 27840), 27904: Blob(27904, 1728, 27968)},
            ),
        ),
    ],
)
def test_weight_files_of_the_fixtures(name: str, file: WeightFile) -> None:
    assert fixture(f"ok/{name}.mlpackage").weights == (file,)


def test_a_weight_file_that_two_functions_share_is_listed_once_with_the_tensors_of_both() -> None:
    (file,) = fixture("ok/multifunction.mlpackage").weights
    assert (file.status, file.size) == ("present", 1024)
    assert sorted(file.blobs) == [64, 576, 704]


@pytest.mark.parametrize(
    ("size", "status", "detail", "offsets"),
    [
        (SIZE, "present", "", [64, 576]),
        (SIZE - 1, "truncated", "a tensor should end at byte 704 of 703", [64]),
        (600, "truncated", "a tensor should end at byte 704 of 600", [64]),
        (599, "truncated", "a tensor should begin at byte 576 of 599", [64]),
        (8, "truncated", "a tensor should begin at byte 64 of 8", []),
        (7, "truncated", "7 bytes are too few for the file's header", []),
        (0, "truncated", "0 bytes are too few for the file's header", []),
    ],
)
def test_weight_files_cut_at_any_place(package: Path, size: int, status: str, detail: str, offsets: list[int]) -> None:
    os.truncate(package / "Data" / WEIGHTS, size)
    file = weights_of(package)
    assert (file.status, file.size, file.detail, list(file.blobs)) == (status, size, detail, offsets)


def change_header(package: Path, offset: int, sentinel: int, size: int, start: int) -> None:
    with (package / "Data" / WEIGHTS).open("r+b") as file:
        file.seek(offset)
        file.write(BLOB_HEADER.pack(sentinel, 1, size, start))


def test_headers_that_are_none_and_sizes_beyond_the_file_are_noticed(package: Path) -> None:
    change_header(package, 576, 0xDEADBEE0, 64, 640)
    assert weights_of(package) == WeightFile(
        "weights/weight.bin", "unreadable", SIZE, {64: BLOBS[64]}, "no tensor begins at byte 576"
    )
    change_header(package, 64, SENTINEL, 2**64 - 1, 2**64 - 1)
    assert weights_of(package) == WeightFile(
        "weights/weight.bin", "truncated", SIZE, {}, f"a tensor should end at byte {2**65 - 2} of {SIZE}"
    )


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (POINTER.format("ab" * 32, 12_000_000_000), 12_000_000_000),
        (POINTER.format("ab" * 32, 7).replace("\n", "\r\n"), 7),
        ("version https://git-lfs.github.com/spec/v1\n", None),
        (POINTER.format("ab" * 32, "many"), None),
    ],
)
def test_git_lfs_pointers_promise_a_size(package: Path, text: str, size: int | None) -> None:
    (package / "Data" / WEIGHTS).write_bytes(text.encode())
    assert weights_of(package) == WeightFile("weights/weight.bin", "pointer", size, detail="a Git LFS pointer")


def test_a_weight_file_outside_of_the_package_is_not_looked_at(package: Path, tmp_path: Path) -> None:
    weights = package / "Data" / WEIGHTS
    weights.rename(tmp_path / "weight.bin")
    weights.symlink_to(tmp_path / "weight.bin")
    file = weights_of(package)
    assert file == WeightFile("weights/weight.bin", "unreadable", detail="it is not inside the package")
    outside = fixture("flagged/blob_outside.mlpackage").weights
    assert [(file.path, file.status) for file in outside] == [
        ("../../../../../../etc/passwd", "unreadable"),
        ("weights/weight.bin", "absent"),
    ]


def test_a_link_within_the_package_is_followed(package: Path) -> None:
    weights = package / "Data" / WEIGHTS
    weights.rename(package / "Data" / "elsewhere")
    weights.symlink_to("../../elsewhere")
    assert weights_of(package) == WeightFile("weights/weight.bin", "present", SIZE, BLOBS)
    (package / "Data" / "elsewhere").unlink()
    assert weights_of(package).status == "absent"


def test_an_offset_that_no_file_has_is_a_truncated_file(tmp_path: Path) -> None:
    package = copy_of("flagged/blob_huge_offset.mlpackage", tmp_path)
    weights = package / "Data" / WEIGHTS
    weights.parent.mkdir()
    weights.write_bytes((copy_of("ok/weights_present.mlpackage", tmp_path) / "Data" / WEIGHTS).read_bytes())
    file = weights_of(package)
    assert file.status == "truncated"
    assert file.detail == f"a tensor should begin at byte {2**63} of {SIZE}"


def test_folders_and_pipes_are_no_weight_files(package: Path, tmp_path: Path) -> None:
    weights = package / "Data" / WEIGHTS
    weights.unlink()
    weights.mkdir()
    pipe = copy_of("ok/weights_several_blobs.mlpackage", tmp_path)
    (pipe / "Data" / WEIGHTS).unlink()
    os.mkfifo(pipe / "Data" / WEIGHTS)
    details = [result[2] for result in load_elsewhere(package, pipe)]
    assert details == [[["weights/weight.bin", "unreadable", "it is no regular file"]]] * 2


@pytest.mark.parametrize("forbidden", [WEIGHTS, str(Path(WEIGHTS).parent)])
def test_weights_without_permission_are_unreadable(public_folder: Path, forbidden: str) -> None:
    package = copy_of("ok/weights_present.mlpackage", public_folder)
    (package / "Data" / forbidden).chmod(0)
    (result,) = load_elsewhere(package, as_nobody=True)
    assert result[2] == [["weights/weight.bin", "unreadable", "Permission denied"]]
