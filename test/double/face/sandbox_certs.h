// A certificate authority and certificates for the sandbox, made in memory.
#pragma once

#include <string>
#include <vector>

namespace cluster {

struct CertifiedKey {
  std::string certificate, key;  // PEM
};

// P-256, valid from an hour ago for a day.
CertifiedKey make_authority(const std::string& common_name);
// `hosts`: DNS names and IP addresses.
CertifiedKey make_certificate(const CertifiedKey& authority, const std::vector<std::string>& hosts);

}  // namespace cluster
