"""The command line: `kdsl COMMAND ...`.

A command is one module of this package with `arguments(parser)` and `run(options, console) -> int`. Only the module
of the command that runs is imported, and it imports what it needs when it runs: `kdsl lint` must answer at once.

Exit codes: 0 done, 1 the model has errors or findings, 2 wrong usage, or a file or data that cannot be used.
"""

from __future__ import annotations

import os
import sys

from kdsl.cli.console import INTERRUPTED, USAGE, CliError, Console

__all__ = ["main"]

BROKEN_PIPE = 141  # what a shell reports for a program that SIGPIPE ended


def main(arguments: list[str] | None = None) -> int:
    """Run one command -> the exit code."""
    from kdsl.cli.parser import read_command

    console = Console.standard("auto")
    try:
        command, options = read_command(sys.argv[1:] if arguments is None else arguments)
        console = Console.standard(options.color)
        code = command(options, console)
        sys.stdout.flush()
        return code
    except SystemExit as stop:  # argparse: --help, --version, wrong usage
        return stop.code if isinstance(stop.code, int) else USAGE
    except CliError as error:
        console.error(error.message, error.help)
        return error.code
    except KeyboardInterrupt:
        console.error("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or flushing at exit complains
        return BROKEN_PIPE
    except Exception:
        import traceback

        traceback.print_exc()
        console.error(
            "kdsl failed inside itself", "this is a bug in kdsl: please report it with the file and the text above"
        )
        return USAGE
