"""What a file under data/ may say.

Field names and enums of trials follow ClinicalTrials.gov's API v2. Every value is a *datum* in one
of four states (stated, not stated, not applicable, conflicting), so that a gap in a source can
never be mistaken for a gap in our reading of it.
"""

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WrapValidator,
    model_validator,
)

T = TypeVar("T")


class Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Text = Annotated[str, Field(min_length=1)]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]
SourceId = Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
# A date to the precision known: year, month or day.
PartialDate = Annotated[str, Field(pattern=r"^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$")]
NotStatedWord = Literal["NOT_STATED"]
Basis = Literal["STATED", "NORMALISED", "INFERRED", "GENERAL_KNOWLEDGE"]


# --- a value and its states ---------------------------------------------------------------------


class Evidence(Record):
    """Where a value stands: the source, the place in it, and the figure as written there."""

    source: SourceId
    place: Text
    asWritten: Text | None = None
    basis: Basis = "STATED"
    note: Text | None = None


class Stated(Evidence, Generic[T]):
    """A value that a source states."""

    value: T
    state: ClassVar[str] = "stated"


class NotStated(Record):
    """Looked for in the sources named, and not found there."""

    notStated: Annotated[list[SourceId], Field(min_length=1)]
    asWritten: Text | None = None
    note: Text | None = None
    state: ClassVar[str] = "not stated"


class NotApplicable(Record):
    """The question does not arise; says why."""

    notApplicable: Text
    state: ClassVar[str] = "not applicable"


class Conflicting(Record, Generic[T]):
    """Sources, or places in one, that disagree: all values are kept."""

    conflicting: Annotated[list[Stated[T]], Field(min_length=2)]
    note: Text | None = None
    state: ClassVar[str] = "conflicting"

    @model_validator(mode="after")
    def disagree(self):
        if all(one.value == self.conflicting[0].value for one in self.conflicting[1:]):
            raise ValueError("the values agree: state one of them")
        return self


STATES = ("value", "notStated", "notApplicable", "conflicting")


def _state_of(content: Any) -> str | None:
    present = [state for state in STATES if isinstance(content, dict) and state in content]
    return present[0] if len(present) == 1 else None


class Datum:
    """`Datum[int]` is the type of a value in one of the four states."""

    def __class_getitem__(cls, kind: Any) -> Any:
        return Annotated[
            Annotated[Stated[kind], Tag("value")]
            | Annotated[NotStated, Tag("notStated")]
            | Annotated[NotApplicable, Tag("notApplicable")]
            | Annotated[Conflicting[kind], Tag("conflicting")],
            Discriminator(
                _state_of,
                custom_error_type="datum",
                custom_error_message=f"expected exactly one of {', '.join(STATES)}",
            ),
        ]


# --- trials -------------------------------------------------------------------------------------

OverallStatus = Literal[
    "ACTIVE_NOT_RECRUITING", "COMPLETED", "ENROLLING_BY_INVITATION", "NOT_YET_RECRUITING",
    "RECRUITING", "SUSPENDED", "TERMINATED", "WITHDRAWN", "AVAILABLE", "NO_LONGER_AVAILABLE",
    "TEMPORARILY_NOT_AVAILABLE", "APPROVED_FOR_MARKETING", "WITHHELD", "UNKNOWN",
    "AS_WRITTEN",  # ours: the source's word fits more than one of the registry's
]  # fmt: skip
StudyType = Literal["INTERVENTIONAL", "OBSERVATIONAL", "EXPANDED_ACCESS"]
Phase = Literal["NA", "EARLY_PHASE1", "PHASE1", "PHASE2", "PHASE3", "PHASE4"]
Allocation = Literal["RANDOMIZED", "NON_RANDOMIZED", "NA"]
InterventionModel = Literal["SINGLE_GROUP", "PARALLEL", "CROSSOVER", "FACTORIAL", "SEQUENTIAL"]
Masking = Literal["NONE", "SINGLE", "DOUBLE", "TRIPLE", "QUADRUPLE"]
WhoMasked = Literal["PARTICIPANT", "CARE_PROVIDER", "INVESTIGATOR", "OUTCOMES_ASSESSOR"]
PrimaryPurpose = Literal[
    "TREATMENT", "PREVENTION", "DIAGNOSTIC", "ECT", "SUPPORTIVE_CARE", "SCREENING",
    "HEALTH_SERVICES_RESEARCH", "BASIC_SCIENCE", "DEVICE_FEASIBILITY", "OTHER",
]  # fmt: skip
ArmGroupType = Literal[
    "EXPERIMENTAL", "ACTIVE_COMPARATOR", "PLACEBO_COMPARATOR", "SHAM_COMPARATOR",
    "NO_INTERVENTION", "OTHER",
]  # fmt: skip
InterventionType = Literal[
    "BEHAVIORAL", "BIOLOGICAL", "COMBINATION_PRODUCT", "DEVICE", "DIAGNOSTIC_TEST",
    "DIETARY_SUPPLEMENT", "DRUG", "GENETIC", "PROCEDURE", "RADIATION", "OTHER",
]  # fmt: skip
Sex = Literal["FEMALE", "MALE", "ALL"]
Age = Annotated[str, Field(pattern=r"^\d+ (Years?|Months?|Weeks?|Days?|Hours?|Minutes?)$")]
Count = Annotated[int, Field(ge=0)]
Actuality = Literal["ACTUAL", "ESTIMATED", "NOT_STATED"]


