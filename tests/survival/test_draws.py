import json
import shutil
import threading
from dataclasses import replace

import joblib
import numpy as np
import pytest
from distributed import Client, LocalCluster
from scipy import stats

from tests.survival.printing import printed
from widgets.records.library import DATA, load
from widgets.survival.draws import (
    PRIORS,
    Cancelled,
    Ensemble,
    FollowUp,
    NoDraw,
    draw,
    main,
    sidecar,
)
from widgets.survival.published import overall_survival
from widgets.survival.summary import NOTICE, Assumptions, Summary, SummaryError
from widgets.survival.verify import disagreements, recompute

DRAWS = DATA / "derived" / "clocc_2017_os_draws.csv.gz"
FOLLOW_UP = FollowUp(85, 147)
SHORT = {"follow_up": FOLLOW_UP, "chains": 6, "burn_in": 6, "thin": 3}


@pytest.fixture(scope="module")
def summary():
    return Summary.from_dict(overall_survival("clocc.2017"))


@pytest.fixture(scope="module")
def ensemble(summary):
    return draw(summary, 24, seed=3, **SHORT)


def simulated(seed, n=40):
    rng = np.random.default_rng(seed)
    arm = np.repeat([0, 1], n)
    death, end = rng.exponential(np.where(arm == 0, 40, 25)), rng.uniform(30, 70, 2 * n)
    return np.round(np.minimum(death, end), 4), death < end, arm


def test_all_numbers_are_given_back(ensemble):
    assert (
        len(recompute(ensemble.summary, ensemble.months[0], ensemble.died, ensemble.arm, ensemble.assumptions)) == 29
    )
    assert disagreements(ensemble) == []
    assert dict(zip(*np.unique(ensemble.prior, return_counts=True), strict=True)) == dict.fromkeys(PRIORS, 6)


def test_draws_differ_and_keep_to_follow_up(ensemble):
    assert len(np.unique(ensemble.months, axis=0)) == len(ensemble)
    assert ensemble.months.min() > 0 and ensemble.months.max() < FOLLOW_UP.last


def test_the_verifier_sees_one_changed_time(ensemble):
    months = ensemble.months.copy()
    dies_early = np.flatnonzero((months[4] < 36) & ensemble.died & (ensemble.arm == 0))[0]
    months[4, dies_early] = 37
    wrong = disagreements(replace(ensemble, months=months))
    assert {w.draw for w in wrong} == {5} and "combined.36.estimate" in {w.number for w in wrong}


def test_another_seed_gives_other_draws(summary, ensemble):
    other = draw(summary, 6, priors=["rough"], seed=4, **SHORT)
    assert not np.array_equal(other.months, ensemble.months[ensemble.prior == "rough"])


def two_at_once(summary, ensemble):
    """Two priors, run side by side, give the draws that the same seed gave one after the other."""
    priors = ["rough", "shared"]
    made = draw(summary, 12, priors=priors, seed=3, n_jobs=2, **SHORT)
    return np.array_equal(made.months, ensemble.months[np.isin(ensemble.prior, priors)])


def test_joblib_gives_the_same_draws(summary, ensemble):
    with joblib.parallel_config("threading"):
        assert two_at_once(summary, ensemble)


def test_a_dask_cluster_gives_the_same_draws(summary, ensemble):
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        Client(cluster),
        joblib.parallel_config("dask"),
    ):
        assert two_at_once(summary, ensemble)


def test_saved_and_loaded(summary, ensemble, tmp_path):
    path = tmp_path / "clocc.csv.gz"
    ensemble.save(path, "a command")
    origin = json.loads(sidecar(path).read_text())
    assert origin["notice"] == NOTICE == "reconstructed from published numbers; not patient data"
    assert origin["command"] == "a command" and origin["seed"] == 3
    assert Assumptions(**origin["assumptions"]) == ensemble.assumptions
    loaded = Ensemble.load(path, summary)
    assert np.array_equal(loaded.months, ensemble.months) and np.array_equal(loaded.prior, ensemble.prior)
    assert disagreements(loaded) == []
    first = path.read_bytes()
    ensemble.save(path, "a command")
    assert path.read_bytes() == first, "the same draws make the same file"
    path.write_bytes(first + b"x")
    with pytest.raises(ValueError, match="sha256"):
        Ensemble.load(path, summary)


def test_table(ensemble):
    table = ensemble.table()
    assert list(table) == ["draw", "prior", "arm", "months", "died"] and len(table) == 24 * 119
    assert table.groupby("draw")["died"].sum().eq(92).all()


def test_progress_and_stop(summary):
    seen = []
    draw(summary, 2, priors=["uniform"], progress=lambda share, words: seen.append((share, words)), **SHORT)
    shares = [share for share, _ in seen]
    assert shares == sorted(shares) and shares[-1] <= 1 and "uniform" in seen[0][1]
    stop = threading.Event()
    with pytest.raises(Cancelled):
        draw(summary, 2, stop=stop, progress=lambda share, words: stop.set(), **SHORT)


