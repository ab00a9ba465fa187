# SPDX-License-Identifier: Apache-2.0
"""python3 -m tests.golden.compare [--allow FILE] DIR [SCENARIO…]: compare captures below DIR with those beside this file.

One line for each difference:   <scenario>/<name>  <kind>  <path>  <detail>
kind: nofile   the capture is not there          missing  a field is not there
      extra    a field is there that should not  type     the JSON type is another
      value    a value is another                format   a volatile value does not look like one
      members  members of an array are others    meta     HTTP status or headers, subject, …
      layout   the indentation of an HTTP body is another

Exit status 0: no difference but such as FILE allows; 1: differences.  FILE is an array of {"file": glob, "kind": glob, "path": glob,
"why": text}; * and ? are wildcards there, everything else, brackets too, stands for itself.
"""

import argparse
import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from golden.schema import FORMATS, element_key, json_type  # noqa: E402

GOLDEN = Path(__file__).resolve().parent
_META = ("status", "content_type", "acao", "headers", "subject", "layout")
_COMES_AND_GOES = ("gomemlimit", "git_commit", "rtt", "stalls")  # fields that depend on the process or on time, anywhere
_NUMBERS = {"uint": 0, "port": 1, "int": None, "num": None}      # formats of numbers, and their minimum


class Comparer:
    """Compares one document with the golden one; report(kind, path, detail) is told of each difference.

    A place has two paths: the general one has [*] for each element of an array, the concrete one the element's key.
    """

    def __init__(self, paths, report):
        self._paths, self._report = paths, report

    def walk(self, golden, other, general="$", concrete="$"):
        wanted, mode, form = self._line(general, concrete)
        if mode == "*":
            return
        golden_type, other_type = json_type(golden), json_type(other)
        if wanted == "number" and {golden_type, other_type} <= {"int", "number"}:
            golden_type = other_type
        if golden_type != other_type:
            self._report("type", concrete, f"want {golden_type}, got {other_type} {_short(other)}")
        elif golden_type == "object":
            self._walk_object(golden, other, general, concrete)
        elif golden_type == "array":
            self._walk_array(golden, other, general, concrete)
        elif mode in ("~", "?~"):
            self._check_format(concrete, form, other)
        elif golden != other:
            self._report("value", concrete, f"want {_short(golden)}, got {_short(other)}")

    def _line(self, general, concrete):
        """Type, mode and format of a place."""
        words = (self._paths.get(concrete) or self._paths.get(general) or "").split(" ")
        return words + ["=", ""][len(words) - 1:]

    def _check_format(self, path, form, value):
        if form in _NUMBERS:
            types, least = ("int", "number") if form == "num" else ("int",), _NUMBERS[form]
            is_good = json_type(value) in types and (least is None or value >= least) and (form != "port" or value <= 65535)
        else:
            is_good = form in ("", "any") or isinstance(value, str) and re.match(FORMATS[form], value)
        if not is_good:
            self._report("format", path, f"want {form}, got {_short(value)}")

    def _walk_object(self, golden, other, general, concrete):
        if self._line(general, concrete)[1] == "map":
            for value in other.values() if golden else ():
                sample = next(iter(golden.values()))
                alike = value if json_type(sample) == json_type(value) else sample  # only types count
                self.walk(alike, value, general + ".<key>", concrete + ".<key>")
            return
        for name, value in golden.items():
            places = f"{general}.{name}", f"{concrete}.{name}"
            if name in other:
                self.walk(value, other[name], *places)
            elif self._line(*places)[1] != "?~":
                self._report("missing", places[1], f"golden has {_short(value)}")
        for name in other.keys() - golden.keys():
            if self._line(f"{general}.{name}", f"{concrete}.{name}")[1] != "?~" and name not in _COMES_AND_GOES:
                self._report("extra", f"{concrete}.{name}", _short(other[name]))

    def _walk_array(self, golden, other, general, concrete):
        mode = self._line(general, concrete)[1]
        if mode == "[~]":
            for i, value in enumerate(other if golden else ()):
                alike = [one for one in golden if json_type(one) == json_type(value)] or golden[:1]
                self.walk(_most_similar(alike, value), value, general + "[*]", f"{concrete}[#{i}]")
        elif mode == "set":
            self._compare_sets(golden, other, general, concrete)
        elif mode.startswith("key:"):
            self._compare_by_key(_by_key(golden, mode[4:]), _by_key(other, mode[4:]), general, concrete)
        else:
            if len(golden) != len(other):
                self._report("members", concrete, f"want {len(golden)} elements, got {len(other)}")
            for i, pair in enumerate(zip(golden, other)):
                self.walk(*pair, general + "[*]", f"{concrete}[#{i}]")

    def _compare_sets(self, golden, other, general, concrete):
        wanted, got = (sorted(json.dumps(value, sort_keys=True) for value in values) for values in (golden, other))
        if self._line(general + "[*]", "")[1] in ("~", "?~"):
            if len(wanted) != len(got):
                self._report("members", concrete, f"want {len(wanted)} members, got {len(got)}")
        elif wanted != got:
            lacks, extra = [value for value in wanted if value not in got], [value for value in got if value not in wanted]
            self._report("members", concrete, f"lacks {_short(lacks)}, has extra {_short(extra)}")

    def _compare_by_key(self, golden, other, general, concrete):
        for key in golden.keys() | other.keys():
            place = f"{concrete}[{key}]"
            if key in golden and key in other:
                self.walk(golden[key], other[key], general + "[*]", place)
            else:
                self._report("members", place, "missing element" if key in golden else "extra element")


