// With this macro a jump to another stack would count as an attack.
#undef _FORTIFY_SOURCE
#include "test/double/runtime/stack.h"

#include <cxxabi.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace cluster {
namespace {

// The deepest are those that parse and merge JSON; only touched pages cost memory.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kSize = 2U << 20;
#else
constexpr std::size_t kSize = 512U << 10;
#endif

// Whose turn it was before the present one, for what must be done after a switch.
thread_local FiberStack* left = nullptr;

}  // namespace

FiberStack::FiberStack(void (*entry)()) : size_(kSize) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* memory =
      mmap(nullptr, size_ + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, page, PROT_NONE) != 0) std::abort();
  memory_ = static_cast<std::byte*>(memory);
  getcontext(&context_);
  context_.uc_stack.ss_sp = memory_ + page;
  context_.uc_stack.ss_size = size_;
  context_.uc_link = nullptr;
  makecontext(&context_, entry, 0);
  bottom_ = memory_ + page;
#if defined(__SANITIZE_THREAD__)
  shadow_ = __tsan_create_fiber(0);
#endif
}

FiberStack::~FiberStack() {
  if (memory_ == nullptr) return;
#if defined(__SANITIZE_THREAD__)
  __tsan_destroy_fiber(shadow_);
#endif
  munmap(memory_, size_ + static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
}

// swapcontext() asks the kernel for the signal mask each time, which takes longer than many fibers run. So only the
// first switch to a stack is made by it. The sanitizers know what it does, and not what a jump does.
void FiberStack::jump_to(FiberStack& next) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  swapcontext(&context_, &next.context_);
#else
  if (_setjmp(registers_) != 0) return;
  was_left_ = true;
  if (next.was_left_) _longjmp(next.registers_, 1);
  setcontext(&next.context_);
#endif
}

void FiberStack::switch_to(FiberStack& next) {
  auto* const exceptions = reinterpret_cast<void*>(abi::__cxa_get_globals());
  std::memcpy(exceptions_, exceptions, sizeof exceptions_);
  std::memcpy(exceptions, next.exceptions_, sizeof exceptions_);
  left = this;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&shadow_, next.bottom_, next.size_);
#endif
#if defined(__SANITIZE_THREAD__)
  if (shadow_ == nullptr) shadow_ = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(next.shadow_, 0);
#endif
  jump_to(next);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(shadow_, &left->bottom_, &left->size_);
#endif
}

void FiberStack::entered() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &left->bottom_, &left->size_);
#endif
}

}  // namespace cluster
