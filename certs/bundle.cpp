#include "certs/bundle.h"

#include <openssl/pem.h>

#include "tls/openssl.h"
#include "tls/pem.h"

namespace snapfreeze::certs {

Result<std::vector<std::string>> split_bundle(std::string_view pem) {
  const auto certificates = tls::read_certificates(pem);
  if (!certificates) return certificates.error();
  std::vector<std::string> texts;
  texts.reserve(certificates->size());
  for (const tls::X509Ptr& certificate : *certificates) {
    const auto text = tls::to_pem(certificate.get());
    if (!text) return text.error();
    texts.push_back(*text);
  }
  return texts;
}

std::string join_bundle(const std::vector<std::string>& certificates) {
  std::string bundle;
  for (const std::string& certificate : certificates) bundle += certificate;
  return bundle;
}

}  // namespace snapfreeze::certs
