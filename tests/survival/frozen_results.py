"""Frozen results of R, comparison of numbers, and data sets for the tests of this folder."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from hypothesis import strategies as st

REFERENCE = json.loads((Path(__file__).parent / "reference" / "reference.json").read_text())["sets"]


def frozen_set(name):
    """One data set as arrays of floats, and R's results for it in r."""
    reference = REFERENCE[name]
    return SimpleNamespace(name=name, r=reference, **{k: numbers(v) for k, v in reference["data"].items()})


def numbers(values):
    """R's NA, frozen as null, becomes NaN."""
    return np.array(values, dtype=float)


def agree(ours, theirs, relative=1e-8, absolute=0.0):
    """Relative error below 1e-8, and undefined for the same values."""
    np.testing.assert_allclose(np.asarray(ours, dtype=float), numbers(theirs), rtol=relative, atol=absolute)


def same(one, other, relative=1e-9, absolute=1e-12):
    """Every field of two results agrees."""
    for ours, theirs in zip(one, other, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=relative, atol=absolute)


def batch(shape, n, seed, digits=0, causes=1):
    """Random times (with ties), event codes and arms for many data sets of one shape."""
    rng = np.random.default_rng(seed)
    times = np.round(rng.exponential(10, (*shape, n)), digits)
    codes = rng.integers(0, causes + 1, (*shape, n))
    return times, codes, rng.integers(0, 2, (*shape, n))


@st.composite
def patients(draw, causes=1):
    """A small trial with ties: times, event codes, arms, and an order to shuffle the patients into."""
    n = draw(st.integers(4, 24))
    times = draw(st.lists(st.integers(0, 12), min_size=n, max_size=n))
    codes = draw(st.lists(st.integers(0, causes), min_size=n, max_size=n))
    arm = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    order = draw(st.permutations(range(n)))
    return np.array(times, float), np.array(codes), np.array(arm), np.array(order)
