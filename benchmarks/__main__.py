"""`python -m benchmarks [train|live]`: measure, then print one table."""

from __future__ import annotations

import argparse
import sys

from benchmarks.harness import installed
from benchmarks.peers import PEERS
from benchmarks.table import FULL, QUICK, Row, as_markdown, as_rich, rows


def main() -> None:
    """Measure everything that is installed and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "what",
        nargs="?",
        choices=["graphs", "train", "live"],
        default="graphs",
        help="train: steps of real networks; live: training that is watched",
    )
    parser.add_argument(
        "--quick", action="store_true", help="few and short rounds: a look, not a measurement"
    )
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    arguments = parser.parse_args()
    if arguments.what != "graphs":
        from benchmarks import live, training

        {"train": training, "live": live}[arguments.what].main(arguments.quick, arguments.markdown)
        return
    peers = installed()
    for peer in PEERS.keys() - set(peers):
        print(f"{PEERS[peer]} is skipped: it is not installed", file=sys.stderr)
    done: list[Row] = []
    for row in rows(peers, QUICK if arguments.quick else FULL):
        print(f"measured: {row.workload}", file=sys.stderr)
        done.append(row)
    (as_markdown if arguments.markdown else as_rich)(done, peers)


if __name__ == "__main__":
    main()
