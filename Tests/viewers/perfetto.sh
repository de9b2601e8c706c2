# For the scripts beside this one, which read it: $vestige, the command; $query, which asks Perfetto's trace processor; and
# $scratch, a folder that goes when they end. Where the viewers are not there nothing is checked.
vestige=$(realpath "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
query=${VESTIGE_SHARED:-$root/../shared}/tools/viewers/perfetto_query
if [ ! -x "$query" ]; then
    echo "skipped: $query is not there"
    exit 0
fi
scratch=$(mktemp -d) || exit 5
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
