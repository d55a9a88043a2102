"""From samples to figures: medians, ratios of the same round, and the targets that they meet or miss."""

from statistics import median

from .rows import SIZES


def spread(values):
    """(median, minimum, maximum)."""
    return median(values), min(values), max(values)


def samples(row, name):
    """What a contender measured in a row; empty when it took no part or failed."""
    return row.get("samples", {}).get(name, [])


def middle(row, name, field):
    """Median of a field, or None."""
    values = [sample[field] for sample in samples(row, name) if field in sample]
    return median(values) if values else None


def ratio(row, name, base="cairn", field="rate"):
    """(median, min, max) of base / name, each ratio within one round; None without both."""
    pairs = [
        (ours[field], theirs[field])
        for ours, theirs in zip(samples(row, base), samples(row, name))
        if theirs[field] > 0
    ]
    return spread([ours / theirs for ours, theirs in pairs]) if pairs else None


def best_peer(row):
    """The peer with the highest median rate, or None."""
    found = row.get("samples", {})
    names = [n for n in found if n != "cairn" and not n.startswith("floor") and samples(row, n)]
    return max(names, key=lambda name: middle(row, name, "rate"), default=None)


def _judged(row, what, value, least=None, most=None):
    """One line of the table of targets."""
    met = value >= least if least is not None else value <= most
    wanted = f">= {least:g}" if least is not None else f"<= {most:g}"
    return {"row": row["title"], "what": what, "value": value, "wanted": wanted, "met": met}


_OVER_NGINX = {100: 1.3, 4096: 1.3, 65536: 1.0, 1 << 20: 2.0}


def _get_targets(row):
    if row["clients"] != 32:
        return []
    found = []
    over = ratio(row, "nginx")
    if over and row["section"] == "get":
        found.append(_judged(row, "requests/s ÷ nginx", over[0], least=_OVER_NGINX[row["size"]]))
    elif over:
        found.append(_judged(row, "requests/s ÷ nginx (open-file cache)", over[0], least=1.0))
    best = best_peer(row)
    if best and row["section"] == "get" and samples(row, "cairn"):
        found.append(_judged(row, f"requests/s ÷ best peer ({best})", ratio(row, best)[0], least=1))
        tail = ratio(row, best, field="p99_us")
        found.append(_judged(row, f"p99 ÷ p99 of the best peer ({best})", tail[0], most=1))
    return found


def _put_targets(row):
    if not samples(row, "cairn"):
        return []
    found = []
    over_floor = ratio(row, "floor")
    over_redis = ratio(row, "redis")
    if row["size"] == SIZES["4 KiB"] and row["clients"] > 1:
        if over_floor:
            found.append(_judged(row, "blocks/s ÷ bare fdatasync/s", over_floor[0], least=3))
        if over_redis:
            found.append(_judged(row, "blocks/s ÷ redis", over_redis[0], least=1))
    if row["size"] == SIZES["1 MiB"] and row["clients"] > 1 and over_floor:
        floors = [name for name in row["samples"] if name.startswith("floor")]
        what = "bytes/s ÷ synced sequential writes (the faster of 1 and 8 MiB at once)"
        value = min(over[0] for name in floors if (over := ratio(row, name)))
        found.append(_judged(row, what, value, least=0.6))
    if row["clients"] == 1 and samples(row, "floor"):
        least_us = middle(row, "floor", "p50_us") + middle(row, "floor", "round_trip_us")
        value = middle(row, "cairn", "p50_us") / least_us
        what = "median latency ÷ (fdatasync + loopback round trip)"
        found.append(_judged(row, what, value, most=1.5))
    return found


def _append_targets(row):
    found = []
    over_put = ratio(row, "cairn, put 4 KiB")
    if over_put and row["clients"] > 1:
        found.append(_judged(row, "links/s ÷ durable PUT of 4 KiB", over_put[0], least=0.7))
    if row["clients"] == 1 and samples(row, "cairn") and samples(row, "floor"):
        value = middle(row, "cairn", "p50_us") / middle(row, "floor", "p50_us")
        found.append(_judged(row, "median latency ÷ fdatasync", value, most=1.6))
    return found


def targets(rows):
    """Every target that these rows can judge."""
    found = []
    for row in rows:
        if row["section"] in ("get", "static"):
            found += _get_targets(row)
        elif row["section"] == "put":
            found += _put_targets(row)
        elif row["section"] == "append":
            found += _append_targets(row)
        else:
            found += row.get("targets", [])
    return found
