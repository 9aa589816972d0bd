// A strict look at a request's head before the library reads it. The library passes over in silence what must not be
// passed over: it skips a line that does not end in CRLF, one without a colon and, in Debian 12, one without a value;
// takes a folded line for another header; takes the first of two that are equal; decodes percent signs, so that "%31"
// is a length; and runs over "Range" with a regular expression that takes as much stack as a client likes. Two readers
// that read one head differently are how requests are smuggled. So what decides where a request ends is read here, as
// it was sent, and what the library would read otherwise is refused. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "edge/http.h"

namespace snapfreeze::edge {

// Finds the end of a head in bytes that come in pieces, and looks at each byte once.
class HeadEnd {
 public:
  // `bytes` are those of before and more. A line that does not end in CRLF is where the head ends, too.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view bytes);

 private:
  std::size_t line_ = 0;     // where the line begins whose end has not come
  std::size_t scanned_ = 0;  // up to here there is no end of it
};

struct Head {
  std::optional<HttpResponse> refusal;  // saying what would be right; the connection cannot be used again
  std::size_t body = 0;                 // bytes that follow
  bool keep_open = true;                // the client may send another request
};

// Of a whole head.
[[nodiscard]] Head look_at(std::string_view head, const Limits& limits);

}  // namespace snapfreeze::edge
