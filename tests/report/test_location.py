"""Where findings point at."""

from __future__ import annotations

import pytest

from anecheck.lint.finding import Source
from anecheck.report.location import Location, in_editor, in_repository, of_notice
from anecheck.report.presentation import Presentation
from tests.report.reports import HERE, HOMELESS, INFERRED, NOTICE, WHOLE, WRITTEN, finding, model


def test_the_users_own_code_comes_first() -> None:
    listed = model(listing="build/a.mil")
    assert in_editor(WRITTEN, listed, HERE) == in_repository(WRITTEN, listed, HERE) == Location("src/net.py", 42)


def test_then_a_listing_of_the_program() -> None:
    listed = model(listing="/repository/build/a.mil")
    place = Location("build/a.mil", 13, 38)
    assert in_editor(finding(), listed, HERE) == in_repository(finding(), listed, HERE) == place
    assert in_editor(INFERRED, listed, HERE) == place


def test_without_both_an_editor_gets_the_package_and_a_service_a_file_of_it() -> None:
    assert in_editor(finding(), model(), HERE) == Location("models/a.mlpackage", 13, 38)
    assert in_repository(finding(), model(), HERE) == Location("models/a.mlpackage/Manifest.json")


def test_the_whole_model_is_its_first_line() -> None:
    listed = model(listing="build/a.mil")
    assert in_editor(WHOLE, listed, HERE) == Location("build/a.mil")
    assert in_editor(WHOLE, model(), HERE) == Location("models/a.mlpackage")
    assert in_editor(None, listed, HERE) == Location("models/a.mlpackage")
    assert in_repository(WHOLE, listed, HERE) == Location("models/a.mlpackage/Manifest.json")


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("A.MLPackage", "A.MLPackage/Manifest.json"),
        ("./b/../a.mlmodelc/", "a.mlmodelc/model.mil"),
        ("a.mlmodel", "a.mlmodel"),
        ("/repository/a.mlmodel", "a.mlmodel"),
        ("/repository2/a.mlmodel", "/repository2/a.mlmodel"),
        ("../a.mlmodel", "/a.mlmodel"),
    ],
)
def test_a_file_stands_for_the_model(path: str, file: str) -> None:
    assert in_repository(finding(), model(path=path), HERE) == Location(file)


@pytest.mark.parametrize("file", ["/opt/torch/nn.py", "../net.py", "/repository/../net.py"])
def test_a_service_is_not_sent_to_files_outside_of_the_repository(file: str) -> None:
    outside = finding(source=Source(file=file, line=3))
    assert in_repository(outside, model(), HERE) == Location("models/a.mlpackage/Manifest.json")
    assert in_repository(finding(), model(listing=file), HERE) == Location("models/a.mlpackage/Manifest.json")
    assert in_editor(outside, model(), HERE).line == 3


def test_relative_paths_are_from_the_base_and_written_from_the_root() -> None:
    below = Presentation(base="/repository/ios", root="/repository/")
    assert in_editor(finding(), model(path="a.mlpackage"), below).path == "ios/a.mlpackage"
    assert in_editor(finding(), model(path="../a.mlpackage"), below).path == "a.mlpackage"


def test_without_a_base_relative_paths_stay() -> None:
    nowhere = Presentation()
    assert in_editor(finding(), model(path="./a.mlpackage"), nowhere).path == "a.mlpackage"
    assert in_repository(WRITTEN, model(), nowhere) == Location("models/a.mlpackage/Manifest.json")
    assert in_repository(finding(source=Source(file="net.py")), model(), nowhere) == Location("net.py")


def test_a_notice_is_where_the_configuration_has_it() -> None:
    assert of_notice(NOTICE, HERE) == Location("anecheck.toml", 7)
    assert of_notice(HOMELESS, HERE) is None
