"""Compares two result files of one run: our speed relative to PyTorch's, and each rate relative to the matmul rate.

    python3 compare.py OURS.json PEER.json RESULT.json
"""

import json
import sys

ours, peer = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:3])
if ours["gpu"] != peer["gpu"]:
    sys.exit(f"The results are from different GPUs: {ours['gpu']} and {peer['gpu']}.")
found = {result["name"]: result["value"] for result in ours["results"]}
other = {result["name"]: result["value"] for result in peer["results"]}
ratios = []
print(f"{ours['gpu']}, PyTorch {peer['torch']}")
for result in ours["results"]:
    name, value = result["name"], result["value"]
    row = {"name": name, "ours": value, "unit": result["unit"]}
    if name in other:
        row |= {"peer": other[name], "overPeer": value / other[name]}
    if result["unit"] == "TFLOPS":
        row["overMatmul"] = value / other["matmul 8192"]
    ratios.append(row)
    over = f"{row['overPeer']:8.2f} x PyTorch" if "overPeer" in row else ""
    part = f"{row['overMatmul']:8.1%} of the matmul rate" if "overMatmul" in row else ""
    print(f"{name:60} {value:10.2f} {result['unit']:7}{over}{part}")
report = {**{key: ours[key] for key in ("gpu", "computeCapability", "cudaDriver")}, "torch": peer["torch"]}
report |= {"matmulTeraflops": other["matmul 8192"], "results": ratios}
with open(sys.argv[3], "w", encoding="utf-8") as file:
    file.write(json.dumps(report, indent=2) + "\n")
