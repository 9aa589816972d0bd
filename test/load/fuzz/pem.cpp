// PEM of any content, and real pairs with edits: a pair that is taken serves what its certificate says.
#include <string>

#include "certs/authority.h"
#include "certs/key_pair.h"
#include "test/load/fuzz/fuzz.h"

using snapfreeze::fuzz::must;
namespace certs = snapfreeze::certs;

namespace {

certs::PemPair make_pair() {
  const auto now = std::chrono::system_clock::from_time_t(1'800'000'000);
  const auto ca = certs::make_ca("CA", now);
  must(ca.ok(), "a CA is made");
  const auto pair = certs::issue_serving(*ca, {{"a.svc"}, {"10.0.0.1"}}, now);
  must(pair.ok(), "a pair is made");
  return *pair;
}

// Nobody guesses a signature, so that half of the inputs are edits of a real pair: where, which byte.
std::string edited(std::string pem, const std::uint8_t* edits, std::size_t size) {
  for (; size >= 3; edits += 3, size -= 3) pem[(edits[0] << 8 | edits[1]) % pem.size()] = static_cast<char>(edits[2]);
  return pem;
}

void check(const std::string& pem) {
  const auto info = certs::inspect(pem);
  (void)certs::check_signed_by(pem, pem);
  const auto pair = certs::KeyPair::parse(pem, pem);
  if (!pair) {
    must(!pair.error().message.empty(), "a refusal says why");
    return;
  }
  must(info.ok() && (*pair)->certificate() != nullptr && (*pair)->key() != nullptr, "a pair is whole");
  must(certs::check_key(pem, pem).ok(), "the key is the certificate's");
  for (const std::string& ip : (*pair)->info().names.ip) must((*pair)->serves(ip), "it serves its own addresses");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const certs::PemPair real = make_pair();
  if (size > 0 && data[0] % 2 == 0) {
    check(edited(real.certificate + real.key, data + 1, size - 1));
  } else {
    check(std::string(snapfreeze::fuzz::text_of(data, size)));
  }
  return 0;
}
