#include "webhook/slots.h"

#include <memory>

#include "test/support/catch.h"

namespace snapfreeze::webhook {
namespace {

TEST_CASE("there are as many slots as the limit says") {
  Slots slots(2);
  const Slots::Taken first(slots);
  const Slots::Taken second(slots);
  const Slots::Taken third(slots);
  CHECK(first);
  CHECK(second);
  CHECK_FALSE(third);
}

TEST_CASE("a slot is given back when its holder is done") {
  Slots slots(1);
  for (int i = 0; i < 3; ++i) CHECK(Slots::Taken(slots));
}

TEST_CASE("who was refused gives nothing back and keeps nothing") {
  Slots slots(1);
  auto holder = std::make_unique<Slots::Taken>(slots);
  for (int i = 0; i < 5; ++i) CHECK_FALSE(Slots::Taken(slots));
  const Slots::Taken refused(slots);
  holder.reset();
  const Slots::Taken next(slots);
  CHECK(next);
  CHECK_FALSE(Slots::Taken(slots));
}

TEST_CASE("without slots nobody gets one, however often it is tried") {
  Slots slots(0);
  for (int i = 0; i < 3; ++i) CHECK_FALSE(Slots::Taken(slots));
}

}  // namespace
}  // namespace snapfreeze::webhook
