"""Print the summary of a data set as a report would, for tests and benchmarks."""

from statistics import NormalDist

import numpy as np

from widgets.survival.summary import Summary
from widgets.survival.verify import cox, first_at_half, interval, kaplan_meier

Z = NormalDist().inv_cdf(0.975)


def printed(months, died, arm, landmarks, *, transform="log-log", title="", digits=1) -> Summary:
    """The summary of two arms (arm 0 and 1) at landmarks: survival, medians, hazard ratio, P, follow-up."""
    months, died, arm = np.asarray(months, float), np.asarray(died, bool), np.asarray(arm, int)
    arms = {}
    for index, name in enumerate(("first", "second")):
        own = arm == index
        steps = kaplan_meier(months[own].tolist(), died[own].tolist())
        marks = []
        for landmark in landmarks:
            past = [step for step in steps if step[0] <= landmark]
            _, s, g = past[-1] if past else (0, 1.0, 0.0)
            low, high = interval(s, g, Z, transform)
            marks.append(
                {
                    "months": landmark,
                    **{
                        part: f"{100 * value:.{digits}f}%"
                        for part, value in (("survival", s), ("lower", low), ("upper", high))
                    },
                }
            )
        curves = {
            "estimate": lambda x: x[1],
            "lower": lambda x: interval(*x[1:], Z, transform)[0],
            "upper": lambda x: interval(*x[1:], Z, transform)[1],
        }
        reached = {part: first_at_half(steps, curve) for part, curve in curves.items()}
        arms[name] = {
            "n": int(own.sum()),
            "deaths": int(died[own].sum()),
            "landmarks": marks,
            "median": {part: "not reached" if t == np.inf else f"{t:.1f}" for part, t in reached.items()},
        }
    beta, error, logrank = cox(months.tolist(), died.tolist(), (arm == 0).tolist())
    p = 2 * NormalDist().cdf(-abs(logrank))
    ratio = {
        part: f"{np.exp(value):.2f}"
        for part, value in (("estimate", beta), ("lower", beta - Z * error), ("upper", beta + Z * error))
    }
    follow_up = first_at_half(kaplan_meier(months.tolist(), (~died).tolist()), lambda x: x[1])
    return Summary.from_dict(
        {
            "title": title,
            "arms": arms,
            "hazard_ratio": ratio,
            "p_value": "<0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}",
            "median_follow_up": None if follow_up == np.inf else f"{follow_up:.1f}",
        }
    )
