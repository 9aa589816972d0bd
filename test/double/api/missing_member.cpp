#include "test/double/api/missing_member.h"

#include <cstdlib>

#include "test/double/api/http.h"

namespace cluster {

void missing_member() {
  (void)Json(Json::object()).at("a member");
  std::abort();  // not reached
}

}  // namespace cluster
