#include <fmt/format.h>

#include <algorithm>

#include "cli/explain/lane.h"

namespace snapfreeze::cli {
namespace {

constexpr double kLeft = 24, kRight = 24, kWidth = 960, kTop = 74, kLaneHeight = 92, kBar = 26;
constexpr double kMostTicks = 24;
constexpr char kBlue[] = "#2563eb", kGrey[] = "#94a3b8", kGreen[] = "#15803d", kRed[] = "#b91c1c", kInk[] = "#0f172a";

// Text from the cluster must not end an element.
std::string escaped(const std::string& text) {
  std::string safe;
  for (const char character : text) {
    if (character == '<') {
      safe += "&lt;";
    } else if (character == '&') {
      safe += "&amp;";
    } else {
      safe += static_cast<unsigned char>(character) < 0x20 ? '?' : character;
    }
  }
  return safe;
}

class Picture {
 public:
  explicit Picture(const std::vector<Lane>& lanes) : lanes_(lanes) {
    for (const Lane& lane : lanes) {
      for (const FrozenSpan& one : lane.frozen) end_ = std::max(end_, one.until.value_or(lane.now));
      for (const Cut& cut : lane.cuts) end_ = std::max(end_, cut.at);
    }
  }

  std::string draw() {
    const double height = kTop + kLaneHeight * static_cast<double>(lanes_.size()) + 30;
    svg_ = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0f} {:.0f}\" "
        "font-family=\"Helvetica, Arial, sans-serif\" font-size=\"14\">\n<rect width=\"100%\" height=\"100%\" "
        "fill=\"#ffffff\"/>\n",
        kWidth, height);
    text(kLeft, 30, kInk, "How long is the guest frozen while its disks are cut?", "bold", 18);
    text(kLeft, 52, "#475569", "bar: filesystems frozen; line: a disk is cut, green while frozen, red when not");
    axis(height - 30);
    double y = kTop;
    for (const Lane& lane : lanes_) {
      draw_lane(lane, y);
      y += kLaneHeight;
    }
    return svg_ + "</svg>\n";
  }

 private:
  [[nodiscard]] double x(double ms) const { return kLeft + ms / end_ * (kWidth - kLeft - kRight); }

  void text(double at_x, double y, const char* colour, const std::string& words, const char* weight = "normal",
            int size = 14) {
    svg_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" fill=\"{}\" font-weight=\"{}\" font-size=\"{}\">{}</text>\n",
                        at_x, y, colour, weight, size, escaped(words));
  }

  void axis(double y) {
    double step = 2;
    while (end_ / 1000 > kMostTicks * step) step *= 2;
    for (double second = 0; second * 1000 <= end_; second += step) {
      const double at = x(second * 1000);
      svg_ += fmt::format("<path d=\"M{0:.1f} {1:.0f}V{2:.0f}\" stroke=\"#e2e8f0\"/>\n", at, kTop - 8, y);
      text(at - 4, y + 18, "#475569", fmt::format("{:.0f} s", second), "normal", 12);
    }
  }

  void draw_lane(const Lane& lane, double y) {
    const bool ours = !lane.verdict.empty();
    const double bar = y + 24;
    text(kLeft, y + 14, kInk, lane.title, "bold");
    for (const FrozenSpan& one : lane.frozen) {
      const double from = x(one.from), until = x(one.until.value_or(end_));
      svg_ += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.0f}\" fill=\"{}\" rx=\"3\"/>\n",
                          from, bar, std::max(until - from, 1.0), kBar, ours ? kBlue : kGrey);
    }
    const FrozenSpan* held = lane.freeze();
    for (const Cut& cut : lane.cuts) {
      const bool frozen = held != nullptr && held->from <= cut.at && (!held->until || cut.at < *held->until);
      svg_ += fmt::format("<path d=\"M{:.1f} {:.1f}V{:.1f}\" stroke=\"{}\" stroke-width=\"3\"/>\n", x(cut.at), bar - 5,
                          bar + kBar + 5, frozen ? kGreen : kRed);
    }
    const std::string worth = ours ? "the backup says: " + lane.verdict : "the backup says nothing";
    const std::string open = held != nullptr && !held->until ? " and still" : "";
    text(kLeft, bar + kBar + 20, "#475569",
         fmt::format("frozen for {:.2f} s{}, {} of {} disks cut while frozen; {}", lane.frozen_for() / 1000, open,
                     lane.covered(), lane.cuts.size(), worth));
  }

  const std::vector<Lane>& lanes_;
  double end_ = 1000;
  std::string svg_;
};

}  // namespace

std::string to_svg(const std::vector<Lane>& lanes) {
  return Picture(lanes).draw();
}

}  // namespace snapfreeze::cli
