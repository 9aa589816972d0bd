// A kubeconfig, as kubectl reads it.
#pragma once

#include <string>

#include "kube/config.h"

namespace snapfreeze::kube {

// kMalformed: names the file, the field and what it should be.
//
// `context` "" is current-context. These are refused by name, as we could not honour them: exec, auth-provider,
// username and password, insecure-skip-tls-verify, proxy-url, impersonation (as*), a server without TLS.
Result<Config> kubeconfig(const std::string& file, const std::string& context = "");

}  // namespace snapfreeze::kube
