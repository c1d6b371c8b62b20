"""Runs the same model plans in PyTorch on the same GPU, as a PyTorch user would: half precision, channels_last, cuDNN's
benchmark mode, a CUDA graph. Its output has the format of `framekiln-native-cuda bench`, for bench/compare.py.

    python3 peer.py PLAN... --json FILE
"""

import argparse
import json
import pathlib
import struct
import time

import numpy
import torch
import torch.nn.functional as functional

NONE = 0xFFFFFFFF
SIZES = {"480p": (480, 854), "720p": (720, 1280), "1080p": (1080, 1920), "4K": (2160, 3840)}
STEP = struct.Struct("<5I3fIf14I")


class PlanModel(torch.nn.Module):
    """Executes a model plan (native-cuda/plan/plan.h) step by step; concatenations are torch.cat, as in exported models."""

    def __init__(self, path):
        super().__init__()
        data = pathlib.Path(path).read_bytes()
        magic, version, weight_type, tensors, steps, outputs, weights = struct.unpack_from("<7I", data)
        if magic != 0x4C504B46 or version != 1:
            raise ValueError(f"{path} is not a model plan of version 1")
        at = 28
        self.tensors = [struct.unpack_from("<4I", data, at + 16 * i) for i in range(tensors)]
        at += 16 * tensors
        self.steps = [STEP.unpack_from(data, at + STEP.size * i) for i in range(steps)]
        at += STEP.size * steps
        self.output = struct.unpack_from("<3I", data, at)[0]
        at += 12 * outputs
        kind = numpy.float16 if weight_type == 2 else numpy.float32
        numbers = torch.from_numpy(numpy.frombuffer(data, kind, weights, at).astype(numpy.float16))
        self.constants = [self.constants_of(step, numbers) for step in self.steps]

    def constants_of(self, step, numbers):
        def take(offset, *shape):
            count = int(numpy.prod(shape))
            return None if offset == NONE else numbers[offset : offset + count].reshape(shape).cuda()

        op, x, y = step[:3]
        cin, cout = self.tensors[x][3], self.tensors[y][3]
        kernel_h, kernel_w, groups = step[11], step[12], step[19]
        weights_at, bias_at, slopes_at = step[20:23]
        weights = None
        if op == 1:
            weights = take(weights_at, cout, kernel_h, kernel_w, cin // groups).permute(0, 3, 1, 2)
            weights = weights.contiguous(memory_format=torch.channels_last)
        return weights, take(bias_at, cout), take(slopes_at, cout)

    def read(self, values, number):
        if values[number] is not None:
            return values[number]
        # A concatenation: its members are the live tensors of its slot, ordered by channel.
        slot, _, offset, channels = self.tensors[number]
        members = {}
        for other, (other_slot, _, other_offset, other_channels) in enumerate(self.tensors):
            inside = offset <= other_offset and other_offset + other_channels <= offset + channels
            if values[other] is not None and other_slot == slot and inside:
                members[other_offset] = values[other]
        return torch.cat([members[key] for key in sorted(members)], 1)

    def forward(self, image):
        values = [None] * len(self.tensors)
        values[0] = image
        for step, constants in zip(self.steps, self.constants):
            number = step[2]
            result = self.run(step, constants, values)
            # Tensors in the same slot that overlap this one have been overwritten.
            slot, _, offset, channels = self.tensors[number]
            for other, (other_slot, _, other_offset, other_channels) in enumerate(self.tensors):
                if other_slot == slot and other_offset < offset + channels and offset < other_offset + other_channels:
                    values[other] = None
            values[number] = result
        return self.read(values, self.output)

    def run(self, step, constants, values):
        op, x_number, _, residual1, residual2, scale, scale1, scale2, activation, slope, act_last = step[:11]
        stride, padding, groups, factor = step[13:15], step[15:17], step[19], step[23]
        weights, bias, slopes = constants
        x = self.read(values, x_number)
        if op == 1:
            x = functional.conv2d(x, weights, bias, stride, padding, 1, groups)
        elif op == 5:
            x = functional.interpolate(x, scale_factor=factor, mode="nearest")
        elif op == 7:
            x = functional.pixel_shuffle(x, factor)
        elif op != 4:
            raise ValueError(f"unknown operation {op}")

        def activate(value):
            if activation == 1:
                return functional.leaky_relu(value, slope)
            if activation == 2:
                return functional.prelu(value, slopes)
            return torch.sigmoid(value) if activation == 3 else value

        if not act_last:
            x = activate(x)
        x = x if scale == 1 else x * scale
        for residual, factor_of in ((residual1, scale1), (residual2, scale2)):
            if residual != NONE:
                other = self.read(values, residual)
                if op == 7:
                    other = functional.interpolate(other, scale_factor=factor, mode="nearest")
                x = torch.add(x, other, alpha=factor_of)
        return activate(x) if act_last else x


def matmul_teraflops():
    edge = 8192
    a, b = (torch.randn(edge, edge, device="cuda", dtype=torch.half) for _ in range(2))
    seconds = median_seconds(lambda: [torch.matmul(a, b) for _ in range(10)])
    return 10 * 2 * edge**3 / seconds * 1e-12


def convolution_teraflops(cin, cout):
    x = torch.randn(1, cin, 720, 1280, device="cuda", dtype=torch.half).to(memory_format=torch.channels_last)
    w = torch.randn(cout, cin, 3, 3, device="cuda", dtype=torch.half).to(memory_format=torch.channels_last)
    seconds = median_seconds(lambda: [functional.conv2d(x, w, padding=1) for _ in range(50)])
    return 50 * 2 * 9 * cin * cout * 720 * 1280 / seconds * 1e-12


def median_seconds(work):
    work()
    times = []
    for _ in range(5):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        work()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - begin)
    return sorted(times)[2]


