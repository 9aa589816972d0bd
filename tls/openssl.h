// Owners for OpenSSL's objects and reading of its error queue. It includes OpenSSL, so only the .cpp files of tls/ and
// certs/ include it.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "base/result.h"

namespace snapfreeze::tls {

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

// The innermost reason that OpenSSL noted, "" if there is none. It empties the thread's queue, because what one call
// leaves there would be taken for the next one's error.
std::string take_reason();

// kMalformed with `what` and OpenSSL's own reason.
Error openssl_error(const std::string& what);

// What was written to a memory BIO.
std::string bio_text(BIO* bio);

}  // namespace snapfreeze::tls
