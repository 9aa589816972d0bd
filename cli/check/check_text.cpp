// Findings as text for people and as JSON for scripts.
#include <algorithm>

#include "cli/check/check.h"
#include "cli/shared/table.h"

namespace snapfreeze::cli {
namespace {

struct LevelText {
  const char* shown;
  const char* name;
  Colour colour;
};

LevelText text_of(Finding::Level level) {
  switch (level) {
    case Finding::Level::kGood:
      return {"ok     ", "ok", Colour::kGood};
    case Finding::Level::kUnknown:
      return {"?      ", "unknown", Colour::kDim};
    case Finding::Level::kWarning:
      return {"WARN   ", "warning", Colour::kWarning};
    case Finding::Level::kError:
      break;
  }
  return {"ERROR  ", "error", Colour::kBad};
}

}  // namespace

bool has(const std::vector<Finding>& findings, Finding::Level level) {
  return std::any_of(findings.begin(), findings.end(), [&](const Finding& finding) { return finding.level == level; });
}

std::string to_text(const std::vector<Finding>& findings, bool colours) {
  std::string text;
  for (const Finding& finding : findings) {
    const LevelText level = text_of(finding.level);
    text += coloured(level.shown, level.colour, colours) + printable(finding.about) + ": " + printable(finding.says);
    if (!finding.remedy.empty()) text += " -> " + printable(finding.remedy);
    text += "\n";
  }
  return text;
}

Json to_json(const std::vector<Finding>& findings) {
  Json list = Json::array();
  for (const Finding& finding : findings) {
    list.push(Json::object({{"level", text_of(finding.level).name},
                            {"about", finding.about},
                            {"says", finding.says},
                            {"remedy", finding.remedy.empty() ? Json() : Json(finding.remedy)}}));
  }
  return Json::object({{"findings", std::move(list)}});
}

}  // namespace snapfreeze::cli
