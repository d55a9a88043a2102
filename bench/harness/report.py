"""Results as files: one JSON a day that later runs add to, and the Markdown made from all of it."""

import json
import os

from . import summary

TITLES = {
    "get": "GET of a block in memory",
    "static": "GET of one static file",
    "cold": "First pass over 10,000 static files after the start",
    "put": "Durable PUT",
    "append": "Durable append to chains",
    "scale": "10 million blocks, idle connections",
    "floor": "Physical floor of this machine",
}
NOTES = {
    "get": "Cairn answers `GET /v1/blocks/{id}` from its memory tier; the peers serve a file of the "
    "same bytes.",
    "static": "The same file on every server.",
    "cold": "Each sample is a new server process; every file asked for once.",
    "put": "Every answer comes after an fdatasync on both sides (Cairn `storage.sync = true`, redis "
    "`appendfsync always`). Cairn also hashes every body; redis keeps all values in memory; etcd takes base64 in JSON. `floor` "
    "is one thread that appends so many bytes and calls fdatasync, over and over, in the same round.",
    "append": "Each client extends a chain of its own by one signed link a call, payload 200 B; the node "
    "checks each signature. Beside it the same clients putting blocks of 4 KiB on another node.",
}


def _size(count):
    return f"{count} B" if count < 1024 else f"{count >> 10} KiB" if count < 1 << 20 else "1 MiB"


def _count(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _time(us):
    return f"{us:.0f} µs" if us < 1000 else f"{us / 1000:.2f} ms"


def _figure(row, name, field, form):
    value = summary.middle(row, name, field)
    return form(value) if value is not None else "-"


def _line(row, name):
    """One contender's line of a section's table."""
    failed = row.get("failed", {}).get(name)
    if not summary.samples(row, name):
        return [_size(row["size"]), str(row["clients"]), name, f"failed: {failed}"] + [""] * 9
    rates = summary.spread([sample["rate"] for sample in summary.samples(row, name)])
    over = summary.ratio(row, name) if name != "cairn" else None
    return [
        _size(row["size"]),
        str(row["clients"]),
        name + (f" ({row['note']})" if row.get("note") else ""),
        f"**{_count(rates[0])}** ({_count(rates[1])}–{_count(rates[2])})",
        _count(rates[0] * row["size"] / 1e6),
        f"{over[0]:.2f} ({over[1]:.2f}–{over[2]:.2f})" if over else "",
        *(_figure(row, name, field, _time) for field in ("p50_us", "p99_us", "p999_us")),
        _figure(row, name, "cpu_us", lambda v: f"{v:.1f}"),
        _figure(row, name, "peak_bytes", lambda v: f"{v / 1e6:.0f}"),
        _figure(row, name, "server_busy", lambda v: f"{v:.0%}"),
        _figure(row, name, "load_busy", lambda v: f"{v:.0%}"),
    ]


_HEAD = (
    ("size", "clients", "server", "requests/s: median (min–max)", "MB/s", "Cairn ÷ it", "p50")
    + ("p99", "p99.9", "CPU µs/request", "peak MB", "server CPU", "load CPU")
)


def _table(head, lines):
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    out += ["| " + " | ".join(line) + " |" for line in lines]
    return out + [""]


def _floor_table(run):
    names = list(run["rows"][0]["runs"][0])
    lines = []
    for name in names:
        middle, least, most = summary.spread([one[name] for one in run["rows"][0]["runs"]])
        lines.append([name, f"{middle:,.2f}", f"{least:,.2f}", f"{most:,.2f}"])
    return _table(("measure", "median", "min", "max"), lines)


def _disturbance(run):
    """How much of the machine others took, so that a reader can tell a quiet run from a noisy one."""
    shares = [
        sample["others_busy"] + sample["steal"]
        for row in run["rows"]
        for several in row.get("samples", {}).values()
        for sample in several
        if "others_busy" in sample
    ]
    if not shares:
        return ""
    middle, _, most = summary.spread(shares)
    return f" Cores taken by others meanwhile: median {middle:.2f}, most {most:.2f}."


def _section(run):
    beside_peers = run["section"] not in ("floor", "scale")
    cores = ", one server core" if run["cores"] == 1 else ", two shared cores"
    out = [f"## {TITLES[run['section']]}" + (cores if beside_peers else ""), ""]
    text = f"Started {run['started']}, commit {run['versions'].get('measured commit', '?')}"
    if beside_peers:
        text += f", {run['placement']}; {run['pairs']} rounds of {run['seconds']:g} s"
    out += [f"{text}.{_disturbance(run)} {NOTES.get(run['section'], '')}".rstrip(), ""]
    if run["section"] == "floor":
        return out + _floor_table(run)
    if run["section"] == "scale":
        lines = [[row["title"], row["text"]] for row in run["rows"]]
        return out + _table(("measure", "value"), lines)
    lines = []
    for row in run["rows"]:
        lines += [_line(row, name) for name in row["samples"]]
    return out + _table(_HEAD, lines)


def _targets_table(runs):
    lines = []
    for run in runs:
        if run["cores"] != 1:
            continue  # the targets are stated for one server core
        for target in summary.targets(run["rows"]):
            met = "met" if target["met"] else "**missed**"
            lines.append([target["row"], target["what"], f"{target['value']:.2f}",
                          target["wanted"], met])
    if not lines:
        return []
    return ["## Targets", ""] + _table(("row", "what", "value", "wanted", ""), lines)


def _merged(runs, key):
    out = {}
    for run in runs:
        out.update(run.get(key, {}))
    return out


def markdown(runs, date):
    """The whole report of a day."""
    order = list(TITLES)
    runs = sorted(runs, key=lambda run: (run["cores"], order.index(run["section"])))
    out = [f"# Side by side, {date}", ""]
    out.append("Made by `bench/run` and `bench/scale`; how to read it: `bench/README.md`.")
    out += ["", "## Machine and versions", ""]
    machine = _merged(runs, "machine")
    out += _table(("", ""), [[name, text] for name, text in machine.items()])
    versions = _merged(runs, "versions")
    out += _table(("server or tool", "version"), sorted([n, v] for n, v in versions.items()))
    out += _targets_table(runs)
    for run in runs:
        out += _section(run)
        if run.get("failures"):
            out += ["Failures:", ""] + [f"- {line}" for line in run["failures"]] + [""]
    out += ["## Commands", ""]
    commands = list(dict.fromkeys(command for run in runs for command in run["commands"]))
    out += ["```", *commands, "```", "", "## Configurations", ""]
    for name, text in sorted(_merged(runs, "configurations").items()):
        out += [f"### {name}", "", "```", text.strip(), "```", ""]
    return "\n".join(out).rstrip() + "\n"


def store(directory, date, runs):
    """Adds these runs to the day's JSON (a section measured again replaces itself) and writes both
    files; returns the Markdown's path."""
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, f"{date}.json")
    held = []
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            held = json.load(file)["runs"]
    new = {(run["section"], run["cores"]) for run in runs}
    held = [run for run in held if (run["section"], run["cores"]) not in new] + runs
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"date": date, "runs": held}, file, indent=1, sort_keys=True)
        file.write("\n")
    text_path = os.path.join(directory, f"{date}.md")
    with open(text_path, "w", encoding="utf-8") as file:
        file.write(markdown(held, date))
    return text_path
