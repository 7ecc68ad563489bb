"""python -m mmrec_core ...: every action of a page has a command.

Exits 0 on success and 2 on a wrong input, with one sentence on stderr; ``--json`` prints for
machines.
"""

import os
import sys

from mmrec_core.commands.parser import build_parser
from mmrec_core.domain import InputError


def main(arguments: list[str] | None = None) -> int:
    """Carries out one command; returns its exit status."""
    options = build_parser().parse_args(arguments)
    try:
        options.command(options)
    except InputError as error:
        print(f"mmrec_core: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read our output has seen enough; keep the interpreter from writing to it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"mmrec_core: {where}{error.strerror or error}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("mmrec_core: stopped; what was finished is kept.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
