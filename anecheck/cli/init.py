"""`anecheck init`: a configuration to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from anecheck.artifact.locate import find_models
from anecheck.lint.asked.discovery import OWN_FILE
from anecheck.lint.baseline import FILE_NAME

START: Final = f"""\
# What anecheck judges models by. `anecheck config` shows what counts for a model and where it is said;
# `anecheck schema configuration` prints the schema of this file for editors.

# Chips, devices or families that you ship to, with the oldest system that you support.
target = "a17pro"
# target = ["iphone-13/ios17", "m4/macos26"]

# Which devices your app lets Core ML use (MLModelConfiguration.computeUnits).
# compute-units = "cpu-and-ne"

# The least severity that fails a run: "error", "warning", "info" or "never".
# fail-on = "warning"

# Rules by code, prefix or name. `anecheck rule --all` lists them.
# select = ["ANE1", "ANE2"]
# extend-select = ["ANE809"]
# ignore = ["ANE801"]

# What is found today and accepted (`anecheck baseline` writes it): only what comes on top counts.
baseline = "{FILE_NAME}"

# What `anecheck lint` lints where it is given no path.
# include = ["**/*.mlpackage"]
# exclude = ["third_party/**"]

# How reports are written: one to the terminal, others to files.
# format = ["text", "sarif=anecheck.sarif"]

# What your app can afford. Nothing is asked unless you ask it.
# [budgets]
# fps = 30
# residency = "single"    # or "always"
# load = "cold"           # or "camera"
# memory-limit = "120MB"

# Another severity, or other limits, for one rule.
# [rules.ANE105]
# severity = "info"

# What holds for some models only; the last section that fits has the last word.
# [[models]]
# path = "always_on/*.mlpackage"
# budgets = {{ residency = "always", load = "camera" }}

# A finding that somebody has looked at and decided to live with.
# [[suppress]]
# rule = "ANE107"
# model = "encoders/*.mlpackage"
# operation = "inputs_embeds*"
# reason = "the app looks the embeddings up on the CPU anyway"
# expires = 2027-06-30
"""


@click.command("init", short_help="Write a configuration to begin with.")
@click.option("--force", is_flag=True, help="Replace one that is there.")
def command(force: bool) -> None:
    """Write a commented anecheck.toml into the working directory."""
    file = Path(OWN_FILE)
    try:
        with file.open("w" if force else "x", encoding="utf-8") as opened:
            opened.write(START)
    except FileExistsError as error:
        raise click.UsageError(f"there is a {file} already; --force replaces it") from error
    except OSError as error:
        raise click.UsageError(f"cannot write '{file}': {error.strerror}") from error
    models = [model for model in find_models(["."]) if model != Path()]
    found = f"{len(models)} {'model' if len(models) == 1 else 'models'}"
    click.echo(f"{file} is written; it holds for the {found} below it.")
    click.echo("Next: set `target`, then `anecheck lint`; `anecheck baseline` accepts what is found today.")
