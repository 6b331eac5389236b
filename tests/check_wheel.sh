#!/usr/bin/env bash
# Build the wheel, install it where nothing else is, and run the command from outside the checkout.
# Usage: tests/check_wheel.sh [PYTHON], a Python that has the package build; gives 0 when all is well.
set -euo pipefail

checkout=$(cd "$(dirname "$0")/.." && pwd)
python=$(cd "$checkout" && realpath -s "$(command -v "${1:-python3}")")
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT
unset PYTHONPATH
export PIP_DISABLE_PIP_VERSION_CHECK=1

fail() { echo "wheel check: $*" >&2; exit 1; }

# expect CODE COMMAND...: run it, and show what it said when the exit code is another one.
expect() {
    local wanted=$1 code=0
    shift
    "$@" >"$elsewhere/said" 2>&1 || code=$?
    [ "$code" = "$wanted" ] || { cat "$elsewhere/said" >&2; fail "exit code $code, not $wanted: $*"; }
}

# Through the source archive, so that one is known to be whole too.
expect 0 "$python" -m build --outdir "$elsewhere/dist" "$checkout"
wheel=$(echo "$elsewhere"/dist/gpudrift-*.whl)

"$python" -m zipfile -l "$wheel" >"$elsewhere/files"
for wanted in gpudrift/py.typed gpudrift_kernels/py.typed gpudrift/cli/ gpudrift_kernels/cpu/ gpudrift_kernels/cuda/histogram.cu; do
    grep -q "^$wanted" "$elsewhere/files" || fail "no $wanted in the wheel"
done
if grep -E '^(tests|benchmarks|kernels)/|__pycache__|\.nb[ci] ' "$elsewhere/files" >&2; then
    fail "the wheel holds what it should not"
fi

cd "$elsewhere"
"$python" -m venv environment
environment/bin/python -m pip install -q -c "$checkout/constraints-cpu.txt" "$wheel"
environment/bin/python - <<'PY'
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

generator = np.random.default_rng(0)


def write(path: str, *, centre: float) -> None:
    pq.write_table(pa.table({"x": generator.normal(centre, 1.0, 5_000), "y": generator.random(5_000)}), path)


write("reference.parquet", centre=0.0)
write("same.parquet", centre=0.0)
write("moved.parquet", centre=1.0)
PY

gpudrift=environment/bin/gpudrift
expect 0 $gpudrift --help
expect 0 $gpudrift doctor
expect 0 environment/bin/python -m gpudrift --help
expect 0 $gpudrift check --reference reference.parquet --current same.parquet
expect 1 $gpudrift check --reference reference.parquet --current moved.parquet --json moved.json --html moved.html
[ -s moved.json ] && [ -s moved.html ] || fail "check wrote no JSON or no HTML"
expect 2 $gpudrift check --reference reference.parquet --current absent.parquet
expect 0 $gpudrift bench --scale 0.001
echo "wheel check: $(basename "$wheel") installs and runs"
