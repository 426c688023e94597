"""Group failures: what looks like one bug is one bucket.

Failures with one symptom are one bucket. A bug has several symptoms, though: a
word that is lost hangs one test and spoils the data of another. So symptoms
that one bench saw are joined where there is evidence for one cause:

- they name the same signal, and are of one kind;
- they say in one place of the bench that the same rule was broken on three
  signals or more: what serves all of them broke, where two may be two bugs;
- both are unknown values, which spread from wherever they began, or both hangs;
- a difference of data or a hang is seen in test cases that fail, with other
  seeds, by another difference or hang;
- a hang, or an unknown value, in a function of the bench where a difference is
  seen as well;

and kept apart otherwise. What names a rule or signal that broke is never
joined for sharing a test case alone, and two benches are never joined: to
mix two bugs costs more than to look at one bug twice.

What is known never hides what is new: a failure that looks like a known bucket,
in test cases that were clean while that bucket was open, is a bucket of its own.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from flow.regress.model import Bucket, Result, Verdict
from flow.regress.normalise import Kind, Symptom, symptom_of

__all__ = ["Case", "Known", "group", "grouped", "missed", "symptoms_of"]

Case = tuple[str, str]

#: Odds below which it is no accident that what fails now passed before, or the reverse.
UNLIKELY = 0.05
#: Names of signals in a message: with an underscore or a dot inside.
_NAME = re.compile(r"\b\w+(?:_\w+|\.\w+)+\b")
#: On so many signals at once one rule is broken by one bug.
_SEVERAL = 3
_STRENGTH = {Kind.DIRECT: 0, Kind.DATA: 1, Kind.UNKNOWN: 2, Kind.LIVENESS: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What earlier regressions tell of buckets.

    Attributes
    ----------
    buckets
        Ids of the buckets that each symptom, by its id, was put in, the latest first.
    cases
        Test cases in which each of these buckets was last seen.
    clean
        How many runs of each test case passed since it last failed.
    taken
        Ids of all buckets that ever were.
    """

    buckets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cases: Mapping[str, frozenset[Case]] = field(default_factory=dict)
    clean: Mapping[Case, int] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()


@dataclass(eq=False, slots=True, kw_only=True)
class _Part:
    """Failures with one symptom, and the known bucket that they belong to, if any."""

    symptom: Symptom
    results: list[Result]
    bucket: str | None = None

    @property
    def cases(self) -> set[Case]:
        return {(r.test, r.testcase) for r in self.results}


def symptoms_of(results: Iterable[Result]) -> dict[Symptom, list[Result]]:
    """Return the failures among `results` by what they look like."""
    found: dict[Symptom, list[Result]] = defaultdict(list)
    for result in results:
        if result.verdict.triaged:
            found[symptom_of(result)].append(result)
    return dict(found)


def missed(failed: int, runs: int, others: int) -> float:
    """Return the odds that `others` runs all pass where `failed` of `runs` fail."""
    return (1.0 - failed / runs) ** others if runs else 1.0


def group(results: Sequence[Result], known: Known | None = None) -> list[Bucket]:
    """Return the buckets of `results`, the largest first; passes and skips are left out.

    Parameters
    ----------
    results
        Of a regression, its passes too: they tell how often a test case fails.
    known
        Of earlier regressions, whose buckets keep their ids; None for none.
    """
    return [bucket for bucket, _ in grouped(results, known)]


def grouped(results: Sequence[Result], known: Known | None = None) -> list[tuple[Bucket, list[Symptom]]]:
    """Return the same as :func:`group`, each bucket with its symptoms, the strongest first."""
    evidence = _Evidence(results, known or Known())
    parts = [
        part for symptom, found in symptoms_of(results).items() for part in evidence.divide(symptom, found)
    ]
    made = [
        (_bucket(component, evidence), [p.symptom for p in component]) for component in _join(parts, evidence)
    ]
    return sorted(made, key=lambda pair: (-len(pair[0].members), pair[0].id))


class _Evidence:
    """What rates of failures, now and before, say of a failure's being new."""

    def __init__(self, results: Sequence[Result], known: Known) -> None:
        self.known = known
        self._runs: Counter[Case] = Counter()
        self._failed: Counter[Case] = Counter()
        for result in results:
            if result.verdict.triaged or result.verdict is Verdict.PASS:
                case = result.test, result.testcase
                self._runs[case] += 1
                self._failed[case] += result.verdict.triaged

    def new_in(self, case: Case) -> bool:
        """Whether `case` passed so often before that what fails in it came since."""
        clean = self.known.clean.get(case, 0)
        return missed(self._failed[case], self._runs[case], clean) <= UNLIKELY

    def divide(self, symptom: Symptom, results: Sequence[Result]) -> list[_Part]:
        """Return the failures with one symptom by the known bucket that each belongs to."""
        buckets = self.known.buckets.get(symptom.id, ())
        parts: dict[str | None, list[Result]] = defaultdict(list)
        for result in results:
            case = result.test, result.testcase
            own = next((b for b in buckets if case in self.known.cases.get(b, ())), None)
            if own is None and buckets and not self.new_in(case):
                own = buckets[0]
            parts[own].append(result)
        return [_Part(symptom=symptom, results=found, bucket=bucket) for bucket, found in parts.items()]

    def compatible(self, parts: Sequence[_Part]) -> bool:
        """Whether history lets `parts` be one bucket."""
        buckets = {part.bucket for part in parts} - {None}
        if not buckets:
            return True
        cases = self.known.cases.get(next(iter(buckets)) or "", frozenset())
        return len(buckets) == 1 and not any(
            self.new_in(case) for part in parts if part.bucket is None for case in part.cases - cases
        )


