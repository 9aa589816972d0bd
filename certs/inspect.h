// Says what a certificate is, and what belongs together. Pure. Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

// OpenSSL's types, so that only those who call OpenSSL include it.
struct x509_st;
struct evp_pkey_st;

namespace snapfreeze::certs {

struct SubjectAltNames {
  std::vector<std::string> dns;
  std::vector<std::string> ip;  // textual IPv4 or IPv6
};

struct CertificateInfo {
  std::string subject;  // RFC 2253: "CN=snapfreeze-webhook.harvester-system.svc"
  std::string issuer;
  std::string serial;  // upper-case hexadecimal
  SubjectAltNames names;
  Wall not_before{};
  Wall not_after{};
  bool is_ca = false;
};

// About the first certificate of the PEM text.
Result<CertificateInfo> inspect(std::string_view certificate_pem);

// kMalformed, saying why, when the private key does not belong to the (first) certificate.
Result<void> check_key(std::string_view certificate_pem, std::string_view key_pem);

// kMalformed, saying why, when no certificate of the bundle signed the (first) certificate. Dates are not looked at.
Result<void> check_signed_by(std::string_view certificate_pem, std::string_view ca_bundle_pem);

// The same of certificates and keys that have been read.
Result<CertificateInfo> inspect(x509_st* certificate);
Result<void> check_key(x509_st* certificate, evp_pkey_st* key);

}  // namespace snapfreeze::certs
