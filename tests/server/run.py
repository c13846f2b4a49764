"""Runs `tellback serve` with the arguments given, as the command line would."""

import argparse
import sys

from tellback.cli import serve

parser = argparse.ArgumentParser()
serve.configure(parser)
sys.exit(serve.run(parser.parse_args()))
