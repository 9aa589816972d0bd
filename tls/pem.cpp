#include "certs/openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>

namespace snapfreeze::certs {

namespace {

BioPtr memory_bio(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

int no_password(char*, int, int, void*) {
  return -1;
}

}  // namespace

Error openssl_error(const std::string& what) {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return {Code::kMalformed, reason == nullptr ? what : what + " (" + reason + ")"};
}

Result<std::vector<X509Ptr>> read_certificates(std::string_view pem) {
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
  if (!clean_end) return openssl_error("a PEM certificate is damaged");
  ERR_clear_error();
  return certificates;
}

Result<KeyPtr> read_key(std::string_view pem) {
  const BioPtr bio = memory_bio(pem);
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!key) return openssl_error("no unencrypted private key in PEM in it");
  return key;
}

std::string bio_text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

Result<std::string> to_pem(X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), certificate) != 1) {
    return openssl_error("a certificate cannot be written as PEM");
  }
  return bio_text(bio.get());
}

Result<void> check_key(X509* certificate, EVP_PKEY* key) {
  if (X509_check_private_key(certificate, key) != 1) {
    return openssl_error("the private key is not that of the certificate");
  }
  return {};
}

}  // namespace snapfreeze::certs