def _join(parts: Sequence[_Part], evidence: _Evidence) -> list[list[_Part]]:
    """Return the parts, those with one cause together, each the strongest first."""
    order = sorted(
        parts, key=lambda p: (_STRENGTH[p.symptom.kind], -len(p.results), p.symptom.id, p.bucket or "")
    )
    where = {id(part): [part] for part in order}  # the component of each part

    def join(one: _Part, other: _Part) -> None:
        a, b = where[id(one)], where[id(other)]
        if a is not b and evidence.compatible([*a, *b]):
            a.extend(b)
            for part in b:
                where[id(part)] = a

    known: dict[str, _Part] = {}
    scopes: dict[str, list[_Part]] = defaultdict(list)
    for part in order:
        scopes[part.symptom.scope].append(part)
        if part.bucket is not None:
            join(known.setdefault(part.bucket, part), part)
    for seen in scopes.values():
        for one, other in _related(seen):
            join(one, other)
    rank = {id(part): index for index, part in enumerate(order)}
    components = {id(component): component for component in where.values()}.values()
    return [sorted(component, key=lambda part: rank[id(part)]) for component in components]


def _related(seen: Sequence[_Part]) -> Iterator[tuple[_Part, _Part]]:
    """Yield pairs of what one bench saw that may be of one bug, the firmest reasons first."""
    for index, part in enumerate(seen):
        for other in seen[:index]:
            if _alike(part.symptom, other.symptom):
                yield other, part
    rules: dict[tuple[str, str], list[_Part]] = defaultdict(list)
    for part in seen:
        if rule := _rule(part.symptom):
            rules[rule].append(part)
    for broken in rules.values():
        if len({part.symptom.signals for part in broken}) >= _SEVERAL:
            yield from ((broken[0], part) for part in broken[1:])
    for index, part in enumerate(seen):
        yield from ((other, part) for other in _sharing(part, seen[:index]))


def _alike(one: Symptom, other: Symptom) -> bool:
    """Whether what two symptoms say makes them one."""
    if one.signals and one.signals & other.signals:
        return one.kind is other.kind or Kind.UNKNOWN in (one.kind, other.kind)
    if one.kind is other.kind:
        return one.kind in (Kind.UNKNOWN, Kind.LIVENESS)
    weak, data = (one, other) if _STRENGTH[one.kind] > _STRENGTH[other.kind] else (other, one)
    return data.kind is Kind.DATA and data.place in weak.path


def _rule(symptom: Symptom) -> tuple[str, str] | None:
    """Return the rule that a symptom says was broken, and where; None if it says none, or has values."""
    if symptom.kind is not Kind.DIRECT or not symptom.place:
        return None
    text = symptom.text
    for name in sorted(symptom.signals, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "<signal>", text)
    text = _NAME.sub("<signal>", text)
    return None if "<n>" in text or "<x>" in text else (symptom.place, text)


def _sharing(part: _Part, earlier: Sequence[_Part]) -> list[_Part]:
    """Return what `part`, if it says little of its cause, is joined to: what shares the most test cases."""
    kind, cases = part.symptom.kind, part.cases
    if kind is Kind.DIRECT:
        return []
    fit = [p for p in earlier if p.symptom.kind is not Kind.DIRECT or kind is not Kind.DATA]
    shared = [(len(cases & p.cases), p) for p in fit if cases & p.cases]
    return [max(shared, key=lambda pair: pair[0])[1]] if shared else []


def _bucket(component: Sequence[_Part], evidence: _Evidence) -> Bucket:
    first = component[0].symptom
    members = sorted((r for part in component for r in part.results), key=_length)
    return Bucket(
        id=next((p.bucket for p in component if p.bucket is not None), None)
        or _new_id(first, evidence.known),
        title=first.text,
        verdict=first.verdict,
        place=first.place,
        members=tuple(dict.fromkeys(r.key for r in members)),
    )


def _new_id(symptom: Symptom, known: Known) -> str:
    """Return the symptom's id; another where a bucket of other failures has that."""
    identity, count = symptom.id, 1
    while identity in known.taken:
        count += 1
        identity = hashlib.sha256(f"{symptom.id}/{count}".encode()).hexdigest()[:10]
    return identity


def _length(result: Result) -> tuple[bool, float, float, str, str, int]:
    """Sort reproducers: what repeats before what is flaky, then by simulated time.

    Real time, which differs from night to night, says something only of what has no simulated time.
    """
    sim = inf if result.sim_time_ns is None else result.sim_time_ns
    real = (inf if result.time_s is None else result.time_s) if sim == inf else 0.0
    return result.flaky, sim, real, *result.key
