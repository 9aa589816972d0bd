#include "edge/http.h"

namespace snapfreeze::edge {

HttpResponse text_response(int status, std::string text) {
  text += '\n';
  return {status, std::move(text), {{"Content-Type", "text/plain; charset=utf-8"}}};
}

}  // namespace snapfreeze::edge
