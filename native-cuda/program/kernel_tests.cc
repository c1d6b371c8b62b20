#include <algorithm>

#include "../kernels/conv3x3_tensor.cuh"
#include "../kernels/conv3x3_wgmma.cuh"
#include "../kernels/conv_direct.cuh"
#include "../kernels/layers.cuh"
#include "../kernels/image.cuh"
#include "../reference/image.h"
#include "fixture.h"

namespace framekiln::tests {
namespace {

using engine::Check;
using engine::DeviceStream;

std::string Named(uint32_t height, uint32_t width, uint32_t from, uint32_t to) {
  return std::to_string(width) + "x" + std::to_string(height) + ", " + std::to_string(from) + " to " +
         std::to_string(to) + " channels";
}

// Weights whose sums stay near 1, so that a half's error is what it is in a model.
std::vector<float> RandomWeights(Random& random, size_t count, size_t terms) {
  const float bound = std::sqrt(3.0f / static_cast<float>(terms));
  return RandomHalves(random, count, -bound, bound);
}

void TestTensorConv(Random& random, bool wgmma, uint32_t height, uint32_t width, uint32_t cin, uint32_t cout) {
  // Input and output among other channels of their slots, as concatenations put them.
  TestTensor x(height, width, cin, cin + 32, 32), y(height, width, cout, (cout + 7) / 8 * 8 + 8, 8);
  x.Randomise(random);
  x.Upload();
  y.Upload();
  TestEpilogue epilogue(random, height, width, cout, true);
  if (Between(random, 0, 3) > 0) epilogue.SetBias(random, cout);
  const std::vector<float> weights = RandomWeights(random, size_t{cout} * 9 * cin, size_t{9} * cin);
  const auto packed = Uploaded((wgmma ? kernels::PackWgmmaConvWeights : kernels::PackTensorConvWeights)(
      weights.data(), static_cast<int>(cout), static_cast<int>(cin)));
  const kernels::TensorConv conv{x.OnDevice(), y.OnDevice(), reinterpret_cast<const uint16_t*>(packed.data()),
                                 epilogue.OnDevice()};
  const DeviceStream stream;
  Check((wgmma ? kernels::LaunchWgmmaConv : kernels::LaunchTensorConv)(conv, stream.get()), "a test");
  stream.Wait("a test");
  reference::Convolve(x.Reference(), y.Reference(), {3, 3, 1, 1, 1, 1}, 1, weights.data(), epilogue.bias(), epilogue.Reference());
  y.Compare(Named(height, width, cin, cout), 2e-3f);
}

void TensorConvTests(Random& random) {
  const uint32_t shapes[][2] = {{64, 64}, {64, 48}, {64, 12}, {64, 3}, {96, 32}, {192, 64}, {32, 16}, {128, 96}, {48, 64}, {16, 32}};
  for (const auto& [cin, cout] : shapes)
    TestTensorConv(random, false, Between(random, 1, 19), Between(random, 1, 70), cin, cout);
  TestTensorConv(random, false, 8, 32, 64, 64);  // Exactly one block,
  TestTensorConv(random, false, 9, 33, 64, 64);  // and one pixel more.
  TestTensorConv(random, false, 1, 1, 64, 64);
}

void WgmmaConvTests(Random& random) {
#ifdef __CUDACC__
  if (!kernels::WgmmaConvTakes(64, 64)) return;  // Not a GPU of compute capability 9.0.
#endif
  const uint32_t shapes[][2] = {{64, 64}, {64, 48}, {96, 40}, {192, 64}, {32, 96}};
  for (const auto& [cin, cout] : shapes)
    TestTensorConv(random, true, Between(random, 1, 19), Between(random, 1, 130), cin, cout);
  TestTensorConv(random, true, 8, 62, 64, 64);
  TestTensorConv(random, true, 9, 63, 64, 64);
  TestTensorConv(random, true, 1, 1, 64, 64);
}

void TestDirectConv(Random& random, bool depthwise) {
  const uint32_t cin = Between(random, 1, 40), cout = depthwise ? cin : Between(random, 1, 72);
  const reference::Window w{Between(random, 1, 5), Between(random, 1, 5), Between(random, 1, 2), Between(random, 1, 2),
                            0, 0};
  reference::Window window = w;
  window.pad_top = Between(random, 0, w.kernel_h - 1);
  window.pad_left = Between(random, 0, w.kernel_w - 1);
  const uint32_t height = Between(random, w.kernel_h, 23), width = Between(random, w.kernel_w, 23);
  const uint32_t out_h = (height + 2 * window.pad_top - w.kernel_h) / w.stride_h + 1;
  const uint32_t out_w = (width + 2 * window.pad_left - w.kernel_w) / w.stride_w + 1;
  const uint32_t groups = depthwise ? cin : 1;
  const int taps = static_cast<int>(w.kernel_h * w.kernel_w);

  TestTensor x(height, width, cin), y(out_h, out_w, cout, (cout + 7) / 8 * 8 + 16, 16);
  x.Randomise(random);
  x.Upload();
  y.Upload();
  TestEpilogue epilogue(random, out_h, out_w, cout, true);
  if (Between(random, 0, 3) > 0) epilogue.SetBias(random, cout);
  const size_t terms = size_t(taps) * (cin / groups);
  const std::vector<float> weights = RandomWeights(random, cout * terms, terms);
  const auto packed =
      Uploaded(kernels::PackDirectConvWeights(weights.data(), cout, taps, static_cast<int>(cin / groups)));
  const kernels::DirectConv conv{
      x.OnDevice(),          y.OnDevice(),          reinterpret_cast<const float*>(packed.data()),
      epilogue.OnDevice(),   int(w.kernel_h),       int(w.kernel_w),
      int(w.stride_h),       int(w.stride_w),       int(window.pad_top),
      int(window.pad_left),  depthwise};
  const DeviceStream stream;
  Check(kernels::LaunchDirectConv(conv, stream.get()), "a test");
  stream.Wait("a test");
  reference::Convolve(x.Reference(), y.Reference(), window, groups, weights.data(), epilogue.bias(), epilogue.Reference());
  y.Compare((depthwise ? "depthwise " : "dense ") + Named(height, width, cin, cout));
}

void DirectConvTests(Random& random) {
  for (int i = 0; i < 12; i++) TestDirectConv(random, i % 2 == 1);
}

void PoolTests(Random& random) {
  for (int i = 0; i < 9; i++) {
    const bool whole = i % 3 == 2, average = i % 3 != 0;
    const uint32_t kernel = Between(random, 2, 3), stride = Between(random, 1, 2), pad = Between(random, 0, 1);
    const uint32_t height = Between(random, 3, 21), width = Between(random, 3, 21), channels = Between(random, 1, 40);
    const uint32_t out_h = whole ? 1 : (height + 2 * pad - kernel) / stride + 1;
    const uint32_t out_w = whole ? 1 : (width + 2 * pad - kernel) / stride + 1;
    TestTensor x(height, width, channels), y(out_h, out_w, channels);
    x.Randomise(random);
    x.Upload();
    y.Upload();
    const uint32_t k = whole ? 0 : kernel;
    const reference::Window window{k, k, stride, stride, pad, pad};
    const kernels::Pool pool{x.OnDevice(), y.OnDevice(), int(k), int(k), int(stride), int(stride), int(pad), int(pad)};
    const DeviceStream stream;
    Check(average ? kernels::LaunchAveragePool(pool, stream.get()) : kernels::LaunchMaxPool(pool, stream.get()),
          "a test");
    stream.Wait("a test");
    (average ? reference::AveragePool : reference::MaxPool)(x.Reference(), y.Reference(), window);
    y.Compare(average ? "average" : "maximum");
  }
}

void AddTests(Random& random) {
  for (int i = 0; i < 12; i++) {
    const uint32_t height = Between(random, 1, 20), width = Between(random, 1, 20), channels = Between(random, 1, 40);
    TestTensor x(height, width, i % 2 == 0 ? channels : Between(random, 1, channels), 64, 8), y(height, width, channels);
    x.Randomise(random);
    x.Upload();
    y.Upload();
    TestEpilogue epilogue(random, height, width, channels, true);
    const DeviceStream stream;
    Check(kernels::LaunchAdd({x.OnDevice(), y.OnDevice(), epilogue.OnDevice()}, stream.get()), "a test");
    stream.Wait("a test");
    reference::Add(x.Reference(), y.Reference(), epilogue.Reference());
    y.Compare("add");
  }
}

void ResizeTests(Random& random) {
  for (int i = 0; i < 8; i++) {
    const bool bilinear = i % 2 == 1;
    const uint32_t factor = Between(random, 1, 4);
    const uint32_t height = Between(random, 1, 17), width = Between(random, 1, 17), channels = Between(random, 1, 40);
    TestTensor x(height, width, channels), y(height * factor, width * factor, channels);
    x.Randomise(random);
    x.Upload();
    y.Upload();
    const kernels::Resize resize{x.OnDevice(), y.OnDevice(), int(factor)};
    const DeviceStream stream;
    Check(bilinear ? kernels::LaunchResizeBilinear(resize, stream.get())
                   : kernels::LaunchResizeNearest(resize, stream.get()),
          "a test");
    stream.Wait("a test");
    (bilinear ? reference::ResizeBilinear : reference::ResizeNearest)(x.Reference(), y.Reference(), factor);
    y.Compare(bilinear ? "bilinear" : "nearest");
  }
}

void DepthToSpaceTests(Random& random) {
  for (int i = 0; i < 6; i++) {
    const uint32_t factor = Between(random, 2, 4), channels = Between(random, 1, 5);
    const uint32_t height = Between(random, 1, 17), width = Between(random, 1, 17);
    TestTensor x(height, width, channels * factor * factor), base(height, width, channels),
        y(height * factor, width * factor, channels);
    x.Randomise(random);
    base.Randomise(random);
    x.Upload();
    base.Upload();
    y.Upload();
    const bool with_base = i % 2 == 0;
    const DeviceStream stream;
    Check(kernels::LaunchDepthToSpace({x.OnDevice(), y.OnDevice(), with_base ? base.OnDevice() : kernels::Tensor{}, 0.5f,
                                       2.0f, int(factor)},
                                      stream.get()),
          "a test");
    stream.Wait("a test");
    const reference::Image base_reference = base.Reference();
    reference::Epilogue epilogue;
    epilogue.scale = 0.5f;
    epilogue.scale1 = 2.0f;
    epilogue.residual1 = with_base ? &base_reference : nullptr;
    reference::DepthToSpace(x.Reference(), y.Reference(), factor, epilogue);
    y.Compare("depth to space");
  }
}

constexpr ImageFormat kFormats[] = {ImageFormat::kPlanarFloat, ImageFormat::kRgb24,     ImageFormat::kRgb48,
                                      ImageFormat::kYuv420p,     ImageFormat::kNv12,      ImageFormat::kYuv420p10,
                                      ImageFormat::kP010};

std::vector<ImageLayout> Layouts() {
  std::vector<ImageLayout> layouts;
  for (const ImageFormat format : kFormats) {
    for (int matrix = 0; matrix < (IsYuv(format) ? 3 : 1); matrix++) {
      for (int full = 0; full < (IsYuv(format) ? 2 : 1); full++)
        layouts.push_back({format, static_cast<YuvMatrix>(matrix), full == 1});
    }
  }
  return layouts;
}

std::string NameOf(const ImageLayout& layout) {
  return "format " + std::to_string(int(layout.format)) + ", matrix " + std::to_string(int(layout.matrix)) +
         (layout.full_range ? ", full range" : ", limited range");
}

std::vector<double> RandomRgb(Random& random, uint32_t height, uint32_t width) {
  // Halves, because that is what a tensor holds; some beyond 0..1, because models go there.
  const std::vector<float> values = RandomHalves(random, size_t{height} * width * 3, -0.1f, 1.1f);
  return {values.begin(), values.end()};
}

void ReadImageTests(Random& random) {
  for (const ImageLayout& layout : Layouts()) {
    const uint32_t height = Between(random, 2, 15), width = Between(random, 2, 15);
    const std::vector<unsigned char> bytes =
        reference::WriteImage(RandomRgb(random, height, width), layout, int(height), int(width));
    const std::vector<double> rgb = reference::ReadImage(bytes, layout, int(height), int(width));
    const auto image = Uploaded(bytes);
    // A window in the middle, so that its borders are not the image's.
    const uint32_t top = Between(random, 0, height - 1), left = Between(random, 0, width - 1);
    TestTensor y(height - top, width - left, 3);
    y.Upload();
    kernels::ReadImage read{image.data(), layout, int(height), int(width), int(top), int(left), y.OnDevice()};
    const DeviceStream stream;
    Check(kernels::LaunchReadImage(read, stream.get()), "a test");
    stream.Wait("a test");
    const reference::Image reference = y.Reference();
    for (uint32_t row = 0; row < reference.height; row++) {
      for (uint32_t column = 0; column < reference.width; column++) {
        for (uint32_t c = 0; c < 3; c++)
          reference.At(row, column, c) = static_cast<float>(rgb[((row + top) * width + column + left) * 3 + c]);
      }
    }
    y.Compare("reading " + NameOf(layout), 1e-3f, 1.0f / 1024);
  }
}

// One level of difference is allowed where the reference's number lies between two integers.
void CompareImages(const std::vector<unsigned char>& found, const std::vector<unsigned char>& wanted,
                     const ImageLayout& layout) {
  const bool words = layout.format == ImageFormat::kRgb48 || layout.format == ImageFormat::kYuv420p10 ||
                     layout.format == ImageFormat::kP010;
  const int unit = layout.format == ImageFormat::kP010 ? 64 : 1;
  for (size_t i = 0; i < wanted.size(); i += words ? 2 : 1) {
    const int a = words ? found[i] | found[i + 1] << 8 : found[i];
    const int b = words ? wanted[i] | wanted[i + 1] << 8 : wanted[i];
    Require(std::abs(a - b) <= unit, "writing " + NameOf(layout) + ": " + std::to_string(a) + " instead of " +
                                         std::to_string(b) + " at byte " + std::to_string(i));
  }
}

void WriteImageTests(Random& random) {
  for (const ImageLayout& layout : Layouts()) {
    if (layout.format == ImageFormat::kPlanarFloat) continue;  // Exact: compared with whole plans.
    const uint32_t height = Between(random, 1, 15), width = Between(random, 1, 15);
    const std::vector<double> rgb = RandomRgb(random, height, width);
    TestTensor x(height, width, 3, 16, 8);
    const reference::Image reference = x.Reference();
    for (size_t i = 0; i < rgb.size(); i++)
      reference.data[i / 3 * reference.pitch + i % 3] = static_cast<float>(rgb[i]);
    x.Upload();
    const std::vector<unsigned char> wanted = reference::WriteImage(rgb, layout, int(height), int(width));
    const auto image = Uploaded(std::vector<unsigned char>(wanted.size(), 0xab));
    const DeviceStream stream;
    // In up to four parts, as tiles would; 4:2:0 is cut at even places.
    const uint32_t cut_y = height > 2 ? 2 : height, cut_x = width > 4 ? 4 : width;
    const std::pair<uint32_t, uint32_t> rows[] = {{0, cut_y}, {cut_y, height}}, columns[] = {{0, cut_x}, {cut_x, width}};
    for (const auto& [top, bottom] : rows) {
      for (const auto& [left, right] : columns) {
        if (top == bottom || left == right) continue;
        kernels::WriteImage write;
        write.x = x.OnDevice();
        write.image = image.data();
        write.layout = layout;
        write.image_height = int(height);
        write.image_width = int(width);
        write.from_top = write.to_top = int(top);
        write.from_left = write.to_left = int(left);
        write.height = int(bottom - top);
        write.width = int(right - left);
        Check(kernels::LaunchWriteImage(write, stream.get()), "a test");
      }
    }
    std::vector<unsigned char> found(wanted.size());
    engine::CopyToHost(found.data(), image.data(), found.size(), stream.get());
    stream.Wait("a test");
    CompareImages(found, wanted, layout);
  }
}

}  // namespace

std::vector<Group> KernelTests() {
  return {{"3x3 convolution on tensor cores", TensorConvTests},
          {"3x3 convolution by wgmma", WgmmaConvTests},
          {"direct and depthwise convolution", DirectConvTests},
          {"pooling", PoolTests},
          {"addition and activation", AddTests},
          {"resizing", ResizeTests},
          {"depth to space", DepthToSpaceTests},
          {"reading images", ReadImageTests},
          {"writing images", WriteImageTests}};
}

}  // namespace framekiln::tests