class DateStruct(Record):
    date: PartialDate
    type: Actuality


class EnrollmentInfo(Record):
    count: Count
    type: Actuality


class Identification(Record):
    nctId: Datum[Annotated[str, Field(pattern=r"^NCT\d{8}$")]]
    acronym: Datum[Text]
    orgStudyIdInfo: Datum[Text]
    secondaryIdInfos: Datum[list[Text]]


class Status(Record):
    overallStatus: Datum[OverallStatus]
    whyStopped: Datum[Text]
    startDateStruct: Datum[DateStruct]
    primaryCompletionDateStruct: Datum[DateStruct]
    completionDateStruct: Datum[DateStruct]
    lastUpdatePostDateStruct: Datum[DateStruct]


class SponsorCollaborators(Record):
    leadSponsor: Datum[Text]
    collaborators: Datum[list[Text]]


class Conditions(Record):
    conditions: Datum[list[Text]]


class MaskingInfo(Record):
    masking: Datum[Masking]
    whoMasked: Datum[list[WhoMasked]]


class DesignInfo(Record):
    allocation: Datum[Allocation]
    interventionModel: Datum[InterventionModel]
    primaryPurpose: Datum[PrimaryPurpose]
    maskingInfo: MaskingInfo


class Design(Record):
    studyType: Datum[StudyType]
    phases: Datum[list[Phase]]
    designInfo: DesignInfo
    enrollmentInfo: Datum[EnrollmentInfo]


class ArmGroup(Record):
    id: Identifier
    label: Text
    shortLabel: Text
    type: Datum[ArmGroupType]
    description: Datum[Text]


class Intervention(Record):
    type: InterventionType
    name: Text


class ArmsInterventions(Record):
    armGroups: list[ArmGroup] | NotStated
    interventions: Datum[list[Intervention]]


class Outcome(Evidence):
    id: Identifier
    measure: Text
    timeFrame: Datum[Text]


class Outcomes(Record):
    primaryOutcomes: list[Outcome] | NotStated
    secondaryOutcomes: list[Outcome] | NotStated


class Eligibility(Record):
    sex: Datum[Sex]
    minimumAge: Datum[Age]
    maximumAge: Datum[Age]
    healthyVolunteers: Datum[Literal["Yes", "No"]]


class Statement(Record):
    """A sentence of ours that rests on a source, or is marked as general knowledge."""

    text: Text
    source: SourceId | None = None
    place: Text | None = None
    asWritten: Text | None = None
    basis: Basis = "STATED"

    @model_validator(mode="after")
    def rests_on_something(self):
        if (self.basis == "GENERAL_KNOWLEDGE") == (self.source is not None):
            raise ValueError("name source and place, or the basis GENERAL_KNOWLEDGE")
        if self.source and not self.place:
            raise ValueError("name the place in the source")
        return self


class Pico(Record):
    """The question, in our words: population, intervention, comparator, outcome."""

    population: Text
    intervention: Text
    comparator: Text
    outcome: Text
    basis: Evidence


class Workbook(Record):
    """What the registry has no field for."""

    title: Text
    pico: Pico
    population: list[Statement]
    stratification: Datum[list[Text]]
    plannedEnrollment: Datum[Count]
    centres: Datum[Count]
    followUp: Datum[Text]
    changes: list[Statement] | NotStated
    recruitment: Datum[Text]
    rationale: Annotated[list[Statement], Field(min_length=1)]


