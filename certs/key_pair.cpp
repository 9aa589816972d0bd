#include "certs/key_pair.h"

#include "tls/openssl.h"
#include "tls/pem.h"

namespace snapfreeze::certs {

Result<std::shared_ptr<const KeyPair>> KeyPair::parse(std::string_view certificate_pem, std::string_view key_pem) {
  auto certificates = tls::read_certificates(certificate_pem);
  if (!certificates) return Error{Code::kMalformed, "certificate: " + certificates.error().message};
  auto key = tls::read_key(key_pem);
  if (!key) return Error{Code::kMalformed, "private key: " + key.error().message};
  if (const auto good = check_key(certificates->front().get(), key->get()); !good) return good.error();
  auto info = inspect(certificates->front().get());
  if (!info) return info.error();

  const std::shared_ptr<KeyPair> pair(new KeyPair);
  pair->info_ = std::move(*info);
  pair->certificate_ = std::shared_ptr<X509>(std::move(certificates->front()));
  pair->key_ = std::shared_ptr<EVP_PKEY>(std::move(*key));
  pair->chain_ = std::shared_ptr<STACK_OF(X509)>(sk_X509_new_null(),
                                                 [](STACK_OF(X509) * chain) { sk_X509_pop_free(chain, X509_free); });
  for (std::size_t i = 1; i < certificates->size(); ++i) sk_X509_push(pair->chain_.get(), (*certificates)[i].release());
  return std::shared_ptr<const KeyPair>(pair);
}

bool KeyPair::serves(const std::string& name) const {
  return X509_check_ip_asc(certificate_.get(), name.c_str(), 0) == 1 ||
         X509_check_host(certificate_.get(), name.data(), name.size(), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, nullptr) ==
             1;
}

}  // namespace snapfreeze::certs
