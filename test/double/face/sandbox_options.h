// The option structs from the bodies of the sandbox's endpoints.
#pragma once

#include "test/double/cluster.h"

namespace cluster {

// Fields as the structs name them; all throw std::invalid_argument that names the field.
GuestFault guest_fault(const Json& body);
VmOptions vm_options(const Json& body);
Denial denial(const Json& body);
HarvesterOptions harvester_options(const Json& body);
Holdback holdback(const Json& body, Mono now);
WebhookOptions webhook_options(const Json& body);  // "replicas" is read elsewhere

}  // namespace cluster
