"""Stops staging: see `down`."""

import sys

from folders import state, turn
from injector import INJECTORS
from process import Daemon

# Callers first: what is under way ends, and each sends the spans it holds.
ORDER = ["gateway", "orders", "payments", "stock", *INJECTORS]


def main() -> None:
    if len(sys.argv) > 1:
        sys.exit("usage: down")
    folder = state()
    with turn(folder):
        stopped = [name for name in ORDER if Daemon(folder, name).stop()]
    print(f"staging: {', '.join(stopped)} stopped" if stopped else "staging: nothing ran")


if __name__ == "__main__":
    main()
