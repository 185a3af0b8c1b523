"""How long the survival statistics of 2,000 simulated trials of 119 patients take.

    python -m tests.bench.survival_statistics

Prints milliseconds (best of several) and the ratio to a bare numpy sort of the same times. Other tools do the
log-rank test alone, trial by trial: statsmodels, and R's survdiff where Rscript with survival is present.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is loaded: one core

import shutil
import subprocess
import tempfile
import time

import numpy as np

from widgets.survival.comparisons import (
    cox,
    fleming_harrington,
    logrank,
    maxcombo,
    maxcombo_critical_value,
    modest_weights,
    proportional_hazards_test,
)
from widgets.survival.competing import cumulative_incidence, gray_test
from widgets.survival.estimators import kaplan_meier, milestone_difference, risk_table, rmst_difference

TRIALS, PATIENTS, OTHERS = 2000, 119, 200

R_LOOP = """
suppressPackageStartupMessages(library(survival))
data <- matrix(scan(commandArgs(TRUE)[1], quiet = TRUE), ncol = 3, byrow = TRUE)
trial <- rep(seq_len(nrow(data) / {patients}), each = {patients})
began <- proc.time()[[3]]
for (k in unique(trial)) {{
  one <- data[trial == k, ]
  survdiff(Surv(one[, 1], one[, 2]) ~ one[, 3])
}}
cat(proc.time()[[3]] - began)
"""


def simulated_trials():
    rng = np.random.default_rng(2017)
    arm = (np.arange(PATIENTS) < 60).astype(int)
    event_time = rng.exponential(np.where(arm == 1, 95, 60), (TRIALS, PATIENTS))
    followed = rng.uniform(85, 147, (TRIALS, PATIENTS))
    return np.minimum(event_time, followed), (event_time <= followed).astype(int), arm


def milliseconds(call, repeats=7):
    best = np.inf
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - began)
    return 1000 * best


def main():
    times, events, arm = simulated_trials()
    causes = events * np.random.default_rng(1).integers(1, 3, events.shape)
    table = risk_table(times, events, arm)
    correlation = maxcombo(table).correlation.mean(0)

    def weighted_tests(table):
        logrank(table, fleming_harrington(table, 0, 1))
        logrank(table, modest_weights(table, 24))

    def all_comparisons():
        table = risk_table(times, events, arm)
        logrank(table)
        weighted_tests(table)
        milestone_difference(table, 60)
        rmst_difference(table, 80)

    sort = milliseconds(lambda: np.sort(times, axis=-1), 50)
    measures = {
        "numpy sort": lambda: np.sort(times, axis=-1),
        "log-rank, G(0,1), modest, milestone, RMST": all_comparisons,
        "  risk table": lambda: risk_table(times, events, arm),
        "  log-rank": lambda: logrank(table),
        "  G(0,1) and modestly weighted": lambda: weighted_tests(table),
        "  milestone difference": lambda: milestone_difference(table, 60),
        "  RMST difference": lambda: rmst_difference(table, 80),
        "Kaplan-Meier, both arms": lambda: kaplan_meier(table),
        "MaxCombo statistics": lambda: maxcombo(table),
        "MaxCombo critical value (one)": lambda: maxcombo_critical_value(correlation),
        "Cox": lambda: cox(times, events, arm),
        "proportional hazards test": lambda: proportional_hazards_test(times, events, arm),
        "cumulative incidence, both arms": lambda: cumulative_incidence(times, causes, arm=arm),
        "Gray's test": lambda: gray_test(times, causes, arm),
    }
    print(f"{TRIALS} trials of {PATIENTS} patients, numpy {np.__version__}, one core")
    for name, call in measures.items():
        taken = milliseconds(call)
        print(f"{name:45}{taken:10.1f} ms{taken / sort:10.0f} × sort")
    for name, taken in others(times, events, arm):
        taken *= TRIALS / OTHERS
        print(f"{name:45}{taken:10.0f} ms{taken / sort:10.0f} × sort (from {OTHERS} trials)")


def others(times, events, arm):
    """Milliseconds for the log-rank test of the first trials by other tools."""
    try:
        from statsmodels.duration.survfunc import survdiff
    except ImportError:
        print("statsmodels is not installed")
    else:
        yield (
            "statsmodels survdiff loop",
            milliseconds(lambda: [survdiff(times[k], events[k], arm) for k in range(OTHERS)], 2),
        )
    if shutil.which("Rscript") is None:
        print("Rscript is not installed")
        return
    rows = np.stack(np.broadcast_arrays(times, events, arm), axis=-1)[:OTHERS].reshape(-1, 3)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        np.savetxt(file, rows)
        file.flush()
        command = ["Rscript", "-e", R_LOOP.format(patients=PATIENTS), file.name]
        result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode == 0:
        yield "R survdiff loop", 1000 * float(result.stdout)
    else:
        print(f"R failed: {result.stderr.strip().splitlines()[-1]}")


if __name__ == "__main__":
    main()
