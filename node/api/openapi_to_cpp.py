#!/usr/bin/env python3
"""Turns docs/openapi.yaml into a C++ source whose openapi_json() returns it as JSON.

usage: openapi_to_cpp.py openapi.yaml out.cpp
Refuses duplicate keys, which YAML readers otherwise let the last one win.
"""
import json
import sys

import yaml


class StrictLoader(yaml.SafeLoader):
    pass


def mapping_without_duplicates(loader, node):
    mapping = {}
    for key_node, value_node in node.value:
        key = str(loader.construct_object(key_node, deep=True))
        if key in mapping:
            raise yaml.constructor.ConstructorError(
                None, None, f"duplicate key {key!r}", key_node.start_mark)
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


StrictLoader.add_constructor("tag:yaml.org,2002:map", mapping_without_duplicates)


def main(source_path, target_path):
    with open(source_path, encoding="utf-8") as source:
        document = yaml.load(source, Loader=StrictLoader)
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=True)
    delimiter = "openapi"
    assert ")" + delimiter + '"' not in text
    # Compilers need not take literals of any length, so it is cut and glued by the compiler.
    parts = [text[i:i + 8000] for i in range(0, len(text), 8000)]
    literal = "\n    ".join(f'R"{delimiter}({part}){delimiter}"' for part in parts)
    with open(target_path, "w", encoding="ascii") as target:
        target.write(f"""// Made by node/api/openapi_to_cpp.py from docs/openapi.yaml.
#include "node/api/openapi.h"

namespace cairn::api {{

std::string_view openapi_json() {{
  static constexpr std::string_view kText =
    {literal};
  return kText;
}}

}}  // namespace cairn::api
""")


if __name__ == "__main__":
    main(*sys.argv[1:])
