#include "certs/inspect.h"

#include <arpa/inet.h>
#include <openssl/bn.h>

#include <array>
#include <ctime>

#include "tls/openssl.h"
#include "tls/pem.h"

namespace snapfreeze::certs {

namespace {

std::string name_text(const X509_NAME* name) {
  const tls::BioPtr bio(BIO_new(BIO_s_mem()));
  // RFC 2253, but leaving UTF-8 as it is.
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  return tls::bio_text(bio.get());
}

std::string serial_text(const X509* certificate) {
  const std::unique_ptr<BIGNUM, tls::Deleter<BN_free>> number(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  if (!number) return {};
  char* hex = BN_bn2hex(number.get());
  std::string text = hex == nullptr ? "" : hex;
  OPENSSL_free(hex);
  return text;
}

Result<Wall> wall_time(const ASN1_TIME* time) {
  std::tm fields{};
  if (ASN1_TIME_to_tm(time, &fields) != 1) return tls::openssl_error("a date of the certificate cannot be read");
  return std::chrono::system_clock::from_time_t(timegm(&fields));
}

std::string ip_text(const ASN1_OCTET_STRING* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int size = ASN1_STRING_length(address);
  if (size != 4 && size != 16) return {};
  inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text.data(), text.size());
  return text.data();
}

SubjectAltNames alt_names(const X509* certificate) {
  SubjectAltNames names;
  const std::unique_ptr<GENERAL_NAMES, tls::Deleter<GENERAL_NAMES_free>> all(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type == GEN_DNS) {
      names.dns.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                             static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    } else if (name->type == GEN_IPADD) {
      names.ip.push_back(ip_text(name->d.iPAddress));
    }
  }
  return names;
}

}  // namespace

Result<CertificateInfo> inspect(X509* certificate) {
  const Result<Wall> not_before = wall_time(X509_get0_notBefore(certificate));
  if (!not_before) return not_before.error();
  const Result<Wall> not_after = wall_time(X509_get0_notAfter(certificate));
  if (!not_after) return not_after.error();

  CertificateInfo info;
  info.subject = name_text(X509_get_subject_name(certificate));
  info.issuer = name_text(X509_get_issuer_name(certificate));
  info.serial = serial_text(certificate);
  info.names = alt_names(certificate);
  info.not_before = *not_before;
  info.not_after = *not_after;
  info.is_ca = X509_check_ca(certificate) == 1;
  return info;
}

Result<void> check_key(X509* certificate, EVP_PKEY* key) {
  if (X509_check_private_key(certificate, key) != 1) {
    return tls::openssl_error("the private key is not that of the certificate");
  }
  return {};
}

Result<CertificateInfo> inspect(std::string_view certificate_pem) {
  const auto certificates = tls::read_certificates(certificate_pem);
  if (!certificates) return certificates.error();
  return inspect(certificates->front().get());
}

Result<void> check_key(std::string_view certificate_pem, std::string_view key_pem) {
  const auto certificates = tls::read_certificates(certificate_pem);
  if (!certificates) return certificates.error();
  const auto key = tls::read_key(key_pem);
  if (!key) return key.error();
  return check_key(certificates->front().get(), key->get());
}

Result<void> check_signed_by(std::string_view certificate_pem, std::string_view ca_bundle_pem) {
  const auto certificates = tls::read_certificates(certificate_pem);
  if (!certificates) return certificates.error();
  const auto bundle = tls::read_certificates(ca_bundle_pem);
  if (!bundle) return bundle.error();
  X509* leaf = certificates->front().get();
  for (const tls::X509Ptr& ca : *bundle) {
    if (X509_check_issued(ca.get(), leaf) == X509_V_OK && X509_verify(leaf, X509_get0_pubkey(ca.get())) == 1) return {};
  }
  return tls::openssl_error("none of the " + std::to_string(bundle->size()) +
                            " CA certificates signed the certificate of " + name_text(X509_get_subject_name(leaf)) +
                            ", whose issuer is " + name_text(X509_get_issuer_name(leaf)));
}

}  // namespace snapfreeze::certs
