#!/bin/sh
# Pin the newest versions that pyproject.toml allows, with the hashes of their files.
set -eu
cd "$(dirname "$0")/.."

pin() {
    out=$1
    shift
    uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-header --no-annotate --no-sources --output-file "$out" "$@"
    if grep -nE '://|^--|^-f' "$out"; then
        echo "$out names a place to download from" >&2
        exit 1
    fi
}

pin requirements/runtime.txt pyproject.toml
pin requirements/build.txt requirements/build.in -c requirements/runtime.txt
pin requirements/mysql.txt pyproject.toml --extra mysql -c requirements/runtime.txt
pin requirements/ldap.txt pyproject.toml --extra ldap -c requirements/runtime.txt
pin requirements/dev.txt --group dev -c requirements/runtime.txt -c requirements/build.txt
