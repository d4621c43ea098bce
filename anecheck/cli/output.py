"""Where reports go: formats as they are asked for, files and the standard output, and what a run exits with."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import click

from anecheck.cli.options import EXIT_UNREADABLE, completed, output_width, use_colour, with_options, write_report
from anecheck.lint.reports import Report
from anecheck.report.formats import ALIASES, FORMATS, renderer
from anecheck.report.presentation import Presentation
from anecheck.report.wording import reaches, told

F = TypeVar("F", bound=Callable[..., Any])
EXIT_FINDINGS: Final = 1
OF_REPOSITORIES: Final = {"sarif", "github", "gitlab"}
"""Formats of services that show findings beside the files of a repository, whose paths are meant from there."""
STEP_SUMMARY: Final = 1_048_576
"""What GitHub takes as the summary of a step, in bytes."""


class Output(NamedTuple):
    """A format, and the file that it goes to; `None` is the standard output."""

    format: str
    file: str | None = None


class OutputOptions(NamedTuple):
    """What the options of `output_options` were given."""

    formats: tuple[str, ...]
    output_file: str | None
    color: str
    quiet: bool
    verbose: bool

    def outputs(self, configured: Sequence[str] = ()) -> tuple[Output, ...]:
        """What is to be written where; what is `configured` counts where no format is given.

        Raises:
            UsageError: a format is unknown, or a file cannot be written, or two reports go to the same place.

        """
        outputs = [_output(text) for text in self.formats or configured or ("text",)]
        if self.output_file is not None:
            bare = [place for place, output in enumerate(outputs) if output.file is None]
            if len(bare) != 1:
                raise click.UsageError("--output-file goes with one --format that names no file of its own")
            outputs[bare[0]] = Output(outputs[bare[0]].format, self.output_file)
        places = [output.file for output in outputs]
        for place in places:
            if places.count(place) > 1:
                where = f"'{place}'" if place else "the standard output; write for example --format sarif=report.sarif"
                raise click.UsageError(f"two reports cannot go to {where}")
            if place and not Path(place).absolute().parent.is_dir():
                raise click.UsageError(f"cannot write '{place}': there is no folder for it")
        return tuple(outputs)

    def write(self, report: Report, outputs: Sequence[Output]) -> None:
        """Write a report in every format that is asked for."""
        for output in outputs:
            shown, room = output.file is None, _room_in_summary(output.file)
            presentation = Presentation(
                width=output_width() if shown else 80,
                colour=shown and use_colour(self.color),
                quiet=self.quiet,
                verbose=self.verbose,
                base=str(Path.cwd()),
                root=_repository() if output.format in OF_REPOSITORIES else "",
                room=room,
            )
            write_report(renderer(output.format)(report, presentation), output.file, append=room is not None)


def output_options(command: F) -> F:
    """Add the options that say how a report is written; they arrive as one `output`."""

    def pack(given: dict[str, Any]) -> dict[str, Any]:
        names = ("formats", "output_file", "color", "quiet", "verbose")
        return {"output": OutputOptions(**{name: given.pop(name) for name in names})}

    options = (
        click.option(
            "--format",
            "formats",
            multiple=True,
            metavar="NAME[=FILE]",
            shell_complete=completed("format"),
            help=f"{', '.join(FORMATS)}. Repeatable, each with a file but for one: sarif=report.sarif.  [default: text]",
        ),
        click.option(
            "--output-file",
            "-o",
            type=click.Path(dir_okay=False),
            help="Write the report there instead of printing it.",
        ),
        click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True),
        click.option("--quiet", "-q", is_flag=True, help="Only findings: no progress, no closing line."),
        click.option(
            "--verbose", "-v", is_flag=True, help="Name every operation; in JSON, list every operation of the program."
        ),
    )
    return with_options(command, options, pack)


def _repository() -> str:
    """The folder of the repository that the working directory lies in; empty where it lies in none."""
    here = Path.cwd()
    return next((str(folder) for folder in (here, *here.parents) if (folder / ".git").exists()), "")


def _room_in_summary(file: str | None) -> int | None:
    """How much the summary of the step of a GitHub workflow still takes, where a file is that; `None` elsewhere.

    Whatever a step writes there comes after what it has written before.
    """
    if file is None or os.environ.get("GITHUB_STEP_SUMMARY") != file:
        return None
    with suppress(OSError):
        return max(0, STEP_SUMMARY - Path(file).stat().st_size)
    return STEP_SUMMARY


def exit_code(report: Report) -> int:
    """3 where some model cannot be read, 1 where something counts that fails the run, 0 otherwise."""
    if any(model.error for model in report.models):
        return EXIT_UNREADABLE
    fails = any(reaches(finding, model.fail_on) for model in report.models for finding in told(model))
    return EXIT_FINDINGS if fails or any(reaches(notice, report.fail_on) for notice in report.notices) else 0


def _output(text: str) -> Output:
    name, equals, file = text.partition("=")
    if name not in FORMATS and name not in ALIASES:
        raise click.UsageError(f"there is no format '{name}'; the formats are {', '.join(FORMATS)}")
    if equals and not file:
        raise click.UsageError(f"--format {text} names no file")
    return Output(name, os.path.expanduser(file) if file else None)  # noqa: PTH111  # a name, not a path yet
