"""`anecheck measure`: what Core ML itself says of where operations run. It works on a Mac only."""

from __future__ import annotations

import json
import platform
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anecheck.artifact.errors import ArtifactError
from anecheck.artifact.load import load
from anecheck.artifact.locate import find_models
from anecheck.cli.judgement import usage_errors
from anecheck.cli.options import EXIT_UNREADABLE, completed, write_report
from anecheck.knowledge.target import ComputeUnits
from anecheck.report.escape import visible

if TYPE_CHECKING:
    from anecheck.measured.core_ml import CoreML

MAC = "Darwin"
ENDING = ".measured.json"


@click.command("measure", short_help="Ask Core ML where it runs each operation.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=completed("path"))
@click.option(
    "--compute-units",
    type=click.Choice([units.value for units in ComputeUnits]),
    default=ComputeUnits.CPU_AND_NE.value,
    show_default=True,
    help="Which devices the app lets Core ML use.",
)
@click.option(
    "--output-file",
    "-o",
    type=click.Path(),
    help=f"Write the plan there instead of printing it; for several models a folder, which gets NAME{ENDING} of each.",
)
def command(paths: tuple[str, ...], compute_units: str, output_file: str | None) -> None:
    """Ask Core ML's compute plan where it runs each operation, for `anecheck placement PATH --measured FILE`.

    PATH is as for `lint`. It needs a Mac with macOS 14.4 or later; nothing is run, and the file holds no weights. Exit
    code: 0, 2 wrong usage, 3 a model could not be read or has no plan.
    """
    if platform.system() != MAC:
        raise click.UsageError(
            f"Core ML says where operations run only on macOS, and this is {platform.system() or 'another system'}; run "
            "this command on a Mac, bring the file here, and compare: anecheck placement PATH --measured FILE"
        )
    from anecheck.measured.mac import Mac  # noqa: PLC0415  # there is no use for it anywhere else

    with usage_errors():
        models = find_models(paths)
    sys.exit(measure_all(models, Mac(), ComputeUnits(compute_units), output_file))


def measure_all(models: Sequence[Path], core_ml: CoreML, units: ComputeUnits, output_file: str | None) -> int:
    """Measure every model and write its plan; one that has none is named, and the others are still measured."""
    if len(models) > 1 and (output_file is None or not Path(output_file).is_dir()):
        raise click.UsageError(f"there are {len(models)} models: name a folder for their plans with --output-file")
    if len({model.stem for model in models}) < len(models):
        raise click.UsageError(
            "two of the models have the same name, and so would their plans; measure them one by one"
        )
    failed = False
    for model in models:
        try:
            text = _measured(model, core_ml, units)
        except _UnmeasuredError as error:
            click.echo(f"{visible(str(model))}: {visible(str(error))}", err=True)
            failed = True
            continue
        several = output_file is not None and Path(output_file).is_dir()
        write_report(text, str(Path(output_file or "", f"{model.stem}{ENDING}")) if several else output_file)
    return EXIT_UNREADABLE if failed else 0


class _UnmeasuredError(Exception):
    """Why a model has no plan."""


def _measured(path: Path, core_ml: CoreML, units: ComputeUnits) -> str:
    from anecheck.measured.core_ml import measure  # noqa: PLC0415
    from anecheck.measured.plan import PlanError  # noqa: PLC0415

    try:
        with tempfile.TemporaryDirectory() as folder:
            return json.dumps(measure(load(path), core_ml, units, Path(folder)), indent=1)
    except ArtifactError as error:
        raise _UnmeasuredError(f"{error.fault.value} {error.message}") from error
    except PlanError as error:
        raise _UnmeasuredError(f"not measured: {error}") from error
