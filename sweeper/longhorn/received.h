// How much a TCP connection has received.
#pragma once

#include <cstdint>

namespace snapfreeze::sweeper {

// Bytes since the connection was opened; 0 when `fd` is none.
[[nodiscard]] std::uint64_t bytes_received(int fd);

}  // namespace snapfreeze::sweeper
