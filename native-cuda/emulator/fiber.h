// A function that can be suspended and resumed.
#pragma once

#include <memory>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace framekiln::emulator {

class Fiber {
 public:
  // Prepares a run of `body`, which starts with the next Resume. A suspended run is abandoned.
  void Start(void (*body)(const void*), const void* params);
  // Runs until the body yields (false) or returns (true). The body must not throw.
  bool Resume();
  // Called in the body: returns to the caller of Resume.
  void Yield();

 private:
  static void Enter();

  std::unique_ptr<unsigned char[]> stack_;
  void (*body_)(const void*) = nullptr;
  const void* params_ = nullptr;
  bool done_ = true;
#if defined(__x86_64__)
  void* inside_ = nullptr;   // Stack pointers of the suspended side.
  void* outside_ = nullptr;
#else
  ucontext_t inside_{};
  ucontext_t outside_{};
#endif
};

}  // namespace framekiln::emulator
