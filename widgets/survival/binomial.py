"""Exact inference for one proportion, such as survival at a landmark when everybody is followed.

scipy.special is imported where it is used: it takes a second, and most notebooks do without.
"""


def clopper_pearson(successes: int, n: int, level: float = 95.0) -> tuple[float, float]:
    """Exact (tail) interval for a proportion; `level` in per cent, limits between 0 and 1.

    Raises ValueError unless 0 <= successes <= n, n > 0 and 0 < level < 100.
    Source: Clopper CJ, Pearson ES. Biometrika 1934;26:404-413, through beta quantiles.
    """
    _check(successes, n)
    if not 0 < level < 100:
        raise ValueError(f"level must lie between 0 and 100 per cent, found {level}")
    from scipy.special import betaincinv

    tail = (1 - level / 100) / 2
    lower = 0.0 if successes == 0 else float(betaincinv(successes, n - successes + 1, tail))
    upper = 1.0 if successes == n else float(betaincinv(successes + 1, n - successes, 1 - tail))
    return lower, upper


def exceedance(successes: int, n: int, rate: float) -> float:
    """P(X >= successes) for X binomial with n trials and probability `rate`: the exact one-sided P value.

    Raises ValueError unless 0 <= successes <= n, n > 0 and 0 <= rate <= 1.
    """
    _check(successes, n)
    if not 0 <= rate <= 1:
        raise ValueError(f"rate must lie between 0 and 1, found {rate}")
    from scipy.special import bdtrc

    return 1.0 if successes == 0 else float(bdtrc(successes - 1, n, rate))


def least_passing(n: int, rate: float, alpha: float) -> int | None:
    """The smallest number of successes with P(X >= it) <= alpha, or None where even n is not enough."""
    return next((k for k in range(n + 1) if exceedance(k, n, rate) <= alpha), None)


def _check(successes: int, n: int) -> None:
    if n <= 0 or not 0 <= successes <= n:
        raise ValueError(f"expected 0 <= successes <= n and n > 0, found {successes} of {n}")
