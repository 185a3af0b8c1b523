"""The sources as text, where a copy lies beside the repository, cut into the places that criteria name.

Pages of registries are not part of the repository. Tests that need one are skipped without it.
CRLM_SOURCES may name another folder, in which NCT00043004.txt and NCT00006479.txt hold the criteria
lists of CLOCC's and EPOC's records.
"""

import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = [ROOT.parent / "shared" / "sources", *map(Path, filter(None, [os.environ.get("CRLM_SOURCES")]))]
FILES = {
    "nct04562727": "000_*.txt", "nct06449937": "001_*.txt", "nct06120127": "003_*.txt",
    "clocc": "NCT00043004.txt", "epoc": "NCT00006479.txt", "clocc-2017": "004_*.txt",
}  # fmt: skip
HEADINGS = {
    "DISEASE CHARACTERISTICS": "disease", "Age": "age", "Performance status": "performance",
    "Life expectancy": "life_expectancy", "Hematopoietic": "hematopoietic", "Hepatic": "hepatic", "Renal": "renal",
    "Cardiovascular": "cardiovascular", "Other": "other", "Biologic therapy": "prior.biologic",
    "Chemotherapy": "prior.chemotherapy", "Endocrine therapy": "prior.endocrine",
    "Radiotherapy": "prior.radiotherapy", "Surgery": "prior.surgery",
}  # fmt: skip
# Fields outside the criteria lists, which the lists' text does not hold.
FIELDS = {"ages", "sex", "gender", "minimum_age", "maximum_age"}


def text(name: str) -> str | None:
    """The stored page of a trial or source, or None."""
    for folder in FOLDERS:
        for path in folder.glob(FILES[name]):
            return path.read_text(encoding="utf-8")
    return None


def places(trial: str) -> dict[str, str] | None:
    """Every bullet of the trial's criteria lists by its place, or None where the page is not at hand."""
    page = text(trial)
    if page is None:
        return None
    if trial == "nct04562727":
        fields = re.search(r"Age\n(.+)\nGender\n(.+)\n", page)
        return {"age.1": fields[1], "gender.1": fields[2]}
    if trial in ("clocc", "epoc"):
        return _sectioned(page)
    head, tail = (
        ("Inclusion criteria", "Trial design") if trial == "nct06449937" else ("Inclusion Criteria", "Study & Design")
    )
    body = page[page.index(head) : page.index(tail, page.index(head))]
    included, excluded = re.split(r"Exclusion [Cc]riteria", body)
    return _bulleted("incl", included) | _bulleted("excl", excluded)


def _bulleted(prefix: str, body: str) -> dict[str, str]:
    found: dict[str, str] = {}
    top = below = 0
    for line in body.splitlines():
        bullet = re.match(r"( *)(?:•|\d+\.) (.+)", line)
        if not bullet:
            continue
        if len(bullet[1]) <= 2:
            top, below = top + 1, 0
            found[f"{prefix}.{top}"] = bullet[2]
        else:
            below += 1
            found[f"{prefix}.{top}.{below}"] = bullet[2]
    return found


def _sectioned(page: str) -> dict[str, str]:
    found: dict[str, str] = {}
    prefix, top, below, prior = "", 0, 0, ""
    for line in page.splitlines():
        bullet = re.match(r"( *)-  (.+)", line)
        if bullet and len(bullet[1]) <= 2:
            top, below = top + 1, 0
            found[f"{prefix}.{top}"] = bullet[2]
        elif bullet:
            below += 1
            found[f"{prefix}.{top}.{below}"] = bullet[2]
        else:
            name = line.rstrip(":")
            prior = "prior." if name == "PRIOR CONCURRENT THERAPY" else prior
            if name in HEADINGS:
                section = HEADINGS[name]
                prefix, top = (prior + section if section == "other" else section), 0
    return found
