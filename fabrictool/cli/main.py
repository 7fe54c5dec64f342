"""Entry point: finds a command's module when it is called, and turns errors into messages and exit codes."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from fabrictool import __version__
from fabrictool.errors import FabrictoolError

#: Command, to the line that ``--help`` shows; the command is ``command`` in ``fabrictool.cli.<name>``.
COMMANDS = {
    "new": "Write a commented layout to start from.",
    "show": "Count what a layout consists of.",
    "score": "Evaluate a layout: collectives, congestion, power, cooling, cost, findings.",
    "route": "Compute what each link carries.",
    "impact": "What failures, drains and upgrades cost.",
    "cables": "Plan every cable, and what to order.",
    "verify": "Hold what was built against the plan.",
    "compare": "Set layouts side by side, or one beside its earlier state in git.",
    "plot": "Draw a figure of a layout.",
    "export": "Write a fabric in another tool's format.",
    "import": "Turn another tool's file into a layout, a plan or edges.csv.",
    "catalogue": "List device types with their sources.",
    "schema": "Print the JSON Schema of a layout file.",
}
#: Commands whose module cannot bear their name.
MODULES = {"import": "importing"}


class _Commands(click.Group):
    """A group whose commands are imported on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"fabrictool.cli.{MODULES.get(cmd_name, cmd_name)}").command
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # click would leave with the status of findings
            raise click.exceptions.Exit(_broken_pipe()) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from fabrictool.errors import did_you_mean

        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"no such command '{args[0]}'; {did_you_mean(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="fabrictool")
def cli() -> None:
    """Design and check the network, power and cooling of AI and HPC data centres."""


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit: 0 clean, 1 findings of severity error, 2 bad input, 130 interrupted."""
    try:
        status = cli.main(arguments, prog_name="fabrictool", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        status = stop.exit_code
    except click.Abort:
        _complain("interrupted")
        status = 130
    except KeyboardInterrupt:
        _complain("interrupted")
        status = 130
    except click.ClickException as error:
        error.show()
        status = 2
    except FabrictoolError as error:
        _complain(str(error))
        status = 2
    except BrokenPipeError:
        status = _broken_pipe()
    except OSError as error:
        _complain(f"{error.filename or 'output'}: {error.strerror}")
        status = 2
    except (MemoryError, RecursionError) as error:
        _complain(f"this is too large for this machine ({type(error).__name__}); make the layout smaller")
        status = 2
    sys.exit(status if isinstance(status, int) else 0)


def _broken_pipe() -> int:
    """Let what is still to be written go nowhere; return the status of a program that a closed pipe ended."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141


def _complain(text: str) -> None:
    print(text, file=sys.stderr)
