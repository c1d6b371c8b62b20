#!/bin/sh
# Tests and benchmarks the GPU code in one command: the tests, compute-sanitizer if installed, the benchmark, the same
# benchmark in PyTorch if installed, and the comparison in bench/results/<gpu>.json (or in $OUT).
# Needs neither Node nor network access: native-cuda/build (framekiln-native-cuda and plans/) may be copied from another machine.
#
#   npm run build && npm run build:native && node native-cuda/bench/make-plans.mjs   on a machine with Node and nvcc
#   sh native-cuda/bench/run.sh                                                      on a machine with a GPU
set -eu
cd "$(dirname "$0")/../.."
program=native-cuda/build/framekiln-native-cuda
results=${OUT:-bench/results}
mkdir -p "$results"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$program" devices
"$program" test
if command -v compute-sanitizer >/dev/null; then
  compute-sanitizer --tool memcheck --error-exitcode 1 "$program" test 1
  compute-sanitizer --tool racecheck --error-exitcode 1 "$program" test 1
else
  echo 'compute-sanitizer is not installed: skipping memcheck and racecheck'
fi

"$program" bench native-cuda/build/plans/*.fkpl --json "$work/ours.json"
gpu=$(sed -n 's/.*"gpu": "\(.*\)",/\1/p' "$work/ours.json" | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9-')
if python3 -c 'import torch' 2>/dev/null; then
  python3 native-cuda/bench/peer.py native-cuda/build/plans/*.fkpl --json "$work/peer.json"
  python3 native-cuda/bench/compare.py "$work/ours.json" "$work/peer.json" "$results/$gpu.json"
else
  echo 'PyTorch is not installed: skipping the comparison'
  cp "$work/ours.json" "$results/$gpu.json"
fi
echo "written: $results/$gpu.json"
