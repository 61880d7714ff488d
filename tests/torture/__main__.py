"""`python -m tests.torture`: tortures a gateway, one seed after another, and tells in one table which promises held."""

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from tests.torture.invariants import PROMISES
from tests.torture.plan import Topology, make_plan
from tests.torture.run import Outcome, run_plan
from tests.torture.world import LEASE_SECONDS

_SHOWN = 8
TOPOLOGIES = {
    "one": Topology(nodes=1, small_disks=True),
    "postgres": Topology(nodes=2, database="postgres", small_disks=True),
    "fleet": Topology(nodes=2, database="postgres", objects="s3", small_disks=True),
}


def main(arguments: list[str] | None = None) -> int:
    """Run; return the exit code."""
    chosen = _read(arguments)
    seeds = range(1, chosen.seeds + 1) if chosen.seed is None else (chosen.seed,)
    outcomes = []
    for seed in seeds:
        plan = make_plan(
            seed,
            TOPOLOGIES[chosen.topology],
            jobs=chosen.jobs,
            faults=chosen.faults,
            seconds=chosen.seconds,
            lease_seconds=LEASE_SECONDS,
        )
        if chosen.plan:
            print(*plan.faults, sep="\n")
            continue
        folder = Path(tempfile.mkdtemp(prefix=f"reelway-torture-{seed}-"))
        outcome = asyncio.run(run_plan(plan, folder, chosen.sabotage))
        outcomes.append(outcome)
        _tell(outcome, folder, chosen)
        if outcome.holds and not chosen.keep:
            shutil.rmtree(folder)
    if outcomes:
        print(table(outcomes))
    return 0 if all(outcome.holds for outcome in outcomes) else 1


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this seed alone")
    parser.add_argument("--seeds", type=int, default=1, help="run the seeds 1 to N")
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--faults", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=150.0, help="how long it is asked and broken")
    parser.add_argument("--topology", choices=TOPOLOGIES, default="fleet")
    parser.add_argument("--sabotage", default="", help="a promise to break, to see that it is noticed")
    parser.add_argument("--plan", action="store_true", help="print the faults of the seed and do nothing")
    parser.add_argument("--keep", action="store_true", help="keep the logs also when all promises hold")
    return parser.parse_args(arguments)


def _tell(outcome: Outcome, folder: Path, chosen: argparse.Namespace) -> None:
    plan = outcome.plan
    print(
        f"\nseed {plan.seed}: {'every promise holds' if outcome.holds else 'PROMISES BROKEN'}, {outcome.seconds:.0f} s"
    )
    for title, counts in (
        ("faults", outcome.faults),
        ("videos", outcome.ended),
        ("submits", outcome.submits),
        ("calls", outcome.calls),
    ):
        print(f"  {title:8}", ", ".join(f"{count} {name}" for name, count in counts.most_common()))
    if outcome.holds:
        return
    for promise, found in outcome.contradictions.items():
        for line in found[:_SHOWN]:
            print(f"  {promise}: {line}")
        if len(found) > _SHOWN:
            print(f"  {promise}: … and {len(found) - _SHOWN} more")
    print(f"  the logs are in {folder}; to replay it:")
    print(
        f"  python -m tests.torture --seed {plan.seed} --topology {chosen.topology} --jobs {chosen.jobs} "
        f"--faults {chosen.faults} --seconds {chosen.seconds:g}"
        + (f" --sabotage {chosen.sabotage}" * bool(chosen.sabotage))
    )


def table(outcomes: list[Outcome]) -> str:
    """Return one line a promise and one column a seed: how often it was broken."""
    head = [f"{'seed':28}", *(f"{outcome.plan.seed:>6}" for outcome in outcomes)]
    rows = ["".join(head)]
    for promise in PROMISES:
        name = promise.__name__
        rows.append(
            f"{name.replace('_', ' '):28}" + "".join(f"{len(outcome.contradictions[name]):>6}" for outcome in outcomes)
        )
    facts = {
        "jobs": [len(outcome.plan.orders) for outcome in outcomes],
        "faults": [outcome.faults.total() for outcome in outcomes],
        "seconds": [round(outcome.seconds) for outcome in outcomes],
        "seconds to settle": [round(outcome.settling_seconds) for outcome in outcomes],
    }
    rows += [f"{name:28}" + "".join(f"{value:>6}" for value in values) for name, values in facts.items()]
    return "\n" + "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
