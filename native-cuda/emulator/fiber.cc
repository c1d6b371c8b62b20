#include "fiber.h"

#include <cstddef>
#include <cstdint>

namespace framekiln::emulator {
namespace {

constexpr size_t kStackBytes = 64 * 1024;
thread_local Fiber* entering = nullptr;

}  // namespace

#if defined(__x86_64__)

// swapcontext makes a system call for the signal mask each time, and a small model makes fifty million switches. This
// saves only the callee-saved registers of the System V calling convention.
extern "C" void framekiln_switch_stack(void** old_pointer, void* new_pointer);
asm(R"(
.text
.type framekiln_switch_stack, @function
framekiln_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size framekiln_switch_stack, .-framekiln_switch_stack
)");

void Fiber::Start(void (*body)(const void*), const void* params) {
  if (stack_ == nullptr) stack_.reset(new unsigned char[kStackBytes]);
  body_ = body;
  params_ = params;
  done_ = false;
  // As if Enter had been called and had switched away at once: six saved registers below its address.
  auto top = reinterpret_cast<uintptr_t>(stack_.get() + kStackBytes) / 16 * 16;
  auto* words = reinterpret_cast<uintptr_t*>(top) - 2;
  *words = reinterpret_cast<uintptr_t>(&Fiber::Enter);
  for (int i = 0; i < 6; i++) *--words = 0;
  inside_ = words;
}

bool Fiber::Resume() {
  entering = this;
  framekiln_switch_stack(&outside_, inside_);
  return done_;
}

void Fiber::Yield() { framekiln_switch_stack(&inside_, outside_); }

void Fiber::Enter() {
  Fiber* self = entering;
  self->body_(self->params_);
  self->done_ = true;
  self->Yield();
}

#else

void Fiber::Start(void (*body)(const void*), const void* params) {
  if (stack_ == nullptr) stack_.reset(new unsigned char[kStackBytes]);
  body_ = body;
  params_ = params;
  done_ = false;
  getcontext(&inside_);
  inside_.uc_stack.ss_sp = stack_.get();
  inside_.uc_stack.ss_size = kStackBytes;
  inside_.uc_link = nullptr;
  makecontext(&inside_, &Fiber::Enter, 0);
}

bool Fiber::Resume() {
  entering = this;
  swapcontext(&outside_, &inside_);
  return done_;
}

void Fiber::Yield() { swapcontext(&inside_, &outside_); }

void Fiber::Enter() {
  Fiber* self = entering;
  self->body_(self->params_);
  self->done_ = true;
  self->Yield();
}

#endif

}  // namespace framekiln::emulator
