// A kubeconfig, as kubectl reads it.
#pragma once

#include <string>
#include <vector>

#include "kube/config.h"

namespace snapfreeze::kube {

// kMalformed: names the file, the field and what it should be.
//
// `context` "" is current-context. A field that is empty counts as absent. These are refused by name, as we could not
// honour them: exec, auth-provider, username and password, insecure-skip-tls-verify, proxy-url, impersonation (as*), a
// server without TLS.
Result<Config> kubeconfig(const std::string& file, const std::string& context = "");

// Several files, merged as client-go merges those of $KUBECONFIG: of contexts, clusters and users with one name, and of
// current-context, the first file that has it wins. A file that does not exist is left out, unless none does.
Result<Config> kubeconfigs(const std::vector<std::string>& files, const std::string& context = "");

}  // namespace snapfreeze::kube
