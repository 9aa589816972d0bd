// A strict look at a request's head before the library reads it. The library silently accepts what must be refused. It
// skips a line that does not end in CRLF, one without a colon and, in Debian 12, one without a value. It takes a folded
// line for another header, and the first of two equal ones. It decodes percent signs, so that "%31" is a length. It
// reads "Range" with a regular expression that takes as much stack as a client likes. Requests are smuggled where two
// readers read one head differently. So everything that decides where a request ends is read here, as it was sent, and
// whatever the library would read differently is refused. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "edge/http.h"

namespace snapfreeze::edge {

// Where the head ends, if it does, in bytes of which the first `seen` were looked at before. A line that does not end
// in CRLF ends it, too.
[[nodiscard]] std::optional<std::size_t> end_of_head(std::string_view bytes, std::size_t seen);

struct Head {
  std::optional<HttpResponse> refusal;  // saying what would be right; the connection cannot be used again
  std::size_t body = 0;                 // bytes that follow
  bool keep_open = true;                // the client may send another request
};

// Of a whole head.
[[nodiscard]] Head look_at(std::string_view head, const Limits& limits);

}  // namespace snapfreeze::edge
