// Refusals as the API server words them: a Status object with code and reason.
#pragma once

#include <string>
#include <vector>

#include "test/double/api/http.h"
#include "test/double/api/resources.h"

namespace cluster {

Json status_object(int code, const std::string& reason, const std::string& message);
Reply refuse(int code, const std::string& reason, const std::string& message);

Reply not_found(const ResourceType& type, const std::string& name);
Reply already_exists(const ResourceType& type, const std::string& name);
Reply conflict(const ResourceType& type, const std::string& name, const std::string& why = "");
Reply invalid(const ResourceType& type, const std::string& name, const std::vector<std::string>& problems);
Reply bad_request(const std::string& message);
Reply expired(const std::string& message);
Reply internal_error(const std::string& message);

// The reply with this body, a JSON text.
Reply json_reply(int status, std::string body);

}  // namespace cluster