def frames_per_second(model, height, width):
    """Measures frames per second from pinned memory to pinned memory, with everything in one CUDA graph."""
    source = torch.randint(0, 256, (1, height, width, 3), dtype=torch.uint8).pin_memory()

    def frame():
        image = source.to("cuda", non_blocking=True).permute(0, 3, 1, 2).half().div_(255)
        upscaled = model(image.contiguous(memory_format=torch.channels_last))
        return upscaled.clamp_(0, 1).mul_(255).round_().to(torch.uint8).permute(0, 2, 3, 1).contiguous()

    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            result = frame()
    torch.cuda.synchronize()
    target = torch.empty(result.shape, dtype=torch.uint8).pin_memory()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        target.copy_(frame(), non_blocking=True)
    once = median_seconds(graph.replay)
    count = max(3, min(100, int(2 / once)))
    seconds = median_seconds(lambda: [graph.replay() for _ in range(count)])
    return count / seconds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("plans", nargs="+")
    parser.add_argument("--json", required=True)
    arguments = parser.parse_args()
    torch.backends.cudnn.benchmark = True
    results = []

    def add(name, value, unit):
        print(f"{name:60} {value:10.2f} {unit}", flush=True)
        results.append({"name": name, "value": value, "unit": unit})

    with torch.inference_mode():
        add("matmul 8192", matmul_teraflops(), "TFLOPS")
        for cin, cout in ((64, 64), (64, 48), (64, 32), (192, 64)):
            add(f"3x3 convolution 720p, {cin} to {cout}", convolution_teraflops(cin, cout), "TFLOPS")
        for path in arguments.plans:
            model = PlanModel(path)
            for label, (height, width) in SIZES.items():
                name = f"{pathlib.Path(path).stem} {label}"
                try:
                    add(name, frames_per_second(model, height, width), "fps")
                except torch.cuda.OutOfMemoryError:
                    print(f"{name:60} out of memory", flush=True)
                torch.cuda.empty_cache()
    report = {"gpu": torch.cuda.get_device_name(0), "torch": torch.__version__, "results": results}
    pathlib.Path(arguments.json).write_text(json.dumps(report, indent=2) + "\n")


main()
