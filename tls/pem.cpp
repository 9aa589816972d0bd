#include "tls/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>

namespace snapfreeze::tls {

namespace {

BioPtr memory_bio(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

int no_password(char*, int, int, void*) {
  return -1;
}

Result<std::vector<X509Ptr>> read(std::string_view pem, bool may_be_damaged) {
  const BioPtr bio = memory_bio(pem);
  std::vector<X509Ptr> certificates;
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr)) {
    certificates.emplace_back(certificate);
  }
  // The end of the text is reported as "no start line" too; only that is a clean end.
  const bool clean_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (certificates.empty() && clean_end) {
    ERR_clear_error();
    return Error{Code::kMalformed, "no PEM block \"BEGIN CERTIFICATE\" in it"};
  }
  if (certificates.empty() || !(clean_end || may_be_damaged)) return openssl_error("a PEM certificate is damaged");
  ERR_clear_error();
  return certificates;
}

}  // namespace

Result<std::vector<X509Ptr>> read_certificates(std::string_view pem) {
  return read(pem, false);
}

Result<std::vector<X509Ptr>> read_certificates_until_damaged(std::string_view pem) {
  return read(pem, true);
}

Result<KeyPtr> read_key(std::string_view pem) {
  const BioPtr bio = memory_bio(pem);
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!key) return openssl_error("no unencrypted private key in PEM in it");
  return key;
}

Result<std::string> to_pem(X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), certificate) != 1) {
    return openssl_error("a certificate cannot be written as PEM");
  }
  return bio_text(bio.get());
}

}  // namespace snapfreeze::tls
