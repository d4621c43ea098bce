"""`anecheck`: the group of commands. Each command's module is imported only when it runs, so that start-up is instant."""

from __future__ import annotations

import atexit
import gc
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import click

from anecheck.version import __version__

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS: Final = {
    "lint": "Say what in a model is likely to leave the Neural Engine, why, and what to write instead.",
    "placement": "Predict where Core ML places each operation, and what would change that.",
    "measure": "Ask Core ML where it runs each operation, on a Mac.",
    "footprint": "Say how much memory a model takes when, and how long a prediction.",
    "compare": "Say whether a new export of a model got worse than an old one.",
    "show": "Print a model's program as MIL text.",
    "baseline": "Accept what is found today, so that only what comes on top counts.",
    "merge": "Put the reports of shards together.",
    "config": "Show the settings that count for a model, and where each comes from.",
    "init": "Write a configuration to begin with.",
    "rule": "Explain a rule, or list them all.",
    "targets": "List the chips, engine families and OS releases that are known.",
    "schema": "Print the JSON schema of a report, a comparison or a configuration.",
}


class LazyGroup(click.Group):
    """Knows its commands by name and one line, and imports what it runs."""

    def main(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # click's signature has overloads
        """Run a command; where the command line is the process's own, without the garbage collector.

        A model is some hundred thousand objects that live until it is reported. The collector would walk them again and
        again as they grow in number, for half of the time that a large model takes, and at exit once more. `lint` collects
        what one model leaves before it reads the next.
        """
        if not args and kwargs.get("args") is None:
            gc.disable()
            atexit.register(gc.freeze)
        return super().main(*args, **kwargs)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands, the main job first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"anecheck.cli.{cmd_name}").command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer the commands without importing any, and the group's own options."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415  # only a shell that completes needs it

        named = [CompletionItem(name, help=COMMANDS[name]) for name in COMMANDS if name.startswith(incomplete)]
        return named + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="anecheck %(version)s")
def main() -> None:
    """Lint Core ML models for Apple's Neural Engine, without a Mac, a device, or a run of the model."""


if __name__ == "__main__":
    main()
