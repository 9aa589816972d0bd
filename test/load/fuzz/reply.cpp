// A reply in one piece and byte by byte is the same reply, or the same error.
#include "kube/http1.h"
#include "test/load/fuzz/fuzz.h"

using snapfreeze::fuzz::must;
using snapfreeze::kube::ReplyParser;

namespace {

struct Read {
  bool ok = true;
  int status = 0;
  bool complete = false;
  std::string body;

  bool operator==(const Read&) const = default;
};

Read read_all(std::string_view text, std::size_t piece) {
  ReplyParser parser;
  Read read;
  for (std::size_t at = 0; at < text.size() && read.ok; at += piece) read.ok = parser.feed(text.substr(at, piece)).ok();
  if (read.ok) read.ok = parser.closed().ok();
  if (!read.ok) return {false, 0, false, ""};
  read.status = parser.status();
  read.complete = parser.complete();
  read.body = parser.body();
  must(read.body.size() <= text.size(), "no byte of the body is made up");
  return read;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = snapfreeze::fuzz::text_of(data, size);
  const Read whole = read_all(text, text.size() + 1);
  must(whole == read_all(text, 1) && whole == read_all(text, 7), "pieces make no difference");
  (void)snapfreeze::kube::parse_http_date(text);
  return 0;
}
