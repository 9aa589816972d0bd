#include "certs/trust.h"

#include <chrono>

#include "certs/inspect.h"
#include "tls/openssl.h"
#include "tls/pem.h"

namespace snapfreeze::certs {
namespace {

using StorePtr = std::unique_ptr<X509_STORE, tls::Deleter<X509_STORE_free>>;
using StoreContextPtr = std::unique_ptr<X509_STORE_CTX, tls::Deleter<X509_STORE_CTX_free>>;

// Of certificates that somebody else owns.
struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};
using StackPtr = std::unique_ptr<STACK_OF(X509), FreeStack>;

Error refusal(X509* leaf, const std::string& host, int why) {
  const auto info = inspect(leaf);
  std::string text = "the certificate";
  if (info) text += " of " + info->subject + ", whose issuer is " + info->issuer + ",";
  if (why != X509_V_ERR_HOSTNAME_MISMATCH || !info) {
    return {Code::kMalformed, text + " is not accepted: " + X509_verify_cert_error_string(why)};
  }
  text += " is not for " + host + ", but for ";
  if (info->names.dns.empty()) return {Code::kMalformed, text + "no DNS name (subjectAltName)"};
  for (const std::string& name : info->names.dns) text += (&name == &info->names.dns.front() ? "" : ", ") + name;
  return {Code::kMalformed, text};
}

}  // namespace

Result<void> check_trusted(std::string_view served, std::string_view ca_bundle, const std::string& host, Wall now) {
  const auto chain = tls::read_certificates(served);
  if (!chain) return chain.error();
  const auto bundle = tls::read_certificates(ca_bundle);
  if (!bundle) return bundle.error();

  const StorePtr trusted(X509_STORE_new());
  const StackPtr intermediates(sk_X509_new_null());
  const StoreContextPtr context(X509_STORE_CTX_new());
  for (const tls::X509Ptr& ca : *bundle) X509_STORE_add_cert(trusted.get(), ca.get());
  for (const tls::X509Ptr& certificate : *chain) sk_X509_push(intermediates.get(), certificate.get());
  X509* leaf = chain->front().get();
  if (X509_STORE_CTX_init(context.get(), trusted.get(), leaf, intermediates.get()) != 1) {
    return tls::openssl_error("the certificate cannot be verified");
  }
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM_set_time(rules, std::chrono::system_clock::to_time_t(now));
  // Go looks at no common name.
  X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (!host.empty()) X509_VERIFY_PARAM_set1_host(rules, host.data(), host.size());
  if (X509_verify_cert(context.get()) == 1) return {};
  tls::take_reason();
  return refusal(leaf, host, X509_STORE_CTX_get_error(context.get()));
}

}  // namespace snapfreeze::certs