def _most_similar(candidates, value):
    """The one with the most similar set of fields."""
    if not isinstance(value, dict):
        return candidates[0]
    return min(candidates, key=lambda one: len(one.keys() ^ value.keys()) if isinstance(one, dict) else 99)


def _by_key(values, fields):
    found = {}
    for i, value in enumerate(values):
        key = element_key(value, fields, i)
        while key in found:
            key += "'"
        found[key] = value
    return found


def _short(value):
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) < 90 else text[:87] + "..."


def _load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def _compare_capture(golden, other, report):
    """Paths of two captures, without their suffix."""
    def files(path):
        return path.with_name(path.name + ".json"), path.with_name(path.name + ".schema.json")

    (golden_file, golden_schema), (other_file, other_schema) = files(golden), files(other)
    if not other_file.exists():
        report("nofile", "$", "capture not produced")
        return
    schema, how = _load(golden_schema), _load(other_schema)["capture"]
    for name in _META:
        if schema["capture"].get(name) != how.get(name):
            report("layout" if name == "layout" else "meta", name, f"want {_short(schema['capture'].get(name))}, got {_short(how.get(name))}")
    Comparer(schema["paths"], report).walk(_load(golden_file), _load(other_file))


def _pattern(glob):
    return re.compile("".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in glob) + r"\Z")


def differences(other, scenario, allow_file=None):
    """What distinguishes the captures of a scenario below `other` from the golden ones, as lines of text."""
    rules = [[_pattern(rule.get(key, "*")) for key in ("file", "kind", "path")] for rule in (_load(Path(allow_file)) if allow_file else [])]
    found = []
    for path in sorted((GOLDEN / scenario).glob("*.schema.json")):
        name = f"{scenario}/{path.name.removesuffix('.schema.json')}"

        def report(kind, place, detail, name=name):
            if not any(all(pattern.match(text) for pattern, text in zip(rule, (name, kind, place))) for rule in rules):
                found.append(f"{name:34} {kind:8} {place}  {detail}")

        _compare_capture(GOLDEN / name, Path(other) / name, report)
    return found


def main():
    scenarios = sorted(path.name for path in GOLDEN.iterdir() if any(path.glob("*.schema.json")))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir", help="folder with the captures")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(scenarios))
    parser.add_argument("--allow", metavar="FILE", help="differences that do not count")
    args = parser.parse_args()
    found = [line for name in args.scenarios or scenarios for line in differences(args.dir, name, args.allow)]
    print("\n".join([*found, f"{len(found)} differences"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
