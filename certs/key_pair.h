// A serving key pair, parsed, checked and ready for TLS, and the source that a server gets it from.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "certs/inspect.h"

// OpenSSL's types, so that only those who call OpenSSL include it.
struct x509_st;
struct evp_pkey_st;
struct stack_st_X509;

namespace snapfreeze::certs {

// Immutable. The pointers live as long as the pair and are never null.
class KeyPair {
 public:
  // kMalformed, saying what is wrong: not PEM, no certificate, no key, an encrypted key, or another certificate's key.
  static Result<std::shared_ptr<const KeyPair>> parse(std::string_view certificate_pem, std::string_view key_pem);

  [[nodiscard]] const CertificateInfo& info() const { return info_; }
  [[nodiscard]] x509_st* certificate() const { return certificate_.get(); }
  [[nodiscard]] evp_pkey_st* key() const { return key_.get(); }
  [[nodiscard]] stack_st_X509* chain() const { return chain_.get(); }  // the certificates after the leaf

  // As a TLS client would match it: DNS names with wildcards, or an IP address.
  [[nodiscard]] bool serves(const std::string& name) const;

 private:
  KeyPair() = default;

  CertificateInfo info_;
  std::shared_ptr<x509_st> certificate_;
  std::shared_ptr<evp_pkey_st> key_;
  std::shared_ptr<stack_st_X509> chain_;
};

// The seam to the source of the serving pair. Thread-safe.
class CertSource {
 public:
  virtual ~CertSource() = default;

  // The pair for the next handshake; null while there is none. Handshakes under way keep the pair they began with.
  [[nodiscard]] virtual std::shared_ptr<const KeyPair> current() const = 0;
};

// A mutex, not std::atomic<std::shared_ptr>: ThreadSanitizer reports false races in libstdc++'s.
class CertHolder final : public CertSource {
 public:
  [[nodiscard]] std::shared_ptr<const KeyPair> current() const override {
    const std::lock_guard lock(mutex_);
    return pair_;
  }

  void set(std::shared_ptr<const KeyPair> pair) {
    const std::lock_guard lock(mutex_);
    pair_.swap(pair);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const KeyPair> pair_;
};

}  // namespace snapfreeze::certs
