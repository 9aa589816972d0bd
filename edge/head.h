// What the library's reader of a request's head passes over in silence, and must not be passed over. It skips a line
// that does not end in CRLF, one without a colon and, of Debian 12, one without a value; takes a folded line for
// another header; takes the first of two that are equal; decodes percent signs, so that "%31" is a length; and runs a
// regular expression over "Range" that takes as much stack as a client likes. Two readers that read one head
// differently are how requests are smuggled. So a head comes before the library only after it has passed here, byte by
// byte as it was sent.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "edge/http.h"

namespace snapfreeze::edge {

// Finds the end of a head in bytes that come in pieces, and looks at each byte once.
class HeadEnd {
 public:
  // `bytes` are those of before and more. Of a head with a line that does not end in CRLF, the end is there.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view bytes);

 private:
  std::size_t line_ = 0;     // where the line begins whose end has not come
  std::size_t scanned_ = 0;  // up to here there is no end of it
};

// Of a whole head: how it is to be refused, saying what would be right.
[[nodiscard]] std::optional<HttpResponse> refuse_head(std::string_view head);

}  // namespace snapfreeze::edge
