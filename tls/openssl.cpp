#include "tls/openssl.h"

#include <openssl/err.h>

namespace snapfreeze::tls {

std::string take_reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "" : reason;
}

Error openssl_error(const std::string& what) {
  const std::string reason = take_reason();
  return {Code::kMalformed, reason.empty() ? what : what + " (" + reason + ")"};
}

std::string bio_text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace snapfreeze::tls
