// Owners for OpenSSL's objects and reading of its error queue. For the files of certs/ only.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "certs/authority.h"

namespace snapfreeze::certs {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using X509Ptr = std::unique_ptr<X509, Deleter<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free>>;

// kMalformed with `what` and OpenSSL's own reason; empties the queue, so that no later call is blamed for it.
Error openssl_error(const std::string& what);

// All certificates of the text, at least one.
Result<std::vector<X509Ptr>> read_certificates(std::string_view pem);
// Refuses an encrypted key instead of asking the terminal for a password.
Result<KeyPtr> read_key(std::string_view pem);

Result<std::string> to_pem(X509* certificate);
std::string bio_text(BIO* bio);

Result<void> check_key(X509* certificate, EVP_PKEY* key);
Result<CertificateInfo> inspect(X509* certificate);

}  // namespace snapfreeze::certs
