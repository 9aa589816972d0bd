#include "certs/authority.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>

#include "tls/openssl.h"
#include "tls/pem.h"

namespace snapfreeze::certs {

namespace {

constexpr std::size_t kMaxCommonName = 64;  // ub-common-name of RFC 5280

bool set_random_serial(X509* certificate) {
  // 159 bits, so that the encoding stays within RFC 5280's 20 octets and positive.
  const std::unique_ptr<BIGNUM, tls::Deleter<BN_free>> number(BN_new());
  return number && BN_rand(number.get(), 159, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_dates(X509* certificate, Wall from, Wall to) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), std::chrono::system_clock::to_time_t(from)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), std::chrono::system_clock::to_time_t(to)) != nullptr;
}

bool set_common_name(X509* certificate, const std::string& name) {
  return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size()),
                                    -1, 0) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, tls::Deleter<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// Makes an extension from a structure, not from OpenSSL's configuration text, in which a name could smuggle in another.
bool add_alt_names(X509* certificate, const SubjectAltNames& names) {
  const std::unique_ptr<GENERAL_NAMES, tls::Deleter<GENERAL_NAMES_free>> all(GENERAL_NAMES_new());
  const auto push = [&](int type, ASN1_STRING* value) {
    GENERAL_NAME* name = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(name, type, value);
    return sk_GENERAL_NAME_push(all.get(), name) > 0;
  };
  for (const std::string& dns : names.dns) {
    ASN1_IA5STRING* value = ASN1_IA5STRING_new();
    if (ASN1_STRING_set(value, dns.data(), static_cast<int>(dns.size())) != 1 || !push(GEN_DNS, value)) return false;
  }
  for (const std::string& ip : names.ip) {
    ASN1_OCTET_STRING* value = a2i_IPADDRESS(ip.c_str());
    if (value == nullptr || !push(GEN_IPADD, value)) return false;
  }
  return X509_add1_ext_i2d(certificate, NID_subject_alt_name, all.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

Result<PemPair> pair_of(X509* certificate, EVP_PKEY* key) {
  const auto certificate_text = tls::to_pem(certificate);
  if (!certificate_text) return certificate_text.error();
  const tls::BioPtr key_bio(BIO_new(BIO_s_secmem()));
  if (PEM_write_bio_PKCS8PrivateKey(key_bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return tls::openssl_error("the new key cannot be written as PEM");
  }
  return PemPair{*certificate_text, tls::bio_text(key_bio.get())};
}

// Everything but the extensions that distinguish a CA from a leaf, and the signature.
tls::X509Ptr new_certificate(EVP_PKEY* key, const std::string& common_name, const X509_NAME* issuer, Wall from,
                             Wall to) {
  tls::X509Ptr certificate(X509_new());
  const bool made = certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
                    set_random_serial(certificate.get()) && set_dates(certificate.get(), from, to) &&
                    X509_set_pubkey(certificate.get(), key) == 1 && set_common_name(certificate.get(), common_name) &&
                    X509_set_issuer_name(certificate.get(),
                                         issuer != nullptr ? issuer : X509_get_subject_name(certificate.get())) == 1;
  return made ? std::move(certificate) : nullptr;
}

Result<void> check_names(const SubjectAltNames& names) {
  if (names.dns.empty() && names.ip.empty()) {
    return Error{Code::kMalformed, "a serving certificate needs at least one DNS name or IP address"};
  }
  for (const std::string& dns : names.dns) {
    const bool plain = dns.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.*") == std::string::npos;
    if (dns.empty() || dns.size() > 253 || !plain) {
      return Error{Code::kMalformed, "not a DNS name in lower case: \"" + dns + "\""};
    }
  }
  for (const std::string& ip : names.ip) {
    std::array<unsigned char, 16> bytes{};
    if (inet_pton(AF_INET, ip.c_str(), bytes.data()) != 1 && inet_pton(AF_INET6, ip.c_str(), bytes.data()) != 1) {
      return Error{Code::kMalformed, "not an IP address: \"" + ip + "\""};
    }
  }
  return {};
}

}  // namespace

Result<PemPair> make_ca(const std::string& common_name, Wall now) {
  if (common_name.empty() || common_name.size() > kMaxCommonName) {
    return Error{Code::kMalformed, "a CA's common name has 1 to 64 bytes: \"" + common_name + "\""};
  }
  const tls::KeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return tls::openssl_error("no P-256 key could be made");
  const tls::X509Ptr ca = new_certificate(key.get(), common_name, nullptr, now - kBackdate, now + kCaLifetime);
  X509* raw = ca.get();
  if (!ca || !add_extension(raw, raw, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
      !add_extension(raw, raw, NID_key_usage, "critical,keyCertSign,cRLSign") ||
      !add_extension(raw, raw, NID_subject_key_identifier, "hash") || X509_sign(raw, key.get(), EVP_sha256()) == 0) {
    return tls::openssl_error("the CA certificate could not be made");
  }
  return pair_of(raw, key.get());
}

Result<PemPair> issue_serving(const PemPair& ca, const SubjectAltNames& names, Wall now) {
  if (const auto good = check_names(names); !good) return good.error();
  const auto ca_certificates = tls::read_certificates(ca.certificate);
  if (!ca_certificates) return Error{Code::kMalformed, "CA certificate: " + ca_certificates.error().message};
  const auto ca_key = tls::read_key(ca.key);
  if (!ca_key) return Error{Code::kMalformed, "CA key: " + ca_key.error().message};
  X509* issuer = ca_certificates->front().get();
  if (const auto good = check_key(issuer, ca_key->get()); !good) {
    return Error{Code::kMalformed, "CA: " + good.error().message};
  }
  const auto about_ca = inspect(issuer);
  if (!about_ca) return about_ca.error();
  if (!about_ca->is_ca) return Error{Code::kMalformed, "not a CA's certificate: " + about_ca->subject};
  if (about_ca->not_after <= now) return Error{Code::kMalformed, "the CA has expired: " + about_ca->subject};

  // A common name is for people. One that does not fit appears only in the SANs.
  const std::string& first = names.dns.empty() ? names.ip.front() : names.dns.front();
  const std::string common_name = first.size() <= kMaxCommonName ? first : "snapfreeze";
  const tls::KeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return tls::openssl_error("no P-256 key could be made");
  const tls::X509Ptr leaf = new_certificate(key.get(), common_name, X509_get_subject_name(issuer), now - kBackdate,
                                            std::min<Wall>(now + kServingLifetime, about_ca->not_after));
  X509* raw = leaf.get();
  if (!leaf || !add_extension(raw, issuer, NID_basic_constraints, "critical,CA:FALSE") ||
      !add_extension(raw, issuer, NID_key_usage, "critical,digitalSignature") ||
      !add_extension(raw, issuer, NID_ext_key_usage, "serverAuth") ||
      !add_extension(raw, issuer, NID_subject_key_identifier, "hash") ||
      !add_extension(raw, issuer, NID_authority_key_identifier, "keyid:always") || !add_alt_names(raw, names) ||
      X509_sign(raw, ca_key->get(), EVP_sha256()) == 0) {
    return tls::openssl_error("the serving certificate could not be made");
  }
  return pair_of(raw, key.get());
}

}  // namespace snapfreeze::certs
