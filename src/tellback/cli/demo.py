"""`tellback demo`: a server with ninety days of a made-up firm."""

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType

HELP = "start a server filled with ninety days of a made-up firm"

PORT = 8321


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="where the demo's data lies (default: the user's data folder; with --once, a temporary one)",
    )
    parser.add_argument("--port", type=int, help=f"port on 127.0.0.1 (default: {PORT}; with --once, a free one)")
    parser.add_argument("--once", action="store_true", help="print the answers and end, leaving nothing behind")


def run(args: argparse.Namespace) -> int:
    # Before a data directory is made: without the server's packages `main` says how to get them.
    import uvicorn  # noqa: F401 - only to see that it is there

    from tellback.demo import show
    from tellback.demo.fill import FillError
    from tellback.demo.serving import ServingError

    # A supervisor's SIGTERM ends the demo as Ctrl-C does: the server first, in order.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        if args.once:
            show.once(args.data, args.port or 0)
        else:
            show.stay(args.data or _data_folder() / "tellback" / "demo", PORT if args.port is None else args.port)
    except KeyboardInterrupt:
        sys.stderr.write("\nThe demo has ended.\n")
    except (FillError, ServingError) as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _data_folder() -> Path:
    """The user's data folder by the platform's custom."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
