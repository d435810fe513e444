"""Reading beside other libraries over the same local pages; each in an environment of its own, kept between runs."""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import venv
from pathlib import Path

from pages import served

HERE = Path(__file__).resolve().parent
KEPT = Path.home() / ".cache" / "mlconnector-benchmarks"
PINNED = (HERE / "reading_peers.txt").read_text().split()
ROWS = 3000
ROUNDS = 9
OWN = ("mlconnector", "mlconnector, extra fast")


def environment(pin: str, kept: Path = KEPT) -> str:
    """The interpreter of an environment that has this package, made when there is none."""
    folder = kept / pin.replace("==", "-")
    python, done = folder / "bin" / "python", folder / "done"
    if not done.exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", pin], check=True)
        done.touch()
    return str(python)


def reading(rows: int = ROWS, rounds: int = ROUNDS, delay: float = 0.0) -> dict[str, float]:
    """Median seconds by library, all rounds taken in turn."""
    pythons = {"requests": sys.executable} | {pin.partition("==")[0]: environment(pin) for pin in PINNED}
    pythons |= dict.fromkeys(OWN, sys.executable)
    taken: dict[str, list[float]] = {name: [] for name in pythons}
    with served("fusion", rows, delay) as told, contextlib.ExitStack() as stack:
        children = {}
        for name, python in pythons.items():
            command = [python, str(HERE / "peer_child.py"), name, *told.values(), str(rows)]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            child = stack.enter_context(subprocess.Popen(command, cwd=HERE.parent, **pipes))
            stack.callback(child.stdin.close)
            while "ready" not in (line := child.stdout.readline()):
                assert line, f"{name} did not start"
            children[name] = child
        for _ in range(rounds):
            for name, child in children.items():
                child.stdin.write("\n")
                child.stdin.flush()
                taken[name].append(float(child.stdout.readline()))
    return {name: statistics.median(times) for name, times in taken.items()}


def table(medians: dict[str, float]) -> list[tuple[str, str]]:
    """Lines of the report."""
    bare, own = medians["requests"], medians["mlconnector"]
    lines = []
    for name, seconds in sorted(medians.items(), key=lambda item: item[1]):
        against = "" if name in (*OWN, "requests") else f", {seconds / own:.1f} times mlconnector"
        lines.append((f"  {name}", f"{seconds * 1000:.1f} ms, {seconds / bare:.2f} of a bare requests loop{against}"))
    return lines
