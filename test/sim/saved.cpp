#include "test/sim/saved.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <stdexcept>

#include "test/sim/draw.h"

namespace sim {
namespace {

std::string line_of(const Event& event) {
  return "event " + std::to_string(event.number) + " at " + std::to_string(event.at.count()) + " ms: " + event.what;
}

}  // namespace

void save(const std::string& file, const Saved& saved, const std::vector<std::string>& broken) {
  std::ofstream out(file);
  for (const std::string& one : broken) out << "# " << one << "\n";
  out << "seed " << saved.seed << "\n";
  for (const Event& event : saved.plan.events) out << line_of(event) << "\n";
  out.close();
  if (!out) throw std::runtime_error(file + ": cannot be written");
}

Saved load(const std::string& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error(file + ": cannot be read");
  Saved saved;
  std::set<std::string> wanted;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("seed ")) saved.seed = std::stoull(line.substr(5));
    if (line.starts_with("event ")) wanted.insert(line);
  }
  saved.plan = draw(saved.seed);
  std::erase_if(saved.plan.events, [&](const Event& event) { return wanted.erase(line_of(event)) == 0; });
  if (!wanted.empty()) throw std::runtime_error(file + ": its seed draws other events by now: " + *wanted.begin());
  return saved;
}

}  // namespace sim
