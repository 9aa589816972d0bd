#include "kube/token_source.h"

#include <algorithm>
#include <utility>

#include "base/file.h"

namespace snapfreeze::kube {

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char character) { return character > ' ' && character < 127; });
}

Result<std::string> read_token(const std::string& file) {
  Result<std::string> token = read_file(file);
  if (!token.ok()) return token;
  while (token->ends_with('\n') || token->ends_with('\r')) token->pop_back();
  if (!is_token(token.value())) return Error{Code::kMalformed, file + ": " + kTokenExpected};
  return token;
}

TokenSource::TokenSource(std::string token, std::string file) : token_(std::move(token)), file_(std::move(file)) {}

std::string TokenSource::token(Mono now) {
  const std::lock_guard lock(mutex_);
  if (file_.empty() || (read_ && now - *read_ < kReadAgain)) return token_;
  read_ = now;
  Result<std::string> read = read_token(file_);
  if (read.ok()) token_ = std::move(read).value();
  return token_;
}

}  // namespace snapfreeze::kube
