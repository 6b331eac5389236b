"""``python -m gpudrift``, and the program ``gpudrift``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; whoever interrupts it while it loads sees no traceback either."""
    try:
        from gpudrift.cli import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
