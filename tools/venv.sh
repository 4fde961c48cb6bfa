#!/bin/sh
# venv.sh PYTHON FOLDER: creates a virtual environment, or says in one line what is missing.
set -eu
python=$1
folder=$2

if ! command -v "$python" >/dev/null 2>&1; then
    echo "make: $python is not installed; install Python 3.11 or newer, or say 'make PYTHON=/path/to/python3'" >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "make: $python is $("$python" -V 2>&1), but the kit needs 3.11 or newer; say 'make PYTHON=/path/to/python3'" >&2
    exit 1
fi
# Debian keeps ensurepip in a package of its own, and without it `venv` leaves half an environment.
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$(dirname "$0")/packages.sh" required "python$version-venv"
fi
rm -rf "$folder"
exec "$python" -m venv "$folder"
