"""How fast a cohort is screened, against bare numpy comparisons of the same columns.

    python -m tests.bench.cohort

Prints one line per size and trial: seconds, nanoseconds per patient and line, and how many times the bare
comparisons take. Ends with exit code 1 where a million patients need over 2 GB, over three times the bare
comparisons, or over fifteen times what a hundred thousand need.
"""

import resource
import sys
import time

from widgets.eligibility.cohort import Cohort, cohort, costs, screen, waterfall
from widgets.eligibility.language import Criteria, OneOf, criteria, lines

SIZES = (10_000, 100_000, 1_000_000)
RUNS = 15


def bare(one: Criteria, people: Cohort) -> None:
    """What numpy alone needs: each line's comparisons over its column, kept. No unknowns, no trees, no verdicts."""
    kept = []
    for clause in one.clauses():
        for line in lines(clause.node):
            times = len(line.predicate.words) if isinstance(line.predicate, OneOf) else 1
            kept += [people.columns[line.variable] <= number for number in range(times)]


def measured(call) -> float:
    """The quickest of some runs, in seconds: the one least disturbed by whatever else the machine does."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> int:
    failed = []
    spent: dict[tuple[str, int], float] = {}
    heads = ("screen s", "ns/line", "× bare", "costs s", "steps s")
    print(f"{'patients':>9} {'trial':<12} " + " ".join(f"{head:>9}" for head in heads))
    for n in SIZES:
        start = time.perf_counter()
        people = cohort(n)
        print(f"{n:>9} drawn in {time.perf_counter() - start:.2f} s")
        for name, one in criteria().items():
            seconds = measured(lambda one=one, people=people: screen(one, people))
            found = screen(one, people)
            price = measured(lambda found=found: costs(found))
            steps = measured(lambda found=found: waterfall(found))
            many = sum(1 for clause in one.clauses() for _ in lines(clause.node))
            floor = measured(lambda one=one, people=people: bare(one, people))
            ratio, spent[name, n] = seconds / floor, seconds
            each = seconds / n / many * 1e9
            print(f"{n:>9} {name:<12} {seconds:>9.4f} {each:>9.2f} {ratio:>9.2f} {price:>9.4f} {steps:>9.4f}")
            if n == SIZES[-1] and ratio > 3:
                failed.append(f"{name}: {ratio:.2f} times the bare comparisons")
            if n == SIZES[-1] and seconds > 15 * spent[name, SIZES[-2]]:
                failed.append(f"{name}: not linear")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"peak memory {peak:.2f} GB")
    if peak > 2:
        failed.append(f"{peak:.2f} GB")
    print("\n".join(failed) or "within all limits")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