def test_errors(summary):
    with pytest.raises(SummaryError, match="some of smooth, rough"):
        draw(summary, 2, priors=["flat"])
    with pytest.raises(SummaryError, match="first < last"):
        FollowUp(90, 80)
    arms = (summary.arms[0].without("deaths"), summary.arms[1])
    with pytest.raises(SummaryError, match="number of deaths"):
        draw(replace(summary, arms=arms), 2, **SHORT)
    with pytest.raises(NoDraw, match="combined"):
        draw(summary, 2, assumptions=Assumptions(interval="linear"), **SHORT)


@pytest.mark.parametrize("transform", ["log-log", "linear", "log", "logit", "arcsine"])
def test_any_interval(transform):
    summary = printed(*simulated(7), [12, 24], transform=transform)
    how = Assumptions(interval=transform, median_interval=transform)
    made = draw(summary, 2, priors=["smooth"], assumptions=how, chains=2, burn_in=2, seed=1)
    assert disagreements(made) == []


@pytest.mark.parametrize("changes", [{"follow_up": "survivors"}, {"follow_up": "everybody"}, {"test": "Wald"}])
def test_other_conventions_between_the_arms(changes):
    months, died, arm = simulated(8)
    summary = printed(months, died, arm, [12, 24])
    how = Assumptions(**changes)
    truth = recompute(summary, months, died, arm, how)
    summary = replace(
        summary,
        p_value=type(summary.p_value).read("p", f"{truth['p_value'][1]:.2f}"),
        median_follow_up=type(summary.p_value).read("f", f"{truth['median_follow_up'][1]:.0f}"),
    )
    assert disagreements(draw(summary, 2, priors=["rough"], assumptions=how, chains=2, burn_in=2)) == []


def test_uniform_prior_is_uniform_inside_cells():
    """Forty patients, nobody lost before month 20: with nothing else printed, deaths spread evenly there."""
    row = {"months": 20, "survival": "50.0%", "lower": "33.8%", "upper": "64.2%"}
    arm = {"n": 40, "deaths": 30, "landmarks": [row]}
    summary = Summary.from_dict({"arms": {"one": arm, "two": arm}})
    made = draw(summary, 40, priors=["uniform"], follow_up=FollowUp(40, 60, 1e-6), chains=40, burn_in=15)
    early = made.months[:, made.died & (made.arm == 0)]
    early = early[early < 20]
    assert len(early) == 40 * 20
    assert stats.kstest(early / 20, "uniform").pvalue > 1e-3


def test_a_constant_hazard_is_recovered():
    """From many patients and one landmark the smooth prior finds about the hazard behind them."""
    row = {"months": 12, "survival": "50.0%", "lower": "39.9%", "upper": "59.3%"}
    arm = {"n": 100, "deaths": 75, "landmarks": [row]}
    summary = Summary.from_dict({"arms": {"one": arm, "two": arm}})
    made = draw(summary, 40, priors=["smooth"], follow_up=FollowUp(24, 25, 1e-6), chains=40, burn_in=10)
    before = (made.months[:, made.arm == 0] <= 6).mean()
    assert before == pytest.approx(1 - 0.5**0.5, abs=0.05)


@pytest.mark.parametrize("named", ["clocc.2017", "clocc_2017_os.json"])
def test_command_line(named, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clocc_2017_os.json").write_text(json.dumps(overall_survival("clocc.2017")))
    short = {"burn_in": 1, "chains": 2, "priors": ["uniform"]}
    monkeypatch.setattr(
        "widgets.survival.draws.draw", lambda summary, n, **options: draw(summary, n, **(options | short))
    )
    assert main([named, "--draws", "2", "--first", "85", "--last", "147", "--out", "made"]) == 0
    assert NOTICE in capsys.readouterr().out
    assert {p.name for p in (tmp_path / "made").iterdir()} == {
        "clocc_2017_os_draws.csv.gz",
        "clocc_2017_os_draws.json",
    }


def test_the_command_names_the_reports_it_knows(capsys):
    with pytest.raises(SystemExit):
        main(["clocc.2071"])
    assert "known: clocc.2012" in capsys.readouterr().err


def test_the_thousand_draws_in_data(summary):
    made = Ensemble.load(DRAWS, summary)
    assert len(made) == 1000 and disagreements(made) == []
    assert len(np.unique(made.months, axis=0)) == 1000
    origin = json.loads(sidecar(DRAWS).read_text())
    assert origin["notice"] == NOTICE and origin["title"] == summary.title
    assert origin["command"] == (
        "python -m widgets.survival.draws clocc.2017 --draws 1000 --seed 2017 --first 85 --last 147"
    )
    # not used as a condition: the 2012 report has 37 of 60 alive at 30 months, the lost counted as not alive
    alive = (made.months[:, made.arm == 0] > 30).sum(axis=1)
    assert np.bincount(alive).argmax() == 37


def test_every_prior_draws_every_order(summary):
    """24 or 25 are at risk in the combined arm at 60 months; each prior keeps both, in about one proportion."""
    made = Ensemble.load(DRAWS, summary)
    fewer = (made.months[:, made.arm == 0] > 60).sum(axis=1) == 24
    assert all(0.08 < fewer[made.prior == prior].mean() < 0.3 for prior in PRIORS)


def test_derived_files_are_not_taken_for_records(tmp_path):
    shutil.copytree(DATA, tmp_path / "data", ignore=shutil.ignore_patterns("derived"))
    assert load(tmp_path / "data") == load(DATA)
