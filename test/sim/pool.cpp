// The memory of histories. Each makes and drops a million small objects, most of them parts of JSON documents, and the
// C library's allocator took a fifth of the time. Here a block is of one of a few sizes, and one that was dropped is
// handed out again as it is. Nothing is given back, so a history costs as much memory as the largest one before it.
//
// Under a sanitizer its own allocator stays, because it finds what is used after it was dropped.
#include <cstddef>
#include <cstdlib>
#include <new>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {

// What operator new must align to, and the size of a head.
constexpr std::size_t kGrain = 16;
// By size / kGrain, heads included; anything larger is the C library's.
constexpr std::size_t kSizes = 40;
constexpr std::size_t kChunk = 256U << 10;

struct alignas(kGrain) Head {
  std::size_t size;  // in grains; 0: of the C library
  Head* next;        // of those that were dropped
};
static_assert(sizeof(Head) == kGrain);

// Of each thread its own, though a history has only one.
thread_local Head* dropped[kSizes];
thread_local std::byte* fresh = nullptr;
thread_local std::size_t fresh_left = 0;

Head* from_library(std::size_t bytes) {
  auto* const head = static_cast<Head*>(std::malloc(bytes));
  if (head == nullptr) throw std::bad_alloc();
  return head;
}

Head* cut(std::size_t size) {
  const std::size_t bytes = size * kGrain;
  if (fresh_left < bytes) {
    fresh = reinterpret_cast<std::byte*>(from_library(kChunk));
    fresh_left = kChunk;
  }
  auto* const head = reinterpret_cast<Head*>(fresh);
  fresh += bytes;
  fresh_left -= bytes;
  head->size = size;
  return head;
}

}  // namespace

void* operator new(std::size_t bytes) {
  const std::size_t size = (bytes + 2 * kGrain - 1) / kGrain;
  Head* head = nullptr;
  if (size >= kSizes) {
    head = from_library(size * kGrain);
    head->size = 0;
  } else if ((head = dropped[size]) != nullptr) {
    dropped[size] = head->next;
  } else {
    head = cut(size);
  }
  return head + 1;
}

void operator delete(void* memory) noexcept {
  if (memory == nullptr) return;
  Head* const head = static_cast<Head*>(memory) - 1;
  if (head->size == 0) return std::free(head);
  head->next = dropped[head->size];
  dropped[head->size] = head;
}

void operator delete(void* memory, std::size_t) noexcept {
  operator delete(memory);
}

#endif
