// A request in one piece and byte by byte is the same request, and a parser never holds more than its limits allow.
#include "edge/http_parser.h"
#include "test/load/fuzz/fuzz.h"

using snapfreeze::edge::HttpParser;
using snapfreeze::edge::HttpRequest;
using snapfreeze::fuzz::must;

namespace {

constexpr std::size_t kHead = 512;
constexpr std::size_t kBody = 1024;

struct Read {
  std::string requests;  // all of them
  int refusal = 0;       // its status
};

Read read_all(std::string_view text, std::size_t piece) {
  Read read;
  HttpParser parser({kHead, kBody});
  for (std::size_t at = 0; at < text.size(); at += piece) {
    HttpParser::State state = parser.feed(text.substr(at, piece));
    while (state == HttpParser::State::kComplete) {
      const HttpRequest request = parser.take();
      must(request.body.size() <= kBody, "no body beyond the limit");
      read.requests += request.method + ' ' + request.path + '\n' + request.body + '\n';
      state = parser.feed("");
    }
    if (state == HttpParser::State::kRefused) {
      read.refusal = parser.refusal().status;
      must(read.refusal >= 400 && !parser.refusal().body.empty(), "a refusal has a status and says why");
      return read;
    }
    must(parser.memory() <= 2 * (kHead + kBody + text.size()), "bounded memory");
  }
  return read;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = snapfreeze::fuzz::text_of(data, size);
  const Read whole = read_all(text, text.size() + 1);
  for (const std::size_t piece : {1U, 7U}) {
    const Read pieces = read_all(text, piece);
    must(pieces.requests == whole.requests && pieces.refusal == whole.refusal, "pieces make no difference");
  }
  return 0;
}
