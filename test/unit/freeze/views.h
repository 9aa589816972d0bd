// Objects as the tests of this folder write them: short JSON texts, read as the product reads them.
#pragma once

#include <string_view>

#include "base/json.h"
#include "kube/views.h"

namespace test {

// The text must be JSON; single quotes stand for double ones, so that a line stays readable.
snapfreeze::Json json(std::string_view text);

// request.object of an AdmissionReview in testdata/, as a real API server sent it.
snapfreeze::kube::SnapshotView captured_snapshot(std::string_view file);

}  // namespace test
