// The one reader of PEM. It includes OpenSSL, so only the .cpp files of tls/ and certs/ include it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tls/openssl.h"

namespace snapfreeze::tls {

// All certificates of the text, at least one. kMalformed: none, or one of them is damaged.
Result<std::vector<X509Ptr>> read_certificates(std::string_view pem);
// The same, but what follows a damaged certificate is ignored: as a client it is better to trust what can be read of a
// bundle than not to start. kMalformed: none can be read.
Result<std::vector<X509Ptr>> read_certificates_until_damaged(std::string_view pem);
// Refuses an encrypted key instead of asking the terminal for a password.
Result<KeyPtr> read_key(std::string_view pem);

Result<std::string> to_pem(X509* certificate);

}  // namespace snapfreeze::tls
