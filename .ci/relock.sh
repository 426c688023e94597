#!/usr/bin/env bash
# Rewrite requirements-dev.lock from the newest versions that pyproject.toml
# allows, in a virtual environment of its own (make requirements).
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp pyproject.toml README.md "$scratch"
mkdir "$scratch/flow" && cp flow/__init__.py "$scratch/flow"
"${PYTHON:-python3}" -m venv "$scratch/venv"
pip() { "$scratch/venv/bin/python" -m pip --disable-pip-version-check "$@"; }
pip install -q --upgrade 'setuptools>=68'
(cd "$scratch" && pip install -q --no-compile --no-build-isolation '.[tools,wasm,formal,isa,nn,sweep,pdk,dev]')
{
    echo "# The exact versions that development and the tests use: constraints for pip,"
    echo "# not a list of what to install. Written by: make requirements"
    pip list --format=freeze | grep -viE '^(suzuri|pip)==' | LC_ALL=C sort -f
} >"$scratch/lock"
mv "$scratch/lock" requirements-dev.lock
chmod 644 requirements-dev.lock