class Trial(Record):
    id: Identifier
    identificationModule: Identification
    statusModule: Status
    sponsorCollaboratorsModule: SponsorCollaborators
    conditionsModule: Conditions
    designModule: Design
    armsInterventionsModule: ArmsInterventions
    outcomesModule: Outcomes
    eligibilityModule: Eligibility
    workbook: Workbook

    @property
    def name(self) -> str:
        acronym = self.identificationModule.acronym
        return acronym.value if acronym.state == "stated" else self.id.upper()

    @property
    def arms(self) -> dict[str, ArmGroup]:
        groups = self.armsInterventionsModule.armGroups
        return {} if isinstance(groups, NotStated) else {arm.id: arm for arm in groups}


# --- published numbers --------------------------------------------------------------------------

Endpoint = Literal[
    "OS", "PFS", "PFS_USUAL_DEFINITION", "HEPATIC_PROGRESSION", "EXTRAHEPATIC_PROGRESSION",
    "DEATH_FROM_PROGRESSION", "LOCAL_RECURRENCE_PER_PATIENT", "LOCAL_RECURRENCE_PER_LESION",
    "NON_LOCAL_HEPATIC_RECURRENCE", "RESPONSE", "RESECTION", "POSTOPERATIVE_COMPLICATIONS",
    "POSTOPERATIVE_DEATH", "TOXICITY", "QUALITY_OF_LIFE", "TREATMENT", "FOLLOW_UP", "FLOW",
    "ENROLMENT", "ELIGIBILITY",
]  # fmt: skip
Population = Literal[
    "ALL_RANDOMISED", "ELIGIBLE", "RESECTED", "MEASURABLE_LESION", "OPERATED", "SELECTED_PATIENTS",
    "LESIONS_UP_TO_30_MM", "NOT_STATED",
]  # fmt: skip
Estimator = Literal["BINOMIAL_ALL_RANDOMISED", "KAPLAN_MEIER", "DESIGN_ASSUMPTION", "NOT_STATED"]
IntervalMethod = Literal["CLOPPER_PEARSON", "LOG_LOG_GREENWOOD", "NOT_STATED"]

# The units a measure may come in; a measure with an interval is an estimate, the others are not.
UNITS: dict[str, tuple[str, ...]] = {
    "LANDMARK_SURVIVAL": ("%",),
    "CUMULATIVE_INCIDENCE": ("%",),
    "PERCENTAGE": ("%",),
    "TARGET_RATE": ("%",),
    "MEDIAN": ("months",),
    "MEDIAN_FOLLOW_UP": ("years",),
    "DURATION": ("months",),
    "HAZARD_RATIO": ("1",),
    "P_VALUE": ("1",),
    "SIGNIFICANCE_LEVEL": ("1",),
    "DIFFERENCE": ("percentage points", "score points"),
    "DEATHS": ("patients",),
    "EVENTS": ("events",),
    "AT_RISK": ("patients",),
    "COUNT": ("patients", "lesions", "centres"),
    "DOSE": ("mg/m2",),
    "DIAMETER": ("cm",),
}
Measure = Literal[tuple(UNITS)]
ESTIMATES = {"LANDMARK_SURVIVAL", "MEDIAN", "MEDIAN_FOLLOW_UP", "HAZARD_RATIO"}
WHOLE_NUMBERS = {"DEATHS", "EVENTS", "AT_RISK", "COUNT"}
TIMED = {"LANDMARK_SURVIVAL", "TARGET_RATE"}

Number = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]


def _say_number(value: Any, handler) -> Any:
    """One sentence instead of one complaint for each way a number could have been read."""
    if value == "NOT_STATED":
        return value
    try:
        return handler(value)
    except ValueError:
        raise ValueError(f"expected a number or NOT_STATED, found {value!r}") from None


NumberOrNotStated = Annotated[Number | NotStatedWord, WrapValidator(_say_number)]


class Spread(Record):
    lower: Number
    upper: Number

    @model_validator(mode="after")
    def in_order(self):
        if self.lower > self.upper:
            raise ValueError(f"lower limit {self.lower} is above upper limit {self.upper}")
        return self


class Interval(Spread):
    """A confidence interval: `level` in per cent, and by which method, where known."""

    level: Annotated[Decimal, Field(gt=0, lt=100)]
    method: IntervalMethod
    basis: Basis = "STATED"


def _named_interval(value: Any) -> Any:
    if isinstance(value, str) and value not in ("NOT_STATED", "NOT_APPLICABLE"):
        raise ValueError("expected {lower, upper, level, method}, NOT_STATED or NOT_APPLICABLE")
    return value


def _interval_kind(value: Any) -> str:
    return "word" if isinstance(value, str) else "limits"


IntervalOrNot = Annotated[
    Annotated[Annotated[str, AfterValidator(_named_interval)], Tag("word")] | Annotated[Interval, Tag("limits")],
    Discriminator(_interval_kind),
]


