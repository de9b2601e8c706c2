#!/bin/sh
# Writes the CSV tables of recordings and asks spreadsheets and databases what they make of them:
#
# * pandas and DuckDB read every table without any option, and find the rows and sums that are in it;
# * these sums are those of the truth that lies beside a recording (NAME.truth.json), where it does;
# * LibreOffice opens every table of --excel, and gives back the same rows, numbers as numbers, times as
#   times, text as text, and no formula. It opens the plain tables too.
#
#   Tests/spreadsheets/check.sh VESTIGE [TRACE…]
#
# Without traces it takes ten of ../shared/corpus (VESTIGE_SHARED overrides ../shared), hostile strings among
# them; where that is not there, the samples. pandas, DuckDB and openpyxl are installed from PyPI into
# $XDG_CACHE_HOME/vestige-spreadsheets. What cannot be had is skipped, and that is said.
set -u

if [ $# -lt 1 ]; then
    sed -n '2,14s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
vestige=$1
shift

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
live=${VESTIGE_SHARED:-$root/../shared}/corpus/gotrace/live
if [ $# -eq 0 ] && [ -d "$live" ]; then
    for name in strings-1.27 strings-1.22 strings-1.21 orders-1.27 http-1.27 gcassist-1.24 flight-1.27 \
        cpuprofile-1.22 unended-1.27 manygens-1.25; do
        set -- "$@" "$live/$name.trace"
    done
elif [ $# -eq 0 ]; then
    set -- "$root"/samples/gotrace-*/*/*.trace
fi

cache=${XDG_CACHE_HOME:-$HOME/.cache}/vestige-spreadsheets
if ! "$cache/bin/python" -c 'import pandas, duckdb, openpyxl' 2> /dev/null; then
    python3 -m venv "$cache" && "$cache/bin/pip" install -q pandas duckdb openpyxl || {
        echo "skipped: pandas, DuckDB and openpyxl cannot be installed here"
        exit 0
    }
fi
exec "$cache/bin/python" "$here/check.py" "$vestige" "$@"
