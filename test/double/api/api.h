// The API server's HTTP interface: routing, and what the requests mean.
#pragma once

#include <atomic>
#include <string>

#include "test/double/api/access.h"
#include "test/double/api/admission.h"
#include "test/double/api/http.h"
#include "test/double/api/route.h"
#include "test/double/api/store.h"
#include "test/double/faults.h"
#include "test/double/kubevirt/guests.h"
#include "test/double/runtime/runtime.h"

namespace cluster {

// Thread-safe.
class Api {
 public:
  Api(Runtime& runtime, Store& store, Faults& faults, Access& access, Guests& guests, Admission& admission)
      : runtime_(runtime), store_(store), faults_(faults), access_(access), guests_(guests), admission_(admission) {}

  // Blocks as long as the request does (faults, admission, freeze); call without the lock. Every reply has a Date
  // header.
  Reply handle(const HttpRequest& request);

  // Of watches that ask for bookmarks. The real one sends them about once a minute.
  void set_bookmark_interval(Millis interval) { bookmark_interval_ = interval; }

 private:
  Reply carry_out(const HttpRequest& request, const Route& route);
  Reply create(const HttpRequest& request, const Route& route);
  Reply read(const HttpRequest& request, const Route& route);
  Reply list(const HttpRequest& request, const Route& route);
  Reply update(const HttpRequest& request, const Route& route);
  Reply patch(const HttpRequest& request, const Route& route);
  Reply remove(const HttpRequest& request, const Route& route);
  Reply watch(const HttpRequest& request, const Route& route);
  Reply operate(const HttpRequest& request, const Route& route);
  Reply review_access(const HttpRequest& request);
  void kill_caller(const HttpRequest& request);
  void stop_caller(const HttpRequest& request, Millis lasts);

  Runtime& runtime_;
  Store& store_;
  Faults& faults_;
  Access& access_;
  Guests& guests_;
  Admission& admission_;
  std::atomic<Millis> bookmark_interval_{Millis(60'000)};
};

}  // namespace cluster
