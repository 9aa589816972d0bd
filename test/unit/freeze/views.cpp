#include "test/unit/freeze/views.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace test {

using snapfreeze::Json;

snapfreeze::Json json(std::string_view text) {
  std::string quoted(text);
  std::replace(quoted.begin(), quoted.end(), '\'', '"');
  auto parsed = Json::parse(quoted);
  if (!parsed) throw std::invalid_argument(parsed.error().message);
  return std::move(*parsed);
}

snapfreeze::kube::SnapshotView captured_snapshot(std::string_view file) {
  std::ifstream in(std::string(SNAPFREEZE_SOURCE_DIR "/test/unit/freeze/testdata/").append(file), std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return snapfreeze::kube::SnapshotView::from(json(text.str())["request"]["object"]);
}

}  // namespace test
