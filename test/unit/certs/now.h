// The present of these tests.
#pragma once

#include "base/clock.h"

inline const snapfreeze::Wall kNow = std::chrono::system_clock::from_time_t(1'800'000'000);
