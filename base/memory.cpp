#include "base/memory.h"

#include <malloc.h>

namespace snapfreeze {

void bound_memory_of_threads() {
  constexpr int kArenas = 2;
  mallopt(M_ARENA_MAX, kArenas);
}

}  // namespace snapfreeze
