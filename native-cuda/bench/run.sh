#!/bin/sh
# Everything that a GPU can show, as one command: the tests, compute-sanitizer where it is installed, the benchmark,
# the same in PyTorch where that is installed, and both as ratios in bench/results/<GPU>.json (or in $OUT).
# Needs neither Node nor network access: native-cuda/build (framekiln-native-cuda and plans/) may come from elsewhere.
#
#   npm run build && npm run build:native && node native-cuda/bench/make-plans.mjs   where there is Node and nvcc
#   sh native-cuda/bench/run.sh                                                      where there is a GPU
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
  echo 'compute-sanitizer is not installed: memcheck and racecheck were left out'
fi

"$program" bench native-cuda/build/plans/*.fkpl --json "$work/ours.json"
GPU=$(sed -n 's/.*"GPU": "\(.*\)",/\1/p' "$work/ours.json" | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9-')
if python3 -c 'import torch' 2>/dev/null; then
  python3 native-cuda/bench/peer.py native-cuda/build/plans/*.fkpl --json "$work/peer.json"
  python3 native-cuda/bench/compare.py "$work/ours.json" "$work/peer.json" "$results/$GPU.json"
else
  echo 'PyTorch is not installed: there is no peer, and no ratio'
  cp "$work/ours.json" "$results/$GPU.json"
fi
echo "written: $results/$GPU.json"
