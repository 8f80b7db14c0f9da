#!/usr/bin/env bash
# Prints the changelog's section of a version, and fails unless everything that names the version names this one.
#
#   scripts/release-notes.sh 0.1.0

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
    echo "$1" >&2
    exit 1
}

[ $# -eq 1 ] || fail "usage: scripts/release-notes.sh VERSION"
version=$1

crate=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
client=$(sed -n 's/^ *"version": "\(.*\)",*$/\1/p' static/client/package.json | head -n 1)
[ "$crate" = "$version" ] || fail "Cargo.toml says $crate, not $version"
[ "$client" = "$version" ] || fail "static/client/package.json says $client, not $version"

# From "## [0.1.0] - 2026-03-02" to the next heading of that level, or to the links at the end.
notes=$(awk -v heading="## [$version]" '
    index($0, heading) == 1 { inside = 1; next }
    inside && (/^## / || /^\[[^]]+\]: /) { exit }
    inside { print }' CHANGELOG.md)
[ -n "${notes//[[:space:]]/}" ] || fail "CHANGELOG.md has no section \"## [$version] - DATE\""
printf '%s\n' "$notes"
