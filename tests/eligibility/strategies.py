"""Random patients for property tests: every variable unknown or with a value that can be."""

from decimal import Decimal

from hypothesis import strategies as st

from widgets.eligibility.language import Bound, Within, criteria, lines
from widgets.eligibility.patient import NEVER, Ago, Measured, Patient, Variable, variables
from widgets.eligibility.units import ULN, Quantity


def _bounds() -> dict[str, list[Quantity]]:
    """The bounds that criteria set on each variable: values on a bound find errors of strictness."""
    found: dict[str, list[Quantity]] = {}
    for trial in criteria().values():
        for node in trial.nodes:
            for one in lines(node):
                if isinstance(one.predicate, Bound):
                    found.setdefault(one.variable, []).append(one.predicate.quantity)
                elif isinstance(one.predicate, Within) and one.predicate.time:
                    found.setdefault(one.variable, []).append(one.predicate.time)
    return found


BOUNDS = _bounds()
USED = sorted({one.variable for trial in criteria().values() for node in trial.nodes for one in lines(node)})


def value(known: Variable) -> st.SearchStrategy:
    """A value of the variable, often exactly on a bound."""
    if known.kind == "yes_no":
        return st.booleans()
    if known.kind == "choice":
        return st.sampled_from(known.of)
    if known.kind == "whole":
        low, high = map(int, known.range)
        return st.integers(0, min(12, (high - low) // known.step)).map(lambda step: low + step * known.step)
    on_bounds = BOUNDS.get(known.name, [])
    if known.kind == "event":
        times = st.builds(Quantity, st.integers(0, 5000).map(Decimal), st.just("d"))
        times = times | st.sampled_from(on_bounds) if on_bounds else times
        return st.just(NEVER) | times.map(Ago)
    low, high = known.range
    inside = st.decimals(low, high, places=known.places, allow_nan=False).map(lambda n: Quantity(n, known.unit))
    plain = inside | st.sampled_from([one for one in on_bounds if one.unit != ULN] or [Quantity(low, known.unit)])
    measured = plain.map(Measured)
    if not known.limit:
        return measured
    ratio = st.decimals("0.01", 10, places=2, allow_nan=False).map(lambda n: Measured(Quantity(n, ULN)))
    limit = st.decimals(max(low, Decimal(1)), min(high, Decimal(200)), places=0).map(
        lambda n: Quantity(n, known.unit)
    )
    if known.molar:  # the limit may stand in another unit
        other = st.decimals("0.1", "2", places=2, allow_nan=False).map(lambda n: Quantity(n, "mg/dL"))
        limit = limit | other
    return measured | ratio | st.builds(Measured, inside, limit)


def patients(names: list[str] = USED, known_share: bool = False) -> st.SearchStrategy[Patient]:
    """Patients of whom any part is known; with `known_share` nothing is unknown."""
    strategies = {name: value(variables()[name]) for name in names}
    if not known_share:
        strategies = {name: st.none() | each for name, each in strategies.items()}
    return st.fixed_dictionaries(strategies).map(lambda entries: Patient(**entries))