class NamedEstimator(Record):
    """How an estimate was made, and whether a source says so or we infer it."""

    value: Estimator
    basis: Basis = "STATED"
    note: Text | None = None


class Result(Record):
    """One published number, or the statement that a report does not give it."""

    id: Identifier
    endpoint: Endpoint
    measure: Measure
    arm: Text
    population: Population | None = None
    months: Annotated[Decimal, Field(gt=0)] | None = None
    estimate: NumberOrNotStated
    relation: Literal["=", "<", ">", "<="] = "="
    unit: Text
    estimator: NamedEstimator | None = None
    interval: IntervalOrNot | None = None
    interquartileRange: Spread | None = None
    of: Annotated[int, Field(gt=0)] | None = None
    test: Literal["LOG_RANK", "GRAY", "CHI_SQUARED", "NOT_STATED"] | None = None
    sides: Literal["ONE_SIDED", "TWO_SIDED", "NOT_STATED"] | None = None
    asWritten: Text | None = None
    place: Text
    note: Text | None = None

    @property
    def stated(self) -> bool:
        return self.estimate != "NOT_STATED"

    @property
    def limits(self) -> Interval | None:
        return self.interval if isinstance(self.interval, Interval) else None

    @model_validator(mode="after")
    def consistent(self):
        if self.unit not in UNITS[self.measure]:
            raise ValueError(
                f"unit {self.unit!r} does not fit {self.measure}: expected {' or '.join(UNITS[self.measure])}"
            )
        if not self.stated:
            return self
        if self.asWritten is None:
            raise ValueError("asWritten is missing: give the figure as the source writes it")
        if self.unit == "%" and self.estimate > 100:
            raise ValueError(f"{self.estimate} % is over 100 %")
        if self.unit == "%" and self.limits and self.limits.upper > 100:
            raise ValueError(f"upper limit {self.limits.upper} % is over 100 %")
        if self.measure in WHOLE_NUMBERS and self.estimate != int(self.estimate):
            raise ValueError(f"a count must be a whole number, found {self.estimate}")
        if self.measure in WHOLE_NUMBERS and self.of is not None and self.estimate > self.of:
            raise ValueError(f"{self.estimate} {self.unit} of {self.of}: more than there are")
        if self.measure in {"P_VALUE", "SIGNIFICANCE_LEVEL"} and self.estimate > 1:
            raise ValueError(f"a probability must be at most 1, found {self.estimate}")
        if self.measure == "P_VALUE" and (self.test is None or self.sides is None):
            raise ValueError("a P value names its test and its sides (or NOT_STATED)")
        if self.measure in TIMED and self.months is None:
            raise ValueError(f"{self.measure} needs its time: months")
        if self.measure in ESTIMATES and (self.interval is None or self.estimator is None):
            raise ValueError(f"{self.measure} needs estimator and interval (or NOT_STATED)")
        for spread in (self.limits, self.interquartileRange):
            if spread and not spread.lower <= self.estimate <= spread.upper:
                raise ValueError(f"the interval {spread.lower} to {spread.upper} does not contain {self.estimate}")
        return self


class PrintedDefect(Record):
    """A place where a publication contradicts itself or prints what cannot be."""

    id: Identifier
    asWritten: list[Text]
    place: Text
    note: Text


class AnalysisDate(Record):
    value: PartialDate
    asWritten: Text
    place: Text


class Analysis(Record):
    """One report: its source, when it was cut, on whom, and its numbers."""

    id: Identifier
    title: Text
    source: SourceId
    analysisDate: AnalysisDate | Literal["NOT_STATED", "NOT_APPLICABLE"]
    population: Population
    results: list[Result]
    printedDefects: list[PrintedDefect] = []


class Results(Record):
    trial: Identifier
    analyses: list[Analysis]


# --- sources ------------------------------------------------------------------------------------


class Source(Record):
    id: SourceId
    title: Text
    citation: Text
    kind: Literal["ARTICLE", "CONFERENCE_ABSTRACT", "LETTER", "PRESS_RELEASE", "REGISTRY_RECORD", "REGISTRY_MIRROR"]
    url: Annotated[str, Field(pattern=r"^https?://\S+$")]
    doi: Annotated[str, Field(pattern=r"^10\.\S+/\S+$")] | None = None
    pmid: Annotated[str, Field(pattern=r"^\d+$")] | None = None
    read: Text
    asOf: PartialDate | NotStatedWord
    rights: Text


class Sources(Record):
    checked: PartialDate
    sources: list[Source]
