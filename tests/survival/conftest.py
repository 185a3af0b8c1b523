import pytest
from tests.survival.frozen_results import REFERENCE, frozen_set


@pytest.fixture(params=REFERENCE)
def frozen(request):
    return frozen_set(request.param)


@pytest.fixture(params=[name for name, reference in REFERENCE.items() if "cox" in reference])
def with_events(request):
    return frozen_set(request.param)
