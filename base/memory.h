// A bound on the freed memory that a process of many threads keeps.
#pragma once

namespace snapfreeze {

// Each arena of glibc keeps its freed memory, and each thread may get an arena of its own: when 64 threads read one
// large page each, one after the other, 80 MiB stay resident instead of 30. Call it before the threads start.
void bound_memory_of_threads();

}  // namespace snapfreeze
