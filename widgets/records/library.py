"""The records: everything under data/, checked once and held in memory."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ValidationError

from widgets.records.reading import Document, Location, read
from widgets.records.schema import Analysis, Result, Results, Source, Sources, Trial

DATA = Path(__file__).resolve().parents[2] / "data"
# Words in `arm` that do not name an arm.
NOT_AN_ARM = {"ALL", "BETWEEN", "NOT_STATED"}


class Published(NamedTuple):
    """A result in its setting. `address` is how prose names it: `clocc.2017.os.hr`."""

    address: str
    trial: str
    analysis: Analysis
    result: Result
    source: Source
    file: str
    line: int


class Records(NamedTuple):
    checked: str
    sources: dict[str, Source]
    trials: dict[str, Trial]
    results: dict[str, Published]

    def source(self, identifier: str) -> Source:
        return _get(self.sources, identifier, "source")

    def trial(self, identifier: str) -> Trial:
        return _get(self.trials, identifier, "trial")

    def result(self, address: str) -> Published:
        """A published number by its address, such as `clocc.2017.os.hr`; KeyError lists near names."""
        return _get(self.results, address, "published number")

    def analysis(self, address: str) -> list[Published]:
        """All numbers of one report, such as `clocc.2017`."""
        found = [one for one in self.results.values() if f"{one.trial}.{one.analysis.id}" == address]
        if not found:
            known = sorted({f"{one.trial}.{one.analysis.id}" for one in self.results.values()})
            raise KeyError(f"no report {address!r}; known: {', '.join(known)}")
        return found


def _get(table: dict, key: str, kind: str):
    if key in table:
        return table[key]
    from difflib import get_close_matches

    near = get_close_matches(key, table, n=5, cutoff=0.5) or sorted(table)[:5]
    raise KeyError(f"no {kind} {key!r}; did you mean: {', '.join(near)}?")


@cache
def records() -> Records:
    """The workbook's own records, loaded from data/ on first use."""
    return load(DATA)


def load(folder: Path) -> Records:
    """Load and check a data folder.

    Raises RecordError for the first thing wrong, naming file, line, field and what was expected.
    """
    checked_on, sources = _load_sources(folder)
    trials = _load_trials(folder, sources)
    return Records(checked_on, sources, trials, _load_results(folder, sources, trials))


def checked(model: type[BaseModel], document: Document) -> BaseModel:
    """The document as `model`; the first complaint becomes a RecordError with its line."""
    try:
        return model.model_validate(document.content)
    except ValidationError as problem:
        error = problem.errors(include_url=False)[0]
        location = _location_in_file(error["loc"], document)
        raise document.error(location, _sentence(error)) from None


def _sentence(error: dict) -> str:
    kind = error["type"]
    if kind == "extra_forbidden":
        return "unknown field"
    if kind == "missing":
        return f"{error['loc'][-1]} is missing"
    message = error["msg"].removeprefix("Value error, ")
    return message if kind in ("value_error", "datum") else f"{message}; found {error['input']!r}"


def _location_in_file(loc: tuple, document: Document) -> Location:
    """A validation location without the union tags that pydantic puts in between."""
    location: Location = ()
    for part in loc:
        if (*location, part) in document.lines:
            location = (*location, part)
    return location


def _load_sources(folder: Path) -> tuple[str, dict[str, Source]]:
    document = read(folder / "sources.yaml")
    content = checked(Sources, document)
    sources: dict[str, Source] = {}
    for number, source in enumerate(content.sources):
        if source.id in sources:
            raise document.error(("sources", number, "id"), f"{source.id} is listed twice")
        sources[source.id] = source
    return content.checked, sources


def _load_trials(folder: Path, sources: dict[str, Source]) -> dict[str, Trial]:
    trials: dict[str, Trial] = {}
    for path in sorted((folder / "trials").glob("*.yaml")):
        document = read(path)
        trial = checked(Trial, document)
        if trial.id != path.stem:
            raise document.error(("id",), f"expected {path.stem}, as the file is named; found {trial.id}")
        _check_sources(document, sources)
        trials[trial.id] = trial
    return trials


def _check_sources(document: Document, sources: dict[str, Source]) -> None:
    for location, name in named_sources(document):
        if name not in sources:
            raise document.error(location, f"unknown source {name!r}; known: {', '.join(sorted(sources))}")


def named_sources(document: Document) -> Iterator[tuple[Location, str]]:
    """Every place in a document that names a source, with the name."""

    def walk(content, location):
        if isinstance(content, dict):
            for key, value in content.items():
                here = (*location, key)
                if key == "source":
                    yield here, value
                elif key == "notStated":
                    yield from (((*here, number), one) for number, one in enumerate(value))
                else:
                    yield from walk(value, here)
        elif isinstance(content, list):
            for number, value in enumerate(content):
                yield from walk(value, (*location, number))

    yield from walk(document.content, ())


def _load_results(folder: Path, sources: dict[str, Source], trials: dict[str, Trial]) -> dict[str, Published]:
    results: dict[str, Published] = {}
    arms = {f"{trial.id}.{arm}" for trial in trials.values() for arm in trial.arms}
    for path in sorted((folder / "results").glob("*.yaml")):
        document = read(path)
        content = checked(Results, document)
        if content.trial != path.stem:
            raise document.error(("trial",), f"expected {path.stem}, as the file is named")
        _check_sources(document, sources)
        for a, analysis in enumerate(content.analyses):
            for r, result in enumerate(analysis.results):
                where = ("analyses", a, "results", r)
                address = f"{content.trial}.{analysis.id}.{result.id}"
                if address in results:
                    raise document.error((*where, "id"), f"{address} is there twice")
                own = f"{content.trial}.{result.arm}"
                if result.arm not in NOT_AN_ARM and own not in arms and result.arm not in arms:
                    raise document.error((*where, "arm"), f"unknown arm {result.arm!r}")
                results[address] = Published(
                    address,
                    content.trial,
                    analysis,
                    result,
                    sources[analysis.source],
                    f"data/results/{path.name}",
                    document.line(where),
                )
            _check_deaths(document, a, content.trial, analysis, results)
    return results


def _check_deaths(document: Document, a: int, trial: str, analysis: Analysis, results: dict) -> None:
    """No arm may have more deaths than the same report randomised to it."""
    for r, result in enumerate(analysis.results):
        enrolled = results.get(f"{trial}.{analysis.id}.n.{result.arm if result.arm != 'ALL' else 'total'}")
        if result.measure == "DEATHS" and result.stated and enrolled and result.estimate > enrolled.result.estimate:
            raise document.error(
                ("analyses", a, "results", r, "estimate"),
                f"{result.estimate} deaths among {enrolled.result.estimate} patients",
            )
