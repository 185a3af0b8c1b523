import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

REFERENCE = json.loads((Path(__file__).parent / "reference" / "reference.json").read_text())["sets"]
WITH_EVENTS = [name for name, reference in REFERENCE.items() if "cox" in reference]


def frozen_set(name):
    """One data set as arrays of floats, and R's results for it."""
    reference = REFERENCE[name]
    return SimpleNamespace(name=name, r=reference, **{k: numbers(v) for k, v in reference["data"].items()})


def numbers(values):
    """R's NA, frozen as null, becomes NaN."""
    return np.array(values, dtype=float)


def agree(ours, theirs, relative=1e-8, absolute=0.0):
    """Relative error below 1e-8 and the same values undefined; absolute only where R's value is 0 by rounding."""
    np.testing.assert_allclose(np.asarray(ours, dtype=float), numbers(theirs), rtol=relative, atol=absolute)


@pytest.fixture(params=REFERENCE)
def frozen(request):
    return frozen_set(request.param)


@pytest.fixture(params=WITH_EVENTS)
def with_events(request):
    return frozen_set(request.param)
