"""The records as tidy pandas tables, for the reader's own cells.

One row per trial, arm, outcome or published number. A value that is not stated, not applicable or
conflicting is missing (NA) in the value's column, and its state stands in the column beside it.
"""

from typing import Any

import pandas as pd

from widgets.records.library import records
from widgets.records.schema import NotStated


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value


def _pair(name: str, datum: Any, part: str | None = None) -> dict[str, Any]:
    """A value and its state; `part` picks a field of a structured value."""
    if datum.state != "stated":
        return {name: pd.NA, f"{name}_state": datum.state}
    value = getattr(datum.value, part) if part else _plain(datum.value)
    return {name: value, f"{name}_state": "stated"}


def trials() -> pd.DataFrame:
    """One row per trial. Columns follow the registry's field names; each has a `_state` beside it."""
    rows = []
    for trial in records().trials.values():
        status, design, eligibility = trial.statusModule, trial.designModule, trial.eligibilityModule
        row = {"trial": trial.id, "name": trial.name, "title": trial.workbook.title}
        row |= _pair("nctId", trial.identificationModule.nctId)
        row |= _pair("overallStatus", status.overallStatus)
        row |= _pair("startDate", status.startDateStruct, "date")
        row |= _pair("completionDate", status.completionDateStruct, "date")
        row |= _pair("lastUpdatePostDate", status.lastUpdatePostDateStruct, "date")
        row |= _pair("leadSponsor", trial.sponsorCollaboratorsModule.leadSponsor)
        row |= _pair("phases", design.phases)
        row |= _pair("allocation", design.designInfo.allocation)
        row |= _pair("interventionModel", design.designInfo.interventionModel)
        row |= _pair("masking", design.designInfo.maskingInfo.masking)
        row |= _pair("enrollmentCount", design.enrollmentInfo, "count")
        row |= _pair("plannedEnrollment", trial.workbook.plannedEnrollment)
        row |= _pair("minimumAge", eligibility.minimumAge)
        row |= _pair("maximumAge", eligibility.maximumAge)
        row |= _pair("followUp", trial.workbook.followUp)
        rows.append(row)
    return pd.DataFrame(rows)


def _listed(items: Any) -> list:
    """A list of the record, or nothing where the record does not state it."""
    return [] if isinstance(items, NotStated) else items


def arms() -> pd.DataFrame:
    """One row per arm: label, type as registered, description, source and place."""
    rows = []
    for trial in records().trials.values():
        for arm in trial.arms.values():
            row = {"trial": trial.id, "arm": arm.id, "label": arm.label}
            row |= _pair("type", arm.type) | _pair("description", arm.description)
            row |= {"source": arm.description.source, "place": arm.description.place}
            rows.append(row)
    return pd.DataFrame(rows)


def outcomes() -> pd.DataFrame:
    """One row per registered or reported outcome, primary or secondary, with its time frame."""
    rows = []
    for trial in records().trials.values():
        for kind in ("primary", "secondary"):
            for outcome in _listed(getattr(trial.outcomesModule, f"{kind}Outcomes")):
                row = {"trial": trial.id, "kind": kind, "outcome": outcome.id, "measure": outcome.measure}
                row |= _pair("timeFrame", outcome.timeFrame)
                row |= {"source": outcome.source, "place": outcome.place, "note": outcome.note}
                rows.append(row)
    return pd.DataFrame(rows)


def results() -> pd.DataFrame:
    """One row per published number. Numbers are floats in `unit`; limits belong to `level` per cent.

    `state` is `stated` or `not stated`; `address` is how prose names the number.
    """
    rows = []
    for one in records().results.values():
        result, limits = one.result, one.result.limits
        rows.append(
            {
                "address": one.address,
                "trial": one.trial,
                "report": one.analysis.id,
                "endpoint": result.endpoint,
                "measure": result.measure,
                "arm": result.arm,
                "population": result.population or one.analysis.population,
                "months": float(result.months) if result.months else pd.NA,
                "relation": result.relation,
                "estimate": float(result.estimate) if result.stated else pd.NA,
                "state": "stated" if result.stated else "not stated",
                "lower": float(limits.lower) if limits else pd.NA,
                "upper": float(limits.upper) if limits else pd.NA,
                "level": float(limits.level) if limits else pd.NA,
                "interval_method": limits.method if limits else pd.NA,
                "estimator": result.estimator.value if result.estimator else pd.NA,
                "of": result.of if result.of else pd.NA,
                "unit": result.unit,
                "as_written": result.asWritten,
                "source": one.source.id,
                "place": result.place,
                "note": result.note,
            }
        )
    return pd.DataFrame(rows).convert_dtypes()
