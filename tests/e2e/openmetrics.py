"""A small, strict parser of the OpenMetrics 1.0 text format: what it accepts, any scraper accepts.

It refuses what lenient scrapers let pass: a missing `# EOF`, interleaved or repeated families,
samples whose suffix does not belong to their type, duplicate series, buckets that are not
cumulative.
"""

import math
import re
from dataclasses import dataclass, field

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_SAMPLE = re.compile(rf"({_NAME})(?:\{{(.*)\}})? (\S+)(?: (\S+))?\Z")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
_SUFFIXES = {
    "counter": ("_total", "_created"),
    "gauge": ("",),
    "unknown": ("",),
    "info": ("_info",),
    "stateset": ("",),
    "histogram": ("_bucket", "_count", "_sum", "_created"),
    "summary": ("", "_count", "_sum", "_created"),
}


class MetricsError(AssertionError):
    """The text is not OpenMetrics; the message names the line."""


@dataclass
class Family:
    name: str
    type: str = None
    unit: str = None
    help: str = None
    samples: list = field(default_factory=list)  # (suffix, labels as a dict, value)


def _labels(text, line):
    out, at = {}, 0
    while at < len(text):
        match = _LABEL.match(text, at)
        if not match:
            raise MetricsError(f"bad labels in {line!r}")
        if match.group(1) in out:
            raise MetricsError(f"label {match.group(1)} twice in {line!r}")
        out[match.group(1)] = re.sub(
            r"\\(.)", lambda m: "\n" if m.group(1) == "n" else m.group(1), match.group(2)
        )
        at = match.end()
        if at < len(text):
            if text[at] != "," or at + 1 == len(text):
                raise MetricsError(f"bad label separator in {line!r}")
            at += 1
    return out


def _number(text, line):
    if text in ("+Inf", "-Inf", "NaN"):
        return float(text.replace("Inf", "inf"))
    if not re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", text):
        raise MetricsError(f"bad number in {line!r}")
    return float(text)


def _check_histogram(family):
    groups = {}
    for suffix, labels, value in family.samples:
        key = tuple(sorted((k, v) for k, v in labels.items() if k != "le"))
        groups.setdefault(key, {}).setdefault(suffix, []).append((labels.get("le"), value))
    for key, parts in groups.items():
        buckets = [
            (_number(le or "", family.name), value) for le, value in parts.get("_bucket", [])
        ]
        if not buckets or buckets[-1][0] != math.inf:
            raise MetricsError(f"{family.name}{dict(key)}: no +Inf bucket at the end")
        for (low, few), (high, many) in zip(buckets, buckets[1:]):
            if low >= high or few > many:
                raise MetricsError(f"{family.name}{dict(key)}: buckets are not cumulative")
        if "_count" not in parts or parts["_count"][0][1] != buckets[-1][1]:
            raise MetricsError(f"{family.name}{dict(key)}: _count differs from the +Inf bucket")


def _finish(family):
    if family is None:
        return
    if family.type is None:
        raise MetricsError(f"{family.name}: no # TYPE")
    if family.unit and not family.name.endswith("_" + family.unit):
        raise MetricsError(f"{family.name}: does not end with its unit {family.unit}")
    if family.type == "histogram" and family.samples:
        _check_histogram(family)


def _metadata(line, families, current):
    match = re.fullmatch(rf"# (TYPE|UNIT|HELP) ({_NAME})(?: (.*))?", line)
    if not match:
        raise MetricsError(f"bad comment line {line!r}")
    kind, name, text = match.group(1).lower(), match.group(2), match.group(3) or ""
    if current is None or current.name != name:
        _finish(current)
        if name in families:
            raise MetricsError(f"family {name} appears twice")
        current = families[name] = Family(name)
    if getattr(current, kind) is not None or current.samples:
        raise MetricsError(f"repeated or late metadata: {line!r}")
    if kind == "type" and text not in _SUFFIXES:
        raise MetricsError(f"unknown type: {line!r}")
    setattr(current, kind, text)
    return current


def _sample(line, current, series):
    match = _SAMPLE.match(line.split(" # ")[0])
    if not match:
        raise MetricsError(f"bad sample line {line!r}")
    name = match.group(1)
    if current is None or not name.startswith(current.name):
        raise MetricsError(f"sample outside its family: {line!r}")
    suffix = name[len(current.name) :]
    if suffix not in _SUFFIXES.get(current.type, ()):
        raise MetricsError(f"suffix {suffix!r} does not belong to a {current.type}: {line!r}")
    labels = _labels(match.group(2) or "", line)
    key = (name, tuple(sorted(labels.items())))
    if key in series:
        raise MetricsError(f"series twice: {line!r}")
    series.add(key)
    value = _number(match.group(3), line)
    if current.type == "counter" and not value >= 0:
        raise MetricsError(f"counter below zero: {line!r}")
    current.samples.append((suffix, labels, value))


def parse(text):
    """{family name: Family}; raises MetricsError with the first violation."""
    if not text.endswith("# EOF\n"):
        raise MetricsError("does not end with # EOF and one newline")
    families, current, series = {}, None, set()
    for line in text[: -len("# EOF\n")].split("\n")[:-1]:
        if line.startswith("#"):
            current = _metadata(line, families, current)
        else:
            _sample(line, current, series)
    _finish(current)
    return families


def value(families, name, **labels):
    """The value of one counter or gauge series; its suffix is left off."""
    found = [
        v
        for suffix, have, v in families[name].samples
        if suffix in ("", "_total") and have == labels
    ]
    if len(found) != 1:
        raise MetricsError(f"{name}{labels}: {len(found)} series")
    return found[0]


def total(families, name):
    """The sum of all series of one counter or gauge."""
    return sum(v for suffix, _, v in families[name].samples if suffix in ("", "_total"))
