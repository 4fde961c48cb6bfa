#!/bin/sh
# packages.sh required|optional PACKAGE...: installs Debian packages, or says in one line which are missing.
#
# Installs where it may do so without a question: as root, or by sudo without a password. Elsewhere
# `required` fails, and `optional` only warns, unless CI is set.
set -eu
need=$1
shift

missing=
for package in "$@"; do
    if ! dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed; then
        missing="$missing $package"
    fi
done
[ -n "$missing" ] || exit 0

if command -v apt-get >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ]; then
        become=
    elif sudo -n true 2>/dev/null; then
        become="sudo -n"
    else
        become=no
    fi
    if [ "$become" != no ]; then
        echo "make: installing$missing"
        export DEBIAN_FRONTEND=noninteractive
        # shellcheck disable=SC2086 # both are lists of words
        if { $become apt-get install -qq -y --no-install-recommends $missing ||
            { $become apt-get update -qq && $become apt-get install -qq -y --no-install-recommends $missing; }; } >/dev/null 2>&1; then
            exit 0
        fi
    fi
    advice="please run 'sudo apt-get install$missing'"
else
    advice="please install what your system has for the Debian packages$missing"
fi

if [ "$need" = required ] || [ -n "${CI:-}" ]; then
    echo "make: could not install$missing; $advice" >&2
    exit 1
fi
echo "make: without$missing some tests are skipped; $advice" >&2
