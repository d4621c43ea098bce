"""What a configuration changes for the hooks."""

from __future__ import annotations

from tests.uses.pre_commit.repositories import BAD, GOOD, Repository, linted, outcome

ALL = "anecheck (all models)"
MODEL = "models/Encoder.mlpackage"
FILE = "models/Old.mlmodel"
SUPPRESSION = '[[suppress]]\nrule = "cumulative-sum"\nmodel = "models/Encoder.mlpackage"\nreason = "once a minute"\n'


def test_what_somebody_decided_to_live_with_is_let_in(app: Repository) -> None:
    app.put(BAD, MODEL)
    assert outcome(app.commit()) == "Failed"
    app.write("anecheck.toml", SUPPRESSION)
    assert outcome(app.commit()) == "Passed"


def test_a_suppression_is_not_called_unused_by_a_commit_of_another_model(app: Repository) -> None:
    app.put(BAD, MODEL)
    app.put(GOOD, "models/Decoder.mlpackage")
    app.write("anecheck.toml", SUPPRESSION.replace(MODEL, "models/*"))
    app.commit_unchecked()
    with (app.folder / "models/Decoder.mlpackage/Manifest.json").open("a") as file:
        file.write("\n")
    assert outcome(app.commit()) == "Passed"


def test_what_is_excluded_is_not_linted_though_its_files_are_passed(app: Repository) -> None:
    app.put(BAD, MODEL)
    app.put("flagged/neural_network.mlmodel", FILE)
    app.write("anecheck.toml", 'exclude = ["models/**"]\n')
    assert outcome(app.commit()) == "Passed"
    app.write("anecheck.toml", 'exclude = ["models/*.mlpackage"]\n')
    app.git("commit", "--quiet", "--amend", "--no-verify", "--message", "before")
    done = app.pre_commit("run", "anecheck", "--all-files")
    assert linted(done) == [FILE]


def test_settings_of_models_hold(app: Repository) -> None:
    app.put(BAD, MODEL)
    app.write("models/anecheck.toml", 'fail-on = "error"\n')
    assert outcome(app.commit()) == "Passed"


def test_findings_are_shown_whatever_formats_the_configuration_asks_for(app: Repository) -> None:
    app.put(BAD, MODEL)
    app.write("anecheck.toml", 'format = ["sarif=report.sarif"]\n')
    assert linted(app.commit()) == [MODEL]
    done = app.pre_commit("run", "anecheck-all", "--hook-stage", "manual")
    assert linted(done) == [MODEL]
    assert not (app.folder / "report.sarif").exists()


def test_arguments_of_ones_own_go_before_the_paths(app: Repository) -> None:
    settings = app.folder / ".pre-commit-config.yaml"
    changed = settings.read_text().replace(
        "- id: anecheck\n", "- id: anecheck\n        args: [--format=text, --fail-on, error, --]\n"
    )
    settings.write_text(changed)
    app.put(BAD, MODEL)
    assert outcome(app.commit()) == "Passed"


def test_all_models_that_the_configuration_includes_are_linted_whatever_changed(app: Repository) -> None:
    app.put(BAD, MODEL)
    app.put(BAD, "drafts/Draft.mlpackage")
    app.put(GOOD, "models/Decoder.mlpackage")
    app.write("anecheck.toml", 'include = ["models/**"]\n')
    app.commit_unchecked()
    run = ("run", "anecheck-all", "--hook-stage", "manual")
    done = app.pre_commit(*run)
    assert (outcome(done, ALL), linted(done)) == ("Failed", ["models/Decoder.mlpackage", MODEL])
    app.write("anecheck.toml", 'include = ["models/Dec*"]\n')
    app.git("add", "--all")
    assert outcome(app.pre_commit(*run), ALL) == "Passed"


def test_all_models_are_those_of_a_configuration_and_without_one_it_says_so(app: Repository) -> None:
    app.put(BAD, MODEL)
    app.commit_unchecked()
    done = app.pre_commit("run", "anecheck-all", "--hook-stage", "manual")
    assert outcome(done, ALL) == "Failed"
    assert "exit code: 2" in done.stdout
    assert "write an anecheck.toml (`anecheck init`) that says what to lint" in done.stdout
