"""``python -m tests.torture --flow jde_to_cleo --documents 1000 --kills 20 --seed 1 [--workers 2]``

``--flow all --documents 10000 --kills 200`` takes the flows one after the other and ends with one table of them all.
"""

from __future__ import annotations

import argparse
import random
import sys

from tests.torture.harness import Result, systematic, table, torture
from tests.torture.mutations import MUTATIONS
from tests.torture.sites import SITES


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description="The ledger under fire.")
    parser.add_argument("--flow", action="append", choices=["all", *SITES], help="again for several; all by default")
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--workers", type=int, default=1, choices=(1, 2, 3))
    parser.add_argument("--rate", type=float, default=0.05, help="share of calls that are hit")
    parser.add_argument("--look-up", default="reliable", choices=("reliable", "present_only"), help="class of Cleo")
    parser.add_argument("--mutation", default="", choices=["", *MUTATIONS], help="a safety rule to take out")
    parser.add_argument("--in-flight", type=int, default=1, help="deliveries under way at once")
    parser.add_argument("--systematic", action="store_true", help="a kill at every single step of a small run")
    parser.add_argument("--stride", type=int, default=1, help="of --systematic")
    options = parser.parse_args()
    results: list[Result] = []
    for flow in SITES if "all" in (options.flow or ("all",)) else options.flow:
        if options.systematic:
            found = systematic(
                flow,
                documents=options.documents,
                seed=options.seed,
                stride=options.stride,
                in_flight=options.in_flight,
            )
            print(f"{flow}: killed at {len(found) - 1} steps, {sum(not one.ok for one in found)} of them failed")
        else:
            found = [
                torture(
                    flow,
                    documents=options.documents,
                    kills=options.kills,
                    seed=options.seed,
                    workers=options.workers,
                    rate=options.rate,
                    mutation=options.mutation,
                    look_up=options.look_up,
                    in_flight=options.in_flight,
                )
            ]
            print(table(found), flush=True)
        for one in found:
            if not one.ok:
                print(one, flush=True)
        results += found
    failed = [one for one in results if not one.ok]
    if not options.systematic and len(results) > 1:
        print(table(results))
    print(f"seed {options.seed}: {'FAILED' if failed else 'all well'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
