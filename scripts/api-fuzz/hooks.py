"""Answers for which a check of schemathesis is wrong, each with the reason.

OpenAPI describes parameters and fields one by one. What two of them may not say together, or what the clock or the
journal decides, it cannot express; then the hub refuses what the description allows. Such a refusal is let pass by the
name of the parameter and the hub's own words, and no other is.
"""

import json
import re
import sys

import schemathesis

# "PARAMETER MESSAGE" of the hub -> why the description cannot say it
RULES = {
    r"cursor not a cursor of this hub": "what the hub made itself, no form tells",
    r"cursor the cursor belongs to another list": "a cursor counts with the filters that it was made with",
    r"cursor (cannot be given together with page|belongs to one kind)": "two parameters",
    r"(page|sort|order) cannot be given together with at": "two parameters",
    r"(at|until) is in the future": "the clock",
    r"issuedBefore must not be more than 30 s in the future": "the clock",
    r"until must not be earlier than (since|from)": "two parameters",
    r"from (must be at most 366 days before until|has nothing before it)": "two parameters",
    r"bucket must divide the period into at most 800 buckets": "three parameters",
    r"(metric|limit|page|atLeastMs|belowMs) is only allowed with explain=true": "two parameters",
    r"metric must (name the one metric|be a duration)": "two parameters",
    r"belowMs must be more than atLeastMs": "two parameters",
    r"after the journal has not reached this position": "the journal",
    r"epoch is missing: since is a position": "two parameters",
    r"businessHours\.\w+\[\d+\] must be two times of day .* the first one earlier": "two items of a list",
    r"businessHours\.\w+ has ranges that overlap": "two items of a list",
    r"holidays\[\d+\]\.date is there twice": "two items of a list",
    r"None line \d+: ": "the rows of a CSV file are no matter of JSON Schema",
}


def unruled_parts(error: dict) -> list[str]:
    """The parts of a refusal that no rule lets pass: settings name all wrong fields at once."""
    parameter, message = error.get("parameter"), error["message"]
    parts = message.split("; ") if message.startswith(f"{parameter} ") else [f"{parameter} {message}"]
    return [part for part in parts if not any(re.match(rule, part) for rule in RULES)]


def header_is_wrong(case, name: str) -> bool:
    """True where a header that is called right is not: some are filled in without regard to their pattern."""
    described = (one for one in case.operation.definition.raw.get("parameters", []) if one["name"] == name)
    pattern = next(described, {}).get("schema", {}).get("pattern")
    return pattern is not None and not re.search(pattern, case.headers.get(name, ""))


@schemathesis.hook
def filter_failure(context, failure, case, response):
    kind = type(failure).__name__
    if kind == "RejectedPositiveData" and response.status_code == 400:
        error = json.loads(response.content)["error"]
        unruled = unruled_parts(error)
        if not unruled or header_is_wrong(case, error.get("parameter", "")):
            return False
        # Schemathesis shows the beginning of a long answer only.
        print("no rule for:", *unruled, sep="\n  ", file=sys.stderr)
        return True
    # Up to OpenAPI 3.1 a schema describes the whole body, which is a text here. Its events are described by
    # /api/asyncapi.json, and tests/it/asyncapi.rs holds them against it.
    return not (case.path == "/api/umbler/stream" and "SSE" in getattr(failure, "title", ""))
