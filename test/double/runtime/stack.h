// Where a fiber of the simulation runs: its stack, its registers, and what the C++ runtime and the sanitizers keep of
// it.
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <cstddef>

namespace cluster {

// Not thread-safe. A stack that is not its thread's own ends in a page that nobody may touch.
class FiberStack {
 public:
  FiberStack() = default;  // the thread's own
  // `entry` must never return.
  explicit FiberStack(void (*entry)());
  ~FiberStack();
  FiberStack(const FiberStack&) = delete;
  FiberStack& operator=(const FiberStack&) = delete;

  // From this one, which runs, to `next`; returns when somebody switches back.
  void switch_to(FiberStack& next);
  // The first thing on a new stack.
  static void entered();

 private:
  void jump_to(FiberStack& next);

  ucontext_t context_{};
  jmp_buf registers_{};  // once it has been left
  bool was_left_ = false;
  std::byte* memory_ = nullptr;
  std::size_t size_ = 0;
  void* exceptions_[2] = {nullptr, nullptr};  // of the C++ ABI: those that are being handled and thrown
  [[maybe_unused]] void* shadow_ = nullptr;   // of the sanitizers
  const void* bottom_ = nullptr;
};

}  // namespace cluster
